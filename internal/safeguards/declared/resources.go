package declared

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// stack is all blocks that can refer to each other.
type stack struct {
	blocks    []Block
	byAddress map[string]*Block
}

// Resources makes resources of the blocks of one root module, plan or template. name is put before addresses, to tell the
// resources of several directories apart.
func Resources(target model.Target, name string, blocks []Block) []*model.Resource {
	s := &stack{blocks: blocks, byAddress: make(map[string]*Block, len(blocks))}
	for i := range blocks {
		s.byAddress[blocks[i].Address] = &blocks[i]
	}
	var resources []*model.Resource
	for i := range blocks {
		b := &blocks[i]
		kind, fill := kindOf(b)
		if fill == nil {
			continue
		}
		r := model.NewResource(model.ID{Target: target, Kind: kind, Name: join(name, b.Address)}, b.Source)
		m := &maker{stack: s, b: b, r: r}
		m.name()
		fill(m)
		resources = append(resources, r)
	}
	return resources
}

func join(name, address string) string {
	if name == "" {
		return address
	}
	return name + ":" + address
}

// Types lists the types of blocks that matter: caches, and what they refer to.
func Types() []string {
	return []string{
		"aws_elasticache_replication_group", "aws_elasticache_cluster", "aws_elasticache_serverless_cache", "aws_elasticache_user",
		"aws_memorydb_cluster", "aws_memorydb_user", "aws_elasticache_parameter_group", "aws_security_group", "aws_security_group_rule",
		"aws_vpc_security_group_ingress_rule",
	}
}

func kindOf(b *Block) (model.Kind, func(*maker)) {
	switch b.Type {
	case "aws_elasticache_replication_group":
		return model.ReplicationGroup, replicationGroup
	case "aws_elasticache_cluster":
		if b.Args["replication_group_id"].Present {
			return "", nil // a member: its group says everything
		}
		return model.CacheCluster, cacheCluster
	case "aws_elasticache_serverless_cache":
		return model.ServerlessCache, serverlessCache
	case "aws_elasticache_user":
		return model.User, func(m *maker) { m.user("passwords") }
	case "aws_memorydb_cluster":
		return model.MemoryDB, memoryDB
	case "aws_memorydb_user":
		return model.MemoryDBUser, func(m *maker) { m.user("") }
	}
	return "", nil
}

// name is the identifier by which the running resource can be found again.
func (m *maker) name() {
	for _, argument := range []string{"replication_group_id", "cluster_id", "cluster_name", "serverless_cache_name", "name", "user_id"} {
		if v := m.b.arg(argument); v.Present {
			if text, ok := v.text(); ok {
				model.GivenName.Set(m.r, text, v.Source)
				return
			}
		}
	}
	model.GivenName.SetUnknown(m.r, "it is given when it is made", m.b.Source)
}

func replicationGroup(m *maker) {
	m.engine("redis")
	m.atRest()
	m.text(model.KMSKey, "kms_key_id", "")
	m.flag(model.TransitEncryption, "transit_encryption_enabled", false)
	// A group that is created with encryption in transit and no mode has mode required (CreateReplicationGroup).
	m.text(model.TransitMode, "transit_encryption_mode", "required")
	m.present(model.AuthRequired, "user_group_ids", "auth_token")
	m.token("auth_token")
	m.flag(model.AutomaticFailover, "automatic_failover_enabled", false)
	m.flag(model.MultiAZ, "multi_az_enabled", false)
	m.replicas()
	m.cluster()
	m.globalMember()
}

// atRest: the default depends on the engine: true for Valkey, false for Redis (CreateReplicationGroup).
func (m *maker) atRest() {
	engine := model.Engine.Of(m.r)
	name, known := engine.Get()
	switch {
	case m.b.arg("at_rest_encryption_enabled").Present || known:
		m.flag(model.AtRestEncryption, "at_rest_encryption_enabled", name == "valkey")
	default:
		model.AtRestEncryption.SetUnknown(m.r, "its default depends on the engine, which is not known", engine.Source)
	}
}

// globalMember: a member of a global datastore takes engine and encryption from the primary, which may be elsewhere.
func (m *maker) globalMember() {
	v := m.b.arg("global_replication_group_id")
	model.GlobalMember.Set(m.r, v.Present, v.Source)
	if !v.Present {
		return
	}
	why := "it is taken from the primary of its global datastore"
	for name, fact := range map[string]model.AnyFact{
		"engine": model.Engine, "engine_version": model.EngineVersion, "at_rest_encryption_enabled": model.AtRestEncryption,
		"transit_encryption_enabled": model.TransitEncryption, "node_type": model.NodeType,
	} {
		if !m.b.arg(name).Present {
			fact.SetUnknown(m.r, why, v.Source)
		}
	}
}

func cacheCluster(m *maker) {
	m.engine("")
	never := m.left("at_rest_encryption_enabled")
	model.AtRestEncryption.Set(m.r, false, never) // a cluster without a group has no such argument
	model.KMSKey.Set(m.r, "", m.left("kms_key_id"))
	m.flag(model.TransitEncryption, "transit_encryption_enabled", false)
	model.TransitMode.Set(m.r, "required", m.left("transit_encryption_mode"))
	model.AuthRequired.Set(m.r, false, m.left("auth_token"))
	model.TokenOrigin.Set(m.r, "none", m.left("auth_token"))
	m.cluster()
	if e, ok := model.Engine.Of(m.r).Get(); ok && e == "memcached" && !m.b.arg("port").Present {
		model.Port.Set(m.r, 11211, m.left("port"))
	}
}

// cluster is what groups and clusters of nodes have in common.
func (m *maker) cluster() {
	m.number(model.Port, "port", 6379)
	m.required(model.NodeType, "node_type", "no node type is given")
	m.flag(model.AutoMinorUpgrade, "auto_minor_version_upgrade", true)
	m.text(model.SubnetGroup, "subnet_group_name", "")
	m.number(model.SnapshotRetention, "snapshot_retention_limit", 0)
	m.legacyGroups()
	m.ingress("security_group_ids")
	m.parameters()
	m.logs()
	m.tags()
}

func (m *maker) legacyGroups() {
	v := m.b.arg("security_group_names")
	if items, ok := v.items(); ok {
		names := make([]string, 0, len(items))
		for _, i := range items {
			name, _ := i.text()
			names = append(names, name)
		}
		model.LegacySecurityGroups.Set(m.r, names, m.left("security_group_names"))
	}
}

func (m *maker) engine(standard string) {
	if standard == "" {
		m.required(model.Engine, "engine", "no engine is given")
	} else {
		m.text(model.Engine, "engine", standard)
	}
	if e := model.Engine.Of(m.r); e.Is(func(s string) bool { return s != strings.ToLower(s) }) {
		name, _ := e.Get()
		model.Engine.Set(m.r, strings.ToLower(name), e.Source)
	}
	m.required(model.EngineVersion, "engine_version", "no version is given: AWS takes its newest")
}

// replicas: without a count a group has one node for each shard.
func (m *maker) replicas() {
	for _, name := range []string{"replicas_per_node_group", "num_cache_clusters", "number_cache_clusters"} {
		v := m.b.arg(name)
		if !v.Present {
			continue
		}
		n, ok := v.number()
		switch {
		case !ok:
			model.Replicas.SetUnknown(m.r, v.reason(), v.Source)
		case name == "replicas_per_node_group":
			model.Replicas.Set(m.r, n, v.Source)
		default:
			model.Replicas.Set(m.r, max(0, n-1), v.Source)
		}
		return
	}
	model.Replicas.Set(m.r, 0, m.left("num_cache_clusters"))
}

func serverlessCache(m *maker) {
	m.required(model.Engine, "engine", "no engine is given")
	v := m.b.arg("major_engine_version")
	switch text, ok := v.text(); {
	case ok:
		model.EngineVersion.Set(m.r, text+".x", v.Source)
	case v.Present:
		model.EngineVersion.SetUnknown(m.r, v.reason(), v.Source)
	default:
		model.EngineVersion.SetUnknown(m.r, "no version is given: AWS takes its newest", m.left("major_engine_version"))
	}
	// Serverless caches are always encrypted, at rest and in transit (ElastiCache user guide).
	model.StorageEncryption.Set(m.r, "sse-elasticache", m.left("kms_key_id"))
	if key := m.b.arg("kms_key_id"); key.Present {
		model.StorageEncryption.Set(m.r, "sse-kms", key.Source)
	}
	m.text(model.KMSKey, "kms_key_id", "")
	m.present(model.AuthRequired, "user_group_id")
	model.Port.Set(m.r, 6379, m.left("port"))
	m.number(model.SnapshotRetention, "snapshot_retention_limit", 0)
	m.ingress("security_group_ids")
	m.tags()
}

func memoryDB(m *maker) {
	m.engine("redis")
	m.flag(model.TransitEncryption, "tls_enabled", true)
	m.text(model.KMSKey, "kms_key_arn", "")
	v := m.b.arg("acl_name")
	switch name, ok := v.text(); {
	case ok:
		model.AuthRequired.Set(m.r, name != "open-access", v.Source)
	case len(v.Refs) > 0 && !v.Optional:
		model.AuthRequired.Set(m.r, true, v.Source)
	case v.Present:
		model.AuthRequired.SetUnknown(m.r, v.reason(), v.Source)
	default:
		model.AuthRequired.Set(m.r, false, m.left("acl_name"))
	}
	model.TokenOrigin.Set(m.r, "none", m.left("auth_token")) // MemoryDB has users only
	m.number(model.Replicas, "num_replicas_per_shard", 1)
	replicas := model.Replicas.Of(m.r)
	if n, ok := replicas.Get(); ok {
		model.MultiAZ.Set(m.r, n > 0, replicas.Source)
		model.AutomaticFailover.Set(m.r, n > 0, replicas.Source)
	} else {
		model.MultiAZ.SetUnknown(m.r, replicas.Why, replicas.Source)
		model.AutomaticFailover.SetUnknown(m.r, replicas.Why, replicas.Source)
	}
	m.number(model.Port, "port", 6379)
	m.required(model.NodeType, "node_type", "no node type is given")
	m.flag(model.AutoMinorUpgrade, "auto_minor_version_upgrade", true)
	m.text(model.SubnetGroup, "subnet_group_name", "")
	m.number(model.SnapshotRetention, "snapshot_retention_limit", 0)
	m.ingress("security_group_ids")
	m.tags()
}
