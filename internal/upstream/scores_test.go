package upstream_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// scored is a gateway whose sorted sets have their scores in clear, and the engine that it is compared with.
func scored(t *testing.T, o upstream.Options) (*gateway, *side) {
	t.Helper()
	g := newGateway(t, o, "measure").alone()
	g.place.ClearScores = true
	return g, embedded(t, "measure")
}

// same runs lines on both, which answer the same and tell the same of their keys.
func (g *gateway) same(e *side, lines ...string) {
	g.t.Helper()
	for _, line := range lines {
		for _, resp3 := range []bool{false, true} {
			if resp3 && !strings.HasPrefix(line, "ZRANGE") && !strings.HasPrefix(line, "ZREV") {
				continue // it would change something twice
			}
			g.resp3, e.resp3 = resp3, resp3
			g.expectSame(e, strings.Fields(line)...)
			if got, want := fmt.Sprint(g.told), fmt.Sprint(e.told); got != want {
				g.t.Errorf("%s: told %s, want %s", line, got, want)
			}
		}
	}
	g.resp3, e.resp3 = false, false
}

// What is asked of a sorted set with its scores in clear is what comes: commands are not bound by how much would be opened as a whole,
// answer what the handlers answer, and tell what they tell.
func TestClearScoresAreTheHandlers(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	o.MaxLiftItems = 6
	g, e := scored(t, o)
	still(g.side, e)
	// Members of one score are ordered by name, which is not the order of their sealed forms.
	fill := []string{"ZADD z 1 a 2 b 2 c 2 d 3 e 3.5 f -inf g +inf h 0.1 i 1e300 j", "ZADD z 2 bb 7 k 8 l 9 m -0.5 n 1e-9 o"}
	after := []string{"ZCARD z", "ZMSCORE z a b c d e f g h i j bb k l m n o", "TTL z", "EXISTS z"}
	for _, line := range strings.Split(`ZRANGE z 0 3|ZRANGE z 0 3 WITHSCORES|ZRANGE z 5 6|ZRANGE z 6 7 WITHSCORES|ZRANGE z -3 -1|ZRANGE z -1 -3|ZRANGE z 99 100
ZRANGE z -99 2|ZRANGE z 14 99|ZRANGE z 0 2 REV|ZRANGE z 7 9 REV WITHSCORES|ZREVRANGE z 0 1|ZREVRANGE z -2 -1 WITHSCORES|ZREVRANGE z 8 9|ZRANGE z 3 2
ZRANGE z 9223372036854775807 9223372036854775807|ZRANGE z -9223372036854775808 0|ZRANGE z 0 -9223372036854775808
ZRANGEBYSCORE z 2 3|ZRANGEBYSCORE z (2 3|ZRANGEBYSCORE z 2 (3|ZRANGEBYSCORE z (2 (2|ZRANGEBYSCORE z 3 2|ZRANGEBYSCORE z 100 200|ZRANGEBYSCORE z -inf 0
ZRANGEBYSCORE z (-inf 0|ZRANGEBYSCORE z 9 +inf|ZRANGEBYSCORE z 9 (inf WITHSCORES|ZRANGEBYSCORE z -inf +inf LIMIT 0 2|ZRANGEBYSCORE z -inf +inf LIMIT 1 4
ZRANGEBYSCORE z 1 +inf LIMIT 2 1 WITHSCORES|ZRANGEBYSCORE z 2 2 LIMIT 1 2|ZRANGEBYSCORE z 2 9 LIMIT 0 0|ZRANGEBYSCORE z 2 3 LIMIT -1 2|ZRANGEBYSCORE z 2 3 LIMIT 1 -1
ZRANGEBYSCORE z 2 3 LIMIT 9 1|ZREVRANGEBYSCORE z +inf -inf LIMIT 0 2|ZREVRANGEBYSCORE z 3 1 LIMIT 1 3 WITHSCORES|ZREVRANGEBYSCORE z 2 (1 LIMIT 0 2
ZREVRANGEBYSCORE z (2 0|ZRANGE z (1 3 BYSCORE LIMIT 0 3|ZRANGE z 3 (1 BYSCORE REV LIMIT 0 3 WITHSCORES|ZRANGEBYSCORE z 0.1 0.1|ZRANGEBYSCORE z (0.1 1
ZCOUNT z 2 3|ZCOUNT z (2 +inf|ZCOUNT z -inf +inf|ZCOUNT z 5 4|ZCOUNT z 100 200|ZCOUNT z x 1|ZCOUNT none 1 2|ZRANK z a|ZRANK z c|ZRANK z bb|ZRANK z none|ZRANK z c WITHSCORE|ZREVRANK z d
ZREVRANK z g WITHSCORE|ZREVRANK z none WITHSCORE|ZRANK z a b|ZRANK z a b c|ZRANGE z 0 1 BYSCORE x|ZRANGE z a b|ZRANGE z 0 1 LIMIT 0 1|ZRANGEBYSCORE z x 1|ZRANGEBYSCORE z nan 1
ZSCORE z j|ZSCORE z none|ZRANGE none 0 1|ZRANGEBYSCORE none 0 1 WITHSCORES|ZRANK none a`, "\n") {
		g.same(e, fill...)
		g.same(e, strings.Split(line, "|")...)
	}
	writes := `ZPOPMIN z|ZPOPMIN z 3|ZPOPMIN z 5|ZPOPMAX z|ZPOPMAX z 2|ZPOPMIN z 0|ZPOPMIN z -1|ZPOPMIN z x|ZPOPMIN none|ZMPOP 1 z MIN|ZMPOP 2 none z MAX COUNT 3|ZMPOP 2 z none MIN COUNT 2
ZMPOP 1 none MIN|ZMPOP 1 z UP|ZMPOP 1 z MIN COUNT 0|BZPOPMIN z 1|BZPOPMAX none z 1|BZMPOP 1 1 z MIN COUNT 4|BZMPOP x 1 z MIN|ZREMRANGEBYRANK z 0 1|ZREMRANGEBYRANK z -2 -1
ZREMRANGEBYRANK z 6 6|ZREMRANGEBYRANK z 5 3|ZREMRANGEBYRANK z 99 100|ZREMRANGEBYSCORE z 2 3|ZREMRANGEBYSCORE z (2 (3|ZREMRANGEBYSCORE z -inf 0|ZREMRANGEBYSCORE z 50 60
ZREMRANGEBYSCORE z x 1|ZADD z XX CH 5 a 6 none|ZADD z NX 5 a 5 p|ZADD z GT CH 5 a 0 b|ZADD z LT 0 b|ZADD z INCR 2.5 a|ZINCRBY z 0.1 i|ZINCRBY z -inf g|ZINCRBY z -inf h|ZINCRBY z 1 new|ZREM z a b none|ZREM z none
ZREM z a b c d bb e|ZADD z 2 a|ZADD z 1 a|ZRANGESTORE z z 0 1|DEL z`
	for _, line := range strings.Split(strings.ReplaceAll(writes, "\n", "|"), "|") {
		if strings.HasPrefix(line, "ZRANGESTORE") {
			continue // needs all of it
		}
		g.same(e, "DEL z")
		g.same(e, fill...)
		g.same(e, line)
		g.same(e, after...)
	}
	// The last members: with them the entry.
	for _, line := range strings.Split(`ZPOPMIN s 9|ZPOPMAX s 2|ZREMRANGEBYRANK s 0 -1|ZREMRANGEBYSCORE s -inf +inf|ZREM s a b|ZMPOP 1 s MIN COUNT 9|BZMPOP 1 2 s s MIN COUNT 9|ZRANGE s 0 -1 WITHSCORES
ZRANGEBYLEX s - +|ZLEXCOUNT s - [a|ZREMRANGEBYLEX s [a [a|ZRANGESTORE d s 0 0|ZUNION 1 s WITHSCORES|ZDIFFSTORE d 2 s none|ZINTERCARD 2 s s|RENAME s d|COPY s d|ZSCAN s 0|ZPOPMIN s`, "|") {
		for _, one := range strings.Split(line, "\n") {
			g.same(e, "DEL s d", "ZADD s 1 a 1 b", one, "EXISTS s d", "ZRANGE s 0 -1 WITHSCORES", "ZRANGE d 0 5 WITHSCORES", "ZCARD s", "ZCOUNT d -inf +inf")
		}
	}
	g.expectAlarm("")
}

// Random commands on sorted sets of few scores, where many members have the same one.
func TestClearScoresByChance(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g, e := scored(t, unixOptions(redis))
	r := rand.New(rand.NewPCG(7, 11))
	score := func() string { return []string{"-inf", "-1", "0", "0", "1", "1", "1.5", "2", "+inf"}[r.IntN(9)] }
	bound := func() string { return []string{"", "("}[r.IntN(2)] + score() }
	rank := func() string { return strconv.Itoa(r.IntN(30) - 15) }
	member := func() string { return strconv.Itoa(r.IntN(40)) }
	limit := func() []string {
		return [][]string{nil, {"LIMIT", strconv.Itoa(r.IntN(6) - 1), strconv.Itoa(r.IntN(6) - 1)}}[r.IntN(2)]
	}
	with := func() []string { return [][]string{nil, {"WITHSCORES"}}[r.IntN(2)] }
	line := func(words ...any) (all []string) {
		for _, w := range words {
			switch w := w.(type) {
			case string:
				all = append(all, w)
			case []string:
				all = append(all, w...)
			}
		}
		return all
	}
	key := func() string { return []string{"z", "y"}[r.IntN(2)] }
	for range 4000 {
		g.resp3 = r.IntN(2) == 0
		e.resp3 = g.resp3
		var call []string
		switch r.IntN(16) {
		case 0, 1, 2, 3:
			call = line("ZADD", key(), score(), member(), score(), member())
		case 4:
			call = line("ZRANGE", key(), rank(), rank(), [][]string{nil, {"REV"}}[r.IntN(2)], with())
		case 5:
			call = line("ZRANGEBYSCORE", key(), bound(), bound(), limit(), with())
		case 6:
			call = line("ZREVRANGEBYSCORE", key(), bound(), bound(), limit(), with())
		case 7:
			call = line("ZRANK", key(), member())
		case 8:
			call = line("ZREVRANK", key(), member())
		case 9:
			call = line("ZPOPMIN", key(), strconv.Itoa(r.IntN(3)))
		case 10:
			call = line("ZPOPMAX", key())
		case 11:
			call = line("ZREMRANGEBYRANK", key(), rank(), rank())
		case 12:
			call = line("ZREMRANGEBYSCORE", key(), bound(), bound())
		case 13:
			call = line("ZCOUNT", key(), bound(), bound())
		case 14:
			call = line("ZMPOP", "2", "z", "y", []string{"MIN", "MAX"}[r.IntN(2)], "COUNT", strconv.Itoa(1+r.IntN(3)))
		default:
			call = line([]string{"ZINCRBY", "ZREM", "ZSCORE"}[r.IntN(3)], key())
			if call[0] == "ZINCRBY" {
				call = append(call, []string{"-1", "1", "0.5"}[r.IntN(3)])
			}
			call = append(call, member())
		}
		g.expectSame(e, call...)
		if got, want := fmt.Sprint(g.told), fmt.Sprint(e.told); got != want || t.Failed() {
			t.Fatalf("%q: told %s, want %s", call, got, want)
		}
	}
	g.expectAlarm("")
}

// The upstream sees scores and nothing else, and only of categories that say so.
func TestOnlyScoresAreInClear(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g, _ := scored(t, unixOptions(redis))
	o := operator{t, redis.Dial(t), redis}
	g.do("ZADD", "key-CANARY", "17.25", "member-CANARY")
	_, data := o.keys()
	if got := string(o.do("TYPE", data[0]).Str); got != "zset" {
		t.Fatalf("the data is a %s", got)
	}
	pair := o.do("ZRANGE", data[0], "0", "-1", "WITHSCORES").Elems
	if len(pair) != 2 || string(pair[1].Str) != "17.25" || strings.Contains(string(pair[0].Str), "CANARY") {
		t.Errorf("%s is upstream", pair[1].Str)
	}
	// What is there keeps its form when the policy changes; what is made anew has the new one.
	g.place.ClearScores = false
	g.expect(":1\r\n", "ZADD", "key-CANARY", "18", "other")
	g.expect("*2\r\n$13\r\nmember-CANARY\r\n$5\r\nother\r\n", "ZRANGE", "key-CANARY", "0", "-1")
	if got := o.do("ZCARD", data[0]).Int; got != 2 {
		t.Errorf("%d members are upstream", got)
	}
	g.do("DEL", "key-CANARY")
	g.do("ZADD", "key-CANARY", "17.25", "member-CANARY")
	if got := string(o.do("TYPE", data[0]).Str); got != "hash" {
		t.Errorf("the data is a %s", got)
	}
	g.place.ClearScores = true
	g.expect(":0\r\n", "ZRANK", "key-CANARY", "member-CANARY")
	g.expect("*2\r\n$13\r\nmember-CANARY\r\n$5\r\n17.25\r\n", "ZPOPMIN", "key-CANARY")
	g.expectAlarm("")
}

// An upstream that meddles: members that it makes up or takes from elsewhere are no members. It knows the scores of such a category,
// and what it makes of them is what it has.
func TestTamperedClearScores(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	o := operator{t, redis.Dial(t), redis}
	reads := []string{"ZRANGE z 0 -1", "ZRANGE z 0 0", "ZRANGE z -1 -1", "ZRANGEBYSCORE z -inf +inf", "ZRANGEBYSCORE z -inf +inf LIMIT 0 9", "ZPOPMIN z", "ZPOPMAX z 3",
		"ZREMRANGEBYSCORE z -inf +inf", "ZRANK z a", "ZRANGEBYLEX z - +"}
	for _, read := range reads {
		g, _ := scored(t, unixOptions(redis))
		o.do("FLUSHALL")
		g.do("ZADD", "z", "1", "a")
		_, data := o.keys()
		o.do("ZADD", data[0], "1", "made up by somebody")
		want := "*0\r\n"
		switch {
		case strings.HasPrefix(read, "ZREM"):
			want = ":0\r\n"
		case strings.HasPrefix(read, "ZRANK"):
			want = null
		}
		g.expect(want, strings.Fields(read)...)
		g.expectAlarm("altered A measure z")
		g.expect(":0\r\n", "EXISTS", "z")
	}
	for _, what := range []string{"STRING", "SET", "LIST", "HASH"} {
		g, _ := scored(t, unixOptions(redis))
		o.do("FLUSHALL")
		g.do("ZADD", "z", "1", "a")
		_, data := o.keys()
		o.do("DEL", data[0])
		switch what {
		case "STRING":
			o.do("SET", data[0], "x")
		case "SET":
			o.do("SADD", data[0], "x")
		case "LIST":
			o.do("RPUSH", data[0], "x")
		case "HASH":
			o.do("HSET", data[0], "x", "y")
		}
		g.expect("*0\r\n", "ZRANGE", "z", "0", "1")
		g.expectAlarm("altered A measure z")
	}
}

// Who reads ranges while others write sees what is there at one moment.
func TestClearScoresWhileOthersWrite(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	one, two := joined(t, o), joined(t, o)
	one.place.ClearScores, two.place.ClearScores = true, true
	one.place.Category, two.place.Category = "measure", "measure"
	stop, done := make(chan struct{}), make(chan struct{})
	one.do("ZADD", "z", "0", "a", "1", "b", "2", "c")
	go func() { // always three members, which turn
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			two.retry("ZADD", "z", strconv.Itoa(i%3), "a", strconv.Itoa((i+1)%3), "b", strconv.Itoa((i+2)%3), "c")
		}
	}()
	for range 2000 {
		if got := one.do("ZRANGE", "z", "0", "1"); !strings.HasPrefix(got, "*2\r\n") && !strings.HasPrefix(got, "-TRYAGAIN") {
			t.Errorf("%q", got)
		}
		if got := one.do("ZRANK", "z", "b"); !strings.HasPrefix(got, ":") && !strings.HasPrefix(got, "-TRYAGAIN") {
			t.Errorf("%q", got)
		}
		if got := one.do("ZRANGEBYSCORE", "z", "0", "1", "WITHSCORES"); !strings.HasPrefix(got, "*4\r\n") && !strings.HasPrefix(got, "-TRYAGAIN") {
			t.Errorf("%q", got)
		}
	}
	close(stop)
	<-done
	one.expectAlarm("")
	two.expectAlarm("")
}

// meddler passes everything on, and changes what the upstream answers.
func meddler(t *testing.T, to string, change func(string) string) string {
	t.Helper()
	return testkit.Accept(t, func(c net.Conn) {
		defer c.Close()
		up, err := net.Dial("unix", to)
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(up, c)
			up.Close()
		}()
		buf := make([]byte, 64<<10)
		for {
			n, err := up.Read(buf)
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, change(string(buf[:n])))
		}
	})
}

// What an upstream answers of a range has to be one, of the set that it says it is of.
func TestALyingUpstreamsRanges(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	const head = "*3\r\n:4\r\n:0\r\n*4\r\n" // of ZRANGE z 0 1: four members, none before, two of them
	f := func(what, read, from, to string) {
		t.Helper()
		var lie atomic.Bool
		always := !strings.HasPrefix(read, "ZRANGE") && !strings.HasPrefix(read, "ZPOP") // what is not one step is read once more
		o := loopback(meddler(t, redis.Socket, func(s string) string {
			if !lie.Load() || !strings.Contains(s, from) {
				return s
			}
			lie.Store(always)
			return strings.Replace(s, from, to, 1)
		}))
		g, _ := scored(t, o)
		g.do("DEL", "z")
		g.do("ZADD", "z", "1", "a", "2", "b", "3", "c", "4", "d")
		lie.Store(true)
		got := g.do(strings.Fields(read)...)
		lied := lie.Swap(false) == always
		if alarms := g.sink.takeAlarms(); !lied || alarms != "altered A measure z" || strings.Contains(got, "a\r\n") || strings.Contains(got, "d\r\n") {
			t.Errorf("%s: %q, alarms %q, lied: %t", what, got, alarms, lied)
		}
		g.expect(":0\r\n", "EXISTS", "z")
	}
	f("more members before", "ZRANGE z 0 1", head, strings.Replace(head, ":0", ":1", 1))
	f("more members than there are", "ZRANGE z 0 1", head, strings.Replace(head, ":0", ":3", 1))
	f("less than none before", "ZRANGE z 0 1", head, strings.Replace(head, ":0", ":-1", 1))
	f("a set of one", "ZRANGE z 0 1", head, strings.Replace(head, ":4", ":1", 1))
	f("a set of none", "ZRANGE z 0 1", head, strings.Replace(head, ":4", ":0", 1))
	f("a set without end", "ZRANGE z 0 1", head, strings.Replace(head, ":4", ":9223372036854775807", 1))
	f("no numbers", "ZRANGE z 0 1", head, strings.Replace(head, ":4", "+4", 1))
	f("fewer members than ranks", "ZPOPMIN z 3", "*3\r\n:4\r\n:0\r\n*6\r\n", "*3\r\n:9\r\n:2\r\n*6\r\n")
	f("the end of a longer set", "ZRANGE z -2 -1", "*3\r\n:4\r\n:2\r\n", "*3\r\n:9\r\n:2\r\n")
	f("a falling score", "ZRANGE z 0 1", "$1\r\n2\r\n", "$1\r\n0\r\n")
	f("no score", "ZRANGE z 0 1", "$1\r\n2\r\n", "$1\r\nx\r\n")
	f("no number", "ZRANGE z 0 1", "$1\r\n2\r\n", "$3\r\nnan\r\n")
	f("no score of one", "ZMSCORE z a b", "$1\r\n2\r\n", "$3\r\nnan\r\n")
	f("null", "ZRANGE z 0 1", "$1\r\n2\r\n", "$-1\r\n")
}

// The same member twice is none.
func TestAMemberTwice(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	o := operator{t, redis.Dial(t), redis}
	var lie atomic.Pointer[strings.Replacer]
	g, _ := scored(t, loopback(meddler(t, redis.Socket, func(s string) string {
		if r := lie.Load(); r != nil {
			return r.Replace(s)
		}
		return s
	})))
	g.do("ZADD", "z", "1", "a", "2", "b")
	_, data := o.keys()
	members := o.do("ZRANGE", data[0], "0", "-1").Elems
	lie.Store(strings.NewReplacer(string(members[1].Str), string(members[0].Str)))
	g.expect("*0\r\n", "ZRANGE", "z", "0", "1")
	g.expectAlarm("altered A measure z")
}
