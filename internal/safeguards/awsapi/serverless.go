package awsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

func (s *Session) listServerless(ctx context.Context, from *string) ([]ec.ServerlessCache, *string, error) {
	r, err := s.ElastiCache.DescribeServerlessCaches(ctx, &elasticache.DescribeServerlessCachesInput{NextToken: from, MaxResults: aws.Int32(50)})
	if err != nil {
		return nil, nil, err
	}
	return r.ServerlessCaches, r.NextToken, nil
}

// serverless makes the item of a serverless cache: TLS and several zones are always on.
func (a *around) serverless(ctx context.Context, c *ec.ServerlessCache) *Item {
	b := newBuilder(a.s, model.ServerlessCache, text(c.ARN), "DescribeServerlessCaches")
	always := model.Source{Setting: "serverless caches always have it", Default: true}
	setText(b, model.Engine, text(c.Engine), "Engine")
	setText(b, model.EngineVersion, text(c.FullEngineVersion), "FullEngineVersion")
	setText(b, model.Status, text(c.Status), "Status")
	set(b, model.CreatedAt, c.CreateTime, "CreateTime")
	model.GlobalMember.Set(b.r, false, always)
	setText(b, model.StorageEncryption, string(c.StorageEncryptionType), "StorageEncryptionType")
	a.setKey(ctx, b, text(c.KmsKeyId))
	model.TransitEncryption.Set(b.r, true, always)
	model.TransitMode.Set(b.r, "required", always)
	model.MultiAZ.Set(b.r, true, always)
	model.AutomaticFailover.Set(b.r, true, always)
	model.AuthRequired.Set(b.r, text(c.UserGroupId) != "", b.from("UserGroupId"))
	setNumber(b, model.SnapshotRetention, c.SnapshotRetentionLimit, "SnapshotRetentionLimit")
	if c.Endpoint != nil {
		setNumber(b, model.Port, c.Endpoint.Port, "Endpoint.Port")
	}
	a.setNewest(ctx, b, ofServerless+text(c.ServerlessCacheName))
	p := place{groups: slices.Sorted(slices.Values(c.SecurityGroupIds)), subnets: c.SubnetIds}
	p.vpc, p.err = a.vpcOf(ctx, p.groups)
	p.call = "DescribeSecurityGroups"
	a.setNetwork(ctx, b, p)
	a.s.setTags(ctx, b, text(c.ARN))

	d := Detail{ID: text(c.ServerlessCacheName), SecurityGroups: p.groups, VPC: p.vpc}
	if c.UserGroupId != nil {
		d.UserGroups = []string{*c.UserGroupId}
	}
	still := *c
	still.Status = nil
	d.Config = configOf(b.r, still)
	return &Item{b.r, d}
}

// vpcOf is the VPC of security groups, where nothing else names it.
func (a *around) vpcOf(ctx context.Context, groups []string) (string, error) {
	known, err := a.groups(ctx)
	if err != nil {
		return "", err
	}
	for _, id := range groups {
		if g, ok := known[id]; ok {
			return g.VPC, nil
		}
	}
	return "", &apiError{"DescribeSecurityGroups", "missing-security-group"}
}
