package remedy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/memorydb"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// The calls that change something, by kind. All of them take effect at once and not in the next maintenance window: what was
// decided on is what is there now.

var errKind = errors.New("there is no such call for this kind")

func modify(ctx context.Context, s *awsapi.Session, it *awsapi.Item, c *changes) error {
	id := &it.Detail.ID
	days := aws.Int32(int32(c.snapshotDays)) //nolint:gosec // 1 to 35
	if c.snapshotDays == 0 {
		days = nil
	}
	var minor *bool
	if c.minorUpgrades {
		minor = aws.Bool(true)
	}
	var err error
	switch it.Resource.ID.Kind {
	case model.ReplicationGroup:
		in := elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: id, ApplyImmediately: aws.Bool(true), SnapshotRetentionLimit: days, AutoMinorVersionUpgrade: minor,
			LogDeliveryConfigurations: logRequests(c.logGroup),
		}
		if c.transitOn {
			in.TransitEncryptionEnabled, in.TransitEncryptionMode = aws.Bool(true), ec.TransitEncryptionModePreferred
		}
		if c.transitOnly {
			in.TransitEncryptionMode = ec.TransitEncryptionModeRequired
		}
		_, err = s.ElastiCache.ModifyReplicationGroup(ctx, &in)
	case model.CacheCluster:
		_, err = s.ElastiCache.ModifyCacheCluster(ctx, &elasticache.ModifyCacheClusterInput{
			CacheClusterId: id, ApplyImmediately: aws.Bool(true), SnapshotRetentionLimit: days, AutoMinorVersionUpgrade: minor,
			LogDeliveryConfigurations: logRequests(c.logGroup),
		})
	case model.ServerlessCache:
		_, err = s.ElastiCache.ModifyServerlessCache(ctx, &elasticache.ModifyServerlessCacheInput{ServerlessCacheName: id, SnapshotRetentionLimit: days})
	case model.MemoryDB:
		_, err = s.MemoryDB.UpdateCluster(ctx, &memorydb.UpdateClusterInput{ClusterName: id, SnapshotRetentionLimit: days})
	default:
		err = errKind
	}
	return failed("modify", it, err)
}

func logRequests(group string) []ec.LogDeliveryConfigurationRequest {
	if group == "" {
		return nil
	}
	request := func(kind ec.LogType) ec.LogDeliveryConfigurationRequest {
		return ec.LogDeliveryConfigurationRequest{
			LogType: kind, LogFormat: ec.LogFormatJson, DestinationType: ec.DestinationTypeCloudWatchLogs, Enabled: aws.Bool(true),
			DestinationDetails: &ec.DestinationDetails{CloudWatchLogsDetails: &ec.CloudWatchLogsDestinationDetails{LogGroup: &group}},
		}
	}
	return []ec.LogDeliveryConfigurationRequest{request(ec.LogTypeSlowLog), request(ec.LogTypeEngineLog)}
}

func setSecurityGroup(ctx context.Context, s *awsapi.Session, it *awsapi.Item, group string) error {
	id, groups := &it.Detail.ID, []string{group}
	var err error
	switch it.Resource.ID.Kind {
	case model.ReplicationGroup:
		_, err = s.ElastiCache.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: id, SecurityGroupIds: groups, ApplyImmediately: aws.Bool(true),
		})
	case model.CacheCluster:
		_, err = s.ElastiCache.ModifyCacheCluster(ctx, &elasticache.ModifyCacheClusterInput{
			CacheClusterId: id, SecurityGroupIds: groups, ApplyImmediately: aws.Bool(true),
		})
	case model.ServerlessCache:
		_, err = s.ElastiCache.ModifyServerlessCache(ctx, &elasticache.ModifyServerlessCacheInput{ServerlessCacheName: id, SecurityGroupIds: groups})
	case model.MemoryDB:
		_, err = s.MemoryDB.UpdateCluster(ctx, &memorydb.UpdateClusterInput{ClusterName: id, SecurityGroupIds: groups})
	default:
		err = errKind
	}
	return failed("quarantine", it, err)
}

func deleteCache(ctx context.Context, s *awsapi.Session, it *awsapi.Item) error {
	id := &it.Detail.ID
	var err error
	switch it.Resource.ID.Kind {
	case model.ReplicationGroup:
		_, err = s.ElastiCache.DeleteReplicationGroup(ctx, &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: id, RetainPrimaryCluster: aws.Bool(false)})
	case model.CacheCluster:
		_, err = s.ElastiCache.DeleteCacheCluster(ctx, &elasticache.DeleteCacheClusterInput{CacheClusterId: id})
	case model.ServerlessCache:
		_, err = s.ElastiCache.DeleteServerlessCache(ctx, &elasticache.DeleteServerlessCacheInput{ServerlessCacheName: id})
	case model.MemoryDB:
		_, err = s.MemoryDB.DeleteCluster(ctx, &memorydb.DeleteClusterInput{ClusterName: id})
	default:
		err = errKind
	}
	return failed("delete", it, err)
}

func makeSnapshot(ctx context.Context, s *awsapi.Session, it *awsapi.Item, name, key string) error {
	id := &it.Detail.ID
	var err error
	switch it.Resource.ID.Kind {
	case model.ReplicationGroup:
		_, err = s.ElastiCache.CreateSnapshot(ctx, &elasticache.CreateSnapshotInput{ReplicationGroupId: id, SnapshotName: &name, KmsKeyId: orNil(key)})
	case model.CacheCluster:
		_, err = s.ElastiCache.CreateSnapshot(ctx, &elasticache.CreateSnapshotInput{CacheClusterId: id, SnapshotName: &name, KmsKeyId: orNil(key)})
	case model.ServerlessCache:
		_, err = s.ElastiCache.CreateServerlessCacheSnapshot(ctx, &elasticache.CreateServerlessCacheSnapshotInput{
			ServerlessCacheName: id, ServerlessCacheSnapshotName: &name, KmsKeyId: orNil(key),
		})
	case model.MemoryDB:
		_, err = s.MemoryDB.CreateSnapshot(ctx, &memorydb.CreateSnapshotInput{ClusterName: id, SnapshotName: &name, KmsKeyId: orNil(key)})
	default:
		err = errKind
	}
	return failed("snapshot", it, err)
}

// snapshotStatus is AWS's word for how far a snapshot is, empty if there is none.
func snapshotStatus(ctx context.Context, s *awsapi.Session, kind model.Kind, name string) (string, error) {
	status := ""
	var err error
	switch kind {
	case model.ServerlessCache:
		var r *elasticache.DescribeServerlessCacheSnapshotsOutput
		r, err = s.ElastiCache.DescribeServerlessCacheSnapshots(ctx, &elasticache.DescribeServerlessCacheSnapshotsInput{ServerlessCacheSnapshotName: &name})
		if err == nil && len(r.ServerlessCacheSnapshots) == 1 {
			status = aws.ToString(r.ServerlessCacheSnapshots[0].Status)
		}
	case model.MemoryDB:
		var r *memorydb.DescribeSnapshotsOutput
		r, err = s.MemoryDB.DescribeSnapshots(ctx, &memorydb.DescribeSnapshotsInput{SnapshotName: &name})
		if err == nil && len(r.Snapshots) == 1 {
			status = aws.ToString(r.Snapshots[0].Status)
		}
	default:
		var r *elasticache.DescribeSnapshotsOutput
		r, err = s.ElastiCache.DescribeSnapshots(ctx, &elasticache.DescribeSnapshotsInput{SnapshotName: &name})
		if err == nil && len(r.Snapshots) == 1 {
			status = aws.ToString(r.Snapshots[0].SnapshotStatus)
		}
	}
	if err != nil && awsapi.IsMissing(err) {
		return "", nil
	}
	return status, err
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func failed(what string, it *awsapi.Item, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot %s %s: %w", what, it.Resource.ID, err)
}
