package upstream_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/seal"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// operator is somebody with full access to the upstream.
type operator struct {
	t     *testing.T
	c     *testkit.Client
	redis *testkit.Redis
}

func (o operator) do(args ...string) testkit.Reply { return o.c.Do(args...) }

func (o operator) keys() (records, data []string) {
	o.t.Helper()
	all := o.do("KEYS", "*")
	if all.IsError() {
		o.t.Fatalf("the names cannot be listed: %s", all.Str)
	}
	for _, e := range all.Elems {
		if name := string(e.Str); strings.HasSuffix(name, "~") {
			data = append(data, name)
		} else {
			records = append(records, name)
		}
	}
	return records, data
}

// only returns the name of the only record.
func (o operator) only() string {
	o.t.Helper()
	records, data := o.keys()
	if len(records) != 1 {
		o.t.Fatalf("%d records and %d collections are upstream; keys that have ended, were evicted or taken out:\n%s", len(records), len(data),
			o.do("INFO", "stats").Str)
	}
	return records[0]
}

func setUp(t *testing.T) (*gateway, operator) {
	t.Helper()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	return newGateway(t, unixOptions(redis), "phi").alone(), operator{t, redis.Dial(t), redis}
}

// shiftable has the gateway's clock go ahead of the real one by what is returned.
func (g *gateway) shiftable() (offset *time.Duration) {
	base := time.Now()
	offset = new(time.Duration)
	g.clock.Wall = func() time.Time { return base.Add(*offset) }
	return offset
}

// backup is a DUMP of all that is upstream.
func (o operator) backup() map[string]string {
	all := map[string]string{}
	records, data := o.keys()
	for _, name := range append(records, data...) {
		all[name] = string(o.do("DUMP", name).Str)
	}
	return all
}

func (g *gateway) expect(want string, args ...string) {
	g.t.Helper()
	if got := g.do(args...); got != want {
		g.t.Errorf("%s: got %q, want %q", args[0], got, want)
	}
}

func (g *gateway) expectAlarm(want string) {
	g.t.Helper()
	if got := g.sink.takeAlarms(); got != want {
		g.t.Errorf("alarms %q, want %q", got, want)
	}
}

const (
	null = "$-1\r\n"
	ok   = "+OK\r\n"
)

func TestNothingReadableIsUpstream(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	const mark = "CANARY-7f3a"
	g.do("SET", mark+"-key", mark+"-value")
	g.do("HSET", mark+"-hash", mark+"-field", mark+"-value")
	g.do("SADD", mark+"-set", mark+"-member")
	g.do("ZADD", mark+"-zset", "1", mark+"-member")
	g.do("RPUSH", mark+"-list", mark+"-element")
	g.do("RPUSH", mark+"-list", mark+"-element")
	for _, line := range []string{"XADD $-stream * $-field $-value", "XGROUP CREATE $-stream $-group 0", "XREADGROUP GROUP $-group $-consumer STREAMS $-stream >",
		"XADD $-stream MAXLEN 5 * $-field $-value", "XCLAIM $-stream $-group $-other 0 1-1 FORCE", "COPY $-stream $-copied", "XPENDING $-copied $-group"} {
		g.do(fields(strings.ReplaceAll(line, "$", mark))...)
	}
	records, data := o.keys()
	if len(records) != 7 || len(data) != 6 {
		t.Fatalf("%d records and %d collections are upstream", len(records), len(data))
	}
	for _, key := range append(records, data...) {
		dump := string(o.do("DUMP", key).Str)
		if strings.Contains(dump, "CANARY") || strings.Contains(key, "CANARY") || strings.Contains(dump, "phi") {
			t.Errorf("something is readable upstream")
		}
		if ttl := o.do("PTTL", key).Int; ttl <= 0 || ttl > 300_000 {
			t.Errorf("something is upstream for %d ms", ttl)
		}
	}
}

func TestTamperedStringsAreMissesAndAlarms(t *testing.T) {
	t.Parallel()
	f := func(want string, tamper func(g *gateway, o operator, key string)) {
		t.Helper()
		g, o := setUp(t)
		g.expect(ok, "SET", "victim", "value")
		tamper(g, o, o.only())
		g.expect(null, "GET", "victim")
		g.expectAlarm(want)
		g.expect(null, "GET", "victim")
		g.expectAlarm("")
		g.expect(ok, "SET", "victim", "again")
		g.expect("$5\r\nagain\r\n", "GET", "victim")
	}
	const altered = "altered A phi victim"
	f(altered, func(g *gateway, o operator, key string) { o.do("SETRANGE", key, "90", "\x01") })
	f(altered, func(g *gateway, o operator, key string) { o.do("SETRANGE", key, "24", "\x01\x02\x03") })
	f(altered, func(g *gateway, o operator, key string) { o.do("APPEND", key, "x") })
	f(altered, func(g *gateway, o operator, key string) { o.do("SET", key, "short") })
	f(altered, func(g *gateway, o operator, key string) { o.do("SET", key, "") })
	f(altered, func(g *gateway, o operator, key string) { o.do("DEL", key); o.do("HSET", key, "a", "b") })
	f(altered, func(g *gateway, o operator, key string) {
		value := string(o.do("GET", key).Str)
		o.do("SET", key, value[:len(value)-1])
	})
	f(altered, func(g *gateway, o operator, key string) { // two values swapped
		g.expect(ok, "SET", "other", "something else")
		records, _ := o.keys()
		for _, r := range records {
			if r != key {
				o.do("COPY", r, key, "REPLACE")
			}
		}
	})
	f("", func(g *gateway, o operator, key string) { o.do("DEL", key) })
}

func TestReplayedStringsAreMissesAndAlarms(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	offset := g.shiftable()
	g.expect(ok, "SET", "victim", "old")
	key := o.only()
	old := string(o.do("GET", key).Str)
	*offset += 3 * time.Second
	g.expect(ok, "SET", "victim", "new")
	o.do("SET", key, old)
	g.expect(null, "GET", "victim")
	g.expectAlarm("replayed A phi victim")
	*offset += 3 * time.Second
	g.expect(":0\r\n", "DEL", "victim")
	g.expect(ok, "SET", "victim", "newer")
	newer := string(o.do("GET", key).Str)
	g.expect(":1\r\n", "DEL", "victim")
	*offset += 3 * time.Second
	o.do("SET", key, newer)
	g.expect(null, "GET", "victim")
	g.expectAlarm("replayed A phi victim")
}

// What was written within a moment of what replaced it is as old as anything else, once the latter has been read a while later.
func TestWhatWasReplacedAtOnceDoesNotComeBack(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	offset := g.shiftable()
	f := func(name string, write, read []string, first, last string, replace ...[]string) {
		t.Helper()
		g.do(append(write, first)...)
		held := o.backup()
		for _, call := range replace {
			g.do(call...)
		}
		g.do(append(write, last)...)
		*offset += 3 * time.Second
		if got := g.do(read...); !strings.Contains(got, last) {
			t.Errorf("%s: %q", name, got)
		}
		for key, value := range held {
			o.do("RESTORE", key, "200000", value, "REPLACE")
		}
		if got := g.do(read...); strings.Contains(got, first) {
			t.Errorf("%s: what was replaced is served: %q", name, got)
		}
		g.expectAlarm("replayed A phi " + name)
		g.do("DEL", name)
	}
	unread := func(name string, write, read []string, first, last string) {
		t.Helper()
		g.do(append(write, first)...)
		records, _ := o.keys()
		held := string(o.do("DUMP", records[0]).Str)
		g.do("DEL", name)
		g.do(append(write, last)...)
		o.do("RESTORE", records[0], "200000", held, "REPLACE")
		g.expect(null, read...)
		g.expectAlarm("replayed A phi " + name)
		g.do("DEL", name)
	}
	unread("deleted", []string{"SET", "deleted"}, []string{"GET", "deleted"}, "first", "second") // this gateway itself knows
	f("string", []string{"SET", "string"}, []string{"GET", "string"}, "first", "third", []string{"SET", "string", "second"})
	f("again", []string{"SET", "again"}, []string{"GET", "again"}, "first", "second", []string{"DEL", "again"})
	f("hash", []string{"HSET", "hash", "f"}, []string{"HGETALL", "hash"}, "first", "second", []string{"DEL", "hash"})
	f("list", []string{"RPUSH", "list"}, []string{"LRANGE", "list", "0", "-1"}, "first", "second", []string{"DEL", "list"})
}

// What a gateway has replaced by two writes, each made when the one before it was confirmed, does not come back, however fast they
// followed one another and though nobody has read the last one: a fail-over may bring what is a second old.
func TestWhatThisGatewayReplacedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	offset := g.shiftable()
	g.expect(ok, "SET", "victim", "first")
	held := o.backup()
	g.expect(ok, "SET", "victim", "second")
	g.expect(ok, "SET", "victim", "third")
	*offset += 3 * time.Second
	for key, value := range held {
		o.do("RESTORE", key, "200000", value, "REPLACE")
	}
	g.expect("*0\r\n", "KEYS", "*")
	g.expect(null, "GET", "victim")
	g.expectAlarm("replayed A phi victim")
}

// A write whose answer was lost may come late: it is no replay, though there is a newer one.
func TestALostWriteMayComeLate(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	g := newGateway(t, loopback(s.Addr()), "phi").alone()
	o := operator{t: t, c: s.Dial(t)}
	offset := g.shiftable()
	g.expect(ok, "SET", "victim", "first")
	before := o.backup()
	s.Signal(syscall.SIGSTOP)
	if got := g.do("SET", "victim", "lost"); !strings.Contains(got, "may or may not") {
		t.Fatalf("a lost write: %q", got)
	}
	s.Signal(syscall.SIGCONT)
	eventually(t, "service resumes", func() bool { return g.do("GET", "victim") == "$4\r\nlost\r\n" })
	lost := o.backup()
	eventually(t, "another write", func() bool { return g.do("SET", "victim", "second") == ok })
	eventually(t, "another write", func() bool { return g.do("SET", "victim", "third") == ok })
	*offset += 3 * time.Second
	for key, value := range lost {
		o.do("RESTORE", key, "200000", value, "REPLACE")
	}
	g.expect("$4\r\nlost\r\n", "GET", "victim")
	g.expectAlarm("")
	for key, value := range before {
		o.do("RESTORE", key, "200000", value, "REPLACE")
	}
	g.expect(null, "GET", "victim")
	g.expectAlarm("replayed A phi victim")
}

// What was deleted and is put back is in no list either, before anybody has read it.
func TestReplayedEntriesAreNotListed(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	offset := g.shiftable()
	g.expect(ok, "SET", "victim", "value")
	g.expect(":1\r\n", "SADD", "victims", "member")
	backup := o.backup()
	*offset += 3 * time.Second
	g.expect(":2\r\n", "DEL", "victim", "victims")
	*offset += 3 * time.Second
	lists := func(names, count, scanned, random string) {
		t.Helper()
		g.expect(names, "KEYS", "*")
		g.expect(count, "DBSIZE")
		g.expect("*2\r\n$1\r\n0\r\n"+scanned, "SCAN", "0")
		g.expect(random, "RANDOMKEY")
	}
	for name, dump := range backup {
		o.do("RESTORE", name, "290000", dump)
	}
	lists("*0\r\n", ":0\r\n", "*0\r\n", null)
	g.expectAlarm("")
	g.expect(ok, "SET", "victim", "another")
	lists("*1\r\n$6\r\nvictim\r\n", ":1\r\n", "*1\r\n$6\r\nvictim\r\n", "$6\r\nvictim\r\n")
	g.expect("*0\r\n", "SMEMBERS", "victims")
	g.expectAlarm("replayed A phi victims")
}

// Whatever the upstream is told about expiry, the sealed deadline stands.
func TestTheSealedDeadlineStands(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	offset := g.shiftable()
	g.expect(ok, "SET", "victim", "value", "EX", "100")
	g.expect(":1\r\n", "HSET", "hash", "f", "v")
	records, data := o.keys()
	for _, key := range append(records, data...) {
		o.do("PERSIST", key)
	}
	*offset = 99 * time.Second
	g.expect("$5\r\nvalue\r\n", "GET", "victim")
	*offset = 100 * time.Second
	g.expect(null, "GET", "victim")
	g.expectAlarm("") // the upstream may be a little late
	*offset = 103 * time.Second
	g.expect(null, "GET", "victim")
	g.expectAlarm("overdue A phi victim")
	*offset = 299 * time.Second
	g.expect("$1\r\nv\r\n", "HGET", "hash", "f")
	*offset = 303 * time.Second
	g.expect(null, "HGET", "hash", "f")
	g.expectAlarm("overdue A phi hash")
	*offset = 400 * time.Second
	g.ring.Expire()
	if g.ring.Len() != 0 {
		t.Error("there are keys when everything has ended")
	}
}

func TestTamperedCollections(t *testing.T) {
	t.Parallel()
	f := func(want string, tamper func(o operator, record, data string), read ...string) {
		t.Helper()
		g, o := setUp(t)
		g.do("HSET", "h", "f1", "v1", "f2", "v2")
		record := o.only()
		tamper(o, record, record+"~")
		if got := g.do(read...); got != want {
			t.Errorf("%v: got %q, want %q", read, got, want)
		}
		g.expectAlarm("altered A phi h")
	}
	fields := func(o operator, data string) (a, b string) {
		all := o.do("HKEYS", data).Elems
		return string(all[0].Str), string(all[1].Str)
	}
	swap := func(o operator, _, data string) {
		a, b := fields(o, data)
		va, vb := string(o.do("HGET", data, a).Str), string(o.do("HGET", data, b).Str)
		o.do("HSET", data, a, vb, b, va)
	}
	f(null, swap, "HGET", "h", "f1")
	f("*0\r\n", swap, "HGETALL", "h")
	f("*0\r\n", func(o operator, _, data string) { o.do("HSET", data, "made up", "value") }, "HGETALL", "h")
	f(null, func(o operator, _, data string) { o.do("DEL", data); o.do("SADD", data, "x") }, "HGET", "h", "f1")
	f(":0\r\n", func(o operator, _, data string) { o.do("DEL", data); o.do("SADD", data, "x") }, "HLEN", "h")
	f(null, func(o operator, record, data string) { o.do("SETRANGE", record, "24", "\x00\x01\x02\x03") }, "HGET", "h", "f1")
}

// An upstream that evicts does not know that a record and its parts belong together: a collection without parts is a miss like any other,
// for whatever looks at it first, and no alarm.
func TestEvictedPartsAreAMiss(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	other := g.another(t) // what it has seen of the entry the gateway knows
	f := func(make string, reads ...string) {
		t.Helper()
		name := strings.Fields(make)[1]
		for _, line := range reads {
			read := strings.Fields(line)
			want := g.do(read...) // of nothing
			g.do(strings.Fields(make)...)
			_, data := o.keys()
			if len(data) != 1 {
				t.Fatalf("%s: %d collections are upstream", make, len(data))
			}
			o.do("UNLINK", data[0])
			if got := other.do(read...); got != want {
				t.Errorf("%s: %q, want %q", line, got, want)
			}
			g.expectAlarm("")
			if got := g.do("EXISTS", name); got != ":0\r\n" && read[0] != "LRANGE" { // of which nothing is an answer, too
				t.Errorf("EXISTS after %s: %q", line, got)
			}
			g.do("DEL", name)
		}
	}
	f("HSET h f v g w", "HGETALL h", "HLEN h", "HKEYS h", "HRANDFIELD h")
	f("RPUSH l a b c", "LRANGE l 0 -1", "LLEN l", "LPOP l", "RPOP l 2", "BLPOP l 0.01", "LMPOP 1 l LEFT", "LMOVE l l LEFT RIGHT", "LTRIM l 0 1", "LPOS l a", "LSET l 0 x")
	f("SADD s a b c", "SMEMBERS s", "SCARD s", "SPOP s", "SPOP s 2", "SRANDMEMBER s", "SRANDMEMBER s 2", "SUNION s other")
	f("ZADD z 1 a 2 b", "ZRANGE z 0 -1", "ZCARD z", "ZPOPMIN z", "ZRANGEBYSCORE z -inf +inf", "ZRANK z a")
	f("XADD x * f v", "XINFO STREAM x", "XINFO GROUPS x", "XGROUP CREATE x g 0", "XGROUP SETID x g 0", "DUMP x", "COPY x y", "XINFO STREAM x FULL")
}

// A collection that was made anew does not take parts of its former life.
func TestPartsOfAFormerLife(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	g.do("HSET", "h", "f1", "old")
	data := o.only() + "~"
	field := string(o.do("HKEYS", data).Elems[0].Str)
	value := string(o.do("HGET", data, field).Str)
	g.expect(":1\r\n", "DEL", "h")
	g.do("HSET", "h", "f2", "new")
	o.do("HSET", data, field, value)
	g.expect("*0\r\n", "HGETALL", "h")
	g.expectAlarm("altered A phi h")
}

func TestADeletedEntryOfALostCollectionIsAMiss(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	g.do("RPUSH", "l", "a", "b")
	o.do("DEL", o.only())
	g.expect("*0\r\n", "LRANGE", "l", "0", "-1")
	g.expect(":1\r\n", "RPUSH", "l", "c")
	g.expect("*1\r\n$1\r\nc\r\n", "LRANGE", "l", "0", "-1")
	g.expectAlarm("")
}

func TestTheQueueDeletesAtTheDeadline(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	g.expect(ok, "SET", "short", "value", "PX", "4000")
	g.expect(ok, "SET", "longer", "value", "PX", "4000")
	g.expect(ok, "SET", "longer", "value", "EX", "100")
	g.do("HSET", "h", "f", "v")
	g.do("PEXPIRE", "h", "4000")
	records, _ := o.keys()
	for _, r := range records {
		o.do("PERSIST", r)
		o.do("PERSIST", r+"~")
	}
	g.runQueue(t)
	alarms := ""
	eventually(t, "two entries are deleted and told of, and that somebody has removed their expirations", func() bool {
		records, data := o.keys()
		alarms += g.sink.takeAlarms() // the upstream has deleted before the gateway has heard of it
		return len(records) == 1 && len(data) == 0 && g.sink.hasExpired("A phi short") && g.sink.hasExpired("A phi h") &&
			strings.Contains(alarms, "overdue A phi short") && strings.Contains(alarms, "overdue A phi h")
	})
	if strings.Contains(alarms, "longer") {
		t.Errorf("an entry that was written again is overdue; the alarms are %q", alarms)
	}
	if g.sink.hasExpired("A phi longer") {
		t.Error("an entry that was written again has expired")
	}
	g.expect("$5\r\nvalue\r\n", "GET", "longer")
}

// A key that comes between the moment at which it was lacking and that at which it is asked for is taken.
func TestAKeyThatHasJustCome(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	g.expect(ok, "SET", "k", "value")
	if !g.x.KeyHasCome([]byte(o.do("GET", o.only()).Str)) {
		t.Error("a key that is here is not found")
	}
}

// Two gateways: keys travel through the upstream's own pub/sub, and one reads what the other wrote.
func TestTwoGateways(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	a, b := joined(t, unixOptions(redis)), joined(t, unixOptions(redis))
	if a.ring.Epoch() != b.ring.Epoch() {
		t.Fatal("the second gateway did not join the first")
	}
	a.expect(ok, "SET", "k", "of a")
	b.expect("$4\r\nof a\r\n", "GET", "k")
	b.expect(ok, "SET", "k", "of b", "EX", "7")
	a.expect("$4\r\nof b\r\n", "GET", "k")
	for i := range 50 {
		name := "h" + string(rune('0'+i%5))
		a.do("HSET", name, "one", "v", string(rune('a'+i)), "a")
		b.do("HSET", name, "two", "v", string(rune('A'+i)), "b")
		b.expect("$1\r\na\r\n", "HGET", name, string(rune('a'+i)))
		a.expect("$1\r\nb\r\n", "HGET", name, string(rune('A'+i)))
		if a.do("HLEN", name) != b.do("HLEN", name) {
			t.Error("two gateways see two lengths")
		}
		a.do("RPUSH", "l", "a")
		b.do("LPUSH", "l", "b")
	}
	a.expect(":100\r\n", "LLEN", "l")
	if a.sink.takeAlarms()+b.sink.takeAlarms() != "" {
		t.Error("two honest gateways raise alarms")
	}
	outsider := newGateway(t, unixOptions(redis), "phi").alone()
	outsider.expect(null, "GET", "k")
	outsider.expectAlarm("")
}

// Of two writes the later one stands, and a deletion, though the clock of who made it is behind: gateways hear each other's.
func TestTwoGatewaysWhoseClocksDiffer(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	a, b := newGateway(t, unixOptions(redis), "phi"), newGateway(t, unixOptions(redis), "phi")
	b.clock.Wall = func() time.Time { return time.Now().Add(-8 * time.Second) }
	joinBus(t, a)
	joinBus(t, b)
	if a.ring.Epoch() != b.ring.Epoch() {
		t.Fatal("the second gateway did not join the first")
	}
	for _, pair := range [][2]*gateway{{a, b}, {b, a}} {
		x, y := pair[0], pair[1]
		x.expect(ok, "SET", "k", "first")
		y.expect(ok, "SET", "k", "second")
		x.expect("$6\r\nsecond\r\n", "GET", "k")
		x.expect(":1\r\n", "DEL", "k")
		y.expect(ok, "SET", "k", "third")
		x.expect("$5\r\nthird\r\n", "GET", "k")
		y.expect("$5\r\nthird\r\n", "GET", "k")
	}
	if alarms := a.sink.takeAlarms() + b.sink.takeAlarms(); alarms != "" {
		t.Errorf("two honest gateways raise alarms: %s", alarms)
	}
}

// joined is a gateway with a bus.
func joined(t *testing.T, o upstream.Options) *gateway {
	t.Helper()
	g := newGateway(t, o, "phi")
	joinBus(t, g)
	return g
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	f := func(want string, args ...string) {
		t.Helper()
		if got := g.do(args...); !strings.HasPrefix(got, "-SEALED "+want) {
			t.Errorf("%s: got %q", args[0], got)
		}
	}
	f("arithmetic", "INCR", "k")
	f("arithmetic", "HINCRBY", "h", "f", "1")
	f("parts", "GETRANGE", "k", "0", "1")
	f("parts", "SETRANGE", "k", "0", "x")
	f("the upstream's own", "OBJECT", "ENCODING", "k")
	for _, s := range g.table.Specs() {
		if len(s.Keys) > 0 && s.Run != nil && upstream.Refusal(s.RecordName()) == "" {
			continue
		}
		if len(s.Keys) > 0 && s.Run != nil && !strings.HasPrefix(upstream.Refusal(s.RecordName()), "SEALED ") {
			t.Errorf("%s is refused without a reason", s.RecordName())
		}
	}
}

// meet has a gateway hear the others, and be heard, until the test ends.
func (g *gateway) meet(t *testing.T) *seal.Peers {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	bus := upstream.NewBus(g.up)
	peers := newPeers(t, g, bus)
	if there := (&testkit.Redis{Socket: g.address}).Dial(t).Do("PUBSUB", "NUMSUB", "lethe:gateways").Elems[1].Int; there == 0 {
		g.alone() // it is the first; others wait for an answer, however long it takes
	}
	done := make(chan struct{}, 2)
	go func() { bus.Listen(ctx, func(m []byte) { peers.Received(m) }); done <- struct{}{} }()
	<-bus.Ready()
	if err := peers.Join(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	go func() { peers.Run(ctx); done <- struct{}{} }()
	t.Cleanup(func() { cancel(); <-done; <-done })
	return peers
}

func joinBus(t *testing.T, g *gateway) {
	t.Helper()
	peers := g.meet(t)
	g.runQueue(t)
	eventually(t, "the gateway hears itself", func() bool { return peers.InTouch() != 0 })
}
