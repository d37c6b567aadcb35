package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// hits reads until the near cache answers, with what is wanted.
func (g *gateway) hits(want string, args ...string) {
	g.t.Helper()
	before := g.backend.Near().Hits
	eventually(g.t, fmt.Sprintf("%q is answered from near", args), func() bool {
		if got := g.do(args...); sorted(got) != sorted(want) {
			g.t.Fatalf("%q: %q, want %q", args, got, want)
		}
		return g.backend.Near().Hits > before
	})
}

// A hash or a set that was read is answered without the upstream, whatever is asked of it, until something of it changes.
func TestNearCacheOfCollections(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	direct := r.Dial(t)
	g := nearGateway(t, unixOptions(r), 1<<20)
	other := &gateway{side: newSide(t, "reference"), sink: g.sink}
	other.clock, other.x = g.clock, g.backend.NewExecutor(5)
	t.Cleanup(other.x.Close)
	const f1, nil1 = "$2\r\nv1\r\n", "$-1\r\n"
	fill := func() {
		g.do("DEL", "h", "s")
		g.do("HSET", "h", "f1", "v1", "f2", "v2")
		g.do("SADD", "s", "a", "b")
		g.hits(f1, "HGET", "h", "f1")
		g.hits(":1\r\n", "SISMEMBER", "s", "a")
	}
	fill()
	g.asksNothing(direct, func() {
		g.expect(f1, "HGET", "h", "f1")
		g.expect(nil1, "HGET", "h", "none")
		g.expect("*3\r\n"+f1+nil1+"$2\r\nv2\r\n", "HMGET", "h", "f1", "none", "f2")
		g.expect(":1\r\n", "HEXISTS", "h", "f2")
		g.expect(":2\r\n", "HSTRLEN", "h", "f1")
		g.hits("*4\r\n$2\r\nf1\r\n"+f1+"$2\r\nf2\r\n$2\r\nv2\r\n", "HGETALL", "h")
		g.expect("*2\r\n:1\r\n:0\r\n", "SMISMEMBER", "s", "b", "none")
		g.hits("*2\r\n$1\r\na\r\n$1\r\nb\r\n", "SMEMBERS", "s")
		g.expect("+hash\r\n", "TYPE", "h")
		g.expect("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "GET", "s")
	})
	g.expect(":2\r\n", "HLEN", "h")

	data := func(of string) string { // the set's data is a set
		for _, e := range direct.Do("KEYS", "l:*~").Elems {
			if name := string(e.Str); string(direct.Do("TYPE", name).Str) == of {
				return name
			}
		}
		return ""
	}
	fill()
	other.do("HSET", "h", "f1", "w1")
	g.expect("$2\r\nw1\r\n", "HGET", "h", "f1")
	fill()
	other.do("SREM", "s", "a")
	g.expect(":0\r\n", "SISMEMBER", "s", "a")
	if a := g.sink.takeAlarms(); a != "" {
		t.Errorf("alarms: %q", a)
	}
	for _, change := range [][]string{{"DEL", data("hash")}, {"FLUSHALL"}} {
		fill()
		if change[0] == "DEL" {
			change[1] = data("hash")
		}
		direct.Do(change...)
		eventually(t, change[0]+" is seen", func() bool { return g.do("HGET", "h", "f1") == nil1 })
	}
}

// What is written while it is fetched for keeping is read; a hash that is too large is asked for once.
func TestNearCacheOfCollectionsIsTrue(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	direct := r.Dial(t)
	g := nearGateway(t, unixOptions(r), 1<<22)
	g.do("HSET", "h", "f", "0")
	g.hits("$1\r\n0\r\n", "HGET", "h", "f")
	for i := range 200 { // written and read again while it is fetched for keeping
		v := fmt.Sprint(i)
		g.do("HSET", "h", "f", v, "g", v)
		want := fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(v), v, len(v), v)
		for range 3 {
			g.expect(want, "HMGET", "h", "f", "g")
		}
	}
	if a := g.sink.takeAlarms(); a != "" {
		t.Errorf("alarms: %q", a)
	}
	value := strings.Repeat("x", 1024)
	for i := range 100 {
		g.do("HSET", "large", fmt.Sprint(i), value)
	}
	eventually(t, "what is too large is not asked for again", func() bool { // it has been asked for until its size is known
		before := g.backend.Near().Hits
		direct.Do("CONFIG", "RESETSTAT")
		for range 10 {
			g.do("HGET", "large", "1")
		}
		if got := g.backend.Near().Hits - before; got > 0 {
			t.Errorf("%d reads of what is too large were answered from near", got)
		}
		mark := fmt.Sprint("mark", before)
		g.do("SET", mark, "near")
		g.kept(mark, near) // and so what was asked for before has been read
		stats := string(direct.Do("INFO", "commandstats").Str)
		return !strings.Contains(stats, "cmdstat_memory") && !strings.Contains(stats, "cmdstat_hgetall")
	})
}
