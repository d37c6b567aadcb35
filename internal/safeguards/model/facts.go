package model

import "time"

// What a resource is.
var (
	Engine        = Fact[string]{"engine", "redis, valkey, memcached, keydb, dragonfly or lethe"}
	EngineVersion = Fact[string]{"engine_version", "version as its target writes it: 7.1, 6.x, 7.0.15; of a group the oldest of its members"}
	DistroBuild   = Fact[bool]{"distro_build", "the build is a distribution's, which patches without a new version number"}
	NodeType      = Fact[string]{"node_type", "cache.r7g.large, db.r7g.large"}
	Status        = Fact[string]{"status", "available, creating, modifying, deleting, ..."}
	CreatedAt     = Fact[time.Time]{"created_at", "when it was created"}
	Tags          = Fact[map[string]string]{"tags", "tags or labels"}
	Port          = Fact[int64]{"port", "port of clients; for a server the plaintext one, 0 is none"}
	GivenName     = Fact[string]{"given_name", "the name or identifier that AWS knows it by"}
	GlobalMember  = Fact[bool]{"global_member", "belongs to a global datastore"}
)

// Encryption at rest.
var (
	StorageEncryption = Fact[string]{"storage_encryption", "effective encryption at rest as AWS tells it: none, sse-elasticache, sse-kms"}
	AtRestEncryption  = Fact[bool]{"at_rest_encryption", "encryption at rest is switched on; StorageEncryption decides where both are known"}
	KMSKey            = Fact[string]{"kms_key", "the customer's KMS key, or empty: AWS's own"}
	KMSKeyState       = Fact[string]{"kms_key_state", "Enabled, Disabled, PendingDeletion, ..."}
	KMSKeyRotation    = Fact[bool]{"kms_key_rotation", "the KMS key is rotated each year"}
	SnapshotEncrypted = Fact[bool]{"snapshot_encrypted", "the snapshot is encrypted, by its own key or as its cache is"}
	SnapshotShared    = Fact[bool]{"snapshot_shared", "other accounts can read the snapshot or its export"}
	Persistence       = Fact[bool]{"persistence", "the server writes its data to disk"}
	DiskEncrypted     = Fact[bool]{"disk_encrypted", "the disk under the server's directory is encrypted"}
)

// Encryption in transit.
var (
	TransitEncryption  = Fact[bool]{"transit_encryption", "TLS is offered to clients"}
	TransitMode        = Fact[string]{"transit_mode", "required or preferred; preferred takes plaintext as well"}
	PlaintextRefused   = Fact[bool]{"plaintext_refused", "a client without TLS is refused"}
	TLSPort            = Fact[int64]{"tls_port", "port for TLS, 0 is none"}
	TLSVersions        = Fact[[]string]{"tls_versions", "versions that a handshake can end with: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"}
	TLSWeakSuites      = Fact[[]string]{"tls_weak_suites", "cipher suites with CBC, RC4, 3DES or without forward secrecy that are accepted"}
	TLSCertificate     = Fact[Certificate]{"tls_certificate", "the server's certificate as a client sees it"}
	ClientCertificates = Fact[string]{"client_certificates", "yes (required), optional or no"}
	TLSReplication     = Fact[bool]{"tls_replication", "links between replicas, or from Lethe to its upstream, use TLS"}
	TLSCluster         = Fact[bool]{"tls_cluster", "the cluster bus uses TLS"}
	ReplicationUsed    = Fact[bool]{"replication_used", "the server has a primary or replicas; Lethe: an upstream"}
	ClusterUsed        = Fact[bool]{"cluster_used", "the server is part of a cluster"}
)

// Authentication and access.
var (
	AuthRequired    = Fact[bool]{"auth_required", "nobody runs a command without proving who it is"}
	AuthToken       = Fact[Token]{"auth_token", "what can be said of the AUTH token or password that is written down"}
	TokenOrigin     = Fact[string]{"token_origin", "none, literal, hash, default (of a parameter or variable), parameter (hidden), plain parameter, reference (to a secret store), generated"}
	TokenRotatedAt  = Fact[time.Time]{"token_rotated_at", "when the AUTH token was last changed"}
	Users           = Fact[[]AuthUser]{"users", "the users and what they may do"}
	PubsubDefault   = Fact[string]{"pubsub_default", "channels of new users: resetchannels or allchannels"}
	ACLFilePath     = Fact[string]{"acl_file", "the ACL file, or empty"}
	ACLFileMode     = Fact[int64]{"acl_file_mode", "permissions of the file that holds users or passwords, as a number"}
	IdleTimeout     = Fact[int64]{"idle_timeout", "seconds after which an idle client is disconnected, 0 is never"}
	Keepalive       = Fact[int64]{"tcp_keepalive", "seconds between TCP keepalives, 0 is never"}
	AuthFailures    = Fact[int64]{"auth_failures", "failed logins in the ACL log"}
	ACLLogLength    = Fact[int64]{"acl_log_length", "entries that the ACL log holds"}
	RenamedCommands = Fact[[]string]{"renamed_commands", "dangerous commands that are only hidden by rename-command"}
)

// Patching.
var (
	ServiceUpdates   = Fact[[]ServiceUpdate]{"service_updates", "updates that AWS offers"}
	AutoMinorUpgrade = Fact[bool]{"auto_minor_upgrade", "minor versions are taken by themselves"}
)

// Network.
var (
	IngressRules         = Fact[[]Ingress]{"ingress", "what the attached security groups let in, complete"}
	PublicSubnets        = Fact[[]string]{"public_subnets", "subnets of the cache with a default route to an internet gateway"}
	SubnetGroup          = Fact[string]{"subnet_group", "the cache subnet group, or empty"}
	DefaultVPC           = Fact[bool]{"default_vpc", "it is in the region's default VPC"}
	LegacySecurityGroups = Fact[[]string]{"legacy_security_groups", "cache security groups from before VPC"}
	Bind                 = Fact[[]string]{"bind", "addresses that the server listens on"}
	ProtectedMode        = Fact[bool]{"protected_mode", "the server takes only local clients while it has no password"}
	Published            = Fact[[]string]{"published", "addresses outside the host or cluster under which the server's port is reachable"}
)

// Availability and integrity.
var (
	SnapshotRetention = Fact[int64]{"snapshot_retention", "days that automatic snapshots are kept, 0 is none are made"}
	NewestSnapshotAt  = Fact[time.Time]{"newest_snapshot_at", "when the newest complete snapshot was made; the zero time is never"}
	AppendOnly        = Fact[bool]{"append_only", "the append-only file is on"}
	SavePoints        = Fact[string]{"save_points", "the points of RDB snapshots, or empty"}
	AppendFsync       = Fact[string]{"append_fsync", "always, everysec or no"}
	LastSaveOK        = Fact[bool]{"last_save_ok", "the last RDB snapshot succeeded"}
	StopOnSaveError   = Fact[bool]{"stop_on_save_error", "writes are refused while snapshots fail"}
	MultiAZ           = Fact[bool]{"multi_az", "it runs in several availability zones"}
	AutomaticFailover = Fact[bool]{"automatic_failover", "a replica takes over by itself"}
	Replicas          = Fact[int64]{"replicas", "replicas of the shard that has the fewest"}
	ReplicasElsewhere = Fact[bool]{"replicas_elsewhere", "each shard has a replica in another availability zone than its primary"}
	MinReplicas       = Fact[int64]{"min_replicas_to_write", "replicas that must be connected for writes"}
	PrimaryLinkUp     = Fact[bool]{"primary_link_up", "the replica is connected to its primary"}
	MaxMemory         = Fact[int64]{"max_memory", "bytes, 0 is no limit"}
	EvictionPolicy    = Fact[string]{"eviction_policy", "noeviction, volatile-lru, allkeys-lru, ..."}
)

// Audit.
var (
	SlowLogDelivered   = Fact[bool]{"slow_log_delivered", "the slow log is delivered and the delivery is active"}
	EngineLogDelivered = Fact[bool]{"engine_log_delivered", "the engine log is delivered and the delivery is active"}
	LogSink            = Fact[string]{"log_sink", "where the log goes: a file, syslog, stdout, none"}
	LogLevel           = Fact[string]{"log_level", "debug, verbose, notice, warning, nothing"}
	TrailActive        = Fact[bool]{"trail_active", "a CloudTrail trail records management events of the region"}
)

// Data and governance.
var (
	TTLs           = Fact[TTLSample]{"ttls", "times to live of keys that look like PHI, sampled"}
	PHICeiling     = Fact[int64]{"phi_ceiling", "seconds, the longest that a policy of Lethe lets keys live that no rule names or whose pattern looks like PHI"}
	KeyNames       = Fact[NameSample]{"key_names", "identifiers in key names, sampled"}
	SealedValues   = Fact[ValueSample]{"sealed_values", "values of keys that look like PHI, sampled when asked for"}
	KeyspaceEvents = Fact[string]{"keyspace_events", "the flags of notify-keyspace-events, or empty"}
	MonitorClients = Fact[int64]{"monitor_clients", "clients that run MONITOR"}
	ExclusionMark  = Fact[Exclusion]{"exclusion", "the exclusion that names the resource"}
	Drift          = Fact[[]string]{"drift", "facts whose value differs between the running resource and its code"}
	InCode         = Fact[bool]{"in_code", "the resource is declared in code that was scanned too"}
)

// Facts lists all facts in the order of documents.
func Facts() []AnyFact {
	return []AnyFact{
		Engine, EngineVersion, DistroBuild, NodeType, Status, CreatedAt, Tags, Port, GivenName, GlobalMember,
		StorageEncryption, AtRestEncryption, KMSKey, KMSKeyState, KMSKeyRotation, SnapshotEncrypted, SnapshotShared, Persistence,
		DiskEncrypted,
		TransitEncryption, TransitMode, PlaintextRefused, TLSPort, TLSVersions, TLSWeakSuites, TLSCertificate, ClientCertificates,
		TLSReplication, TLSCluster, ReplicationUsed, ClusterUsed,
		AuthRequired, AuthToken, TokenOrigin, TokenRotatedAt, Users, PubsubDefault, ACLFilePath, ACLFileMode, IdleTimeout,
		Keepalive, AuthFailures, ACLLogLength, RenamedCommands,
		ServiceUpdates, AutoMinorUpgrade,
		IngressRules, PublicSubnets, SubnetGroup, DefaultVPC, LegacySecurityGroups, Bind, ProtectedMode, Published,
		SnapshotRetention, NewestSnapshotAt, AppendOnly, SavePoints, AppendFsync, LastSaveOK, StopOnSaveError, MultiAZ,
		AutomaticFailover, Replicas, ReplicasElsewhere, MinReplicas, PrimaryLinkUp, MaxMemory, EvictionPolicy,
		SlowLogDelivered, EngineLogDelivered, LogSink, LogLevel, TrailActive,
		TTLs, PHICeiling, KeyNames, SealedValues, KeyspaceEvents, MonitorClients, ExclusionMark, Drift, InCode,
	}
}

// DangerousCommands are those that erase, move or show whole servers, upper case; a subcommand follows its command after
// a space. An application needs none of them.
func DangerousCommands() []string {
	return []string{
		"FLUSHALL", "FLUSHDB", "KEYS", "CONFIG", "DEBUG", "SHUTDOWN", "SAVE", "BGSAVE", "REPLICAOF", "MIGRATE", "MODULE",
		"SCRIPT FLUSH", "FUNCTION FLUSH", "SWAPDB", "MONITOR", "ACL", "CLIENT KILL", "SORT",
	}
}

// ScriptCommands are dangerous where a profile is strict: what a script does is not seen by who grants commands.
func ScriptCommands() []string { return []string{"EVAL", "EVALSHA", "FCALL"} }
