package upstream_test

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// nearGateway is a gateway that may keep reference data near.
func nearGateway(t *testing.T, o upstream.Options, bytes int64) *gateway {
	t.Helper()
	o.NearBytes = bytes
	g := newGateway(t, o, "reference").alone()
	g.place.Near = true
	g.runQueue(t)
	return g
}

// kept reads an entry until it is answered from near.
func (g *gateway) kept(name, want string) {
	g.t.Helper()
	before := g.backend.Near().Hits
	eventually(g.t, "an entry is kept near", func() bool {
		if got := g.do("GET", name); got != want {
			g.t.Fatalf("GET: %q, want %q", got, want)
		}
		return g.backend.Near().Hits > before
	})
}

// asksNothing sees that an upstream is not asked for what is read again and again, when it has been asked for all that was read before
// it was kept.
func (g *gateway) asksNothing(direct *testkit.Client, read func()) {
	g.t.Helper()
	asked := ""
	defer func() { // eventually has failed
		if asked != "" {
			g.t.Errorf("the upstream was asked:\n%s", asked)
		}
	}()
	eventually(g.t, "nothing is asked for", func() bool {
		direct.Do("CONFIG", "RESETSTAT")
		for range 5 {
			read()
		}
		asked = ""
		for line := range strings.Lines(string(direct.Do("INFO", "commandstats").Str)) {
			name, _, _ := strings.Cut(line, ":")
			// Whether it is there still is asked from time to time, of what was read last.
			if name = strings.TrimPrefix(name, "cmdstat_"); name != "ping" && name != "exists" && name != "info" && !strings.HasPrefix(name, "config") && name[0] != '#' && name[0] != '\r' {
				asked += line
			}
		}
		return asked == ""
	})
}

const near = "$4\r\nnear\r\n"

// What was read is answered without the upstream, until this gateway or anybody else changes it.
func TestNearCache(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	direct := r.Dial(t)
	g := nearGateway(t, unixOptions(r), 1<<20)
	g.expect(ok, "SET", "k", "near")
	g.kept("k", near)
	g.asksNothing(direct, func() {
		g.expect(near, "GET", "k")
		g.expect(":4\r\n", "STRLEN", "k")
		g.expect("*1\r\n"+near, "MGET", "k")
	})

	// Its own writes are seen at once, in the same round too.
	set, get := g.call("SET", "k", "next"), g.call("GET", "k")
	g.x.Batch([]*upstream.Task{{Call: set, Keys: g.places(set), Session: 1}, {Call: get, Keys: g.places(get), Session: 1}})
	if got := string(get.Out.Bytes()); got != "$4\r\nnext\r\n" {
		t.Errorf("GET behind SET in one round: %q", got)
	}
	g.expect("$4\r\nnext\r\n", "GET", "k")
	g.kept("k", "$4\r\nnext\r\n")

	// An old record that is put back directly is an alarm, as it is without near cache.
	name := string(direct.Do("KEYS", "l:*").Elems[0].Str)
	old := string(direct.Do("GET", name).Str)
	g.expect(ok, "SET", "k", "last")
	g.kept("k", "$4\r\nlast\r\n")
	direct.Do("SET", name, old)
	eventually(t, "the change is told", func() bool { return g.do("GET", "k") == "$-1\r\n" })
	if a := g.sink.takeAlarms(); !strings.HasPrefix(a, "replayed ") {
		t.Errorf("alarms: %q", a)
	}

	for _, change := range [][]string{{"DEL", name}, {"FLUSHALL"}} {
		g.expect(ok, "SET", "k", "near")
		g.kept("k", near)
		direct.Do(change...)
		eventually(t, change[0]+" is told", func() bool { return g.do("GET", "k") == "$-1\r\n" })
	}
	if a := g.sink.takeAlarms(); a != "" {
		t.Errorf("alarms: %q", a)
	}
}

// A deadline is as exact as it is without near cache, and what has ended goes by itself.
func TestNearCacheKeepsDeadlines(t *testing.T) {
	t.Parallel()
	g := nearGateway(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), 1<<20)
	g.expect(ok, "SET", "k", "near", "PX", "1500")
	deadline, err := strconv.ParseInt(strings.Trim(g.do("PEXPIRETIME", "k"), ":\r\n"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	for g.clock.Now() < deadline-100 && g.backend.Near().Hits == 0 {
		g.do("GET", "k")
	}
	for gone := false; !gone; {
		before := g.clock.Now()
		gone = g.do("GET", "k") != near
		if !gone && before >= deadline {
			t.Fatalf("the entry was read %d ms after its deadline", before-deadline)
		}
	}
	eventually(t, "what has ended is not kept", func() bool { return g.backend.Near().Entries == 0 })
}

// The memory that it takes is bounded; what is read stays, what is not makes room.
func TestNearCacheIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	g := nearGateway(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), limit)
	value := strings.Repeat("x", 4096)
	for i := range 600 { // more than twice as much as there is room for
		g.expect(ok, "SET", fmt.Sprint("k", i), value)
		g.do("GET", fmt.Sprint("k", i))
		if s := g.backend.Near(); s.Bytes > limit {
			t.Fatalf("%d bytes are kept, more than %d", s.Bytes, limit)
		}
	}
	eventually(t, "much is kept", func() bool { return g.backend.Near().Bytes > limit/2 })
	g.expect(ok, "SET", "large", strings.Repeat("x", limit/16))
	g.do("GET", "large")
	g.expect(ok, "SET", "small", "near")
	g.kept("small", near) // asked for behind the large one
	before := g.backend.Near().Hits
	g.do("GET", "large")
	if g.backend.Near().Hits != before {
		t.Error("what is too large for a part is kept")
	}
}

// Without the connection that tells of changes nothing is kept: whether it is closed, or nothing comes over it any more.
func TestNearCacheIsEmptiedWithItsConnection(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	g := nearGateway(t, upstream.Options{Mode: upstream.Standalone, Addresses: []string{s.Addr()}, PlainText: true, Timeout: 5 * time.Second}, 1<<20)
	f := func(name string, lose, mend func()) {
		t.Helper()
		g.expect(ok, "SET", "k", "near")
		g.kept("k", near)
		before := g.backend.Near().Resets
		lose()
		eventually(t, name+": what was kept is gone", func() bool {
			n := g.backend.Near()
			return n.Entries == 0 && n.Resets > before
		})
		mend()
		eventually(t, name+": the entry is read again", func() bool { return g.do("GET", "k") == near })
		g.kept("k", near)
	}
	f("closed", func() { closeTracking(s) }, func() {})
	f("stopped", func() { s.Signal(syscall.SIGSTOP) }, func() { s.Signal(syscall.SIGCONT) })
}

// What its place does not allow is never kept: PHI above all.
func TestNearCacheHoldsWhatIsAllowedOnly(t *testing.T) {
	t.Parallel()
	g := nearGateway(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), 1<<20)
	g.place.Near = false
	g.expect(ok, "SET", "patient", "near")
	for range 20 {
		g.expect(near, "GET", "patient")
	}
	g.place.Near = true
	g.do("RPUSH", "list", "v")
	g.do("LRANGE", "list", "0", "-1")
	g.do("ZADD", "scores", "1", "v")
	g.do("ZSCORE", "scores", "v")
	g.do("HSET", "timed", "f", "v")
	g.do("HEXPIRE", "timed", "100", "FIELDS", "1", "f")
	g.do("HGET", "timed", "f")
	g.expect(ok, "SET", "k", "near")
	g.kept("k", near) // and so everything that was asked for before is there
	if s := g.backend.Near(); s.Entries != 1 {
		t.Errorf("%d entries are kept, want the one that may be", s.Entries)
	}
}
