package fakeaws

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// AddGroup makes an available replication group that no rule finds fault with, with two members, and lets change spoil it
// before anybody sees it. Members are changed with it where they repeat what the group says.
func (r *Region) AddGroup(id string, change ...func(*ec.ReplicationGroup)) {
	f := r.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.o.Now()
	g := &ec.ReplicationGroup{
		ReplicationGroupId: &id, ARN: ptr(r.GroupARN(id)), Description: ptr("a cache"), Status: ptr("available"),
		Engine: ptr("redis"), CacheNodeType: ptr("cache.r7g.large"), ReplicationGroupCreateTime: ptr(now.Add(-30 * 24 * time.Hour)),
		AtRestEncryptionEnabled: ptr(true), StorageEncryptionType: ec.StorageEncryptionTypeSseKms,
		KmsKeyId: ptr(r.KeyARN("cache")), TransitEncryptionEnabled: ptr(true),
		TransitEncryptionMode: ec.TransitEncryptionModeRequired, AuthTokenEnabled: ptr(true),
		AuthTokenLastModifiedDate: ptr(now.Add(-24 * time.Hour)), AutoMinorVersionUpgrade: ptr(true),
		AutomaticFailover: ec.AutomaticFailoverStatusEnabled, MultiAZ: ec.MultiAZStatusEnabled,
		ClusterEnabled: ptr(false), SnapshotRetentionLimit: ptr[int32](35), SnapshotWindow: ptr("03:00-04:00"),
		LogDeliveryConfigurations: []ec.LogDeliveryConfiguration{
			{LogType: ec.LogTypeSlowLog, Status: ec.LogDeliveryConfigurationStatusActive},
			{LogType: ec.LogTypeEngineLog, Status: ec.LogDeliveryConfigurationStatusActive},
		},
	}
	for _, c := range change {
		c(g)
	}
	r.groups[id] = g
	r.setTokens(g)
	r.makeMembers(g)
}

func (r *Region) setTokens(g *ec.ReplicationGroup) {
	if g.AuthTokenEnabled != nil && *g.AuthTokenEnabled {
		r.tokens[*g.ReplicationGroupId] = tokens{[]string{"first"}}
	}
}

// makeMembers gives a group its two clusters.
func (r *Region) makeMembers(g *ec.ReplicationGroup) {
	id := *g.ReplicationGroupId
	if g.MemberClusters == nil {
		g.MemberClusters = []string{id + "-001", id + "-002"}
	}
	shard := ec.NodeGroup{NodeGroupId: ptr("0001"), Status: ptr("available"), PrimaryEndpoint: &ec.Endpoint{Address: ptr(id + ".cache"), Port: ptr[int32](6379)}}
	for i, name := range g.MemberClusters {
		role, zone := "replica", r.Name+"b"
		if i == 0 {
			role, zone = "primary", r.Name+"a"
		}
		shard.NodeGroupMembers = append(shard.NodeGroupMembers, ec.NodeGroupMember{
			CacheClusterId: ptr(name), CacheNodeId: ptr("0001"), CurrentRole: &role, PreferredAvailabilityZone: &zone,
		})
		if r.clusters[name] != nil {
			continue // made before, with changes of its own
		}
		r.clusters[name] = &ec.CacheCluster{
			CacheClusterId: ptr(name), ARN: ptr(r.ClusterARN(name)), ReplicationGroupId: &id, CacheClusterStatus: ptr("available"),
			Engine: g.Engine, EngineVersion: ptr("7.1.0"), CacheNodeType: g.CacheNodeType,
			CacheClusterCreateTime: g.ReplicationGroupCreateTime, CacheSubnetGroupName: ptr("private"),
			AtRestEncryptionEnabled: g.AtRestEncryptionEnabled, TransitEncryptionEnabled: g.TransitEncryptionEnabled,
			CacheParameterGroup:       &ec.CacheParameterGroupStatus{CacheParameterGroupName: ptr("default.redis7")},
			SecurityGroups:            []ec.SecurityGroupMembership{{SecurityGroupId: ptr("sg-cache"), Status: ptr("active")}},
			PreferredAvailabilityZone: &zone, NumCacheNodes: ptr[int32](1),
		}
	}
	g.NodeGroups = []ec.NodeGroup{shard}
}

// ChangeGroup changes a group behind everybody's back.
func (r *Region) ChangeGroup(id string, change func(*ec.ReplicationGroup)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	if g := r.groups[id]; g != nil {
		change(g)
	}
}

// ChangeCluster changes a cache cluster behind everybody's back.
func (r *Region) ChangeCluster(id string, change func(*ec.CacheCluster)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	if c := r.clusters[id]; c != nil {
		change(c)
	}
}

// Group is a copy of a group as it is now, nil if there is none.
func (r *Region) Group(id string) *ec.ReplicationGroup {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	g := r.groups[id]
	if g == nil {
		return nil
	}
	copied := *g
	return &copied
}

// Cluster is a copy of a cache cluster as it is now, nil if there is none.
func (r *Region) Cluster(id string) *ec.CacheCluster {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	c := r.clusters[id]
	if c == nil {
		return nil
	}
	copied := *c
	return &copied
}

// Tokens are the AUTH tokens that a group takes now, the newest last.
func (r *Region) Tokens(group string) []string {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	return slices.Clone(r.tokens[group].valid)
}

func describeGroups(c *call) (any, *Error) {
	if id := c.in.text("ReplicationGroupId"); id != "" {
		g := c.groups[id]
		if g == nil {
			return nil, notFound("ReplicationGroupNotFoundFault", id)
		}
		return elasticache.DescribeReplicationGroupsOutput{ReplicationGroups: []ec.ReplicationGroup{*g}}, nil
	}
	list, next, err := page(c, values(c.groups), func(g ec.ReplicationGroup) string { return *g.ReplicationGroupId }, "MaxRecords", "Marker")
	return elasticache.DescribeReplicationGroupsOutput{ReplicationGroups: list, Marker: next}, err
}

func createGroup(c *call) (any, *Error) {
	id := c.in.text("ReplicationGroupId")
	if c.groups[id] != nil {
		return nil, &Error{400, "ReplicationGroupAlreadyExists", "The group exists."}
	}
	engine := c.in.text("Engine")
	if engine == "" {
		engine = "redis"
	}
	rest := engine == "valkey" // the default of Valkey; of Redis it is false
	if b := c.in.flag("AtRestEncryptionEnabled"); b != nil {
		rest = *b
	}
	if s := c.in.text("SnapshotName"); s != "" && (c.snapshots[s] == nil || str(c.snapshots[s].SnapshotStatus) != "available") {
		return nil, notFound("SnapshotNotFoundFault", s)
	}
	if c.in.text("AuthToken") != "" && c.in.text("TransitEncryptionEnabled") != "true" {
		return nil, &Error{400, "InvalidParameterCombination", "An AUTH token needs encryption in transit."}
	}
	g := &ec.ReplicationGroup{
		ReplicationGroupId: &id, ARN: ptr(c.GroupARN(id)), Description: c.in.optional("ReplicationGroupDescription"),
		Status: ptr("creating"), Engine: &engine, CacheNodeType: c.in.optional("CacheNodeType"),
		ReplicationGroupCreateTime: ptr(c.now), AtRestEncryptionEnabled: &rest, KmsKeyId: c.in.optional("KmsKeyId"),
		StorageEncryptionType: storageType(rest, c.in.text("KmsKeyId")), TransitEncryptionEnabled: orFalse(c.in.flag("TransitEncryptionEnabled")),
		AuthTokenEnabled: ptr(c.in.text("AuthToken") != ""), AutoMinorVersionUpgrade: orFalse(c.in.flag("AutoMinorVersionUpgrade")),
		SnapshotRetentionLimit: c.in.number("SnapshotRetentionLimit"), MultiAZ: ec.MultiAZStatusDisabled,
		AutomaticFailover: ec.AutomaticFailoverStatusDisabled, UserGroupIds: c.in.texts("UserGroupIds"),
	}
	if *g.TransitEncryptionEnabled {
		g.TransitEncryptionMode = ec.TransitEncryptionModeRequired
		if m := c.in.text("TransitEncryptionMode"); m != "" {
			g.TransitEncryptionMode = ec.TransitEncryptionMode(m)
		}
	}
	if *g.AuthTokenEnabled {
		g.AuthTokenLastModifiedDate = ptr(c.now)
		c.tokens[id] = tokens{[]string{c.in.text("AuthToken")}}
	}
	c.groups[id] = g
	c.createMembers(g)
	c.note(c.now, ec.SourceTypeReplicationGroup, id, "Replication group created")
	c.after(c.now, func() { g.Status = ptr("available") })
	return elasticache.CreateReplicationGroupOutput{ReplicationGroup: g}, nil
}

// createMembers gives a new group its clusters, with what the request says of them.
func (c *call) createMembers(g *ec.ReplicationGroup) {
	c.makeMembers(g)
	for _, name := range g.MemberClusters {
		m := c.clusters[name]
		if v := c.in.text("EngineVersion"); v != "" {
			m.EngineVersion = &v
		}
		if s := c.in.text("CacheSubnetGroupName"); s != "" {
			m.CacheSubnetGroupName = &s
		}
		if p := c.in.text("CacheParameterGroupName"); p != "" {
			m.CacheParameterGroup = &ec.CacheParameterGroupStatus{CacheParameterGroupName: &p}
		}
		if ids := c.in.texts("SecurityGroupIds"); ids != nil {
			m.SecurityGroups = memberships(ids)
		}
	}
	if tags := c.in.structs("Tags"); tags != nil {
		c.tags[*g.ARN] = tagMap(tags)
	}
}

func storageType(rest bool, key string) ec.StorageEncryptionType {
	switch {
	case !rest:
		return ec.StorageEncryptionTypeNone
	case key != "":
		return ec.StorageEncryptionTypeSseKms
	default:
		return ec.StorageEncryptionTypeSseElasticache
	}
}

func orFalse(p *bool) *bool {
	if p == nil {
		return ptr(false)
	}
	return p
}

func memberships(ids []string) []ec.SecurityGroupMembership {
	out := make([]ec.SecurityGroupMembership, len(ids))
	for i, id := range ids {
		out[i] = ec.SecurityGroupMembership{SecurityGroupId: ptr(id), Status: ptr("active")}
	}
	return out
}

func tagMap(tags []params) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[t.text("Key")] = t.text("Value")
	}
	return out
}
