package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Setting is what people may know of a setting.
type Setting struct {
	Name    string // in the file: "audit.segment_bytes" is the field segment_bytes of audit
	Flag    string // "audit-segment-bytes"
	Env     string // "LETHE_AUDIT_SEGMENT_BYTES"
	Form    string // what a value looks like: "HOST:PORT", "SIZE"
	Default string // as it would be written; "" is none
	Doc     string // one sentence without a full stop
}

// Settings lists all settings, in the order of help texts.
func Settings(getenv func(string) string) []Setting {
	var all []Setting
	for _, e := range table(getenv) {
		all = append(all, e.Setting)
	}
	return all
}

// entry is a row of the table: a setting, and how a value gets into a Config. The error of set completes the sentence
// "<name> ...", says nothing of the value, and is a *valueError.
type entry struct {
	Setting
	set func(*Config, string) error
}

// valueError is what is wrong with a value.
type valueError struct{ problem, mend string }

func (e *valueError) Error() string { return e.problem }

func row(name, form, initial, doc string, set func(*Config, string) error) entry {
	flag := strings.NewReplacer(".", "-", "_", "-").Replace(name)
	return entry{
		Setting: Setting{
			Name: name, Flag: flag, Env: "LETHE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")),
			Form: form, Default: initial, Doc: doc,
		},
		set: set,
	}
}

// table is every setting there is.
func table(getenv func(string) string) []entry {
	return append([]entry{
		row("listen", "HOST:PORT", "127.0.0.1:6380", "where clients connect, with TLS 1.3; port 0 takes a free one",
			address(func(c *Config) *string { return &c.Listen })),
		row("admin_listen", "HOST:PORT", "127.0.0.1:9380", "where health, metrics and administration answer, with HTTPS",
			address(func(c *Config) *string { return &c.AdminListen })),
		row("data_dir", "DIR", defaultDataDir(getenv), "the directory of keys, users and the audit log; made with mode 0700 if missing",
			path(func(c *Config) *string { return &c.DataDir })),
		row("policy", "FILE", "", "the policy of categories and deadlines; none is the built-in one",
			path(func(c *Config) *string { return &c.Policy })),
		row("backend", "embedded|upstream", BackendEmbedded, "where entries are kept: in the process, or sealed in an existing Redis, Valkey or ElastiCache",
			choice(func(c *Config) *string { return &c.Backend }, BackendEmbedded, BackendUpstream)),
		row("loops", "NUMBER", "0", "connection loops; 0 is one for each core",
			number(0, 1024, func(c *Config) *int { return &c.Loops })),
		row("cluster", "off|view", ClusterOff, "whether clients that speak to clusters only are shown one of one node",
			choice(func(c *Config) *string { return &c.Cluster }, ClusterOff, ClusterView)),
		row("advertise", "HOST:PORT", "", "the address that those clients are told; none is the one that each of them reached",
			reachable(func(c *Config) *string { return &c.Advertise })),
		row("redis_tests", "off|on", "off", "whether the server answers what Redis's own tests lean on; refused next to a policy that knows PHI",
			choice(func(c *Config) *string { return &c.RedisTests }, "off", "on")),

		row("audit.durability", "process|disk", DurabilityProcess, "what an acknowledged record survives: a crash of Lethe, or power loss",
			choice(func(c *Config) *string { return &c.Audit.Durability }, DurabilityProcess, DurabilityDisk)),
		row("audit.segment_bytes", "SIZE", "64MiB", "the size at which the audit log begins a new segment",
			size(1<<20, 1<<30, func(c *Config) *int64 { return &c.Audit.SegmentBytes })),
		row("audit.segment_age", "DURATION", "24h", "the age at which the audit log begins a new segment",
			duration(time.Minute, 366*24*time.Hour, func(c *Config) *time.Duration { return &c.Audit.SegmentAge })),

		row("memory.max", "SIZE", formatSize(defaultMemory()), "the memory that entries may take together; the default is half of what the process may use",
			size(1<<20, 1<<50, func(c *Config) *int64 { return &c.Memory.Max })),
		row("memory.tenant_quota", "SIZE", "2GiB", "the memory that the entries of one tenant may take",
			size(1<<16, 1<<50, func(c *Config) *int64 { return &c.Memory.TenantQuota })),
		row("memory.tenants", "TENANT=SIZE,...", "", "quotas of single tenants, in the file as tenants: {NAME: {quota: SIZE}}", setTenants),

		row("limits.connections", "NUMBER", "10000", "client connections at a time",
			number(1, 1_000_000, func(c *Config) *int { return &c.Limits.Connections })),
		row("limits.idle_timeout", "DURATION|off", "off", "after how long without a command a connection ends",
			orOff(duration(time.Second, 366*24*time.Hour, func(c *Config) *time.Duration { return &c.Limits.IdleTimeout }),
				func(c *Config) { c.Limits.IdleTimeout = 0 })),
		row("limits.handshake_timeout", "DURATION", "10s", "how long a connection has to authenticate",
			duration(100*time.Millisecond, 10*time.Minute, func(c *Config) *time.Duration { return &c.Limits.HandshakeTimeout })),
		row("limits.output_buffer", "SIZE", "64MiB", "replies that may wait for one client before its connection ends",
			size(64<<10, 16<<30, func(c *Config) *int64 { return &c.Limits.OutputBuffer })),
		row("limits.request", "SIZE", "512MiB", "the size of one command with its arguments",
			size(64<<10, 1<<30, func(c *Config) *int64 { return &c.Limits.Request })),

		row("tls.cert", "FILE", "", "the server's certificate chain, PEM; none is one by the data directory's own authority",
			path(func(c *Config) *string { return &c.TLS.Cert })),
		row("tls.key", "FILE", "", "the key of tls.cert, PEM",
			path(func(c *Config) *string { return &c.TLS.Key })),
		row("tls.client_ca", "FILE", "", "the authorities whose client certificates are required, PEM; none asks for no certificate",
			path(func(c *Config) *string { return &c.TLS.ClientCA })),
		row("tls.names", "NAME,...", "", "more host names and addresses for the data directory's own certificate",
			names(func(c *Config) *[]string { return &c.TLS.Names })),

		row("log.level", "debug|info|warn|error", "info", "the least level of log lines on standard error", setLevel),
		row("log.format", "text|json", FormatText, "the form of log lines",
			choice(func(c *Config) *string { return &c.Log.Format }, FormatText, FormatJSON)),
	}, slices.Concat(upstreamRows(), accessRows())...)
}

func setLevel(c *Config, text string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[text]
	if !ok {
		return &valueError{"is not a level", "write debug, info, warn or error"}
	}
	c.Log.Level = level
	return nil
}

func setTenants(c *Config, text string) error {
	c.Memory.Tenants = map[string]int64{}
	for _, item := range strings.Split(text, ",") {
		tenant, quota, ok := strings.Cut(item, "=")
		if !ok {
			return &valueError{"is not a list of quotas", "write TENANT=2GiB,OTHER=512MiB"}
		}
		if err := setQuota(c, strings.TrimSpace(tenant), strings.TrimSpace(quota)); err != nil {
			return err
		}
	}
	return nil
}

// setQuota adds the quota of one tenant.
func setQuota(c *Config, tenant, text string) error {
	if tenant == "" || len(tenant) > 64 || strings.ContainsAny(tenant, ": \t,=*") {
		return &valueError{"names something that cannot be a tenant", "write the tenant's name as keys have it"}
	}
	if _, twice := c.Memory.Tenants[tenant]; twice {
		return &valueError{fmt.Sprintf("names the tenant %s twice", tenant), "keep one quota"}
	}
	quota, err := parseSize(text, 1<<16, 1<<50)
	if err != nil {
		return err
	}
	c.Memory.Tenants[tenant] = quota
	return nil
}
