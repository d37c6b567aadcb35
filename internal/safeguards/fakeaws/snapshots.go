package fakeaws

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// AddSnapshot makes an available snapshot of a group that was taken at a time.
func (r *Region) AddSnapshot(name, group string, at time.Time, change ...func(*ec.Snapshot)) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	s := &ec.Snapshot{
		SnapshotName: &name, ARN: ptr(r.arn("elasticache", "snapshot", name)), ReplicationGroupId: &group, SnapshotStatus: ptr("available"),
		SnapshotSource: ptr("automated"), KmsKeyId: ptr(r.KeyARN("cache")), Engine: ptr("redis"),
		NodeSnapshots: []ec.NodeSnapshot{{SnapshotCreateTime: &at}},
	}
	for _, f := range change {
		f(s)
	}
	r.snapshots[name] = s
}

// Snapshots are the names of the region's snapshots and their states.
func (r *Region) Snapshots() map[string]string {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.settle(r.fake.o.Now())
	out := map[string]string{}
	for name, s := range r.snapshots {
		out[name] = *s.SnapshotStatus
	}
	return out
}

func (c *call) snapshotOf(name string, g *ec.ReplicationGroup, status string) *ec.Snapshot {
	key := c.in.optional("KmsKeyId")
	if key == nil {
		key = g.KmsKeyId
	}
	return &ec.Snapshot{
		SnapshotName: &name, ARN: ptr(c.arn("elasticache", "snapshot", name)), ReplicationGroupId: g.ReplicationGroupId, SnapshotStatus: &status,
		SnapshotSource: ptr("manual"), KmsKeyId: key, Engine: g.Engine, NodeSnapshots: []ec.NodeSnapshot{{SnapshotCreateTime: ptr(c.now)}},
	}
}

func createSnapshot(c *call) (any, *Error) {
	name := c.in.text("SnapshotName")
	if c.snapshots[name] != nil {
		return nil, &Error{400, "SnapshotAlreadyExistsFault", "The snapshot exists."}
	}
	id := c.in.text("ReplicationGroupId")
	if id == "" {
		return c.snapshotCluster(name)
	}
	g := c.groups[id]
	switch {
	case g == nil:
		return nil, notFound("ReplicationGroupNotFoundFault", id)
	case str(g.Status) != "available":
		return nil, &Error{400, "InvalidReplicationGroupState", "Replication group is not available."}
	}
	s := c.snapshotOf(name, g, "creating")
	c.snapshots[name] = s
	g.Status = ptr("snapshotting")
	c.after(c.now, func() {
		s.SnapshotStatus = ptr("available")
		if *g.Status == "snapshotting" {
			g.Status = ptr("available")
		}
	})
	return elasticache.CreateSnapshotOutput{Snapshot: s}, nil
}

func (c *call) snapshotCluster(name string) (any, *Error) {
	id := c.in.text("CacheClusterId")
	x := c.clusters[id]
	switch {
	case x == nil:
		return nil, notFound("CacheClusterNotFound", id)
	case str(x.Engine) == "memcached":
		return nil, &Error{400, "SnapshotFeatureNotSupportedFault", "Memcached has no snapshots."}
	case str(x.CacheClusterStatus) != "available":
		return nil, &Error{400, "InvalidCacheClusterState", "Cache cluster is not available."}
	}
	s := &ec.Snapshot{
		SnapshotName: &name, ARN: ptr(c.arn("elasticache", "snapshot", name)), CacheClusterId: &id, SnapshotStatus: ptr("creating"),
		SnapshotSource: ptr("manual"), KmsKeyId: c.in.optional("KmsKeyId"), Engine: x.Engine,
		NodeSnapshots: []ec.NodeSnapshot{{SnapshotCreateTime: ptr(c.now)}},
	}
	c.snapshots[name] = s
	x.CacheClusterStatus = ptr("snapshotting")
	c.after(c.now, func() {
		s.SnapshotStatus = ptr("available")
		if *x.CacheClusterStatus == "snapshotting" {
			x.CacheClusterStatus = ptr("available")
		}
	})
	return elasticache.CreateSnapshotOutput{Snapshot: s}, nil
}

func describeSnapshots(c *call) (any, *Error) {
	wanted := c.in.text("SnapshotName")
	if wanted != "" && c.snapshots[wanted] == nil {
		return nil, notFound("SnapshotNotFoundFault", wanted)
	}
	var list []ec.Snapshot
	for _, s := range values(c.snapshots) {
		id, cluster := c.in.text("ReplicationGroupId"), c.in.text("CacheClusterId")
		if (wanted == "" || wanted == *s.SnapshotName) && (id == "" || id == str(s.ReplicationGroupId)) && (cluster == "" || cluster == str(s.CacheClusterId)) {
			list = append(list, s)
		}
	}
	list, next, err := page(c, list, func(x ec.Snapshot) string { return *x.SnapshotName }, "MaxRecords", "Marker")
	return elasticache.DescribeSnapshotsOutput{Snapshots: list, Marker: next}, err
}
