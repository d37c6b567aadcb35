package config

import (
	"log/slog"
	"time"
)

// Config is one complete set of settings. It does not change after Load; callers must not change the maps and slices.
type Config struct {
	Listen      string // HOST:PORT for clients; port 0 takes a free one
	AdminListen string // HOST:PORT for HTTPS
	DataDir     string // not empty
	Policy      string // file; "" is the built-in policy
	Backend     string // BackendEmbedded or BackendUpstream
	Loops       int    // connection loops; 0 is one a core
	Cluster     string // ClusterOff or ClusterView
	RedisTests  string // "on": for Redis's own tests only
	Advertise   string // HOST:PORT that clients of the cluster view are told; "" is the address that each of them reached

	Audit    Audit
	Memory   Memory
	Limits   Limits
	TLS      TLS
	Log      Log
	Access   Access
	Upstream Upstream

	values []Value
}

// What clients are shown that ask for a cluster.
const (
	ClusterOff  = "off"  // that there is none
	ClusterView = "view" // one node that serves everything
)

// Audit is how records are kept.
type Audit struct {
	Durability   string // DurabilityProcess or DurabilityDisk
	SegmentBytes int64
	SegmentAge   time.Duration
}

// What an acknowledged record survives.
const (
	DurabilityProcess = "process" // a crash of Lethe
	DurabilityDisk    = "disk"    // power loss
)

// Memory bounds what entries take.
type Memory struct {
	Max         int64            // bytes, of all tenants together; above 0
	TenantQuota int64            // bytes, of each tenant not in Tenants; above 0
	Tenants     map[string]int64 // bytes, by tenant; may be nil
}

// Quota is the number of bytes that a tenant may take.
func (m Memory) Quota(tenant string) int64 {
	if q, ok := m.Tenants[tenant]; ok {
		return q
	}
	return m.TenantQuota
}

// Limits bound what clients can ask for.
type Limits struct {
	Connections      int
	IdleTimeout      time.Duration // 0: idle connections stay
	HandshakeTimeout time.Duration // from accepting a connection to its authentication; above 0
	OutputBuffer     int64         // bytes of replies that wait for one client
	Request          int64         // bytes of one command
}

// TLS is the server's certificate. Cert and Key are both given or both empty: then the data directory has its own.
type TLS struct {
	Cert, Key string // PEM files
	ClientCA  string // PEM file of authorities for client certificates; "": none are asked for
	// ClientAuth is ClientAuthRequired or ClientAuthOptional; ClientCRL a file of revocation lists, "" for none.
	ClientAuth, ClientCRL string
	Names                 []string // more DNS names and addresses for the data directory's own certificate
}

// Log is the log for operators, on standard error.
type Log struct {
	Level  slog.Level
	Format string // FormatText or FormatJSON
}

// The forms of a log line.
const (
	FormatText = "text"
	FormatJSON = "json"
)

// Value is one setting with the value in force and where that came from.
type Value struct {
	Setting
	Value  string
	Source string // "default", "FILE:LINE", "LETHE_LISTEN", "--listen"
}

// Values lists all settings in the order of the table, for `lethe config`. The slice is the caller's.
func (c *Config) Values() []Value { return append([]Value(nil), c.values...) }
