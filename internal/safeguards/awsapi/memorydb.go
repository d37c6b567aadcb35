package awsapi

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

func (s *Session) listMemory(ctx context.Context, from *string) ([]mdb.Cluster, *string, error) {
	r, err := s.MemoryDB.DescribeClusters(ctx, &memorydb.DescribeClustersInput{NextToken: from, ShowShardDetails: aws.Bool(true)})
	if err != nil {
		return nil, nil, err
	}
	return r.Clusters, r.NextToken, nil
}

// memory makes the item of a MemoryDB cluster, which always encrypts what it stores.
func (a *around) memory(ctx context.Context, c *mdb.Cluster) *Item {
	b := newBuilder(a.s, model.MemoryDB, text(c.ARN), "DescribeClusters")
	always := model.Source{Setting: "MemoryDB always has it", Default: true}
	setText(b, model.Engine, text(c.Engine), "Engine")
	setText(b, model.EngineVersion, cmp.Or(text(c.EnginePatchVersion), text(c.EngineVersion)), "EnginePatchVersion")
	setText(b, model.NodeType, text(c.NodeType), "NodeType")
	setText(b, model.Status, text(c.Status), "Status")
	model.GlobalMember.Set(b.r, text(c.MultiRegionClusterName) != "", b.from("MultiRegionClusterName"))
	model.AtRestEncryption.Set(b.r, true, always)
	a.setKey(ctx, b, text(c.KmsKeyId))
	set(b, model.TransitEncryption, c.TLSEnabled, "TLSEnabled")
	if aws.ToBool(c.TLSEnabled) {
		model.TransitMode.Set(b.r, "required", always)
	}
	if acl := text(c.ACLName); acl == "" {
		model.AuthRequired.SetUnknown(b.r, leftOut, b.from("ACLName"))
	} else {
		model.AuthRequired.Set(b.r, acl != "open-access", b.from("ACLName"))
	}
	set(b, model.AutoMinorUpgrade, c.AutoMinorVersionUpgrade, "AutoMinorVersionUpgrade")
	setNumber(b, model.SnapshotRetention, c.SnapshotRetentionLimit, "SnapshotRetentionLimit")
	if c.ClusterEndpoint != nil {
		model.Port.Set(b.r, int64(c.ClusterEndpoint.Port), b.from("ClusterEndpoint.Port"))
	}
	setMemoryAvailability(b, c)
	held, err := a.memoryParameters(ctx, text(c.ParameterGroupName))
	setParameters(b, held, err)
	p := a.memoryPlace(ctx, b, c)
	a.setNetwork(ctx, b, p)
	a.s.setMemoryTags(ctx, b, text(c.ARN))

	d := Detail{ID: text(c.Name), SecurityGroups: p.groups, VPC: p.vpc, Shards: int(aws.ToInt32(c.NumberOfShards)), ParameterGroup: text(c.ParameterGroupName)}
	d.Config = memoryConfig(b.r, c)
	return &Item{b.r, d}
}

func (a *around) memoryPlace(ctx context.Context, b *builder, c *mdb.Cluster) place {
	var p place
	for _, sg := range c.SecurityGroups {
		p.groups = append(p.groups, text(sg.SecurityGroupId))
	}
	slices.Sort(p.groups)
	model.SubnetGroup.Set(b.r, text(c.SubnetGroupName), b.from("SubnetGroupName"))
	of, ok, err := a.memorySubnetGroup(ctx, text(c.SubnetGroupName))
	if err == nil && !ok {
		err = &apiError{"DescribeSubnetGroups", "missing-subnet-group"}
	}
	p.vpc, p.subnets, p.err, p.call = of.vpc, of.subnets, err, "DescribeSubnetGroups"
	return p
}

func setMemoryAvailability(b *builder, c *mdb.Cluster) {
	if c.AvailabilityMode == "" {
		model.MultiAZ.SetUnknown(b.r, leftOut, b.from("AvailabilityMode"))
	} else {
		model.MultiAZ.Set(b.r, c.AvailabilityMode == mdb.AZStatusMultiAZ, b.from("AvailabilityMode"))
	}
	if len(c.Shards) == 0 {
		model.Replicas.SetUnknown(b.r, leftOut, b.from("Shards"))
		return
	}
	fewest := int64(1 << 30)
	created := c.Shards[0].Nodes
	for _, s := range c.Shards {
		fewest = min(fewest, int64(len(s.Nodes))-1)
	}
	model.Replicas.Set(b.r, max(fewest, 0), b.from("Shards"))
	model.AutomaticFailover.Set(b.r, fewest > 0, b.from("Shards")) // MemoryDB fails over by itself where there is a replica
	if len(created) > 0 && created[0].CreateTime != nil {
		model.CreatedAt.Set(b.r, *created[0].CreateTime, b.from("Shards.Nodes.CreateTime"))
	}
}

func (s *Session) setMemoryTags(ctx context.Context, b *builder, arn string) {
	r, err := s.MemoryDB.ListTags(ctx, &memorydb.ListTagsInput{ResourceArn: &arn})
	if err != nil {
		b.unknown("ListTags", err, model.Tags)
		return
	}
	tags := make(map[string]string, len(r.TagList))
	for _, t := range r.TagList {
		tags[text(t.Key)] = text(t.Value)
	}
	model.Tags.Set(b.r, tags, model.Source{Setting: "ListTags"})
}

func memoryConfig(r *model.Resource, c *mdb.Cluster) Config {
	still := *c
	still.Status, still.ParameterGroupStatus, still.Shards, still.SecurityGroups, still.SnsTopicStatus = nil, nil, nil, nil, nil
	for _, sg := range c.SecurityGroups {
		sg.Status = nil
		still.SecurityGroups = append(still.SecurityGroups, sg)
	}
	return configOf(r, still)
}
