package gateway_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// G4: what INFO counts is the caller's own tenants'.
func TestInfoCountsOwnTenants(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.connect("a"), l.connect("b")
	l.run(a, "SET", "k", "v")
	l.run(a, "GET", "k")
	l.run(a, "GET", "nothing")
	l.run(a, "INCR", "k")
	l.run(a, "NOSUCH")
	f := func(section, field, ofA, ofB string) {
		t.Helper()
		if got := l.info(a, section)[field]; got != ofA {
			t.Errorf("%s of a: %q, want %q", field, got, ofA)
		}
		if got := l.info(b, section)[field]; got != ofB {
			t.Errorf("%s of b: %q, want %q", field, got, ofB)
		}
	}
	f("keyspace", "db0", "keys=1,expires=1,avg_ttl=0", "")
	f("stats", "keyspace_hits", "1", "0") // the INCR failed
	f("stats", "keyspace_misses", "1", "0")
	f("stats", "total_connections_received", "3", "1") // TENANTA is home to a, both and reader
	f("stats", "total_error_replies", "2", "0")
	f("errorstats", "errorstat_ERR", "count=2", "")
	f("memory", "maxmemory", "67108864", "67108864")
	f("memory", "lethe_mapped_memory", "", "")
	f("cpu", "used_cpu_user", "", "")
	if used := l.info(b, "memory")["used_memory"]; used != "0" {
		t.Errorf("b uses %s bytes", used)
	}
	stats := l.info(a, "commandstats")
	for name, want := range map[string]string{
		"cmdstat_get": "calls=2,", "cmdstat_incr": "calls=1,", "cmdstat_set": "calls=1,",
	} {
		if got := stats[name]; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := stats["cmdstat_incr"]; !strings.HasSuffix(got, "rejected_calls=0,failed_calls=1") {
		t.Errorf("a failed call is counted as %q", got)
	}
	if got := l.info(b, "commandstats")["cmdstat_get"]; got != "" {
		t.Errorf("b sees a's GETs: %q", got)
	}
}

// A user of two tenants works for the one whose keys it names.
func TestCommandsCountWhereTheirKeysAre(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.run(l.connect("both"), "GET", "TENANTB:patient:1")
	if got := l.info(l.connect("a"), "commandstats")["cmdstat_get"]; got != "" {
		t.Errorf("a is shown what was done for TENANTB: %s", got)
	}
	if got := l.info(l.connect("b"), "commandstats")["cmdstat_get"]; !strings.HasPrefix(got, "calls=1,") {
		t.Errorf("b is shown %q", got)
	}
}

func TestInfoShowsTheProcessToWhoReachesEverybody(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	everybody := l.login("everybody", "TENANT001,TENANTA,TENANTB", "~* +@all")
	if l.info(everybody, "cpu")["used_cpu_user"] == "" || l.info(everybody, "memory")["lethe_mapped_memory"] == "" {
		t.Error("numbers of the process are missing")
	}
	l.gateway.Tenant("TENANTC") // from now on there is somebody whom the credential does not reach
	if l.info(everybody, "cpu")["used_cpu_user"] != "" {
		t.Error("numbers of the process are shown")
	}
}

// What clients and health checks look for before they call a server good.
func TestInfoHasWhatClientsLookFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	for section, fields := range map[string]map[string]string{
		"server":      {"redis_version": "7.2.4", "lethe_version": "9.9.9", "redis_mode": "standalone", "tcp_port": "6380", "uptime_in_seconds": "0"},
		"clients":     {"blocked_clients": "0", "maxclients": "100"},
		"persistence": {"loading": "0", "rdb_last_bgsave_status": "ok", "aof_enabled": "0"},
		"replication": {"role": "master", "connected_slaves": "0"},
		"cluster":     {"cluster_enabled": "0"},
		"memory":      {"maxmemory_policy": "allkeys-lfu", "maxmemory_human": "64.00M", "used_memory_human": "0B", "used_memory_peak": "0", "used_memory_peak_human": "0B", "used_memory_peak_perc": "100.00%"},
	} {
		got := l.info(a, section)
		for name, want := range fields {
			if got[name] != want {
				t.Errorf("%s: %q, want %q", name, got[name], want)
			}
		}
	}
	if id := l.info(a, "server")["run_id"]; len(id) != 40 {
		t.Errorf("run_id %q", id)
	}
}

// Who hears what is counted within the caller's tenants, as PUBSUB does.
func TestInfoCountsChannels(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	hearer := l.login("hearer", "TENANTA", "&* +@all")
	l.run(hearer, "SUBSCRIBE", "c1", "c2")
	l.run(hearer, "PSUBSCRIBE", "c*")
	l.run(hearer, "SSUBSCRIBE", "s")
	f := func(user, name, want string) {
		t.Helper()
		if got := l.info(l.connect(user), "stats")[name]; got != want {
			t.Errorf("%s for %s: %q, want %s", name, user, got, want)
		}
	}
	f("a", "pubsub_channels", "2")
	f("a", "pubsub_patterns", "1")
	f("a", "pubsubshard_channels", "1")
	f("b", "pubsub_channels", "0")
	f("b", "pubsub_patterns", "0")
}

// Rates are those of the last full second.
func TestInfoRate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	l.clock.now = 2_000_000
	for range 5 {
		l.run(a, "GET", "k")
	}
	l.clock.now += 1000
	if got := l.info(a, "stats")["instantaneous_ops_per_sec"]; got != "5" {
		t.Errorf("%s a second, want 5", got)
	}
	l.clock.now += 10_000
	if got := l.info(a, "stats")["instantaneous_ops_per_sec"]; got != "0" {
		t.Errorf("%s a second after a pause", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	f := func(want string, patterns ...string) {
		t.Helper()
		got := strings.ReplaceAll(strings.TrimSpace(l.run(a, append([]string{"CONFIG", "GET"}, patterns...)...)), "\r\n", " ")
		if got != want {
			t.Errorf("CONFIG GET %q: %q, want %q", patterns, got, want)
		}
	}
	f("*2 $9 databases $1 1", "databases")
	f("*2 $4 save $0", "save")
	f("*4 $10 appendonly $2 no $7 timeout $1 0", "appendonly", "timeout")
	f("*2 $9 maxmemory $8 67108864", "maxmemory")
	f("*0", "requirepass", "dir", "tls-*", "logfile")
}

// What connections do is told of those that CLIENT LIST shows.
func TestInfoOfConnections(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.users["second"] = l.login("second", "TENANTA", "~* &* +@all")
	a, waits := l.connect("a"), l.connect("second")
	l.connect("b")
	waits.Attach(&link{})
	f := func(s *gateway.Session, call, field, want, flags string) {
		t.Helper()
		l.as(s, call)
		if got := l.info(a, "clients")[field]; got != want {
			t.Errorf("%s: %s is %s, want %s", call, field, got, want)
		}
		if got := l.as(s, "CLIENT INFO"); s == a && !strings.Contains(got, " flags="+flags+" ") {
			t.Errorf("%s: flags are not %s: %q", call, flags, got)
		}
	}
	f(a, "PING", "blocked_clients", "0", "N")
	f(a, "CLIENT TRACKING ON BCAST", "tracking_clients", "1", "tB")
	f(a, "CLIENT TRACKING OFF", "tracking_clients", "0", "N")
	l.as(a, "HELLO 3")
	f(a, "SUBSCRIBE c", "tracking_clients", "0", "P")
	f(a, "UNSUBSCRIBE", "tracking_clients", "0", "N")
	f(waits, "BLPOP list 0", "blocked_clients", "1", "")
	l.gateway.Unblock(a, waits.ID(), false)
	f(a, "PING", "blocked_clients", "0", "N")
	if got := l.as(a, "MULTI") + l.as(a, "PING"); got != "+OK\r\n+QUEUED\r\n" {
		t.Fatal(got)
	}
	if i := a.About(); !i.InTransaction || i.Queued != 1 {
		t.Errorf("in a transaction: %+v", i)
	}
}
