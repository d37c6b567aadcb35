package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A list that another gateway has replaced by a string is none any more, whatever this one remembers.
func TestPopOfWhatWasAList(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	g, other := joined(t, o), joined(t, o)
	for _, pop := range [][]string{{"LPOP", "k"}, {"RPOP", "k", "2"}, {"BLPOP", "k", "0"}} {
		g.do("RPUSH", "k", "a", "b")
		other.do("LLEN", "k")
		g.do("SET", "k", "v")
		other.expect("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", pop...)
		g.expect("$1\r\nv\r\n", "GET", "k")
		g.do("DEL", "k")
	}
	if alarms := g.sink.takeAlarms() + other.sink.takeAlarms(); alarms != "" {
		t.Errorf("alarms: %s", alarms)
	}
}

// What takes one step answers what the handlers answer, tells what they tell, and is not bound by how much would be opened as a whole.
func TestStepsOfListsAreTheHandlers(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	o.MaxLiftItems = 3
	g, e := newGateway(t, o, "phi").alone(), embedded(t, "phi")
	still(g.side, e)
	f := func(before string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			for _, one := range []string{before, line, "LRANGE l 0 -1", "LRANGE m 0 -1", "EXISTS l m", "TTL l", "DEL l m"} {
				g.expectSame(e, strings.Fields(one)...)
				if got, want := fmt.Sprint(g.told), fmt.Sprint(e.told); got != want {
					t.Errorf("%s, %s: told %s, want %s", before, one, got, want)
				}
			}
		}
	}
	for _, before := range []string{"RPUSH l a b c d e", "RPUSH l a", "EXISTS l"} {
		f(before, "LSET l 0 x", "LSET l -1 x", "LSET l 4 x", "LSET l -5 x", "LSET l 5 x", "LSET l 99 x", "LSET l -6 x")
		f(before, "LTRIM l 0 -1", "LTRIM l 1 2", "LTRIM l -2 -1", "LTRIM l 0 0", "LTRIM l 1 0", "LTRIM l 9 10", "LTRIM l -99 99")
		f(before, "LMPOP 1 l LEFT", "LMPOP 1 l RIGHT COUNT 2", "LMPOP 2 m l left count 99", "BLMPOP 1 1 l LEFT COUNT 3", "BLMPOP 0 2 m l RIGHT")
	}
	for _, before := range []string{"RPUSH l a b", "EXISTS l"} {
		f(before, "LSET l one x", "LSET l 01 x", "LTRIM l 0 x", "LMPOP 1 l UP", "LMPOP 1 l LEFT COUNT 0", "LMPOP 1 l LEFT COUNT 1 COUNT 1", "LMPOP 2 l LEFT",
			"LMPOP 1 l LEFT COUNT", "LMPOP 1 l LEFT COUNT +1", "BLMPOP x 1 l LEFT")
	}
	f("SET l v", "LSET l 0 x", "LTRIM l 0 1", "LMPOP 1 l LEFT", "BLMPOP 1 2 m l LEFT")
	g.expectAlarm("")
}

// Members and fields that are drawn are of the collection, each once where they must be, and what is popped is gone.
func TestDrawingTakesOneStep(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	o.MaxLiftItems = 3
	g := newGateway(t, o, "phi").alone()
	for i := range 20 {
		g.do("SADD", "s", fmt.Sprint("m", i))
		g.do("HSET", "h", fmt.Sprint("m", i), "v")
	}
	g.place.ClearScores = true
	for i := range 20 {
		g.do("ZADD", "z", fmt.Sprint(i%3), fmt.Sprint("m", i))
	}
	drawn := func(line, head string, n int, once bool) {
		t.Helper()
		reply := g.do(strings.Fields(line)...)
		all, seen := strings.Split(strings.TrimPrefix(reply, head), "\r\n"), map[string]bool{}
		if !strings.HasPrefix(reply, head) || len(all) != 2*n+1 {
			t.Fatalf("%s: %q", line, reply)
		}
		for i := 1; i < len(all); i += 2 {
			if g.do("HEXISTS", "h", all[i]) != ":1\r\n" || once && seen[all[i]] {
				t.Errorf("%s: %q", line, reply)
			}
			seen[all[i]] = true
		}
	}
	for _, line := range []string{"SRANDMEMBER s", "HRANDFIELD h", "ZRANDMEMBER z"} {
		drawn(line, "", 1, true)
		drawn(line+" 5", "*5\r\n", 5, true)
		drawn(line+" 99", "*20\r\n", 20, true)
		drawn(line+" -30", "*30\r\n", 30, false)
	}
	drawn("SPOP s", "", 1, true)
	g.expect(":19\r\n", "SCARD", "s")
	g.resp3 = true
	drawn("SPOP s 4", "~4\r\n", 4, true)
	g.resp3 = false
	g.expect(":15\r\n", "SCARD", "s")
	drawn("SPOP s 99", "*15\r\n", 15, true)
	g.expect(":0\r\n", "EXISTS", "s")
	g.expect(null, "SPOP", "s")
	g.expectAlarm("")
}

// Where the first of several lists is not what it should be, what the others have is read before anything is taken of it.
func TestTamperedListBeforeAnother(t *testing.T) {
	t.Parallel()
	for _, pop := range []string{"BLPOP l m 1", "LMPOP 2 l m LEFT"} {
		g, o := setUp(t)
		g.do("RPUSH", "l", "x")
		data := o.only() + "~"
		g.do("RPUSH", "m", "a", "b")
		o.do("DEL", data)
		o.do("SET", data, "v")
		if got := g.do(strings.Fields(pop)...); !strings.Contains(got, "$1\r\nm\r\n") || !strings.HasSuffix(got, "$1\r\na\r\n") {
			t.Errorf("%s: %q", pop, got)
		}
		g.expectAlarm("altered A phi l")
		g.expect("*1\r\n$1\r\nb\r\n", "LRANGE", "m", "0", "-1")
	}
}
