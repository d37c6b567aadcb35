package awsapi

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// around is what a region's caches have around them: read once, when the first cache asks for it, and kept for one scan.
// A list that could not be read is an error for all who ask; it is not tried again for each of a thousand caches.
type around struct {
	s *Session
	// only is set for the look at one cache, which shall not list a whole region.
	only *only

	clusters       once[clusters]
	subnetGroups   once[map[string]subnetsOf]
	memorySubnets  once[map[string]subnetsOf]
	securityGroups once[map[string]securityGroup]
	public         once[map[string]bool]
	defaultVPC     once[map[string]bool]
	updates        once[map[string][]model.ServiceUpdate]
	newest         once[map[string]time.Time]
	groupsAtRest   once[map[string]bool]
	parameters     onceBy[map[string]string]
	keys           onceBy[keyState]
}

// only narrows what is asked for to one cache.
type only struct {
	groupID  string
	members  []string
	security []string
}

// once is a value that is read when it is first asked for.
type once[T any] struct {
	once sync.Once
	v    T
	err  error
}

func (o *once[T]) get(read func() (T, error)) (T, error) {
	o.once.Do(func() { o.v, o.err = read() })
	return o.v, o.err
}

// onceBy is once for each name.
type onceBy[T any] struct {
	mu sync.Mutex
	by map[string]*once[T]
}

func (o *onceBy[T]) get(name string, read func() (T, error)) (T, error) {
	o.mu.Lock()
	if o.by == nil {
		o.by = map[string]*once[T]{}
	}
	x := o.by[name]
	if x == nil {
		x = &once[T]{}
		o.by[name] = x
	}
	o.mu.Unlock()
	return x.get(read)
}

// clusters are the region's cache clusters: members by their group, and those without one.
type clusters struct {
	members map[string][]ec.CacheCluster
	alone   []ec.CacheCluster
}

func (a *around) cacheClusters(ctx context.Context) (clusters, error) {
	return a.clusters.get(func() (clusters, error) {
		out := clusters{members: map[string][]ec.CacheCluster{}}
		if a.only != nil {
			for _, id := range a.only.members {
				reply, err := a.s.ElastiCache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{
					CacheClusterId: &id, ShowCacheNodeInfo: aws.Bool(true),
				})
				if err != nil {
					return out, err
				}
				out.members[a.only.groupID] = append(out.members[a.only.groupID], reply.CacheClusters...)
			}
			return out, nil
		}
		list, err := all(ctx, a.s.listClusters)
		for _, c := range list {
			if c.ReplicationGroupId == nil {
				out.alone = append(out.alone, c)
			} else {
				out.members[*c.ReplicationGroupId] = append(out.members[*c.ReplicationGroupId], c)
			}
		}
		return out, err
	})
}

func (s *Session) listClusters(ctx context.Context, from *string) ([]ec.CacheCluster, *string, error) {
	r, err := s.ElastiCache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{
		Marker: from, MaxRecords: aws.Int32(100), ShowCacheNodeInfo: aws.Bool(true),
	})
	if err != nil {
		return nil, nil, err
	}
	return r.CacheClusters, r.Marker, nil
}

// subnetsOf is a subnet group.
type subnetsOf struct {
	vpc     string
	subnets []string
}

func (a *around) subnetGroup(ctx context.Context, name string) (subnetsOf, bool, error) {
	m, err := a.subnetGroups.get(func() (map[string]subnetsOf, error) {
		list, err := all(ctx, func(ctx context.Context, from *string) ([]ec.CacheSubnetGroup, *string, error) {
			r, err := a.s.ElastiCache.DescribeCacheSubnetGroups(ctx, &elasticache.DescribeCacheSubnetGroupsInput{Marker: from, MaxRecords: aws.Int32(100)})
			if err != nil {
				return nil, nil, err
			}
			return r.CacheSubnetGroups, r.Marker, nil
		})
		out := make(map[string]subnetsOf, len(list))
		for _, g := range list {
			of := subnetsOf{vpc: aws.ToString(g.VpcId)}
			for _, s := range g.Subnets {
				of.subnets = append(of.subnets, aws.ToString(s.SubnetIdentifier))
			}
			out[aws.ToString(g.CacheSubnetGroupName)] = of
		}
		return out, err
	})
	of, ok := m[name]
	return of, ok, err
}

func (a *around) memorySubnetGroup(ctx context.Context, name string) (subnetsOf, bool, error) {
	m, err := a.memorySubnets.get(func() (map[string]subnetsOf, error) {
		list, err := all(ctx, func(ctx context.Context, from *string) ([]mdb.SubnetGroup, *string, error) {
			r, err := a.s.MemoryDB.DescribeSubnetGroups(ctx, &memorydb.DescribeSubnetGroupsInput{NextToken: from})
			if err != nil {
				return nil, nil, err
			}
			return r.SubnetGroups, r.NextToken, nil
		})
		out := make(map[string]subnetsOf, len(list))
		for _, g := range list {
			of := subnetsOf{vpc: aws.ToString(g.VpcId)}
			for _, s := range g.Subnets {
				of.subnets = append(of.subnets, aws.ToString(s.Identifier))
			}
			out[aws.ToString(g.Name)] = of
		}
		return out, err
	})
	of, ok := m[name]
	return of, ok, err
}

func (a *around) groups(ctx context.Context) (map[string]securityGroup, error) {
	return a.securityGroups.get(func() (map[string]securityGroup, error) {
		if a.only != nil {
			return a.s.securityGroupsNamed(ctx, a.only.security)
		}
		return a.s.securityGroups(ctx)
	})
}

func (a *around) publicSubnets(ctx context.Context) (map[string]bool, error) {
	return a.public.get(func() (map[string]bool, error) { return a.s.publicSubnets(ctx) })
}

func (a *around) defaultVPCs(ctx context.Context) (map[string]bool, error) {
	return a.defaultVPC.get(func() (map[string]bool, error) { return a.s.defaultVPCs(ctx) })
}
