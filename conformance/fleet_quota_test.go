package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

const (
	fleetQuota = 1 << 20
	usedUp     = "-QUOTA the tenant's quota of 1048576 bytes is used up"
)

func quotaOptions(behind *testkit.Redis) testkit.LetheOptions {
	return testkit.LetheOptions{Flags: append(upstreamFlags(behind), "--memory-tenant-quota", "1MiB"),
		Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}}, {Name: boss, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}, {Name: "other", Tenants: []string{"TENANT002"}}}}
}

// filler is the value that does not fit any more when the quota is used up.
var filler = strings.Repeat("x", 16<<10)

func fillerKey(i int) string { return "TENANT001:patient:" + strconv.Itoa(i) }

// fillQuota writes entries of 16 KiB until the quota is used up, and returns how many there are.
func fillQuota(t *testing.T, c *testkit.Client, times ...string) int {
	t.Helper()
	for n := range 80 {
		got := answer(c, "", append([]string{"SET", fillerKey(n), filler}, times...)...)
		if got.IsError() {
			if !strings.HasPrefix(string(got.Raw), usedUp) {
				t.Fatalf("refused with %s", show(got.Raw))
			}
			return n
		}
	}
	t.Fatal("80 entries of 16 KiB fit under a quota of 1 MiB")
	return 0
}

func usedBytes(t *testing.T, l *testkit.Lethe) float64 {
	t.Helper()
	return l.Metric(t, `lethe_tenant_used_bytes{tenant="TENANT001"}`)
}

// A quota is one for all gateways: what is filled at one is refused at the other within a second, with the embedded engine's
// error, other tenants and what frees memory are not; what another gateway erases or a deadline ends makes room at both.
func TestAQuotaIsOneForAllGateways(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, quotaOptions(behind))
	a, b := both[0].Dial(t, reader), both[1].Dial(t, reader)
	n := fillQuota(t, a)
	full := time.Now()
	soon(t, "the other gateway refuses too", func() bool {
		return strings.HasPrefix(string(b.Do("SET", "TENANT001:patient:more", filler).Raw), usedUp)
	})
	t.Logf("the other gateway refuses %v after the first", time.Since(full))
	expect(t, b, usedUp, "HSET", "TENANT001:patient:hash", "f", filler)
	expect(t, b, "+OK", "MULTI")
	expect(t, b, usedUp, "RPUSH", "TENANT001:patient:list", filler)
	expect(t, b, "-EXECABORT", "EXEC")
	expect(t, b, "$16384", "GET", fillerKey(0))
	expect(t, both[1].Dial(t, "other"), "+OK", "SET", "TENANT002:patient:1", "v")
	for i, l := range both {
		if used := usedBytes(t, l); used < fleetQuota*9/10 {
			t.Errorf("gateway %d knows of %.0f bytes", i, used)
		}
		if limit := l.Metric(t, `lethe_tenant_quota_bytes{tenant="TENANT001"}`); limit != fleetQuota {
			t.Errorf("the quota is told as %.0f", limit)
		}
	}
	info := string(b.Do("INFO", "memory").Str)
	if !strings.Contains(info, "maxmemory:1048576\r\n") || strings.Contains(info, "used_memory:0\r\n") || !strings.Contains(info, "maxmemory_policy:noeviction") {
		t.Errorf("INFO says %s", info)
	}
	counted := func(n int) bool {
		stats := string(both[1].Dial(t, boss).Do("MEMORY", "STATS").Raw)
		return strings.Contains(stats, fmt.Sprintf("keys.count\r\n:%d\r\n", n))
	}
	if !counted(n) && !counted(n+1) { // the other gateway may have had room for one before it knew
		t.Errorf("MEMORY STATS does not know of %d entries", n)
	}

	for i := range n / 2 { // at the gateway that has not written them
		expect(t, b, ":1", "DEL", fillerKey(i))
	}
	for _, c := range []*testkit.Client{a, b} {
		soon(t, "there is room again", func() bool { return string(c.Do("SET", "TENANT001:patient:more", filler).Raw) == "+OK\r\n" })
	}
	flusher := both[1].Dial(t, boss)
	soon(t, "everything is flushed", func() bool { return string(flusher.Do("FLUSHDB").Raw) == "+OK\r\n" })
	for _, l := range both {
		soon(t, "nothing is used", func() bool { return usedBytes(t, l) == 0 })
	}

	fillQuota(t, a, "PX", "10000") // more than it takes to fill it on a busy machine
	soon(t, "the deadlines make room", func() bool { return string(b.Do("SET", "TENANT001:patient:more", filler).Raw) == "+OK\r\n" })
}

// What a gateway has written counts when it is gone, at the others and at one that starts then, until it ends.
func TestAQuotaOutlivesAGateway(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := quotaOptions(behind)
	both := fleetOf(t, 2, o)
	fillQuota(t, both[1].Dial(t, reader), "PX", "60000")
	a := both[0].Dial(t, reader)
	full := func(c *testkit.Client) func() bool {
		return func() bool {
			return strings.HasPrefix(string(c.Do("SET", "TENANT001:patient:more", filler).Raw), usedUp)
		}
	}
	soon(t, "the other gateway refuses too", full(a))
	both[1].Kill(t)
	both[1] = both[1].Restart(t, o)
	soon(t, "the gateway refuses after its start", full(both[1].Dial(t, reader)))
	if !full(a)() {
		t.Error("what a gateway has written counts no more when it is killed")
	}
	if !*long {
		return
	}
	end := time.After(150 * time.Second) // the slices of half a minute in which it is known when they end
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for full(a)() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("there is no room a minute and a half after the deadlines")
		}
	}
}
