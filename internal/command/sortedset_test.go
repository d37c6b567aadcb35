package command

import (
	"math"
	"strings"
	"testing"
)

func TestSortedSetDeadlines(t *testing.T) {
	l := newCollectionLab(t, sortedSetCommands(), setCommands())
	l.is(":2", "ZADD old 1 a 2 b")
	l.wait(1000)
	l.is(":1", "ZADD old 3 c")
	l.is("$1 5", "ZINCRBY old 4 a")
	l.is(":1", "ZREM old c")
	if got := l.ttl("old"); got != labCeiling-1000 {
		t.Errorf("writes of parts left %d ms, want %d", got, labCeiling-1000)
	}

	l.is(":2", "ZADD young 1 b 2 z")
	l.is(":1", "SADD set z")
	f := func(line string, want int64) {
		t.Helper()
		l.run("ZREMRANGEBYRANK dst 0 -1")
		l.run(line)
		if got := l.ttl("dst"); got != want {
			t.Errorf("%s: %d ms are left, want %d", line, got, want)
		}
	}
	f("ZUNIONSTORE dst 2 young set", labCeiling)
	f("ZUNIONSTORE dst 3 young set old", labCeiling-1000)
	f("ZINTERSTORE dst 2 young old", labCeiling-1000)
	f("ZDIFFSTORE dst 2 young old", labCeiling-1000) // what was taken away shows in what is left
	f("ZDIFFSTORE dst 2 young none", labCeiling)
	f("ZRANGESTORE dst old 0 -1", labCeiling-1000)
	f("ZRANGESTORE dst none 0 -1", -1)

	// What the destination held before is gone, and its deadline with it.
	l.wait(1000)
	l.is(":2", "ZUNIONSTORE old 1 young")
	if got := l.ttl("old"); got != labCeiling-1000 {
		t.Errorf("a sorted set that was stored anew has %d ms, want %d", got, labCeiling-1000)
	}
}

func TestSortedSetOutcomes(t *testing.T) {
	f := func(line string, want ...Outcome) {
		t.Helper()
		l := newCollectionLab(t, sortedSetCommands())
		l.run("ZADD z 1 a 2 b 3 c")
		l.run("ZADD y 1 a")
		l.run(line)
		l.told(want...)
	}
	f("ZRANGE z 0 -1", Hit)
	f("ZSCORE none a", Miss)
	f("ZADD z 4 d", Stored)
	f("ZADD z 1 a", Unchanged)
	f("ZADD z NX 9 a", Unchanged)
	f("ZADD none XX 9 a", Unchanged)
	f("ZADD z GT INCR -1 a", Unchanged)
	f("ZINCRBY z 1 a", Stored)
	f("ZREM z a", Deleted)
	f("ZREM z none", Miss)
	f("ZREMRANGEBYSCORE z 2 3", Deleted)
	f("ZREMRANGEBYSCORE z 7 8", Miss)
	f("ZPOPMIN z", Deleted)
	f("ZPOPMAX none", Miss)
	f("ZMPOP 3 none z y MIN", Miss, Deleted, Unchanged)
	f("ZUNION 2 z none", Hit, Miss)
	f("ZUNIONSTORE dst 2 z none", Stored, Hit, Miss)
	f("ZINTERSTORE y 2 z none", Deleted, Hit, Miss)
	f("ZRANGESTORE dst z 0 -1", Stored, Hit)
}

// TestSortedSetRefusal checks that a command whose deadline is refused changes nothing.
func TestSortedSetRefusal(t *testing.T) {
	l := newCollectionLab(t, sortedSetCommands())
	l.is(":1", "ZADD z 1 a")
	l.is(":1", "ZADD dst 5 e")
	l.call.Expiry = &denying{l}
	for _, line := range []string{"ZADD none 1 a", "ZINCRBY none 1 a", "ZUNIONSTORE dst 1 z", "ZRANGESTORE dst z 0 -1"} {
		if got := l.run(line); got != "-POLICY refused" {
			t.Errorf("%s: %s", line, got)
		}
	}
	l.is(":0", "ZCARD none")
	l.is("*2 $1 e $1 5", "ZRANGE dst 0 -1 WITHSCORES")
	l.is(":1", "ZADD z 2 b")
}

// TestSortedSetLeavesNothing checks that results which are only answered do not stay in memory.
func TestSortedSetLeavesNothing(t *testing.T) {
	l := newCollectionLab(t, sortedSetCommands())
	for _, key := range []string{"a", "b"} {
		var line strings.Builder
		line.WriteString("ZADD " + key)
		for i := range 500 {
			line.WriteString(" 1 member-" + key + strings.Repeat("x", i%90))
		}
		l.run(line.String())
	}
	before := l.store.Total().Bytes
	for _, line := range []string{"ZUNION 2 a b", "ZINTER 2 a b", "ZDIFF 2 a b", "ZUNION 2 a b FOO", "ZUNIONSTORE c 2 a none", "ZREMRANGEBYRANK c 0 -1"} {
		l.run(line)
		if after := l.store.Total().Bytes; !strings.HasPrefix(line, "ZUNIONSTORE") && after != before {
			t.Errorf("%s left %d bytes", line, after-before)
		}
	}
}

func TestZRandMemberDraws(t *testing.T) {
	l := newCollectionLab(t, sortedSetCommands())
	l.run("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h 9 i 10 j")
	for _, count := range []string{"2", "5", "9"} { // each of the two ways of drawing
		seen := map[string]int{}
		for range 400 {
			words := strings.Fields(l.run("ZRANDMEMBER z " + count))
			once := map[string]bool{}
			for i := 2; i < len(words); i += 2 {
				if once[words[i]] {
					t.Fatalf("ZRANDMEMBER z %s drew a member twice", count)
				}
				once[words[i]] = true
				seen[words[i]]++
			}
			if len(words)/2 != int(count[0]-'0') {
				t.Fatalf("ZRANDMEMBER z %s drew %d", count, len(words)/2)
			}
		}
		want := 40 * int(count[0]-'0')
		for member, n := range seen {
			if n < want/2 || n > want*2 {
				t.Errorf("ZRANDMEMBER z %s drew %s %d times in 400, want about %d", count, member, n, want)
			}
		}
	}
	l.is("-ERR value is out of range", "ZRANDMEMBER z -9999999999")
}

func TestParseScore(t *testing.T) {
	f := func(in string, score, limit float64) {
		t.Helper()
		same := func(got float64, ok bool, want float64) bool {
			return ok == !math.IsNaN(want) && (!ok || got == want)
		}
		if got, ok := parseScore([]byte(in)); !same(got, ok, score) {
			t.Errorf("score %q: %v, %v, want %v", in, got, ok, score)
		}
		if got, ok := parseLimit([]byte(in)); !same(got, ok, limit) {
			t.Errorf("limit %q: %v, %v, want %v", in, got, ok, limit)
		}
	}
	no, inf := math.NaN(), math.Inf(1)
	f("1.5", 1.5, 1.5)
	f("-3e2", -300, -300)
	f("+7", 7, 7)
	f(".5", .5, .5)
	f("5.", 5, 5)
	f("inf", inf, inf)
	f("-Infinity", -inf, -inf)
	f("0x10", 16, 16)
	f("-0xA.8", -10.5, -10.5)
	f("0x1p4", 16, 16)
	f("0e99999", 0, 0)
	f("0x0", 0, 0)
	f("1e400", no, inf)
	f("-1e400", no, -inf)
	f("1e-400", no, 0)
	f("0x1p-2000", no, 0)
	f("5e-324", 5e-324, 5e-324)
	f("", no, 0)
	f(" 1", no, 1)
	f("1 ", no, no)
	f(" ", no, no)
	f("nan", no, no)
	f("1_000", no, no)
	f("0x", no, no)
	f("1e", no, no)
	f("abc", no, no)
}
