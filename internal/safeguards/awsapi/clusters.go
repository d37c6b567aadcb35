package awsapi

import (
	"context"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// cluster makes the item of a cache cluster that is in no group.
func (a *around) cluster(ctx context.Context, c *ec.CacheCluster) *Item {
	b := newBuilder(a.s, model.CacheCluster, text(c.ARN), "DescribeCacheClusters")
	setText(b, model.Engine, text(c.Engine), "Engine")
	setText(b, model.NodeType, text(c.CacheNodeType), "CacheNodeType")
	setText(b, model.Status, text(c.CacheClusterStatus), "CacheClusterStatus")
	set(b, model.CreatedAt, c.CacheClusterCreateTime, "CacheClusterCreateTime")
	model.GlobalMember.Set(b.r, false, b.from("ReplicationGroupId"))
	set(b, model.AtRestEncryption, c.AtRestEncryptionEnabled, "AtRestEncryptionEnabled")
	setTransit(b, c.TransitEncryptionEnabled, c.TransitEncryptionMode)
	setAuth(b, c.AuthTokenEnabled, false, c.AuthTokenLastModifiedDate)
	set(b, model.AutoMinorUpgrade, c.AutoMinorVersionUpgrade, "AutoMinorVersionUpgrade")
	setNumber(b, model.SnapshotRetention, c.SnapshotRetentionLimit, "SnapshotRetentionLimit")
	model.MultiAZ.Set(b.r, false, b.from("ReplicationGroupId")) // a cluster of its own has one node group and no replica
	model.AutomaticFailover.Set(b.r, false, b.from("ReplicationGroupId"))
	model.Replicas.Set(b.r, 0, b.from("ReplicationGroupId"))
	model.ReplicasElsewhere.Set(b.r, false, b.from("ReplicationGroupId"))
	setLogs(b, c.LogDeliveryConfigurations)
	a.setUpdates(ctx, b, text(c.CacheClusterId))
	a.setNewest(ctx, b, ofCluster+text(c.CacheClusterId))
	p := a.setCluster(ctx, b, []ec.CacheCluster{*c})
	a.setNetwork(ctx, b, p)
	a.s.setTags(ctx, b, text(c.ARN))

	d := Detail{ID: text(c.CacheClusterId), SecurityGroups: p.groups, VPC: p.vpc}
	if c.CacheParameterGroup != nil {
		d.ParameterGroup = text(c.CacheParameterGroup.CacheParameterGroupName)
	}
	d.Config = configOf(b.r, clusterConfig(c))
	return &Item{b.r, d}
}
