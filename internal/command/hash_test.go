package command

import (
	"fmt"
	"strings"
	"testing"
)

func newHashLab(t *testing.T) *collectionLab {
	return newCollectionLab(t, hashCommands(), hashExpiryCommands(), expireCommands(), stringCommands())
}

func TestHashOutcomes(t *testing.T) {
	l := newHashLab(t)
	f := func(want Outcome, line string) {
		t.Helper()
		l.run(line)
		l.told(want)
	}
	f(Miss, "HGET h f")
	f(Miss, "HGETALL h")
	f(Miss, "HDEL h f")
	f(Stored, "HSET h f 1 g 2")
	f(Hit, "HGET h f")
	f(Miss, "HGET h none")
	f(Hit, "HMGET h none f")
	f(Miss, "HMGET h none nil")
	f(Hit, "HLEN h")
	f(Unchanged, "HSETNX h f 2")
	f(Stored, "HSETNX h new 2")
	f(Stored, "HINCRBY h f 1")
	f(Stored, "HEXPIRE h 10 FIELDS 1 f")
	f(Unchanged, "HEXPIRE h 10 NX FIELDS 1 f")
	f(Hit, "HTTL h FIELDS 1 f")
	f(Stored, "HPERSIST h FIELDS 1 f")
	f(Unchanged, "HPERSIST h FIELDS 1 f")
	f(Deleted, "HGETDEL h FIELDS 2 none new")
	f(Miss, "HGETDEL h FIELDS 1 new")
	f(Unchanged, "HSETEX h FNX FIELDS 1 f 1")
	f(Deleted, "HDEL h f none")
	f(Miss, "HDEL h f")
}

// TestHashPartialWritesKeepTheDeadline: only the write that makes a hash gives it a deadline.
func TestHashPartialWritesKeepTheDeadline(t *testing.T) {
	for _, write := range []string{"HSET h g 1", "HMSET h g 1", "HSETNX h g 1", "HINCRBY h g 1", "HINCRBYFLOAT h g 1", "HSETEX h EX 50 FIELDS 1 g 1"} {
		l := newHashLab(t)
		l.run("HSET h f v")
		l.wait(10_000)
		l.run(write)
		if ttl := l.ttl("h"); ttl != labCeiling-10_000 {
			t.Errorf("%s leaves %d ms", write, ttl)
		}
	}
}

func TestHExpire(t *testing.T) {
	l := newHashLab(t)
	l.is(":3", "HSET h a 1 b 2 c 3")
	l.is("*3 :1 :1 :-2", "HEXPIRE h 10 FIELDS 3 a b none")
	l.is("*4 :10 :10 :-1 :-2", "HTTL h FIELDS 4 a b c none")
	l.is("*1 :10000", "HPTTL h FIELDS 1 a")
	l.is("*1 :1700000010", "HEXPIRETIME h FIELDS 1 a")
	l.is("*1 :1700000010000", "HPEXPIRETIME h FIELDS 1 a")
	l.is("*2 :0 :1", "HEXPIRE h 20 NX FIELDS 2 a c")
	l.is("*2 :1 :-2", "HEXPIRE h 20 XX FIELDS 2 a none")
	l.is("*1 :0", "HEXPIRE h 20 GT FIELDS 1 a")
	l.is("*1 :1", "HPEXPIRE h 20001 GT FIELDS 1 a")
	l.is("*1 :21", "HTTL h FIELDS 1 a")
	l.is("*1 :0", "HEXPIRE h 30 LT FIELDS 1 a")
	l.is("*1 :1", "HPEXPIREAT h 1700000005000 LT FIELDS 1 a")
	l.is("*1 :5", "HTTL h FIELDS 1 a")
	l.is("*1 :1", "HPERSIST h FIELDS 1 c")
	l.is("*1 :0", "HEXPIRE h 30 GT FIELDS 1 c") // no deadline counts as never
	l.is("*1 :1", "HEXPIRE h 30 LT FIELDS 1 c")
	l.wait(4_999)
	l.is("$1 1", "HGET h a")
	l.wait(1)
	l.is("$-1", "HGET h a")
	l.is(":2", "HLEN h")
	l.is("*1 :-2", "HTTL h FIELDS 1 a")
	l.is("*1 :2", "HEXPIREAT h 0 FIELDS 1 b")
	l.is("*1 :2", "HEXPIRE h 0 FIELDS 1 c")
	if l.ttl("h") != -1 {
		t.Error("a hash without fields is still there")
	}
}

func TestHExpireArguments(t *testing.T) {
	l := newHashLab(t)
	l.run("HSET h f v")
	l.run("SET s v")
	f := func(want, line string) {
		t.Helper()
		l.is("-"+want, line)
	}
	f("WRONGTYPE Operation against a key holding the wrong kind of value", "HEXPIRE s x FIELDS 1 f")
	f("ERR value is not an integer or out of range", "HEXPIRE h x FIELDS 1 f")
	f("ERR invalid expire time, must be >= 0", "HEXPIRE h -1 FIELDS 1 f")
	f("ERR invalid expire time in 'hexpire' command", "HEXPIRE h 9223372036854775807 FIELDS 1 f")
	f("ERR invalid expire time in 'hpexpire' command", "HPEXPIRE h 70368744177663 FIELDS 1 f")
	f("ERR invalid expire time in 'hpexpireat' command", "HPEXPIREAT h 70368744177664 FIELDS 1 f")
	f("ERR Mandatory argument FIELDS is missing or not at the right position", "HEXPIRE h 1 FIELD 1 f")
	f("ERR Mandatory argument FIELDS is missing or not at the right position", "HEXPIRE h 1 NX GT FIELDS 1 f")
	f("ERR Parameter `numFields` should be greater than 0", "HEXPIRE h 1 FIELDS 0 f")
	f("ERR Parameter `numFields` should be greater than 0", "HEXPIRE h 1 FIELDS x f")
	f("ERR The `numfields` parameter must match the number of arguments", "HEXPIRE h 1 FIELDS 2 f")
	f("ERR The `numfields` parameter must match the number of arguments", "HEXPIRE h 1 NX FIELDS 1")
	f("ERR Number of fields must be a positive integer", "HTTL h FIELDS 0 f")
	f("ERR The `numfields` parameter must match the number of arguments", "HPERSIST h FIELDS 1 f g")
	f("ERR Mandatory argument FIELDS is missing or not at the right position", "HGETDEL h FIELD 1 f")
	l.is("*1 :-1", "HTTL h FIELDS 1 f")
}

// TestFieldsNeverOutliveTheirHash: neither the ceiling nor the hash's own deadline can be passed by way of a field.
func TestFieldsNeverOutliveTheirHash(t *testing.T) {
	l := newHashLab(t)
	l.run("HSET h f v g w")
	l.is("*1 :1", "HEXPIRE h 1000 FIELDS 1 f")
	l.is("*1 :60", "HTTL h FIELDS 1 f")
	if l.clamped != 1 {
		t.Errorf("policy was told of %d deadlines beyond the ceiling, want 1", l.clamped)
	}
	l.is(":1", "EXPIRE h 30")
	l.is("*1 :30", "HTTL h FIELDS 1 f")
	l.is("*1 :1", "HEXPIRE h 45 FIELDS 1 g")
	l.is("*1 :30", "HTTL h FIELDS 1 g")
	l.is("*1 $1 w", "HGETEX h PX 59999 FIELDS 1 g")
	l.is(":1", "HSETEX h EX 50 FIELDS 1 i x")
	l.is("*2 :30 :30", "HTTL h FIELDS 2 g i")
	if l.ttl("h") != 30_000 {
		t.Errorf("the hash has %d ms left", l.ttl("h"))
	}

	l.refuse = true
	refused := "-POLICY test: beyond the ceiling"
	l.is(refused, "HEXPIRE h 1000 FIELDS 1 f")
	l.is(refused, "HGETEX h EX 1000 FIELDS 1 f")
	l.is(refused, "HSETEX h EX 1000 FIELDS 1 f other")
	l.is("$1 v", "HGET h f")
}

func TestHSetClearsDeadlines(t *testing.T) {
	l := newHashLab(t)
	l.run("HSET h f 1 g 1")
	l.run("HEXPIRE h 10 FIELDS 2 f g")
	l.is(":0", "HSET h f 2")
	l.is(":2", "HINCRBY h g 1")
	l.is("*2 :-1 :10", "HTTL h FIELDS 2 f g")
	l.is("$3 2.5", "HINCRBYFLOAT h g 0.5")
	l.is("*1 :10", "HTTL h FIELDS 1 g")
}

func TestHGetDelAndHGetEX(t *testing.T) {
	l := newHashLab(t)
	l.is("*2 $-1 $-1", "HGETDEL none FIELDS 2 a b")
	l.is("*1 $-1", "HGETEX none EX 10 FIELDS 1 a")
	l.run("HSET h a 1 b 2 c 3")
	l.is("*2 $1 1 $-1", "HGETDEL h FIELDS 2 a none")
	l.is("*2 $1 2 $-1", "HGETEX h EX 10 FIELDS 2 b a")
	l.is("*1 $1 2", "HGETEX h FIELDS 1 b")
	l.is("*1 :10", "HTTL h FIELDS 1 b")
	l.is("*1 $1 2", "HGETEX h PERSIST FIELDS 1 b")
	l.is("*1 :-1", "HTTL h FIELDS 1 b")
	l.is("-ERR Mandatory argument FIELDS is missing or not at the right position", "HGETEX h KEEPTTL FIELDS 1 b")
	l.is("-ERR The `numfields` parameter must match the number of arguments", "HGETEX h EX 1 FIELDS 1")
	l.is("-ERR Mandatory argument FIELDS is missing or not at the right position", "HGETEX h EX 1 FIELDS")
	l.is("*2 $1 2 $1 3", "HGETEX h PX 0 FIELDS 2 b c")
	if l.ttl("h") != -1 {
		t.Error("a hash whose last fields were given a deadline that has passed is still there")
	}
}

func TestHSetEX(t *testing.T) {
	l := newHashLab(t)
	l.is(":0", "HSETEX h FXX FIELDS 1 a 1")
	l.is(":1", "HSETEX h FNX EX 10 FIELDS 2 a 1 b 2")
	l.is(":0", "HSETEX h FNX FIELDS 2 b 3 new 3")
	l.is("*3 :10 :10 :-2", "HTTL h FIELDS 3 a b new")
	l.is(":1", "HSETEX h KEEPTTL FIELDS 1 a 4")
	l.is(":1", "HSETEX h FIELDS 1 b 5")
	l.is("*2 :10 :-1", "HTTL h FIELDS 2 a b")
	l.is(":1", "HSETEX h PXAT 1 FIELDS 2 a x b x")
	if l.ttl("h") != -1 {
		t.Error("a hash whose last fields were given a deadline that has passed is still there")
	}
	l.is(":1", "HSETEX h PX 0 FIELDS 1 a x")
	if l.ttl("h") != -1 {
		t.Error("a field whose deadline has passed made a hash")
	}
	f := func(want, line string) {
		t.Helper()
		l.is("-ERR "+want, line)
	}
	f("Only one of FXX or FNX arguments can be specified", "HSETEX h FXX FNX FIELDS 1 a 1")
	f("Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified", "HSETEX h EX 1 PX 1 FIELDS 1 a 1")
	f("Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified", "HSETEX h KEEPTTL PX 1 FIELDS 1 a 1")
	f("unknown argument: FIELD", "HSETEX h FXX FIELD 1 EX")
	f("unknown argument: ?", "HSETEX h patient:4711 FIELDS 1 a 1")
	f("invalid number of fields", "HSETEX h FIELDS 0 a 1")
	f("wrong number of arguments for 'hsetex' command", "HSETEX h FIELDS 2 a 1")
	f("wrong number of arguments for 'hsetex' command", "HSETEX h FIELDS 1 a 1 b")
	f("wrong number of arguments for 'hsetex' command", "HSETEX h EX 1 FIELDS 1 a")
}

// TestHashesForgetInSlices drives one hash through its forms, with more due fields than one step erases.
func TestHashesForgetInSlices(t *testing.T) {
	l := newHashLab(t)
	const fields = 1500
	for i := range fields {
		l.run(fmt.Sprintf("HSETEX h PX 5000 FIELDS 1 f%d v", i))
	}
	l.run("HSET h steady v")
	l.wait(5_000)
	l.is(":1", "HLEN h")
	l.is("*2 $6 steady $1 v", "HGETALL h")
	l.is("*1 $6 steady", "HRANDFIELD h 5")
	l.is("$-1", "HGET h f7")
	l.is(":1", "HSETNX h f7 w")
	l.is(":2", "HLEN h")
}

func TestHScanInSteps(t *testing.T) {
	l := newHashLab(t)
	const fields = 2000
	for i := range fields {
		l.run(fmt.Sprintf("HSET h field:%d v", i))
	}
	seen, calls := map[string]bool{}, 0
	for cursor := "0"; calls == 0 || cursor != "0"; calls++ {
		words := strings.Fields(l.run("HSCAN h " + cursor + " COUNT 100 NOVALUES"))
		cursor = words[2]
		for i := 5; i < len(words); i += 2 {
			seen[words[i]] = true
		}
	}
	if len(seen) != fields || calls < 10 || calls > 40 {
		t.Errorf("%d calls saw %d fields of %d", calls, len(seen), fields)
	}
}

func TestHRandFieldBounds(t *testing.T) {
	l := newHashLab(t)
	l.run("HSET h f v")
	l.is("-ERR value is out of range", "HRANDFIELD h -9223372036854775807")
	l.is("-ERR value is out of range", "HRANDFIELD h 4611686018427387904 WITHVALUES")
	l.is("*1 $1 f", "HRANDFIELD h 9223372036854775807")
	l.is("*4 $1 f $1 v $1 f $1 v", "HRANDFIELD h -2 WITHVALUES")
	l.call.Out.SetRESP3(true)
	l.is("*2 *2 $1 f $1 v *2 $1 f $1 v", "HRANDFIELD h -2 WITHVALUES")
	l.is("%1 $1 f $1 v", "HGETALL h")
	l.is("_", "HGET h none")
}
