// Package metrics tells Prometheus how Lethe is doing. It reads the counters of the parts when it is asked and costs the
// commands nothing. Its labels are names that an administrator gave (tenants, categories); no key, user or address is one.
//
// admin serves it.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/server"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Sources are what a Collector reads.
type Sources struct {
	Gateway *gateway.Gateway
	Server  *server.Server
	Audit   *audit.Log
	Version string
}

// Collector is a prometheus.Collector over the parts of one running server.
type Collector struct {
	s Sources
}

// New returns a registry that holds everything that Lethe tells.
func New(s Sources) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(&Collector{s})
	return r
}

// The first five are the names of the decision record, as the Redis exporter has them.
var (
	clients      = desc("redis_connected_clients", "Open connections.")
	usedMemory   = desc("redis_used_memory_bytes", "Bytes that all entries take.")
	hits         = desc("redis_keyspace_hits_total", "Keys that were read and found.")
	misses       = desc("redis_keyspace_misses_total", "Keys that were read and not found.")
	commands     = desc("redis_commands_processed_total", "Commands that were taken.")
	build        = desc("lethe_build_info", "1, with the version as its label.", "version")
	memoryLimit  = desc("lethe_memory_limit_bytes", "Bytes that all entries may take; 0 is no limit.")
	mapped       = desc("lethe_memory_mapped_bytes", "Bytes that the store has from the operating system.")
	quota        = desc("lethe_tenant_quota_bytes", "Bytes that a tenant's entries may take; 0 is no limit.", "tenant")
	tenantBytes  = desc("lethe_tenant_used_bytes", "Bytes that a tenant's entries take.", "tenant")
	entries      = desc("lethe_entries", "Entries.", "tenant", "category")
	bytes        = desc("lethe_entry_bytes", "Bytes that entries take, with what leads to them.", "tenant", "category")
	outcomes     = desc("lethe_entry_outcomes_total", "What happened to entries: hit, miss, stored, clamped, expired, evicted, denied and so on.", "tenant", "category", "outcome")
	lateness     = desc("lethe_erasure_lag_seconds", "The latest erasure since the last look: how long after its deadline an entry's bytes were overwritten.")
	latency      = desc("lethe_command_duration_seconds", "From a command's bytes to its reply, the audit included.")
	accepted     = desc("lethe_connections_accepted_total", "Connections that were taken.")
	rejected     = desc("lethe_connections_rejected_total", "Connections that were refused: there were too many, or too many wrong tokens from their address.")
	handshakes   = desc("lethe_handshake_failures_total", "Connections whose TLS handshake failed.")
	protocol     = desc("lethe_protocol_errors_total", "Connections that were closed because they did not speak RESP.")
	received     = desc("lethe_received_bytes_total", "Bytes of requests, decrypted.")
	sent         = desc("lethe_sent_bytes_total", "Bytes of replies, before encryption.")
	authFailures = desc("lethe_authentication_failures_total", "Credentials that were refused.")
	strangers    = desc("lethe_unauthenticated_commands_total", "Commands that were refused because nobody had authenticated.")
	failures     = desc("lethe_handler_failures_total", "Commands that failed by a fault of Lethe's own.")
	auditReady   = desc("lethe_audit_ready", "1 while records can be written; commands are refused while it is 0.")
	auditRecords = desc("lethe_audit_records_total", "Records in the log.")
	auditBytes   = desc("lethe_audit_bytes_total", "Bytes written to the log since the start.")
	auditPending = desc("lethe_audit_pending_records", "Records that wait until the log can be written.")
	auditLost    = desc("lethe_audit_lost_records_total", "Records of expirations that found no room while the log could not be written.")
	auditOutages = desc("lethe_audit_outages_total", "Times that the log could not be written.")
	auditCommit  = desc("lethe_audit_commit_duration_seconds", "How long commits took, stable storage included where it is asked for.")
)

// What an upstream adds.
var (
	upstreamUp       = desc("lethe_upstream_up", "1 while every primary of the upstream answers and lets the gateway in; commands are refused while it is 0.")
	upstreamWritable = desc("lethe_upstream_writable", "1 while the upstream takes writes: 0 for a replica, or one without memory or disk.")
	upstreamInTouch  = desc("lethe_upstream_in_touch", "1 while the other gateways are heard through the upstream; PHI is refused while it is 0.")
	upstreamAlarms   = desc("lethe_upstream_alarms_total", "Entries that the upstream answered as no honest one does, and that were taken for misses: altered, replayed or overdue.", "alarm")

	upstreamInherited        = desc("lethe_upstream_inherited_entries_total", "Entries of gateways that have gone, whose expirations this gateway has taken over.")
	upstreamInheritedExpired = desc("lethe_upstream_inherited_expirations_total", "Expirations of those that this gateway has recorded.")
)

// What a near cache adds.
var (
	nearHits          = desc("lethe_near_cache_hits_total", "Reads that the near cache answered; the audit has them like any other.")
	nearMisses        = desc("lethe_near_cache_misses_total", "Reads that it could have answered and that went to the upstream.")
	nearInvalidations = desc("lethe_near_cache_invalidations_total", "Changes that the upstream told of.")
	nearResets        = desc("lethe_near_cache_resets_total", "Connections for being told that were lost or refused; what had come over them was dropped.")
	nearEntries       = desc("lethe_near_cache_entries", "Entries that are kept near.")
	nearBytes         = desc("lethe_near_cache_bytes", "Bytes that they take.")
	nearLimit         = desc("lethe_near_cache_limit_bytes", "Bytes that they may take.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe sends nothing: the collector's series follow from the tenants and the policy of the running server.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads all counters.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(build, 1, c.s.Version)
	c.collectServer(gauge, count)
	c.collectTenants(gauge, count)
	c.collectAudit(out, gauge, count)
	c.collectUpstream(gauge, count)
	n, sum, buckets := c.s.Gateway.Stats.Latency.Snapshot()
	out <- prometheus.MustNewConstHistogram(latency, n, sum.Seconds(), buckets)
}

type gaugeFunc func(d *prometheus.Desc, v float64, labels ...string)
type countFunc func(d *prometheus.Desc, v uint64, labels ...string)

func (c *Collector) collectServer(gauge gaugeFunc, count countFunc) {
	g, s := c.s.Gateway, c.s.Server.Stats()
	total := g.Store.Total()
	gauge(clients, float64(c.s.Server.Connections()))
	gauge(usedMemory, float64(total.Bytes))
	gauge(memoryLimit, float64(total.Limit))
	gauge(mapped, float64(g.Store.Mapped()))
	gauge(lateness, float64(g.Stats.WorstLateness())/1000)
	count(commands, g.Stats.Commands())
	count(authFailures, g.Stats.AuthFailures())
	count(strangers, g.Stats.Unauthenticated())
	count(failures, g.Stats.Panics())
	count(accepted, s.Accepted.Load())
	count(rejected, s.Rejected.Load())
	count(handshakes, s.HandshakeFailures.Load())
	count(protocol, s.ProtocolErrors.Load())
	count(received, s.BytesIn.Load())
	count(sent, s.BytesOut.Load())
}

func (c *Collector) collectTenants(gauge gaugeFunc, count countFunc) {
	g := c.s.Gateway
	var hit, miss uint64
	for _, t := range g.Tenants() {
		usage := g.Usage(t.ID)
		gauge(quota, float64(usage.Limit), t.Name)
		gauge(tenantBytes, float64(usage.Bytes), t.Name)
		for _, category := range g.Categories() {
			u := g.Store.CategoryUsage(t.ID, category.ID)
			gauge(entries, float64(u.Entries), t.Name, category.Name)
			gauge(bytes, float64(u.Bytes), t.Name, category.Name)
			cell := g.Stats.Cell(t.ID, category.ID)
			hit += cell.Outcome(audit.Hit)
			miss += cell.Outcome(audit.Miss)
			for o := audit.OK; o <= audit.Intended; o++ {
				if n := cell.Outcome(o); n > 0 {
					count(outcomes, n, t.Name, category.Name, o.String())
				}
			}
		}
	}
	count(hits, hit)
	count(misses, miss)
}

func (c *Collector) collectUpstream(gauge gaugeFunc, count countFunc) {
	g := c.s.Gateway
	state, ok := g.UpstreamState()
	if !ok {
		return
	}
	gauge(upstreamUp, oneFor(state.Serves))
	gauge(upstreamWritable, oneFor(state.Writes))
	gauge(upstreamInTouch, oneFor(state.InTouch))
	for a := upstream.Altered; a < upstream.Alarms; a++ {
		count(upstreamAlarms, g.Stats.Alarms(a), a.String())
	}
	count(upstreamInherited, state.Inherited)
	count(upstreamInheritedExpired, state.InheritedExpired)
	if n := state.Near; n.Limit > 0 {
		count(nearHits, n.Hits)
		count(nearMisses, n.Misses)
		count(nearInvalidations, n.Invalidations)
		count(nearResets, n.Resets)
		gauge(nearEntries, float64(n.Entries))
		gauge(nearBytes, float64(n.Bytes))
		gauge(nearLimit, float64(n.Limit))
	}
}

func oneFor(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (c *Collector) collectAudit(out chan<- prometheus.Metric, gauge gaugeFunc, count countFunc) {
	s := c.s.Audit.Stats()
	gauge(auditReady, oneFor(s.Ready))
	gauge(auditPending, float64(s.Pending))
	count(auditRecords, s.Sequence)
	count(auditBytes, s.Bytes)
	count(auditLost, s.Lost)
	count(auditOutages, s.Outages)
	buckets := make(map[float64]uint64, len(s.Latency))
	var n uint64
	for i, in := range s.Latency {
		n += in
		if i < len(s.Latency)-1 {
			buckets[audit.LatencyBound(i).Seconds()] = n
		}
	}
	out <- prometheus.MustNewConstHistogram(auditCommit, n, s.LatencyTotal.Seconds(), buckets)
}
