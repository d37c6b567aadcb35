package remedy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// copyID is the ID of the encrypted copy: a group's ID has at most 40 characters, and no hyphen at its end or twice.
func copyID(e *Entry) string {
	const longest = 40 - len("-enc-") - 8
	id := strings.TrimRight(e.CacheID[:min(len(e.CacheID), longest)], "-")
	return id + "-enc-" + e.ID[:8]
}

// doRestore makes a group from the snapshot with everything that the old one lacks: encryption at rest cannot be switched
// on, only be there from the beginning. 45 CFR 164.312(a)(2)(iv).
func doRestore(ctx context.Context, w *work, it *awsapi.Item) error {
	node, nodeKnown := model.NodeType.Of(it.Resource).Get()
	engine, engineKnown := model.Engine.Of(it.Resource).Get()
	subnets, subnetsKnown := model.SubnetGroup.Of(it.Resource).Get()
	if !nodeKnown || !engineKnown || !subnetsKnown {
		return refusal("unknown-shape")
	}
	id := copyID(w.e)
	in := elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: &id, ReplicationGroupDescription: aws.String("Encrypted copy of " + it.Detail.ID), SnapshotName: &w.state.Name,
		AtRestEncryptionEnabled: aws.Bool(true), TransitEncryptionEnabled: aws.Bool(true), TransitEncryptionMode: ec.TransitEncryptionModeRequired,
		KmsKeyId: orNil(w.Settings.KMSKey), Engine: &engine, CacheNodeType: &node, CacheSubnetGroupName: orNil(subnets),
		SecurityGroupIds: it.Detail.SecurityGroups, CacheParameterGroupName: orNil(it.Detail.ParameterGroup),
		AutoMinorVersionUpgrade: aws.Bool(true), SnapshotRetentionLimit: aws.Int32(int32(w.Settings.SnapshotDays)), //nolint:gosec // 1 to 35
		UserGroupIds: it.Detail.UserGroups, Tags: []ec.Tag{{Key: aws.String("lethe:copy-of"), Value: &it.Detail.ID}},
	}
	if len(it.Detail.UserGroups) == 0 {
		token, err := w.keptToken(true)
		if err != nil {
			return err
		}
		defer clear(token)
		in.AuthToken = aws.String(string(token))
	}
	_, err := w.s.ElastiCache.CreateReplicationGroup(ctx, &in)
	var exists *ec.ReplicationGroupAlreadyExistsFault
	if errors.As(err, &exists) {
		return nil // an attempt of ours was done and its answer lost: copyDone looks at what it is
	}
	return failed("copy", it, err)
}

// copyDone: the copy is there and encrypted, at rest and in transit.
func copyDone(ctx context.Context, w *work) (bool, error) {
	status, err := w.s.Status(ctx, model.ReplicationGroup, copyID(w.e))
	switch {
	case err != nil && awsapi.IsMissing(err):
		return false, nil
	case err != nil:
		return false, err
	case status != "available":
		return false, errWait
	}
	it, err := w.s.Read(ctx, model.ReplicationGroup, copyID(w.e))
	if err != nil {
		return false, err
	}
	effective, _ := model.StorageEncryption.Of(it.Resource).Get()
	rest, _ := model.AtRestEncryption.Of(it.Resource).Get()
	transit, _ := model.TransitEncryption.Of(it.Resource).Get()
	if !rest && !strings.HasPrefix(effective, "sse-") || !transit {
		return false, fmt.Errorf("cannot copy %s: the copy is not encrypted", w.e.Resource)
	}
	return true, nil
}
