package upstream_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

func TestPlainCategories(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g := newGateway(t, unixOptions(redis), "rate_limit").alone()
	still(g.side)
	g.place.Plain = true
	o := operator{t, redis.Dial(t), redis}
	g.expect(":1\r\n", "INCR", "limit:user")
	g.expect(":11\r\n", "INCRBY", "limit:user", "10")
	g.expect(":10\r\n", "DECR", "limit:user")
	g.expect("$2\r\n10\r\n", "GET", "limit:user")
	if key := o.only(); strings.Contains(key, "user") || string(o.do("GET", key).Str) != "10" || o.do("PTTL", key).Int > 60_000 || o.do("PTTL", key).Int < 50_000 {
		t.Error("the counter upstream is not what it should be")
	}
	g.expect(":60\r\n", "TTL", "limit:user")
	g.expect(":1\r\n", "EXPIRE", "limit:user", "5")
	g.expect(":6\r\n", "INCRBY", "limit:user", "-4")
	g.expect(":5\r\n", "TTL", "limit:user")
	g.expect(ok, "SET", "other", "5")
	g.expect("*2\r\n$1\r\n6\r\n$1\r\n5\r\n", "MGET", "limit:user", "other")
	g.expect("-ERR value is not an integer or out of range\r\n", "INCRBY", "other", "x")
	g.expect(":2\r\n", "DEL", "other", "limit:user")
	g.place.Integers = true
	for _, call := range []string{"SET other text", "HSET other2 f 1", "APPEND other text"} {
		if got := g.do(fields(call)...); !strings.HasPrefix(got, "-SEALED with seal: off") {
			t.Errorf("%s where integers only may be: %q", call, got)
		}
	}
	g.expect(":0\r\n", "EXISTS", "other", "other2")
	g.expectAlarm("")
}

// With seal: off integers are in clear and everything else is sealed; a command sees no difference.
func TestWhatIsNoIntegerIsSealed(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g := newGateway(t, unixOptions(redis), "measure").alone()
	g.place.Plain = true
	o := operator{t, redis.Dial(t), redis}
	reference := embedded(t, "measure")
	still(g.side, reference)
	for _, line := range strings.Split("SET k 5|INCR k|APPEND k x|GET k|INCR k|SETRANGE k 0 7|GET k|SET k 1|INCRBYFLOAT k 0.5|INCRBYFLOAT k 0.5|INCR k|GETRANGE k 0 0|"+
		"HINCRBY h f 2|HSET h g mark|HINCRBY h f 3|HGETALL h|INCR h|GET h|DEL h|INCR h|RPUSH l b a|SORT l ALPHA|LPUSH l 1|LLEN l|SADD s a b|SCARD s|SET l 3|INCR l|"+
		"ZADD z 1 a|ZINCRBY z 2 a|ZRANGE z 0 -1 WITHSCORES|SETBIT b 1 1|BITCOUNT b|SETEX n 10 7|INCR n|TTL n|MSET a 1 c text|MGET a c|RENAME a c|GET c|EXPIRE c 10|TTL c|"+
		"SET w -0|INCR w|SET w 00|INCR w|SET w 9223372036854775807|INCR w|GET w|DECRBY w 1|XADD x 1-1 f v|XLEN x|XRANGE x - +", "|") {
		g.expectSame(reference, fields(line)...)
	}
	records, data := o.keys()
	for _, key := range append(records, data...) {
		if dump := o.do("DUMP", key); strings.Contains(string(dump.Str), "mark") {
			t.Error("the upstream sees a value that is no integer")
		}
	}
	g.expectAlarm("")
}

// unsealed is a gateway whose category has seal: off, and one more executor of it.
func unsealed(t *testing.T) (g, other *gateway) {
	t.Helper()
	g = newGateway(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), "measure").alone()
	g.place.Plain = true
	other = g.another(t)
	other.category, other.place = g.category, g.place
	return g, other
}

// An integer in clear has no header: its digits and its deadline are compared, so that what others do to it between the reading and
// the writing of a transaction is never lost. The calls run again then, and what had come of them is taken back before.
func TestIntegersInClearAreCompared(t *testing.T) {
	t.Parallel()
	f := func(meanwhile, run, want, afterwards, value string) {
		t.Helper()
		g, other := unsealed(t)
		still(g.side)
		g.do("SET", "k", "1", "EX", "100")
		c := g.call(fields(run)...)
		times := 0
		ran, problem := g.x.Transaction([]*upstream.Task{{Call: c, Keys: g.places(c)}}, nil, func() bool {
			if times++; times == 1 {
				other.do(fields(meanwhile)...)
			}
			return true
		})
		if !ran || problem != "" || times != 2 {
			t.Errorf("%s meanwhile: ran %t, %d times, %s", meanwhile, ran, times, problem)
		}
		if got := string(c.Out.Bytes()); got != want {
			t.Errorf("%s meanwhile: %s answered %q, want %q", meanwhile, run, got, want)
		}
		g.expect(value, fields(afterwards)...)
		g.expectAlarm("")
	}
	f("INCR k", "INCR k", ":3\r\n", "GET k", "$1\r\n3\r\n")
	f("EXPIRE k 50", "INCR k", ":2\r\n", "TTL k", ":50\r\n")
	f("SET k 1 EX 50", "INCR k", ":2\r\n", "TTL k", ":50\r\n")
	f("DEL k", "INCR k", ":1\r\n", "GET k", "$1\r\n1\r\n")
	f("SET k text", "APPEND k 0", ":5\r\n", "GET k", "$5\r\ntext0\r\n")
	f("SET k 5", "APPEND k x", ":2\r\n", "GET k", "$2\r\n5x\r\n")
	f("INCR k", "GETDEL k", "$1\r\n2\r\n", "EXISTS k", ":0\r\n")
}

// Who may not run another time is told to try again, and nothing has happened.
func TestATransactionIsGivenUp(t *testing.T) {
	t.Parallel()
	g, other := unsealed(t)
	g.do("SET", "k", "1")
	c := g.call("INCR", "k")
	times := 0
	ran, problem := g.x.Transaction([]*upstream.Task{{Call: c, Keys: g.places(c)}}, nil, func() bool {
		times++
		other.do("INCR", "k")
		return times < 3
	})
	if ran || !strings.HasPrefix(problem, "TRYAGAIN ") || times != 3 {
		t.Errorf("ran %t, %d times, %q", ran, times, problem)
	}
	g.expect("$1\r\n4\r\n", "GET", "k")
}

// A watched integer has changed when its digits or its deadline have.
func TestWatchedIntegers(t *testing.T) {
	t.Parallel()
	f := func(want bool, change string) {
		t.Helper()
		g, other := unsealed(t)
		g.do("SET", "k", "1", "EX", "100")
		w := g.watch("k", "new")
		if change != "" {
			other.do(fields(change)...)
		}
		if _, ran, problem := g.multi(w, "INCR k"); ran != want || problem != "" {
			t.Errorf("after %q: ran %t, %s", change, ran, problem)
		}
	}
	f(true, "")
	f(true, "GET k")
	f(false, "INCR k")
	f(false, "SET k 1 EX 50")
	f(false, "SET k text")
	f(false, "DEL k")
	f(false, "INCR new")
	f(false, "SET new text")
}
