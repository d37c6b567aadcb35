package awsapi

import (
	"context"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

const unseenExports = "exports to S3 are not seen through this API"

// snapshot makes the item of a snapshot. Without a key of its own it is encrypted as its group is.
func (a *around) snapshot(ctx context.Context, x *ec.Snapshot) *Item {
	b := newBuilder(a.s, model.Snapshot, text(x.ARN), "DescribeSnapshots")
	setText(b, model.Engine, text(x.Engine), "Engine")
	setText(b, model.Status, text(x.SnapshotStatus), "SnapshotStatus")
	if at := madeAt(x); !at.IsZero() {
		model.CreatedAt.Set(b.r, at, b.from("NodeSnapshots.SnapshotCreateTime"))
	}
	a.setKey(ctx, b, text(x.KmsKeyId))
	model.SnapshotShared.SetUnknown(b.r, unseenExports, b.from("ARN"))
	if text(x.KmsKeyId) != "" {
		model.SnapshotEncrypted.Set(b.r, true, b.from("KmsKeyId"))
	} else {
		a.setAsParent(ctx, b, text(x.ReplicationGroupId))
	}
	a.s.setTags(ctx, b, text(x.ARN))
	return &Item{b.r, Detail{ID: text(x.SnapshotName)}}
}

func (a *around) setAsParent(ctx context.Context, b *builder, group string) {
	at := model.Source{Setting: "DescribeReplicationGroups.AtRestEncryptionEnabled"}
	groups, err := a.atRest(ctx)
	encrypted, found := groups[group]
	switch {
	case err != nil:
		b.unknown("DescribeReplicationGroups", err, model.SnapshotEncrypted)
	case !found:
		model.SnapshotEncrypted.SetUnknown(b.r, "it has no key of its own, and its group is gone or it never had one", at)
	default:
		model.SnapshotEncrypted.Set(b.r, encrypted, at)
	}
}

func (a *around) serverlessSnapshot(ctx context.Context, x *ec.ServerlessCacheSnapshot) *Item {
	b := newBuilder(a.s, model.ServerlessSnapshot, text(x.ARN), "DescribeServerlessCacheSnapshots")
	setText(b, model.Status, text(x.Status), "Status")
	set(b, model.CreatedAt, x.CreateTime, "CreateTime")
	a.setKey(ctx, b, text(x.KmsKeyId))
	model.SnapshotEncrypted.Set(b.r, true, model.Source{Setting: "serverless caches always encrypt their snapshots", Default: true})
	model.SnapshotShared.SetUnknown(b.r, unseenExports, b.from("ARN"))
	a.s.setTags(ctx, b, text(x.ARN))
	return &Item{b.r, Detail{ID: text(x.ServerlessCacheSnapshotName)}}
}

func (a *around) memorySnapshot(ctx context.Context, x *mdb.Snapshot) *Item {
	b := newBuilder(a.s, model.MemoryDBSnapshot, text(x.ARN), "DescribeSnapshots")
	setText(b, model.Status, text(x.Status), "Status")
	a.setKey(ctx, b, text(x.KmsKeyId))
	model.SnapshotEncrypted.Set(b.r, true, model.Source{Setting: "MemoryDB always encrypts its snapshots", Default: true})
	model.SnapshotShared.SetUnknown(b.r, unseenExports, b.from("ARN"))
	a.s.setMemoryTags(ctx, b, text(x.ARN))
	return &Item{b.r, Detail{ID: text(x.Name)}}
}
