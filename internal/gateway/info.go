package gateway

import (
	"net"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
)

// Info returns the fields of a section of INFO. G4 holds for every line: a number is the sum over the caller's tenants,
// or says nothing of any tenant (the version, how long the process runs), or is shown only to a caller whose credential
// names every tenant. Fields that Redis has and that would always be 0 here are left out unless clients look for them.
func (g *Gateway) Info(caller command.Conn, section string) []command.Field {
	i := &info{g: g, s: caller.(*Session)}
	switch section {
	case "server":
		i.server()
	case "clients":
		i.clients()
	case "memory":
		i.memory()
	case "persistence":
		i.persistence()
	case "stats":
		i.stats()
	case "replication":
		i.replication()
	case "cpu":
		i.cpu()
	case "commandstats":
		i.commandStats()
	case "errorstats":
		i.errorStats()
	case "cluster":
		_, _, enabled := g.clusterMode()
		i.number("cluster_enabled", enabled)
	case "keyspace":
		i.keyspace()
	}
	return i.fields
}

// info gathers the fields of one section for one caller.
type info struct {
	g      *Gateway
	s      *Session
	fields []command.Field
}

func (i *info) text(name, value string) {
	i.fields = append(i.fields, command.Field{Name: name, Value: value})
}
func (i *info) number(name string, n int64) { i.text(name, strconv.FormatInt(n, 10)) }
func (i *info) count(name string, n uint64) { i.text(name, strconv.FormatUint(n, 10)) }

// one is 1 for what is true.
func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (i *info) zeros(names ...string) {
	for _, n := range names {
		i.number(n, 0)
	}
}

// server has nothing that depends on use: all of it is for every caller. The port is that of the caller's own connection.
func (i *info) server() {
	up := int64(time.Since(i.g.process.startedAt).Seconds())
	_, port, _ := net.SplitHostPort(i.s.about.local)
	i.text("redis_version", command.ServerVersion)
	i.text("lethe_version", i.g.process.Version)
	mode, _, _ := i.g.clusterMode()
	i.text("redis_mode", mode)
	i.text("os", runtime.GOOS+" "+runtime.GOARCH)
	i.number("arch_bits", strconv.IntSize)
	i.text("run_id", i.g.process.runID)
	i.text("tcp_port", port)
	i.number("server_time_usec", i.g.Clock.Micros())
	i.number("uptime_in_seconds", up)
	i.number("uptime_in_days", up/(24*60*60))
}

func (i *info) clients() {
	var connected, blocked, tracking int64 // of those that CLIENT LIST shows the caller
	i.g.visible(i.s, func(s *Session) {
		connected++
		blocked += one(s.about.waits.Load())
		tracking += one(s.about.tracking.Load() != nil)
	})
	i.number("connected_clients", connected)
	i.zeros("cluster_connections")
	i.number("maxclients", int64(i.g.process.MaxConnections))
	i.number("blocked_clients", blocked)
	i.number("tracking_clients", tracking)
}

// memory is what the caller's tenants take and may take. What the process takes is for a caller who reaches everybody.
func (i *info) memory() {
	used, limit := i.g.memoryOf(i.s)
	i.number("used_memory", used)
	i.text("used_memory_human", human(used))
	i.number("used_memory_peak", used) // the most that is known of, as MEMORY STATS says
	i.text("used_memory_peak_human", human(used))
	i.text("used_memory_peak_perc", "100.00%")
	i.number("used_memory_dataset", used)
	i.number("maxmemory", limit)
	i.text("maxmemory_human", human(limit))
	i.text("maxmemory_policy", i.g.evictionPolicy())
	i.zeros("mem_not_counted_for_evict", "lazyfree_pending_objects")
	i.number("number_of_cached_scripts", int64(i.g.scripts.kept(i.s)))
	i.text("mem_allocator", "lethe")
	if i.s.reachesEveryone() {
		i.number("lethe_mapped_memory", i.g.Store.Mapped())
	}
}

// persistence says that there is none, in the words that clients look for before they call a server ready.
func (i *info) persistence() {
	i.zeros("loading", "async_loading")
	i.count("rdb_changes_since_last_save", i.g.Stats.Sum(i.s.ids, audit.Stored)+i.g.Stats.Sum(i.s.ids, audit.Deleted))
	i.zeros("rdb_bgsave_in_progress")
	i.number("rdb_last_save_time", i.g.StartedAt())
	i.text("rdb_last_bgsave_status", "ok")
	i.zeros("aof_enabled", "aof_rewrite_in_progress")
	i.text("aof_last_bgrewrite_status", "ok")
	i.text("aof_last_write_status", "ok")
}

func (i *info) stats() {
	var calls, connections, rate, errors uint64
	var refused [len(refusalReasons)]uint64
	second := i.g.Clock.Now() / 1000
	i.eachUsage(func(u *usage) {
		connections += u.connections.Load()
		rate += u.rate.perSecond(second)
		for id := range u.commands {
			calls += u.commands[id].calls.Load()
		}
		for r := range refused {
			refused[r] += u.refused[r].Load()
		}
		u.eachError(func(_ string, n uint64) { errors += n })
	})
	sum := func(o audit.Outcome) uint64 { return i.g.Stats.Sum(i.s.ids, o) }
	i.count("total_connections_received", connections)
	i.count("total_commands_processed", calls)
	i.count("instantaneous_ops_per_sec", rate)
	i.count("expired_keys", sum(audit.Expired))
	i.count("evicted_keys", sum(audit.Evicted))
	i.count("keyspace_hits", sum(audit.Hit))
	i.count("keyspace_misses", sum(audit.Miss))
	i.number("pubsub_channels", i.channels(false))
	i.number("pubsub_patterns", int64(i.s.Patterns()))
	i.number("pubsubshard_channels", i.channels(true))
	i.zeros("latest_fork_usec")
	tracked, prefixes := i.g.interest.tracking.total(i.s.ids)
	i.number("tracking_total_keys", int64(tracked.keys))
	i.number("tracking_total_items", int64(tracked.items))
	i.number("tracking_total_prefixes", int64(prefixes))
	i.count("total_error_replies", errors)
	i.count("acl_access_denied_auth", refused[authRefusal])
	i.count("acl_access_denied_cmd", refused[commandRefusal])
	i.count("acl_access_denied_key", refused[keyRefusal])
	i.count("acl_access_denied_channel", refused[channelRefusal])
	i.count("lethe_access_denied_tenant", refused[tenantRefusal])
	i.count("lethe_clamped_deadlines", sum(audit.Clamped))
}

// channels counts those with subscribers that PUBSUB lists for the caller.
func (i *info) channels(shard bool) (n int64) {
	i.s.Channels(shard, func([]byte) { n++ })
	return n
}

// replication tells that this is a master without replicas; clients that look for a topology want its identity too.
func (i *info) replication() {
	i.text("role", "master")
	i.number("connected_slaves", 0)
	i.text("master_failover_state", "no-failover")
	i.text("master_replid", i.g.process.runID)
	i.text("master_replid2", strings.Repeat("0", len(i.g.process.runID)))
	i.number("master_repl_offset", 0)
	i.number("second_repl_offset", -1)
	i.zeros("repl_backlog_active", "repl_backlog_size", "repl_backlog_first_byte_offset", "repl_backlog_histlen")
}

// cpu shows how busy the process is, and so how busy all tenants are: only to a caller who reaches everybody.
func (i *info) cpu() {
	if !i.s.reachesEveryone() {
		return
	}
	user, system := processorTime()
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }
	i.text("used_cpu_sys", seconds(system))
	i.text("used_cpu_user", seconds(user))
}

// keyspace is one database, which holds what the caller's tenants have there. Every entry has a deadline.
func (i *info) keyspace() {
	keys := int64(0)
	for _, id := range i.s.ids {
		keys += i.g.Usage(id).Entries
	}
	if keys > 0 {
		n := strconv.FormatInt(keys, 10)
		i.text("db0", "keys="+n+",expires="+n+",avg_ttl=0")
	}
}
