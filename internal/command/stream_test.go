package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/engine"
)

func newStreamLab(t *testing.T) *collectionLab {
	return newCollectionLab(t, streamCommands(), expireCommands(), stringCommands(), genericCommands())
}

func TestStreamOutcomes(t *testing.T) {
	l := newStreamLab(t)
	f := func(want Outcome, line string) {
		t.Helper()
		l.run(line)
		l.told(want)
	}
	f(Miss, "XADD s NOMKSTREAM * f v")
	f(Miss, "XLEN s")
	f(Miss, "XRANGE s - +")
	f(Miss, "XDEL s 1-1")
	f(Miss, "XTRIM s MAXLEN 1")
	f(Miss, "XREAD STREAMS s 0")
	f(Miss, "XACK s g 1-1")
	f(Stored, "XADD s 1-1 f v")
	f(Stored, "XADD s 2-1 f v")
	f(Hit, "XRANGE s - +")
	f(Hit, "XREAD STREAMS s 0")
	f(Unchanged, "XREAD STREAMS s $")
	f(Unchanged, "XDEL s 9-9")
	f(Deleted, "XDEL s 2-1")
	f(Unchanged, "XTRIM s MAXLEN 1")
	f(Stored, "XGROUP CREATE s g 0")
	f(Stored, "XGROUP CREATECONSUMER s g c")
	f(Unchanged, "XGROUP CREATECONSUMER s g c")
	f(Hit, "XREADGROUP GROUP g c STREAMS s >")
	f(Unchanged, "XREADGROUP GROUP g c STREAMS s >")
	f(Hit, "XPENDING s g - + 10")
	f(Hit, "XCLAIM s g d 0 1-1")
	f(Hit, "XAUTOCLAIM s g c 0 0")
	f(Stored, "XACK s g 1-1")
	f(Unchanged, "XACK s g 1-1")
	f(Deleted, "XGROUP DELCONSUMER s g c")
	f(Unchanged, "XGROUP DELCONSUMER s g c")
	f(Stored, "XGROUP SETID s g $")
	f(Stored, "XSETID s 5-5")
	f(Deleted, "XGROUP DESTROY s g")
	f(Unchanged, "XGROUP DESTROY s g")
	f(Deleted, "XTRIM s MAXLEN 0")
	f(Hit, "XLEN s")
}

// TestStreamWritesKeepTheDeadline: only what makes a stream gives it a deadline.
func TestStreamWritesKeepTheDeadline(t *testing.T) {
	for _, write := range []string{"XADD s * f v", "XADD s MAXLEN 0 * f v", "XDEL s 1-1", "XTRIM s MAXLEN 0", "XSETID s 9-9", "XGROUP CREATE s h 0 MKSTREAM",
		"XGROUP DESTROY s g", "XREADGROUP GROUP g c STREAMS s >", "XCLAIM s g c 0 1-1 FORCE"} {
		l := newStreamLab(t)
		l.run("XADD s 1-1 f v")
		l.run("XGROUP CREATE s g 0")
		l.wait(10_000)
		if reply := l.run(write); strings.HasPrefix(reply, "-") {
			t.Errorf("%s: %s", write, reply)
		}
		if ttl := l.ttl("s"); ttl != labCeiling-10_000 {
			t.Errorf("%s leaves %d ms", write, ttl)
		}
	}
	l := newStreamLab(t)
	l.run("XGROUP CREATE s g 0 MKSTREAM")
	if ttl := l.ttl("s"); ttl != labCeiling {
		t.Errorf("an empty stream has %d ms", ttl)
	}
}

// TestStreamIDsNeverGoBack: ids that the server chooses grow even where the wall clock is set back.
func TestStreamIDsNeverGoBack(t *testing.T) {
	l := newStreamLab(t)
	l.is("$15 1700000000000-0", "XADD s * f v")
	l.is("$15 1700000000000-1", "XADD s * f v")
	l.call.WallNow -= 5000
	l.is("$15 1700000000000-2", "XADD s * f v")
	l.call.WallNow += 6000
	l.is("$15 1700000001000-0", "XADD s * f v")
	l.is("$24 18446744073709551615-100", "XADD s 18446744073709551615-100 f v")
	l.is("$24 18446744073709551615-101", "XADD s * f v")
	l.is("-"+msgSmallID, "XADD s 1-* f v")
	l.run("XSETID s 18446744073709551615-18446744073709551615")
	l.is("-"+msgLastID, "XADD s * f v")
	l.run("XADD t 5-18446744073709551615 f v")
	l.is("-"+msgSmallID, "XADD t 5-* f v") // Redis 7.0 leaves the error to chance here
}

func TestIdleTimes(t *testing.T) {
	l := newStreamLab(t)
	l.run("XADD s 1-1 f v")
	l.run("XADD s 2-1 f v")
	l.run("XGROUP CREATE s g 0")
	l.run("XREADGROUP GROUP g c COUNT 1 STREAMS s >")
	l.wait(100)
	l.run("XREADGROUP GROUP g d COUNT 1 STREAMS s >")
	l.wait(50)
	l.is("*2 *4 $3 1-1 $1 c :150 :1 *4 $3 2-1 $1 d :50 :1", "XPENDING s g - + 10")
	l.is("*1 *4 $3 1-1 $1 c :150 :1", "XPENDING s g IDLE 51 - + 10")
	l.is("*2 *8 $4 name $1 c $7 pending :1 $4 idle :150 $8 inactive :150 *8 $4 name $1 d $7 pending :1 $4 idle :50 $8 inactive :50", "XINFO CONSUMERS s g")
	l.is("*3 $3 0-0 *0 *0", "XAUTOCLAIM s g e 151 2-1 COUNT 1")
	l.is("*3 $3 0-0 *1 $3 1-1 *0", "XAUTOCLAIM s g e 51 0 JUSTID")
	l.is("*1 *4 $3 1-1 $1 e :0 :1", "XPENDING s g - + 10 e")
	l.is("*1 $3 2-1", "XCLAIM s g e 50 2-1 JUSTID IDLE 30")
	l.is("*1 *4 $3 2-1 $1 e :30 :1", "XPENDING s g 2 + 10")
	l.is("*0", "XCLAIM s g c 31 2-1")
	l.is("*1 $3 2-1", "XCLAIM s g c 0 2-1 JUSTID TIME 1700000000000 RETRYCOUNT 9")
	l.is("*1 *4 $3 2-1 $1 c :150 :9", "XPENDING s g 2 + 10")
	l.call.WallNow -= 100_000 // a clock that is set back makes nothing idle for less than no time
	l.is("*1 *4 $3 2-1 $1 c :0 :9", "XPENDING s g 2 + 10")
}

// TestConsumersHaveTwoTimes: as in Redis 7.0 a consumer is there, and seen, from what it is given, and when it asks for what it has.
// The second time, which 7.2 has added, is that of the last entry that it has to acknowledge; -1 before the first one.
func TestConsumersHaveTwoTimes(t *testing.T) {
	l := newStreamLab(t)
	step := func(asks string) {
		l.wait(100)
		l.run(asks)
		l.wait(5)
	}
	f := func(pending, idle, inactive int, asks string) {
		t.Helper()
		step(asks)
		l.is(fmt.Sprintf("*1 *8 $4 name $1 c $7 pending :%d $4 idle :%d $8 inactive :%d", pending, idle, inactive), "XINFO CONSUMERS s g")
	}
	nobody := func(asks string) {
		t.Helper()
		step(asks)
		l.is("*0", "XINFO CONSUMERS s g")
	}
	l.run("XGROUP CREATE s g 0 MKSTREAM")
	nobody("XREADGROUP GROUP g c STREAMS s >")
	nobody("XREADGROUP GROUP g c NOACK STREAMS s >")
	nobody("XCLAIM s g c 0 1-1 FORCE")
	nobody("XAUTOCLAIM s g c 0 0")
	nobody("XPENDING s g - + 10 c")
	f(0, 5, -1, "XREADGROUP GROUP g c STREAMS s 0")
	l.run("XADD s 1-1 f v")
	f(0, 110, -1, "XCLAIM s g c 0 1-1")
	f(0, 215, -1, "XAUTOCLAIM s g c 0 0")
	f(1, 5, 5, "XREADGROUP GROUP g c STREAMS s >")
	f(1, 5, 110, "XREADGROUP GROUP g c STREAMS s 0") // it was given that one before
	f(1, 110, 215, "XREADGROUP GROUP g c STREAMS s >")
	f(1, 215, 320, "XCLAIM s g c 1000000 1-1")
	f(1, 5, 5, "XCLAIM s g c 0 1-1")
	f(1, 5, 5, "XAUTOCLAIM s g c 0 0 JUSTID")
	f(1, 110, 110, "XAUTOCLAIM s g c 1000000 0")
	f(1, 215, 215, "XGROUP CREATECONSUMER s g c")
	l.run("XADD s 2-1 f v")
	f(1, 5, 320, "XREADGROUP GROUP g c NOACK STREAMS s >")
	l.run("XGROUP CREATECONSUMER s g new")
	l.run("COPY s t")
	for _, key := range []string{"s", "t"} {
		l.is("*2 *8 $4 name $1 c $7 pending :1 $4 idle :5 $8 inactive :320 *8 $4 name $3 new $7 pending :0 $4 idle :0 $8 inactive :-1", "XINFO CONSUMERS "+key+" g")
	}
	full := string(l.run("XINFO STREAM t FULL"))
	if !strings.Contains(full, "active-time") || !strings.Contains(full, ":-1") {
		t.Errorf("XINFO STREAM FULL does not tell when consumers were active: %q", full)
	}
}

// TestAutoClaimGivesUp: it looks at ten pending entries for each that it may return, and says where to go on.
func TestAutoClaimGivesUp(t *testing.T) {
	l := newStreamLab(t)
	for _, id := range strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12 13") {
		l.run("XADD s " + id + "-0 f v")
	}
	l.run("XGROUP CREATE s g 0")
	l.run("XREADGROUP GROUP g c STREAMS s >")
	l.is("*3 $4 11-0 *0 *0", "XAUTOCLAIM s g d 1000 0 COUNT 1")
	l.is("*3 $3 0-0 *0 *0", "XAUTOCLAIM s g d 1000 11-0 COUNT 1")
	l.is("*3 $3 2-0 *1 $3 1-0 *0", "XAUTOCLAIM s g d 0 0 COUNT 1 JUSTID")
}

// TestReadKeysAreThoseOfTheOptions: whatever group, consumer and keys are called, the keys that are authorised are those
// that are read.
func TestReadKeysAreThoseOfTheOptions(t *testing.T) {
	l := newStreamLab(t)
	f := func(want string, line string) {
		t.Helper()
		l.run(line)
		var names []string
		for _, k := range l.call.Keys {
			names = append(names, string(k.Name))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: keys %q, want %q", line, got, want)
		}
	}
	f("a b", "XREAD STREAMS a b 0 0")
	f("a", "XREAD STREAMS a b 0")
	f("", "XREAD COUNT 1 BLOCK")
	f("", "XREAD a STREAMS b 0")
	f("STREAMS", "XREAD COUNT STREAMS STREAMS STREAMS 0")
	f("k", "XREADGROUP GROUP STREAMS STREAMS STREAMS k >")
	f("k", "XREADGROUP NOACK GROUP BLOCK STREAMS STREAMS k >")
	f("GROUP", "XREADGROUP GROUP g c COUNT 5 STREAMS GROUP >")
}

func FuzzStreamID(f *testing.F) {
	for _, s := range []string{"0", "1-1", "18446744073709551615-18446744073709551615", "18446744073709551616", "007-0", "-", "1-", "-1", "1-*", "+", "(1-1", "1-1-1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		id, ok := parseStreamID(b, 0)
		if !ok {
			return
		}
		text := AppendStreamID(nil, id)
		again, ok := parseStreamID(text, 77)
		if !ok || again != id || len(text) > maxStreamID {
			t.Fatalf("an id changes on its way through its text: %v, %v", id, again)
		}
		if next, ok := id.Next(); ok != (id != engine.LastStreamID()) || ok && !id.Before(next) {
			t.Fatal("the next id is not behind the id")
		}
		if previous, ok := id.Previous(); ok == id.IsZero() || ok && !previous.Before(id) {
			t.Fatal("the previous id is not before the id")
		}
	})
}

// FuzzStreamCommands sends what strangers may send: nothing panics, every call is answered once, and no deadline moves.
func FuzzStreamCommands(f *testing.F) {
	for _, line := range []string{"XADD s MAXLEN ~ 5 LIMIT 3 * f v", "XREADGROUP GROUP g c COUNT 1 NOACK STREAMS s >", "XCLAIM s g c 0 1-1 IDLE 5 FORCE JUSTID LASTID 3-3",
		"XAUTOCLAIM s g c 0 0 COUNT 5", "XPENDING s g IDLE 5 - + 10 c", "XINFO STREAM s FULL COUNT 5", "XGROUP CREATE s h $ MKSTREAM ENTRIESREAD 5", "XGROUP SETID s g 0",
		"XTRIM s MINID = 5-5", "XRANGE s (1-1 + COUNT 5", "XREVRANGE s + - COUNT 1", "XSETID s 99-1 ENTRIESADDED 5 MAXDELETEDID 1-1", "XDEL s 1-1 2-1", "XACK s g 1-1",
		"XREAD COUNT 9 STREAMS s t 0 $", "XGROUP DELCONSUMER s g c", "XGROUP DESTROY s g", "XINFO CONSUMERS s g"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		l := newStreamLab(t)
		l.run("XADD s 1-1 f v")
		l.run("XADD s 2-1 f v g w")
		l.run("XGROUP CREATE s g 0")
		l.run("XREADGROUP GROUP g c COUNT 1 STREAMS s >")
		for line := range strings.Lines(lines) {
			words := strings.Fields(line)
			if len(words) == 0 || len(words) > 40 {
				return
			}
			args := make([][]byte, len(words))
			for i, w := range words {
				args[i] = []byte(w)
			}
			spec, ok := l.table.Lookup(args)
			if !ok || spec.Run == nil || spec.Group != "stream" || !spec.ArityOK(len(args)) || strings.Contains(strings.ToUpper(line), "BLOCK") {
				return
			}
			if l.run(strings.Join(words, " ")) == "" {
				t.Fatal("a call has no answer")
			}
			if ttl := l.ttl("s"); ttl != labCeiling {
				t.Fatalf("a deadline moved to %d ms", ttl)
			}
		}
	})
}
