package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// serviceUpdates are what AWS offers, by the ID of the group or cluster.
func (a *around) serviceUpdates(ctx context.Context) (map[string][]model.ServiceUpdate, error) {
	return a.updates.get(func() (map[string][]model.ServiceUpdate, error) {
		ask := elasticache.DescribeUpdateActionsInput{MaxRecords: aws.Int32(50)}
		if a.only != nil && a.only.groupID != "" {
			ask.ReplicationGroupIds = []string{a.only.groupID}
		}
		list, err := all(ctx, func(ctx context.Context, from *string) ([]ec.UpdateAction, *string, error) {
			page := ask
			page.Marker = from
			r, err := a.s.ElastiCache.DescribeUpdateActions(ctx, &page)
			if err != nil {
				return nil, nil, err
			}
			return r.UpdateActions, r.Marker, nil
		})
		out := map[string][]model.ServiceUpdate{}
		for _, u := range list {
			id := aws.ToString(u.ReplicationGroupId) + aws.ToString(u.CacheClusterId) // one of the two is set
			out[id] = append(out[id], model.ServiceUpdate{
				Name: aws.ToString(u.ServiceUpdateName), Severity: string(u.ServiceUpdateSeverity), Status: string(u.UpdateActionStatus),
				ApplyBy: aws.ToTime(u.ServiceUpdateRecommendedApplyByDate), SLAMet: string(u.SlaMet),
			})
		}
		return out, err
	})
}

func (s *Session) listSnapshots(ctx context.Context, from *string) ([]ec.Snapshot, *string, error) {
	r, err := s.ElastiCache.DescribeSnapshots(ctx, &elasticache.DescribeSnapshotsInput{Marker: from, MaxRecords: aws.Int32(50)})
	if err != nil {
		return nil, nil, err
	}
	return r.Snapshots, r.Marker, nil
}

func (s *Session) snapshotsOfGroup(ctx context.Context, id string, from *string) ([]ec.Snapshot, *string, error) {
	r, err := s.ElastiCache.DescribeSnapshots(ctx, &elasticache.DescribeSnapshotsInput{ReplicationGroupId: &id, Marker: from, MaxRecords: aws.Int32(50)})
	if err != nil {
		return nil, nil, err
	}
	return r.Snapshots, r.Marker, nil
}

func (s *Session) listServerlessSnapshots(ctx context.Context, from *string) ([]ec.ServerlessCacheSnapshot, *string, error) {
	r, err := s.ElastiCache.DescribeServerlessCacheSnapshots(ctx, &elasticache.DescribeServerlessCacheSnapshotsInput{NextToken: from, MaxResults: aws.Int32(50)})
	if err != nil {
		return nil, nil, err
	}
	return r.ServerlessCacheSnapshots, r.NextToken, nil
}

func (s *Session) listMemorySnapshots(ctx context.Context, from *string) ([]mdb.Snapshot, *string, error) {
	r, err := s.MemoryDB.DescribeSnapshots(ctx, &memorydb.DescribeSnapshotsInput{NextToken: from, ShowDetail: aws.Bool(true)})
	if err != nil {
		return nil, nil, err
	}
	return r.Snapshots, r.NextToken, nil
}

// The kinds of caches in the names of newestSnapshots: their IDs are spaces of their own.
const (
	ofGroup      = "group/"
	ofCluster    = "cluster/"
	ofServerless = "serverless/"
	ofMemory     = "memory/"
)

// newestSnapshots are the times of the newest complete snapshots of ElastiCache, by the cache.
func (a *around) newestSnapshots(ctx context.Context) (map[string]time.Time, error) {
	return a.newest.get(func() (map[string]time.Time, error) {
		newest := map[string]time.Time{}
		note := func(cache string, at time.Time) {
			if at.After(newest[cache]) {
				newest[cache] = at
			}
		}
		ofOne := a.only != nil && a.only.groupID != ""
		list, err := all(ctx, func(ctx context.Context, from *string) ([]ec.Snapshot, *string, error) {
			if ofOne {
				return a.s.snapshotsOfGroup(ctx, a.only.groupID, from)
			}
			return a.s.listSnapshots(ctx, from)
		})
		if err != nil {
			return nil, err
		}
		for i := range list {
			if s := &list[i]; aws.ToString(s.SnapshotStatus) == "available" {
				note(snapshotOf(s), madeAt(s))
			}
		}
		if ofOne {
			return newest, nil
		}
		serverless, err := all(ctx, a.s.listServerlessSnapshots)
		if err != nil {
			return nil, err
		}
		for _, s := range serverless {
			if aws.ToString(s.Status) == "available" && s.ServerlessCacheConfiguration != nil {
				note(ofServerless+aws.ToString(s.ServerlessCacheConfiguration.ServerlessCacheName), aws.ToTime(s.CreateTime))
			}
		}
		return newest, nil
	})
}

func snapshotOf(s *ec.Snapshot) string {
	if s.ReplicationGroupId != nil {
		return ofGroup + *s.ReplicationGroupId
	}
	return ofCluster + aws.ToString(s.CacheClusterId)
}

// madeAt is when the last of a snapshot's shards was done.
func madeAt(s *ec.Snapshot) (at time.Time) {
	for _, n := range s.NodeSnapshots {
		if t := aws.ToTime(n.SnapshotCreateTime); t.After(at) {
			at = t
		}
	}
	return at
}

// atRest tells of each group whether it encrypts what it stores: a snapshot without a key of its own is as its cache is.
func (a *around) atRest(ctx context.Context) (map[string]bool, error) {
	return a.groupsAtRest.get(func() (map[string]bool, error) {
		list, err := all(ctx, a.s.listGroups)
		out := make(map[string]bool, len(list))
		for _, g := range list {
			out[aws.ToString(g.ReplicationGroupId)] = encryptsAtRest(g.StorageEncryptionType, g.AtRestEncryptionEnabled)
		}
		return out, err
	})
}

func encryptsAtRest(effective ec.StorageEncryptionType, asked *bool) bool {
	if effective != "" {
		return effective != ec.StorageEncryptionTypeNone
	}
	return aws.ToBool(asked)
}

func (s *Session) listGroups(ctx context.Context, from *string) ([]ec.ReplicationGroup, *string, error) {
	r, err := s.ElastiCache.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{Marker: from, MaxRecords: aws.Int32(100)})
	if err != nil {
		return nil, nil, err
	}
	return r.ReplicationGroups, r.Marker, nil
}

// parameterGroup reads the settings of a cache parameter group.
func (a *around) parameterGroup(ctx context.Context, name string) (map[string]string, error) {
	return a.parameters.get(name, func() (map[string]string, error) {
		list, err := all(ctx, func(ctx context.Context, from *string) ([]ec.Parameter, *string, error) {
			r, err := a.s.ElastiCache.DescribeCacheParameters(ctx, &elasticache.DescribeCacheParametersInput{
				CacheParameterGroupName: &name, Marker: from, MaxRecords: aws.Int32(100),
			})
			if err != nil {
				return nil, nil, err
			}
			return r.Parameters, r.Marker, nil
		})
		out := make(map[string]string, len(list))
		for _, p := range list {
			if p.ParameterValue != nil {
				out[aws.ToString(p.ParameterName)] = *p.ParameterValue
			}
		}
		return out, err
	})
}

// memoryParameters reads the settings of a MemoryDB parameter group.
func (a *around) memoryParameters(ctx context.Context, name string) (map[string]string, error) {
	return a.parameters.get(ofMemory+name, func() (map[string]string, error) {
		list, err := all(ctx, func(ctx context.Context, from *string) ([]mdb.Parameter, *string, error) {
			r, err := a.s.MemoryDB.DescribeParameters(ctx, &memorydb.DescribeParametersInput{ParameterGroupName: &name, NextToken: from})
			if err != nil {
				return nil, nil, err
			}
			return r.Parameters, r.NextToken, nil
		})
		out := make(map[string]string, len(list))
		for _, p := range list {
			if p.Value != nil {
				out[aws.ToString(p.Name)] = *p.Value
			}
		}
		return out, err
	})
}

// keyState is what KMS tells of a customer's key.
type keyState struct {
	state       string
	rotated     bool
	rotationErr error
}

func (a *around) key(ctx context.Context, arn string) (keyState, error) {
	return a.keys.get(arn, func() (keyState, error) {
		var described struct {
			KeyMetadata struct{ KeyState string }
		}
		if err := a.s.raw.json(ctx, "kms", "TrentService", "DescribeKey", map[string]string{"KeyId": arn}, &described); err != nil {
			return keyState{}, err
		}
		out := keyState{state: described.KeyMetadata.KeyState}
		var rotation struct{ KeyRotationEnabled *bool }
		out.rotationErr = a.s.raw.json(ctx, "kms", "TrentService", "GetKeyRotationStatus", map[string]string{"KeyId": arn}, &rotation)
		if out.rotationErr == nil && rotation.KeyRotationEnabled == nil {
			out.rotationErr = &apiError{"GetKeyRotationStatus", "unreadable-reply"}
		}
		out.rotated = aws.ToBool(rotation.KeyRotationEnabled)
		return out, nil
	})
}
