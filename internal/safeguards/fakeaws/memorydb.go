package fakeaws

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/memorydb"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"
)

// MemoryARN is the ARN of a MemoryDB cluster.
func (r *Region) MemoryARN(name string) string { return r.arn("memorydb", "cluster/"+name) }

// AddMemory makes an available MemoryDB cluster that no rule finds fault with; change spoils it.
func (r *Region) AddMemory(name string, change ...func(*mdb.Cluster)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	node := func(zone string) mdb.Node {
		return mdb.Node{Name: ptr(name + zone), AvailabilityZone: ptr(r.Name + zone), CreateTime: ptr(r.fake.o.Now().Add(-30 * 24 * time.Hour))}
	}
	m := &mdb.Cluster{
		Name: &name, ARN: ptr(r.MemoryARN(name)), Status: ptr("available"), Engine: ptr("valkey"), EngineVersion: ptr("7.3"),
		EnginePatchVersion: ptr("7.3.0"), NodeType: ptr("db.r7g.large"), ACLName: ptr("app"), TLSEnabled: ptr(true), KmsKeyId: ptr(r.KeyARN("cache")),
		AutoMinorVersionUpgrade: ptr(true), AvailabilityMode: mdb.AZStatusMultiAZ, SnapshotRetentionLimit: ptr[int32](35),
		SubnetGroupName: ptr("private"), ParameterGroupName: ptr("default.memorydb-valkey7"), NumberOfShards: ptr[int32](1),
		SecurityGroups:  []mdb.SecurityGroupMembership{{SecurityGroupId: ptr("sg-cache"), Status: ptr("active")}},
		ClusterEndpoint: &mdb.Endpoint{Address: ptr(name + ".memory"), Port: 6379},
		Shards:          []mdb.Shard{{Name: ptr("0001"), Nodes: []mdb.Node{node("a"), node("b")}, NumberOfNodes: ptr[int32](2)}},
	}
	for _, f := range change {
		f(m)
	}
	r.memory.clusters[name] = m
}

// Memory is a copy of a MemoryDB cluster as it is now, nil if there is none.
func (r *Region) Memory(name string) *mdb.Cluster {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	m := r.memory.clusters[name]
	if m == nil {
		return nil
	}
	copied := *m
	return &copied
}

// AddMemoryACL makes a MemoryDB ACL with one user of the same name.
func (r *Region) AddMemoryACL(name, access string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.memory.users[name] = &mdb.User{
		Name: &name, ARN: ptr(r.arn("memorydb", "user/"+name)), Status: ptr("active"), AccessString: &access, ACLNames: []string{name},
		Authentication: &mdb.Authentication{Type: mdb.AuthenticationTypePassword, PasswordCount: ptr[int32](1)},
	}
	r.memory.acls[name] = &mdb.ACL{Name: &name, ARN: ptr(r.arn("memorydb", "acl/"+name)), Status: ptr("active"), UserNames: []string{name}}
}

func describeMemory(c *call) (any, *Error) {
	list := values(c.memory.clusters)
	if name := c.in.text("ClusterName"); name != "" {
		if c.memory.clusters[name] == nil {
			return nil, notFound("ClusterNotFoundFault", name)
		}
		list = []mdb.Cluster{*c.memory.clusters[name]}
	}
	list, next, err := page(c, list, func(x mdb.Cluster) string { return *x.Name }, "MaxResults", "NextToken")
	if all := c.in.flag("ShowShardDetails"); all == nil || !*all {
		for i := range list {
			list[i].Shards = nil
		}
	}
	return memorydb.DescribeClustersOutput{Clusters: list, NextToken: next}, err
}

func describeMemorySnapshots(c *call) (any, *Error) {
	var list []mdb.Snapshot
	for _, s := range values(c.memory.snapshots) {
		if n := c.in.text("SnapshotName"); n == "" || n == *s.Name {
			list = append(list, s)
		}
	}
	if n := c.in.text("SnapshotName"); n != "" && len(list) == 0 {
		return nil, notFound("SnapshotNotFoundFault", n)
	}
	list, next, err := page(c, list, func(x mdb.Snapshot) string { return *x.Name }, "MaxResults", "NextToken")
	return memorydb.DescribeSnapshotsOutput{Snapshots: list, NextToken: next}, err
}

func describeMemoryUsers(c *call) (any, *Error) {
	list, next, err := page(c, values(c.memory.users), func(x mdb.User) string { return *x.Name }, "MaxResults", "NextToken")
	return memorydb.DescribeUsersOutput{Users: list, NextToken: next}, err
}

func describeMemoryACLs(c *call) (any, *Error) {
	list, next, err := page(c, values(c.memory.acls), func(x mdb.ACL) string { return *x.Name }, "MaxResults", "NextToken")
	return memorydb.DescribeACLsOutput{ACLs: list, NextToken: next}, err
}

func describeMemorySubnetGroups(c *call) (any, *Error) {
	var list []mdb.SubnetGroup
	for name, g := range c.subnetGroups {
		x := mdb.SubnetGroup{Name: ptr(name), VpcId: g.VpcId}
		for _, s := range g.Subnets {
			x.Subnets = append(x.Subnets, mdb.Subnet{Identifier: s.SubnetIdentifier})
		}
		list = append(list, x)
	}
	list, next, err := page(c, list, func(x mdb.SubnetGroup) string { return *x.Name }, "MaxResults", "NextToken")
	return memorydb.DescribeSubnetGroupsOutput{SubnetGroups: list, NextToken: next}, err
}

func describeMemoryParameters(c *call) (any, *Error) {
	var list []mdb.Parameter
	for k, v := range map[string]string{"maxmemory-policy": "noeviction", "timeout": "300", "tcp-keepalive": "300"} {
		list = append(list, mdb.Parameter{Name: ptr(k), Value: ptr(v)})
	}
	list, next, err := page(c, list, func(x mdb.Parameter) string { return *x.Name }, "MaxResults", "NextToken")
	return memorydb.DescribeParametersOutput{Parameters: list, NextToken: next}, err
}

func listMemoryTags(c *call) (any, *Error) {
	arn := c.in.text("ResourceArn")
	if !strings.HasPrefix(arn, "arn:aws:memorydb:"+c.Name+":"+c.Account+":") {
		return nil, &Error{400, "InvalidARNFault", "The ARN is not one of this account and region."}
	}
	var out memorydb.ListTagsOutput
	for k, v := range c.tags[arn] {
		out.TagList = append(out.TagList, mdb.Tag{Key: ptr(k), Value: ptr(v)})
	}
	return out, nil
}

// memoryNamed is a MemoryDB cluster that is available.
func (c *call) memoryNamed() (*mdb.Cluster, *Error) {
	name := c.in.text("ClusterName")
	m := c.memory.clusters[name]
	switch {
	case m == nil:
		return nil, notFound("ClusterNotFoundFault", name)
	case str(m.Status) != "available":
		return nil, &Error{400, "InvalidClusterStateFault", "The cluster is not available."}
	}
	return m, nil
}

func updateMemory(c *call) (any, *Error) {
	m, err := c.memoryNamed()
	if err != nil {
		return nil, err
	}
	in := c.in
	m.Status = ptr("updating")
	c.after(c.now, func() {
		if *m.Status == "deleting" {
			return
		}
		if n := in.number("SnapshotRetentionLimit"); n != nil {
			m.SnapshotRetentionLimit = n
		}
		if ids := in.texts("SecurityGroupIds"); ids != nil {
			m.SecurityGroups = nil
			for _, id := range ids {
				m.SecurityGroups = append(m.SecurityGroups, mdb.SecurityGroupMembership{SecurityGroupId: ptr(id), Status: ptr("active")})
			}
		}
		m.Status = ptr("available")
	})
	return memorydb.UpdateClusterOutput{Cluster: m}, nil
}

func snapshotMemory(c *call) (any, *Error) {
	m, err := c.memoryNamed()
	if err != nil {
		return nil, err
	}
	name := c.in.text("SnapshotName")
	if c.memory.snapshots[name] != nil {
		return nil, &Error{400, "SnapshotAlreadyExistsFault", "The snapshot exists."}
	}
	key := c.in.optional("KmsKeyId")
	if key == nil {
		key = m.KmsKeyId
	}
	s := &mdb.Snapshot{
		Name: &name, ARN: ptr(c.arn("memorydb", "snapshot/"+name)), Status: ptr("creating"), KmsKeyId: key, Source: ptr("manual"),
		ClusterConfiguration: &mdb.ClusterConfiguration{Name: m.Name},
	}
	c.memory.snapshots[name] = s
	m.Status = ptr("snapshotting")
	c.after(c.now, func() {
		s.Status = ptr("available")
		if *m.Status == "snapshotting" {
			m.Status = ptr("available")
		}
	})
	return memorydb.CreateSnapshotOutput{Snapshot: s}, nil
}

func deleteMemory(c *call) (any, *Error) {
	m, err := c.memoryNamed()
	if err != nil {
		return nil, err
	}
	m.Status = ptr("deleting")
	c.after(c.now, func() { delete(c.memory.clusters, *m.Name) })
	return memorydb.DeleteClusterOutput{Cluster: m}, nil
}
