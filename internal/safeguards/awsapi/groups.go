package awsapi

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// group makes the item of a replication group.
func (a *around) group(ctx context.Context, g *ec.ReplicationGroup) *Item {
	b := newBuilder(a.s, model.ReplicationGroup, text(g.ARN), "DescribeReplicationGroups")
	setText(b, model.Engine, text(g.Engine), "Engine")
	setText(b, model.NodeType, text(g.CacheNodeType), "CacheNodeType")
	setText(b, model.Status, text(g.Status), "Status")
	set(b, model.CreatedAt, g.ReplicationGroupCreateTime, "ReplicationGroupCreateTime")
	model.GlobalMember.Set(b.r, g.GlobalReplicationGroupInfo != nil && text(g.GlobalReplicationGroupInfo.GlobalReplicationGroupId) != "",
		b.from("GlobalReplicationGroupInfo"))
	set(b, model.AtRestEncryption, g.AtRestEncryptionEnabled, "AtRestEncryptionEnabled")
	setText(b, model.StorageEncryption, string(g.StorageEncryptionType), "StorageEncryptionType")
	a.setKey(ctx, b, text(g.KmsKeyId))
	setTransit(b, g.TransitEncryptionEnabled, g.TransitEncryptionMode)
	setAuth(b, g.AuthTokenEnabled, len(g.UserGroupIds) > 0, g.AuthTokenLastModifiedDate)
	set(b, model.AutoMinorUpgrade, g.AutoMinorVersionUpgrade, "AutoMinorVersionUpgrade")
	setNumber(b, model.SnapshotRetention, g.SnapshotRetentionLimit, "SnapshotRetentionLimit")
	setAvailability(b, g)
	setLogs(b, g.LogDeliveryConfigurations)
	a.setUpdates(ctx, b, text(g.ReplicationGroupId))
	a.setNewest(ctx, b, ofGroup+text(g.ReplicationGroupId))
	members, place := a.setMembers(ctx, b, g)
	a.setNetwork(ctx, b, place)
	a.s.setTags(ctx, b, text(g.ARN))

	d := Detail{
		ID: text(g.ReplicationGroupId), Members: slices.Sorted(slices.Values(g.MemberClusters)), SecurityGroups: place.groups,
		VPC: place.vpc, UserGroups: slices.Sorted(slices.Values(g.UserGroupIds)), Shards: len(g.NodeGroups),
	}
	if len(members) > 0 && members[0].CacheParameterGroup != nil {
		d.ParameterGroup = text(members[0].CacheParameterGroup.CacheParameterGroupName)
	}
	d.Config = groupConfig(b.r, g, members)
	return &Item{b.r, d}
}

// setTransit: the mode decides where there is TLS. An answer without a mode leaves it open whether plaintext is taken.
func setTransit(b *builder, on *bool, mode ec.TransitEncryptionMode) {
	set(b, model.TransitEncryption, on, "TransitEncryptionEnabled")
	switch {
	case mode != "":
		model.TransitMode.Set(b.r, string(mode), b.from("TransitEncryptionMode"))
	case on != nil && !*on:
		model.TransitMode.SetUnknown(b.r, "there is no encryption in transit", b.from("TransitEncryptionMode"))
	default:
		model.TransitMode.SetUnknown(b.r, leftOut, b.from("TransitEncryptionMode"))
	}
}

func setAuth(b *builder, token *bool, groups bool, changed *time.Time) {
	switch {
	case groups:
		model.AuthRequired.Set(b.r, true, b.from("UserGroupIds"))
	case token == nil:
		model.AuthRequired.SetUnknown(b.r, leftOut, b.from("AuthTokenEnabled"))
	default:
		model.AuthRequired.Set(b.r, *token, b.from("AuthTokenEnabled"))
	}
	if aws.ToBool(token) {
		set(b, model.TokenRotatedAt, changed, "AuthTokenLastModifiedDate")
	}
}

func setAvailability(b *builder, g *ec.ReplicationGroup) {
	if g.MultiAZ == "" {
		model.MultiAZ.SetUnknown(b.r, leftOut, b.from("MultiAZ"))
	} else {
		model.MultiAZ.Set(b.r, g.MultiAZ == ec.MultiAZStatusEnabled, b.from("MultiAZ"))
	}
	if g.AutomaticFailover == "" {
		model.AutomaticFailover.SetUnknown(b.r, leftOut, b.from("AutomaticFailover"))
	} else {
		on := g.AutomaticFailover == ec.AutomaticFailoverStatusEnabled || g.AutomaticFailover == ec.AutomaticFailoverStatusEnabling
		model.AutomaticFailover.Set(b.r, on, b.from("AutomaticFailover"))
	}
	if len(g.NodeGroups) == 0 {
		model.Replicas.SetUnknown(b.r, leftOut, b.from("NodeGroups"))
		model.ReplicasElsewhere.SetUnknown(b.r, leftOut, b.from("NodeGroups"))
		return
	}
	fewest, elsewhere := int64(1<<30), true
	for _, shard := range g.NodeGroups {
		fewest = min(fewest, int64(len(shard.NodeGroupMembers))-1)
		zones := map[string]bool{}
		for _, m := range shard.NodeGroupMembers {
			zones[text(m.PreferredAvailabilityZone)] = true
		}
		delete(zones, "")
		elsewhere = elsewhere && len(zones) > 1
	}
	model.Replicas.Set(b.r, max(fewest, 0), b.from("NodeGroups"))
	model.ReplicasElsewhere.Set(b.r, elsewhere, b.from("NodeGroups.PreferredAvailabilityZone"))
}

func setLogs(b *builder, logs []ec.LogDeliveryConfiguration) {
	delivered := func(kind ec.LogType) bool {
		return slices.ContainsFunc(logs, func(l ec.LogDeliveryConfiguration) bool {
			return l.LogType == kind && l.Status == ec.LogDeliveryConfigurationStatusActive
		})
	}
	model.SlowLogDelivered.Set(b.r, delivered(ec.LogTypeSlowLog), b.from("LogDeliveryConfigurations"))
	model.EngineLogDelivered.Set(b.r, delivered(ec.LogTypeEngineLog), b.from("LogDeliveryConfigurations"))
}

func (a *around) setUpdates(ctx context.Context, b *builder, id string) {
	updates, err := a.serviceUpdates(ctx)
	if err != nil {
		b.unknown("DescribeUpdateActions", err, model.ServiceUpdates)
		return
	}
	model.ServiceUpdates.Set(b.r, updates[id], model.Source{Setting: "DescribeUpdateActions"})
}

func (a *around) setNewest(ctx context.Context, b *builder, cache string) {
	newest, err := a.newestSnapshots(ctx)
	if err != nil {
		b.unknown("DescribeSnapshots", err, model.NewestSnapshotAt)
		return
	}
	model.NewestSnapshotAt.Set(b.r, newest[cache], model.Source{Setting: "DescribeSnapshots"})
}

// setMembers sets what only the members tell: version, port, network. A group whose members were not all found has none of
// it.
func (a *around) setMembers(ctx context.Context, b *builder, g *ec.ReplicationGroup) ([]ec.CacheCluster, place) {
	const call = "DescribeCacheClusters"
	facts := []model.AnyFact{model.EngineVersion, model.Port, model.SubnetGroup, model.LegacySecurityGroups, model.EvictionPolicy, model.IdleTimeout, model.Keepalive}
	found, err := a.cacheClusters(ctx)
	if err != nil {
		b.unknown(call, err, facts...)
		return nil, place{err: err, call: call}
	}
	members := slices.Clone(found.members[text(g.ReplicationGroupId)])
	slices.SortFunc(members, func(x, y ec.CacheCluster) int { return cmp.Compare(text(x.CacheClusterId), text(y.CacheClusterId)) })
	if len(members) == 0 || len(members) < len(g.MemberClusters) {
		err := &apiError{call, "missing-members"}
		b.unknown(call, err, facts...)
		return nil, place{err: err, call: call}
	}
	b.call = call
	defer func() { b.call = "DescribeReplicationGroups" }()
	return members, a.setCluster(ctx, b, members)
}

// setCluster sets what clusters tell of the network and the version: of several the oldest version and all security groups.
func (a *around) setCluster(ctx context.Context, b *builder, list []ec.CacheCluster) place {
	var p place
	oldest := text(list[0].EngineVersion)
	legacy := []string{}
	for _, c := range list {
		if older(text(c.EngineVersion), oldest) {
			oldest = text(c.EngineVersion)
		}
		for _, sg := range c.SecurityGroups {
			p.groups = append(p.groups, text(sg.SecurityGroupId))
		}
		for _, sg := range c.CacheSecurityGroups {
			legacy = append(legacy, text(sg.CacheSecurityGroupName))
		}
	}
	slices.Sort(p.groups)
	p.groups = slices.Compact(p.groups)
	setText(b, model.EngineVersion, oldest, "EngineVersion")
	model.LegacySecurityGroups.Set(b.r, legacy, b.from("CacheSecurityGroups"))
	setPort(b, list)
	name := text(list[0].CacheSubnetGroupName)
	model.SubnetGroup.Set(b.r, name, b.from("CacheSubnetGroupName"))
	if pg := list[0].CacheParameterGroup; pg != nil {
		held, err := a.parameterGroup(ctx, text(pg.CacheParameterGroupName))
		setParameters(b, held, err)
	}
	of, ok, err := a.subnetGroup(ctx, name)
	if err == nil && !ok {
		err = &apiError{"DescribeCacheSubnetGroups", "missing-subnet-group"}
	}
	p.vpc, p.subnets, p.err, p.call = of.vpc, of.subnets, err, "DescribeCacheSubnetGroups"
	return p
}

func setPort(b *builder, list []ec.CacheCluster) {
	for _, c := range list {
		for _, n := range c.CacheNodes {
			if n.Endpoint != nil && n.Endpoint.Port != nil {
				model.Port.Set(b.r, int64(*n.Endpoint.Port), b.from("CacheNodes.Endpoint.Port"))
				return
			}
		}
	}
	model.Port.SetUnknown(b.r, leftOut, b.from("CacheNodes.Endpoint.Port"))
}

// older compares versions part by part, as numbers.
func older(x, y string) bool {
	xs, ys := strings.Split(x, "."), strings.Split(y, ".")
	for i := range min(len(xs), len(ys)) {
		xn, xerr := strconv.Atoi(xs[i])
		yn, yerr := strconv.Atoi(ys[i])
		if xerr != nil || yerr != nil || xn != yn {
			return xerr == nil && yerr == nil && xn < yn
		}
	}
	return len(xs) < len(ys)
}

func (s *Session) setTags(ctx context.Context, b *builder, arn string) {
	r, err := s.ElastiCache.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: &arn})
	if err != nil {
		b.unknown("ListTagsForResource", err, model.Tags)
		return
	}
	tags := make(map[string]string, len(r.TagList))
	for _, t := range r.TagList {
		tags[text(t.Key)] = text(t.Value)
	}
	model.Tags.Set(b.r, tags, model.Source{Setting: "ListTagsForResource"})
}

// groupConfig is a group's set-up, nil if a part of it is not known.
func groupConfig(r *model.Resource, g *ec.ReplicationGroup, members []ec.CacheCluster) Config {
	if len(members) == 0 {
		return nil
	}
	still := *g
	still.Status, still.SnapshottingClusterId, still.NodeGroups = nil, nil, nil
	for _, shard := range g.NodeGroups {
		s := ec.NodeGroup{NodeGroupId: shard.NodeGroupId, Slots: shard.Slots}
		for _, m := range shard.NodeGroupMembers {
			m.CurrentRole, m.ReadEndpoint = nil, nil
			s.NodeGroupMembers = append(s.NodeGroupMembers, m)
		}
		still.NodeGroups = append(still.NodeGroups, s)
	}
	c := configOf(r, still)
	if c == nil {
		return nil
	}
	for i := range members {
		m := clusterConfig(&members[i])
		c["SecurityGroups of "+text(m.CacheClusterId)] = short(hashOf(m.SecurityGroups))
		// What repeats the group is the group's, and would make one change look like many.
		m.SecurityGroups, m.PendingModifiedValues, m.LogDeliveryConfigurations = nil, nil, nil
		m.AuthTokenEnabled, m.AuthTokenLastModifiedDate, m.AtRestEncryptionEnabled = nil, nil, nil
		m.TransitEncryptionEnabled, m.TransitEncryptionMode = nil, ""
		m.AutoMinorVersionUpgrade, m.SnapshotRetentionLimit = nil, nil
		c["member "+text(m.CacheClusterId)] = short(hashOf(m))
	}
	return c
}

// clusterConfig is a cluster without what changes by itself.
func clusterConfig(c *ec.CacheCluster) ec.CacheCluster {
	still := *c
	still.CacheClusterStatus, still.CacheNodes, still.NotificationConfiguration = nil, nil, nil
	still.SecurityGroups = nil
	for _, sg := range c.SecurityGroups {
		sg.Status = nil
		still.SecurityGroups = append(still.SecurityGroups, sg)
	}
	if c.CacheParameterGroup != nil {
		still.CacheParameterGroup = &ec.CacheParameterGroupStatus{CacheParameterGroupName: c.CacheParameterGroup.CacheParameterGroupName}
	}
	return still
}
