package rules

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// atRest is about what is on disks and in snapshots.
func atRest() []Rule {
	return []Rule{
		{
			ID: "ENC-REST-01", Title: "Data at rest is encrypted", Severity: model.Critical,
			Citations: []string{"164.312(a)(2)(iv)"}, Controls: []string{"SC-13", "SC-28"},
			Why:    "What the cache writes while it synchronises, swaps and makes snapshots can be read by whoever gets the disk.",
			On:     []Scope{managed(model.ReplicationGroup, model.CacheCluster, model.ServerlessCache)},
			Reads:  []model.AnyFact{model.StorageEncryption, model.AtRestEncryption, model.Engine},
			Remedy: DeleteNew, Check: checkAtRest,
			Mend: mends(
				code("set `at_rest_encryption_enabled = true` on an aws_elasticache_replication_group; a change makes a new one",
					"set `AtRestEncryptionEnabled: true` on an AWS::ElastiCache::ReplicationGroup; a change makes a new one"),
				mend(model.AWS, "it cannot be switched on: make a snapshot, restore it into a group with --at-rest-encryption-enabled, move clients, delete the old one")),
		},
		{
			ID: "ENC-REST-02", Title: "Data at rest is encrypted with a key of the customer", Severity: model.Medium,
			Citations: []string{"164.312(a)(2)(iv)"}, Controls: []string{"SC-12", "SC-13"},
			Why:    "Only a key of one's own can be taken away, and its use shows in CloudTrail.",
			On:     []Scope{managed(caches()...)},
			Reads:  []model.AnyFact{model.KMSKey, model.KMSKeyState, model.KMSKeyRotation},
			Remedy: ReportOnly, Check: checkKMSKey,
			Mend: mends(
				code("set `kms_key_id` to a customer managed key with `enable_key_rotation = true`", "set `KmsKeyId` to a customer managed key with `EnableKeyRotation: true`"),
				mend(model.AWS, "restore a snapshot into a cache with --kms-key-id; for a key in trouble: aws kms cancel-key-deletion, enable-key, enable-key-rotation")),
		},
		{
			ID: "ENC-REST-03", Title: "Snapshots are encrypted and private", Severity: model.High,
			Citations: []string{"164.312(a)(2)(iv)", "164.310(d)(2)(iv)"}, Controls: []string{"SC-13", "SC-28", "CP-9"},
			Why:    "A snapshot is all of the data at once, outlives the cache, and can be copied out of the account.",
			On:     []Scope{onAWS(model.Snapshot, model.ServerlessSnapshot, model.MemoryDBSnapshot)},
			Reads:  []model.AnyFact{model.SnapshotShared, model.SnapshotEncrypted},
			Remedy: SnapshotDelete, Check: checkSnapshot,
			Mend: mend(model.AWS, "copy it with --kms-key-id, check the copy, then aws elasticache delete-snapshot; take the grants of other accounts off its bucket"),
		},
		{
			ID: "ENC-REST-04", Title: "What a server of one's own writes to disk is encrypted", Severity: model.High,
			Citations: []string{"164.312(a)(2)(iv)"}, Controls: []string{"SC-13", "SC-28"},
			Why:   "RDB and AOF files are plaintext whatever the server does on the network.",
			On:    []Scope{{[]model.Kind{model.Server}, []model.Target{model.Live, model.Kubernetes}}, ofLethe(model.LetheData)},
			Reads: []model.AnyFact{model.Persistence, model.DiskEncrypted}, Remedy: ReportOnly, Check: checkDisk,
			Mend: mends(directives(`save ""`, "appendonly no"), map[model.Target]string{
				model.Kubernetes: "use a StorageClass with `parameters: {encrypted: \"true\"}`, an emptyDir with `medium: Memory`, or `--save \"\" --appendonly no`",
				model.Live:       "put the server's dir on an encrypted volume (LUKS, encrypted EBS), or `CONFIG SET save \"\"` and `CONFIG SET appendonly no`",
				model.Lethe:      "put the data directory on an encrypted volume: what lies in it is sealed, but its wrapping key lies beside it",
			}),
		},
	}
}

// checkAtRest: what AWS says is effective decides over what was asked for at creation, which can be false for a cache that
// is encrypted all the same.
func checkAtRest(c *Case) Verdict {
	if c.r.Has(model.StorageEncryption) || c.kind() == model.ServerlessCache {
		if v, ok := get(c, model.StorageEncryption); ok {
			switch {
			case v == "none":
				return c.fail("the effective encryption at rest is none")
			case strings.HasPrefix(v, "sse-"):
				return c.pass("the effective encryption at rest is %s", v)
			default:
				return c.undecided("the effective encryption at rest is %q, which this release does not know", v)
			}
		}
		if c.kind() == model.ServerlessCache {
			return c.unknown()
		}
	}
	on, ok := get(c, model.AtRestEncryption)
	switch {
	case !ok:
		return c.unknown()
	case on:
		return c.pass("encryption at rest is switched on")
	}
	if engine, known := note(c, model.Engine); known && c.at.Default {
		return c.fail("encryption at rest is left out, and for %s that means off", engine)
	}
	return c.fail("encryption at rest is switched off")
}

func checkKMSKey(c *Case) Verdict {
	key, ok := get(c, model.KMSKey)
	if !ok {
		return c.unknown()
	}
	if key == "" {
		return c.fail("it uses a key of AWS's own, which the customer cannot revoke")
	}
	if c.target() != model.AWS {
		return c.pass("a key is named")
	}
	state, ok := get(c, model.KMSKeyState)
	if !ok {
		return c.unknown()
	}
	if state != "Enabled" {
		return c.fail("its KMS key is in state %s", state)
	}
	rotated, ok := get(c, model.KMSKeyRotation)
	switch {
	case !ok:
		return c.unknown()
	case !rotated:
		return c.fail("its KMS key is not rotated")
	default:
		return c.pass("its KMS key is enabled and rotated")
	}
}

func checkSnapshot(c *Case) Verdict {
	shared, sharedKnown := get(c, model.SnapshotShared)
	if shared {
		return c.fail("the snapshot can be read by other accounts")
	}
	encrypted, ok := get(c, model.SnapshotEncrypted)
	switch {
	case ok && !encrypted:
		return c.fail("the snapshot is not encrypted")
	case !ok || !sharedKnown:
		return c.unknown()
	default:
		return c.pass("the snapshot is encrypted and not shared")
	}
}

func checkDisk(c *Case) Verdict {
	writes, ok := get(c, model.Persistence)
	if ok && !writes {
		return c.pass("the server writes nothing to disk")
	}
	encrypted, known := get(c, model.DiskEncrypted)
	switch {
	case known && encrypted:
		return c.pass("the disk under the server's directory is encrypted or is memory")
	case !ok || !known:
		return c.unknown()
	default:
		return c.fail("the server writes its data to a disk that is not encrypted")
	}
}
