package fakeaws

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// AddCluster makes an available cache cluster of its own: Redis as far as it can be had without a group, which is to say
// with encryption at rest and nothing else. change spoils or mends it.
func (r *Region) AddCluster(id string, change ...func(*ec.CacheCluster)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	c := &ec.CacheCluster{
		CacheClusterId: &id, ARN: ptr(r.ClusterARN(id)), CacheClusterStatus: ptr("available"), Engine: ptr("redis"),
		EngineVersion: ptr("7.1.0"), CacheNodeType: ptr("cache.r7g.large"), NumCacheNodes: ptr[int32](1),
		CacheClusterCreateTime:  ptr(r.fake.o.Now().Add(-30 * 24 * time.Hour)),
		AtRestEncryptionEnabled: ptr(true), TransitEncryptionEnabled: ptr(true), TransitEncryptionMode: ec.TransitEncryptionModeRequired,
		AuthTokenEnabled: ptr(true), AuthTokenLastModifiedDate: ptr(r.fake.o.Now().Add(-time.Hour)),
		AutoMinorVersionUpgrade: ptr(true), SnapshotRetentionLimit: ptr[int32](35), CacheSubnetGroupName: ptr("private"),
		CacheParameterGroup: &ec.CacheParameterGroupStatus{CacheParameterGroupName: ptr("default.redis7")},
		SecurityGroups:      memberships([]string{"sg-cache"}),
		CacheNodes:          []ec.CacheNode{{CacheNodeId: ptr("0001"), Endpoint: &ec.Endpoint{Address: ptr(id + ".cache"), Port: ptr[int32](6379)}}},
		LogDeliveryConfigurations: []ec.LogDeliveryConfiguration{
			{LogType: ec.LogTypeSlowLog, Status: ec.LogDeliveryConfigurationStatusActive},
			{LogType: ec.LogTypeEngineLog, Status: ec.LogDeliveryConfigurationStatusActive},
		},
	}
	for _, f := range change {
		f(c)
	}
	r.clusters[id] = c
}

func describeClusters(c *call) (any, *Error) {
	list := values(c.clusters)
	if id := c.in.text("CacheClusterId"); id != "" {
		if c.clusters[id] == nil {
			return nil, notFound("CacheClusterNotFound", id)
		}
		list = []ec.CacheCluster{*c.clusters[id]}
	}
	if only := c.in.flag("ShowCacheClustersNotInReplicationGroups"); only != nil && *only {
		var alone []ec.CacheCluster
		for _, x := range list {
			if x.ReplicationGroupId == nil {
				alone = append(alone, x)
			}
		}
		list = alone
	}
	list, next, err := page(c, list, func(x ec.CacheCluster) string { return *x.CacheClusterId }, "MaxRecords", "Marker")
	if nodes := c.in.flag("ShowCacheNodeInfo"); nodes == nil || !*nodes {
		for i := range list {
			list[i].CacheNodes = nil
		}
	}
	return elasticache.DescribeCacheClustersOutput{CacheClusters: list, Marker: next}, err
}

func createCluster(c *call) (any, *Error) {
	id := c.in.text("CacheClusterId")
	if c.clusters[id] != nil {
		return nil, &Error{400, "CacheClusterAlreadyExists", "The cluster exists."}
	}
	engine := c.in.text("Engine")
	x := &ec.CacheCluster{
		CacheClusterId: &id, ARN: ptr(c.ClusterARN(id)), CacheClusterStatus: ptr("creating"), Engine: &engine,
		EngineVersion: c.in.optional("EngineVersion"), CacheNodeType: c.in.optional("CacheNodeType"), NumCacheNodes: c.in.number("NumCacheNodes"),
		CacheClusterCreateTime: ptr(c.now), AtRestEncryptionEnabled: ptr(false), TransitEncryptionEnabled: orFalse(c.in.flag("TransitEncryptionEnabled")),
		AuthTokenEnabled: ptr(c.in.text("AuthToken") != ""), AutoMinorVersionUpgrade: orFalse(c.in.flag("AutoMinorVersionUpgrade")),
		SnapshotRetentionLimit: c.in.number("SnapshotRetentionLimit"), CacheSubnetGroupName: c.in.optional("CacheSubnetGroupName"),
		SecurityGroups: memberships(c.in.texts("SecurityGroupIds")),
	}
	c.clusters[id] = x
	if tags := c.in.structs("Tags"); tags != nil {
		c.tags[*x.ARN] = tagMap(tags)
	}
	c.note(c.now, ec.SourceTypeCacheCluster, id, "Cache cluster created")
	c.after(c.now, func() { x.CacheClusterStatus = ptr("available") })
	return elasticache.CreateCacheClusterOutput{CacheCluster: x}, nil
}

func modifyCluster(c *call) (any, *Error) {
	id := c.in.text("CacheClusterId")
	x := c.clusters[id]
	switch {
	case x == nil:
		return nil, notFound("CacheClusterNotFound", id)
	case str(x.CacheClusterStatus) != "available":
		return nil, &Error{400, "InvalidCacheClusterState", "Cache cluster is not available."}
	case x.ReplicationGroupId != nil:
		return nil, &Error{400, "InvalidParameterCombination", "The cluster is part of a replication group."}
	case c.in.text("ApplyImmediately") != "true":
		return elasticache.ModifyCacheClusterOutput{CacheCluster: x}, nil
	}
	in := c.in
	x.CacheClusterStatus = ptr("modifying")
	c.after(c.now, func() {
		if c.clusters[id] != x || *x.CacheClusterStatus == "deleting" {
			return
		}
		if b := in.flag("AutoMinorVersionUpgrade"); b != nil {
			x.AutoMinorVersionUpgrade = b
		}
		if n := in.number("SnapshotRetentionLimit"); n != nil {
			x.SnapshotRetentionLimit = n
		}
		if ids := in.texts("SecurityGroupIds"); ids != nil {
			x.SecurityGroups = memberships(ids)
		}
		for _, l := range in.structs("LogDeliveryConfigurations") {
			x.LogDeliveryConfigurations = setLog(x.LogDeliveryConfigurations, l)
		}
		x.CacheClusterStatus = ptr("available")
	})
	return elasticache.ModifyCacheClusterOutput{CacheCluster: x}, nil
}

func deleteCluster(c *call) (any, *Error) {
	id := c.in.text("CacheClusterId")
	x := c.clusters[id]
	switch {
	case x == nil:
		return nil, notFound("CacheClusterNotFound", id)
	case str(x.CacheClusterStatus) != "available":
		return nil, &Error{400, "InvalidCacheClusterState", "Cache cluster is not available."}
	case x.ReplicationGroupId != nil:
		return nil, &Error{400, "InvalidCacheClusterState", "The cluster is part of a replication group."}
	}
	if final := c.in.text("FinalSnapshotIdentifier"); final != "" {
		if c.snapshots[final] != nil {
			return nil, &Error{400, "SnapshotAlreadyExistsFault", "The snapshot exists."}
		}
		c.snapshots[final] = &ec.Snapshot{SnapshotName: &final, CacheClusterId: &id, SnapshotStatus: ptr("available"), Engine: x.Engine}
	}
	x.CacheClusterStatus = ptr("deleting")
	c.after(c.now, func() {
		delete(c.clusters, id)
		delete(c.tags, *x.ARN)
	})
	return elasticache.DeleteCacheClusterOutput{CacheCluster: x}, nil
}

func describeSubnetGroups(c *call) (any, *Error) {
	list, next, err := page(c, values(c.subnetGroups), func(x ec.CacheSubnetGroup) string { return *x.CacheSubnetGroupName }, "MaxRecords", "Marker")
	return elasticache.DescribeCacheSubnetGroupsOutput{CacheSubnetGroups: list, Marker: next}, err
}

// AddSubnetGroup makes a cache subnet group.
func (r *Region) AddSubnetGroup(name, vpc string, subnets ...string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.subnetGroups[name] = subnetGroup(name, vpc, subnets)
}

func subnetGroup(name, vpc string, subnets []string) *ec.CacheSubnetGroup {
	g := &ec.CacheSubnetGroup{CacheSubnetGroupName: &name, VpcId: &vpc}
	for _, s := range subnets {
		g.Subnets = append(g.Subnets, ec.Subnet{SubnetIdentifier: ptr(s)})
	}
	return g
}

func createSubnetGroup(c *call) (any, *Error) {
	name := c.in.text("CacheSubnetGroupName")
	g := subnetGroup(name, "vpc-1", c.in.texts("SubnetIds"))
	c.subnetGroups[name] = g
	return elasticache.CreateCacheSubnetGroupOutput{CacheSubnetGroup: g}, nil
}

// SetParameters sets what a cache parameter group holds.
func (r *Region) SetParameters(group string, parameters map[string]string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.parameters[group] = parameters
}

func describeParameters(c *call) (any, *Error) {
	name := c.in.text("CacheParameterGroupName")
	held, ok := c.parameters[name]
	if !ok {
		if !strings.HasPrefix(name, "default.") {
			return nil, notFound("CacheParameterGroupNotFound", name)
		}
		held = map[string]string{"maxmemory-policy": "volatile-lru", "timeout": "0", "tcp-keepalive": "300"}
	}
	var list []ec.Parameter
	for k, v := range held {
		list = append(list, ec.Parameter{ParameterName: ptr(k), ParameterValue: ptr(v)})
	}
	list, next, err := page(c, list, func(x ec.Parameter) string { return *x.ParameterName }, "MaxRecords", "Marker")
	return elasticache.DescribeCacheParametersOutput{Parameters: list, Marker: next}, err
}

// AddUpdate offers a service update for a group.
func (r *Region) AddUpdate(u ec.UpdateAction) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.updates = append(r.updates, u)
}

func describeUpdates(c *call) (any, *Error) {
	list := append([]ec.UpdateAction{}, c.updates...)
	list, next, err := page(c, list, func(x ec.UpdateAction) string {
		return str(x.ReplicationGroupId) + str(x.CacheClusterId) + "/" + str(x.ServiceUpdateName)
	}, "MaxRecords", "Marker")
	return elasticache.DescribeUpdateActionsOutput{UpdateActions: list, Marker: next}, err
}

func describeEvents(c *call) (any, *Error) {
	from := c.now.Add(-time.Hour)
	if n := c.in.number("Duration"); n != nil {
		from = c.now.Add(-time.Duration(*n) * time.Minute)
	}
	if t, err := time.Parse(time.RFC3339, c.in.text("StartTime")); err == nil {
		from = t
	}
	var list []ec.Event
	for _, e := range c.events {
		if !e.Date.Before(from) && (c.in.text("SourceType") == "" || string(e.SourceType) == c.in.text("SourceType")) {
			list = append(list, e)
		}
	}
	list, next, err := page(c, list, func(e ec.Event) string {
		return e.Date.Format(time.RFC3339Nano) + *e.SourceIdentifier + *e.Message
	}, "MaxRecords", "Marker")
	return elasticache.DescribeEventsOutput{Events: list, Marker: next}, err
}

// Note adds an event, as if something had happened to a resource now.
func (r *Region) Note(kind ec.SourceType, id, message string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.note(r.fake.o.Now(), kind, id, message)
}

func listTags(c *call) (any, *Error) {
	arn := c.in.text("ResourceName")
	if !strings.HasPrefix(arn, "arn:aws:elasticache:"+c.Name+":"+c.Account+":") {
		return nil, &Error{400, "InvalidARN", "The ARN is not one of this account and region."}
	}
	var out elasticache.ListTagsForResourceOutput
	for k, v := range c.tags[arn] {
		out.TagList = append(out.TagList, ec.Tag{Key: ptr(k), Value: ptr(v)})
	}
	return out, nil
}
