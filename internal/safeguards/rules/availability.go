package rules

import (
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// availability is about backups, replicas and memory.
func availability() []Rule {
	return []Rule{
		{
			ID: "BKP-01", Title: "Snapshots are made and kept", Severity: model.High,
			Citations: []string{"164.308(a)(7)(ii)(A)", "164.310(d)(2)(iv)"}, Controls: []string{"CP-9"},
			Why:   "What is not backed up is gone with the node.",
			On:    []Scope{managed(caches()...)},
			Reads: []model.AnyFact{model.SnapshotRetention, model.Engine}, Remedy: Modify, Check: checkRetention,
			Params: []Param{{"days", "least number of days that snapshots are kept", int64(15)}},
			Mend: mends(code("set `snapshot_retention_limit = 15`", "set `SnapshotRetentionLimit: 15`"),
				mend(model.AWS, "aws elasticache modify-replication-group --snapshot-retention-limit 15 --apply-immediately")),
		},
		{
			ID: "BKP-02", Title: "The newest snapshot is recent", Severity: model.Medium,
			Citations: []string{"164.308(a)(7)(ii)(A)"}, Controls: []string{"CP-9"},
			Why:   "A schedule that fails silently is no backup.",
			On:    []Scope{onAWS(caches()...)},
			Reads: []model.AnyFact{model.SnapshotRetention, model.NewestSnapshotAt}, Remedy: Modify, Check: checkNewest,
			Params: []Param{{"max_age_hours", "greatest age of the newest snapshot", int64(26)}},
			Mend:   mend(model.AWS, "aws elasticache create-snapshot --replication-group-id ID --snapshot-name NAME, and look for why the schedule fails in DescribeEvents"),
		},
		{
			ID: "BKP-03", Title: "A server's data survives a restart, or its failure to save is noticed", Severity: model.Medium,
			Citations: []string{"164.308(a)(7)"}, Controls: []string{"CP-9", "CP-10"},
			Why:   "Data that others rely on must come back after a crash. For a pure cache disable this rule in a profile.",
			On:    []Scope{server(model.Live)},
			Reads: []model.AnyFact{model.AppendOnly, model.SavePoints, model.AppendFsync, model.LastSaveOK, model.StopOnSaveError}, Remedy: ReportOnly,
			Check: checkPersistence, Mend: directives("appendonly yes", "appendfsync everysec", "stop-writes-on-bgsave-error yes"),
		},
		{
			ID: "HA-01", Title: "The cache runs in several availability zones", Severity: model.Medium,
			Citations: []string{"164.308(a)(7)(ii)(B)", "164.308(a)(7)(ii)(C)"}, Controls: []string{"CP-6", "CP-7", "CP-10"},
			Why:   "A zone that fails takes the whole cache with it.",
			On:    []Scope{managed(model.ReplicationGroup, model.MemoryDB)},
			Reads: []model.AnyFact{model.MultiAZ}, Remedy: Modify, Check: checkMultiAZ,
			Mend: mends(code("set `multi_az_enabled = true` (aws_memorydb_cluster: `num_replicas_per_shard` of 1 or more)",
				"set `MultiAZEnabled: true` (AWS::MemoryDB::Cluster: `NumReplicasPerShard` of 1 or more)"),
				mend(model.AWS, "aws elasticache modify-replication-group --multi-az-enabled --automatic-failover-enabled --apply-immediately")),
		},
		{
			ID: "HA-02", Title: "A replica in another zone takes over by itself", Severity: model.Medium,
			Citations: []string{"164.308(a)(7)(ii)(B)", "164.308(a)(7)(ii)(C)"}, Controls: []string{"CP-7", "CP-10"},
			Why:   "Without it a failed primary waits for a person, and takes unsaved writes with it.",
			On:    []Scope{managed(model.ReplicationGroup, model.MemoryDB)},
			Reads: []model.AnyFact{model.AutomaticFailover, model.Replicas, model.ReplicasElsewhere}, Remedy: Modify, Check: checkFailover,
			Mend: mends(code("set `automatic_failover_enabled = true` and `num_cache_clusters` (or `replicas_per_node_group`) so that each shard has a replica",
				"set `AutomaticFailoverEnabled: true` and `NumCacheClusters` or `ReplicasPerNodeGroup` so that each shard has a replica"),
				mend(model.AWS, "aws elasticache increase-replica-count --new-replica-count 1, then modify-replication-group --automatic-failover-enabled")),
		},
		{
			ID: "HA-03", Title: "Writes wait for replicas that exist", Severity: model.Medium,
			Citations: []string{"164.312(c)(1)"}, Controls: []string{"SI-7", "CP-10"},
			Why:   "A primary cut off from its replicas takes writes that are thrown away later.",
			On:    []Scope{server(model.Live)},
			Reads: []model.AnyFact{model.ReplicationUsed, model.MinReplicas, model.PrimaryLinkUp}, Remedy: ReportOnly, Check: checkReplicas,
			Mend: directives("min-replicas-to-write 1", "min-replicas-max-lag 10"),
		},
		{
			ID: "MEM-01", Title: "Memory is bounded and eviction fits PHI", Severity: model.Medium,
			Citations: []string{"164.312(c)(1)", "164.308(a)(7)"}, Controls: []string{"SC-5", "SI-7"},
			Why:   "Without a bound the system kills the server; allkeys-* throws away what nobody said may go.",
			On:    []Scope{managed(elastiCache()...), server(model.Live)},
			Reads: []model.AnyFact{model.MaxMemory, model.EvictionPolicy}, Remedy: Modify, Check: checkMemory,
			Params: []Param{{"policies", "eviction policies that are allowed", []string{"noeviction", "volatile-lru", "volatile-lfu", "volatile-ttl", "volatile-random"}}},
			Mend: mends(directives("maxmemory 2gb", "maxmemory-policy volatile-ttl"),
				code("use a parameter group with `maxmemory-policy` = volatile-ttl or noeviction", "use a CacheParameterGroupName whose Properties have `maxmemory-policy: volatile-ttl`"),
				mend(model.AWS, "aws elasticache modify-cache-parameter-group --parameter-name-values ParameterName=maxmemory-policy,ParameterValue=volatile-ttl")),
		},
	}
}

func checkRetention(c *Case) Verdict {
	if engine, ok := note(c, model.Engine); ok && engine == "memcached" {
		return c.notApplicable()
	}
	kept, ok := get(c, model.SnapshotRetention)
	least := param[int64](c, "days")
	switch {
	case !ok:
		return c.unknown()
	case kept == 0:
		return c.fail("no snapshots are made")
	case kept < least:
		return c.fail("snapshots are kept for %s, the least is %d", count(kept, "day"), least)
	default:
		return c.pass("snapshots are kept for %s", count(kept, "day"))
	}
}

func checkNewest(c *Case) Verdict {
	if kept, ok := note(c, model.SnapshotRetention); ok && kept == 0 {
		return c.notApplicable() // BKP-01 speaks of it
	}
	at, ok := get(c, model.NewestSnapshotAt)
	if !ok {
		return c.unknown()
	}
	if at.IsZero() {
		return c.fail("there is no snapshot")
	}
	age := c.now.Sub(at)
	if age > time.Duration(param[int64](c, "max_age_hours"))*time.Hour {
		return c.fail("the newest snapshot is %d hours old", int64(age.Hours()))
	}
	return c.pass("the newest snapshot is %d hours old", int64(age.Hours()))
}

func checkPersistence(c *Case) Verdict {
	if c.r.Has(model.LastSaveOK) && is(c, model.LastSaveOK, false) {
		return c.fail("the last snapshot failed")
	}
	aof, ok := get(c, model.AppendOnly)
	save, known := get(c, model.SavePoints)
	switch {
	case ok && known && !aof && save == "":
		return c.fail("neither the append-only file nor snapshots are on")
	case ok && aof && is(c, model.AppendFsync, "no"):
		return c.fail("the append-only file is never forced to disk")
	}
	if known && save != "" && is(c, model.StopOnSaveError, false) {
		return c.fail("writes go on while snapshots fail")
	}
	if c.gap != nil {
		return c.unknown()
	}
	return c.pass("data is written to disk, and failures are noticed")
}

func checkMultiAZ(c *Case) Verdict {
	on, ok := get(c, model.MultiAZ)
	switch {
	case !ok:
		return c.unknown()
	case on:
		return c.pass("it runs in several availability zones")
	default:
		return c.fail("it may run in one availability zone")
	}
}

func checkFailover(c *Case) Verdict {
	on, ok := get(c, model.AutomaticFailover)
	if ok && !on {
		return c.fail("no replica takes over by itself")
	}
	replicas, known := get(c, model.Replicas)
	if known && replicas == 0 {
		return c.fail("there is a shard without a replica")
	}
	if c.target() == model.AWS {
		if elsewhere, told := get(c, model.ReplicasElsewhere); told && !elsewhere {
			return c.fail("there is a shard whose replicas are in the zone of its primary")
		}
	}
	if c.gap != nil {
		return c.unknown()
	}
	return c.pass("each shard has a replica that takes over")
}

func checkReplicas(c *Case) Verdict {
	if c.r.Has(model.PrimaryLinkUp) && is(c, model.PrimaryLinkUp, false) {
		return c.fail("the replica is not connected to its primary")
	}
	used, ok := get(c, model.ReplicationUsed)
	if ok && !used {
		return c.pass("it has no replicas to wait for")
	}
	least, known := get(c, model.MinReplicas)
	switch {
	case known && least > 0:
		return c.pass("writes need %s", count(least, "connected replica"))
	case !ok || !known:
		return c.unknown()
	default:
		return c.fail("writes do not wait for any replica")
	}
}

func checkMemory(c *Case) Verdict {
	if !isManaged(c.kind()) {
		if limit, ok := get(c, model.MaxMemory); ok && limit == 0 {
			return c.fail("memory has no bound")
		}
	}
	policy, ok := get(c, model.EvictionPolicy)
	if ok {
		allowed := false
		for _, p := range param[[]string](c, "policies") {
			allowed = allowed || p == policy
		}
		switch {
		case !allowed && strings.HasPrefix(policy, "allkeys-"):
			return c.fail("%s evicts entries whether or not they may go", policy)
		case !allowed:
			return c.fail("eviction policy %s is not allowed by the profile", policy)
		}
	}
	if c.gap != nil {
		return c.unknown()
	}
	return c.pass("memory is bounded, and %s decides what goes", policy)
}
