package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// MemberError says that a cache cluster is a member of a group: the group is what can be judged and changed.
type MemberError struct{ Group string }

func (e *MemberError) Error() string { return "it is a member of a replication group" }

// Read reads one cache as it is now: a group, cluster, serverless cache or MemoryDB cluster, by the ID that calls want.
// IsMissing tells the error of a cache that is gone.
func (s *Session) Read(ctx context.Context, kind model.Kind, id string) (*Item, error) {
	it, err := s.read(ctx, kind, id)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s %s: %w", kind, id, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return it, nil
}

func (s *Session) read(ctx context.Context, kind model.Kind, id string) (*Item, error) {
	switch kind {
	case model.ReplicationGroup:
		r, err := s.ElastiCache.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
		if err != nil {
			return nil, err
		}
		if len(r.ReplicationGroups) != 1 {
			return nil, &apiError{"DescribeReplicationGroups", "ReplicationGroupNotFoundFault"}
		}
		return s.readGroup(ctx, r), nil
	case model.CacheCluster:
		r, err := s.ElastiCache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: &id, ShowCacheNodeInfo: aws.Bool(true)})
		if err != nil {
			return nil, err
		}
		if len(r.CacheClusters) != 1 {
			return nil, &apiError{"DescribeCacheClusters", "CacheClusterNotFound"}
		}
		c := r.CacheClusters[0]
		if c.ReplicationGroupId != nil {
			return nil, &MemberError{Group: *c.ReplicationGroupId}
		}
		a := &around{s: s, only: &only{}}
		for _, sg := range c.SecurityGroups {
			a.only.security = append(a.only.security, text(sg.SecurityGroupId))
		}
		return a.cluster(ctx, &c), nil
	case model.ServerlessCache:
		r, err := s.ElastiCache.DescribeServerlessCaches(ctx, &elasticache.DescribeServerlessCachesInput{ServerlessCacheName: &id})
		if err != nil {
			return nil, err
		}
		if len(r.ServerlessCaches) != 1 {
			return nil, &apiError{"DescribeServerlessCaches", "ServerlessCacheNotFoundFault"}
		}
		a := &around{s: s, only: &only{security: r.ServerlessCaches[0].SecurityGroupIds}}
		return a.serverless(ctx, &r.ServerlessCaches[0]), nil
	case model.MemoryDB:
		return s.readMemory(ctx, id)
	default:
		return nil, &apiError{"Read", "no-cache"}
	}
}

func (s *Session) readGroup(ctx context.Context, r *elasticache.DescribeReplicationGroupsOutput) *Item {
	g := &r.ReplicationGroups[0]
	a := &around{s: s, only: &only{groupID: text(g.ReplicationGroupId), members: g.MemberClusters}}
	if found, err := a.cacheClusters(ctx); err == nil { // else the facts that need it are unknown
		for _, m := range found.members[a.only.groupID] {
			for _, sg := range m.SecurityGroups {
				a.only.security = append(a.only.security, text(sg.SecurityGroupId))
			}
		}
	}
	return a.group(ctx, g)
}

func (s *Session) readMemory(ctx context.Context, id string) (*Item, error) {
	r, err := s.MemoryDB.DescribeClusters(ctx, &memorydb.DescribeClustersInput{ClusterName: &id, ShowShardDetails: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if len(r.Clusters) != 1 {
		return nil, &apiError{"DescribeClusters", "ClusterNotFoundFault"}
	}
	a := &around{s: s, only: &only{}}
	for _, sg := range r.Clusters[0].SecurityGroups {
		a.only.security = append(a.only.security, text(sg.SecurityGroupId))
	}
	return a.memory(ctx, &r.Clusters[0]), nil
}

// Status is AWS's word for what it is doing with a cache, in one call: Read makes many.
func (s *Session) Status(ctx context.Context, kind model.Kind, id string) (string, error) {
	status, err := s.status(ctx, kind, id)
	if err != nil {
		return "", fmt.Errorf("cannot read the status of %s %s: %w", kind, id, err)
	}
	return status, nil
}

func (s *Session) status(ctx context.Context, kind model.Kind, id string) (string, error) {
	switch kind {
	case model.ReplicationGroup:
		r, err := s.ElastiCache.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
		if err != nil || len(r.ReplicationGroups) == 0 {
			return "", err
		}
		return text(r.ReplicationGroups[0].Status), nil
	case model.CacheCluster:
		r, err := s.ElastiCache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: &id})
		if err != nil || len(r.CacheClusters) == 0 {
			return "", err
		}
		return text(r.CacheClusters[0].CacheClusterStatus), nil
	case model.ServerlessCache:
		r, err := s.ElastiCache.DescribeServerlessCaches(ctx, &elasticache.DescribeServerlessCachesInput{ServerlessCacheName: &id})
		if err != nil || len(r.ServerlessCaches) == 0 {
			return "", err
		}
		return text(r.ServerlessCaches[0].Status), nil
	default:
		r, err := s.MemoryDB.DescribeClusters(ctx, &memorydb.DescribeClustersInput{ClusterName: &id})
		if err != nil || len(r.Clusters) == 0 {
			return "", err
		}
		return text(r.Clusters[0].Status), nil
	}
}
