package upstream_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lethe-cache/lethe/internal/upstream"
)

// withdrawals are who has withdrawn the consent.
type withdrawals struct{ who, lately atomic.Pointer[string] }

func (w *withdrawals) Any() bool { return w.who.Load() != nil || w.lately.Load() != nil }

func (w *withdrawals) Fenced(tenant string, subject []byte) bool {
	who := w.lately.Load()
	return who != nil && tenant == "A" && *who == string(subject)
}

func (w *withdrawals) Live(tenant string, subject []byte) bool {
	who := w.who.Load()
	return who != nil && tenant == "A" && *who == string(subject)
}

// of makes the values that are written next be about patients; "" about none.
func (g *gateway) of(patients string) *gateway {
	g.place.Subjects = nil
	for id := range strings.FieldsSeq(patients) {
		g.place.Subjects = g.place.Subjects.With([]byte(id))
	}
	return g
}

const withheld = "-" + upstream.MsgWithdrawn + "\r\n"

// setUpConsents is a gateway with a consent to withdraw, and another of its executors, which has seen nothing.
func setUpConsents(t *testing.T) (g, other *gateway, withdraw func(who string), o operator) {
	g, o = setUp(t)
	w := &withdrawals{}
	g.backend.Obey(w)
	other = &gateway{side: newSide(t, "phi"), sink: g.sink}
	other.clock, other.x = g.clock, g.backend.NewExecutor(5)
	t.Cleanup(other.x.Close)
	return g, other, func(who string) {
		if w.who.Store(&who); who == "" {
			w.who.Store(nil)
		}
	}, o
}

// Each line writes entries by its calls, "PATIENTS: call"; then of each patient the keys that are kept back: "patient>keys".
const aboutScript = `
1: SET a v; 1>a
1: SET a v; 2: SET a v; 1>; 2>a
1: SET a v; 2: SET a v KEEPTTL; 1>; 2>a
1: SET a v; : SET a v; 1>
1: SET a v; : EXPIRE a 10; 1>a
1: SET a v; : GETEX a EX 10; 1>a
1: SET a v; 2: GETSET a w; 1>; 2>a
1: SET a v; 2: SET a w NX; 1>a; 2>
1 2: MSET a v b w; 1>a b; 2>a b
1: MSET a v a w b x; 1>a b
1: HSET a f v; 2: HSET a g w; : HSET a i x; 1>a; 2>a
1: HSET a f v; 2: HSETNX a f w; 1>a; 2>
1: SADD a v; 2: SADD a w; 1>a; 2>a
1: ZADD a 1 v; 2: ZADD a 2 w; : ZADD a 3 x; 1>a; 2>a
: RPUSH a v; 1: RPUSH a w; 2: LPUSH a x; 1>a; 2>a
1: RPUSH a v; : RPUSH a w; : LPOP a; 1>a
1: RPUSH a v; 2: LSET a 0 w; : LINSERT a BEFORE w x; 1>a; 2>a
1: SET a v; : COPY a b; : RENAME b c; 1>a c
1: SET a v; : RENAME a b; : SET a w; 1>b
1: HSET a f v; : COPY a b; : HSET b g w; : EXPIRE b 9; 1>a b
1: SADD a v; 2: SADD b v; : SUNIONSTORE c a b; : SINTERSTORE d a b; 1>a c d; 2>b c d
1: SADD a v w; : SMOVE a b v; 1>a b
1: RPUSH a v w; 2: RPUSH b x; : LMOVE a b LEFT RIGHT; 1>a b; 2>b
1: ZADD a 1 v; : ZRANGESTORE b a 0 -1; 1>a b
1: SET a v; : DEL a; : SET a w; 1>
1: XADD a 1-1 f v; 2: XADD a 2-1 f w; : XADD a 3-1 f x; 1>a; 2>a
1: XADD a 1-1 f v; : XGROUP CREATE a g 0; : XREADGROUP GROUP g c STREAMS a >; : XACK a g 1-1; 1>a
1: XADD a 1-1 f v; : COPY a b; : RENAME b c; : XTRIM c MAXLEN 0; 1>a c
`

// Whatever makes an entry, it is kept back when one of those withdraws the consent whom it is about, at an executor too that has
// not seen it before; and then it is erased.
func TestEntriesAreAboutWhomTheirValuesAre(t *testing.T) {
	t.Parallel()
	g, other, withdraw, o := setUpConsents(t)
	keys := []string{"a", "b", "c", "d"}
	for line := range strings.SplitSeq(strings.TrimSpace(aboutScript), "\n") {
		for step := range strings.SplitSeq(line, ";") {
			if patients, call, writes := strings.Cut(step, ":"); writes {
				if got := g.of(patients).do(strings.Fields(call)...); strings.HasPrefix(got, "-") {
					t.Errorf("%s: %s %q", line, call, got)
				}
				continue
			}
			who, kept, _ := strings.Cut(strings.TrimSpace(step), ">")
			withdraw(who)
			for _, k := range keys {
				want := strings.Contains(kept, k)
				for _, x := range []*gateway{g.of(""), other} {
					if got := x.do("TYPE", k); (got == withheld) != want {
						t.Errorf("%s: without the consent of %s %s is of type %q", line, who, k, got)
					}
				}
				if listed := strings.Contains(g.do("KEYS", k), k); want && listed {
					t.Errorf("%s: without the consent of %s %s is listed", line, who, k)
				}
			}
			withdraw("")
		}
		n, err := g.x.Erase("A", func(_ []byte, about upstream.Subjects) bool { return about.Has([]byte("1")) }, func() {})
		if want := len(strings.Fields(strings.TrimPrefix(between(line, "1>"), "1>"))); n != want || err != nil {
			t.Errorf("%s: %d entries about 1 were erased, want %d: %v", line, n, want, err)
		}
		g.do("DEL", "a", "b", "c", "d")
		if records, data := o.keys(); len(records) != 0 || len(data) != 0 {
			t.Fatalf("%s: something is left", line)
		}
	}
	g.expectAlarm("")
}

// between is a text from its beginning in a line to the next semicolon.
func between(line, from string) string {
	text, _, _ := strings.Cut(line[strings.Index(line, from):], ";")
	return text
}

// Every way to read or to change an entry is closed, not only that of what it is.
func TestNothingIsServedOfWhoHasWithdrawn(t *testing.T) {
	t.Parallel()
	g, other, withdraw, _ := setUpConsents(t)
	g.of("1").do("SET", "s", "v")
	g.do("HSET", "h", "f", "v")
	g.do("RPUSH", "l", "v")
	g.do("SADD", "m", "v")
	g.of("").do("SET", "free", "v")
	withdraw("1")
	for _, call := range []string{"GET s", "MGET free s", "STRLEN s", "GETEX s EX 5", "DEL free s", "EXISTS s", "TTL s", "EXPIRE s 5", "APPEND s x", "COPY s free REPLACE",
		"RENAME s free", "HGET h f", "HMGET h f g", "HGETALL h", "HLEN h", "HSET h g v", "HDEL h f", "LRANGE l 0 -1", "LLEN l", "LPUSH l x", "LPOP l", "SISMEMBER m v", "SMEMBERS m",
		"SCARD m", "SADD m w", "SUNIONSTORE free m", "SET s w XX"} {
		for _, x := range []*gateway{g, other} {
			x.expect(withheld, strings.Fields(call)...)
		}
	}
	g.expect("$1\r\nv\r\n", "GET", "free")
	for _, x := range []*gateway{g, other} {
		replies, ran, problem := x.multi(nil, "GET s", "SET free w", "GET free")
		if !ran || problem != "" || fmt.Sprint(replies) != fmt.Sprint([]string{withheld, ok, "$1\r\nw\r\n"}) {
			t.Errorf("in a transaction: %q %v %s", replies, ran, problem)
		}
	}
	g.expect(ok, "SET", "s", "about nobody")
	g.expect("$12\r\nabout nobody\r\n", "GET", "s")
	withdraw("")
	other.expect("$1\r\nv\r\n", "HGET", "h", "f")
	g.expectAlarm("")
}

// Who consents again has no entry from before: what the upstream has kept counts as nothing, whether the name says whose it is or
// the value, until it has ended.
func TestNothingIsServedFromBeforeAWithdrawal(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	w := &withdrawals{}
	g.backend.Obey(w)
	g.of("1").do("SET", "s", "v")
	g.do("HSET", "h", "f", "v")
	g.do("RPUSH", "l", "v")
	g.do("SADD", "m", "v")
	g.do("ZADD", "z", "1", "v")
	g.do("XADD", "x", "1-1", "f", "v")
	g.of("")
	who := "1"
	f := func(what string) {
		t.Helper()
		for call, want := range map[string]string{"GET s": null, "MGET s": "*1\r\n" + null, "EXISTS s h l m z x": ":0\r\n", "TYPE h": "+none\r\n", "TTL l": ":-2\r\n",
			"HGET h f": null, "HGETALL h": "*0\r\n", "HLEN h": ":0\r\n", "LRANGE l 0 -1": "*0\r\n", "LLEN l": ":0\r\n", "SISMEMBER m v": ":0\r\n", "SMEMBERS m": "*0\r\n",
			"SCARD m": ":0\r\n", "ZRANGE z 0 -1": "*0\r\n", "ZSCORE z v": null, "XLEN x": ":0\r\n", "XRANGE x - +": "*0\r\n", "DUMP s": null, "COPY s t": ":0\r\n"} {
			if got := g.do(strings.Fields(call)...); got != want {
				t.Errorf("%s: %s: got %q, want %q", what, call, got, want)
			}
		}
		replies, ran, problem := g.multi(nil, "GET s", "HGETALL h", "LRANGE l 0 -1")
		if !ran || problem != "" || fmt.Sprint(replies) != fmt.Sprint([]string{null, "*0\r\n", "*0\r\n"}) {
			t.Errorf("%s: in a transaction: %q %v %s", what, replies, ran, problem)
		}
	}
	w.lately.Store(&who)
	f("by the value")
	g.expect("*0\r\n", "KEYS", "*")
	w.lately.Store(nil)
	g.expect("$1\r\nv\r\n", "HGET", "h", "f")
	g.place.Fenced = true
	f("by the name")
	g.place.Fenced = false
	w.lately.Store(&who)
	g.expect(":1\r\n", "HSET", "h", "g", "of another")
	g.expect("*2\r\n$1\r\ng\r\n$10\r\nof another\r\n", "HGETALL", "h")
	g.expect(":1\r\n", "RPUSH", "l", "of another")
	g.expect("*1\r\n$10\r\nof another\r\n", "LRANGE", "l", "0", "-1")
	w.lately.Store(nil)
	g.expect("*2\r\n$1\r\ng\r\n$10\r\nof another\r\n", "HGETALL", "h")
	g.expectAlarm("")
	if records, _ := o.keys(); len(records) != 6 {
		t.Errorf("%d entries are upstream", len(records))
	}
}

// In a transaction an entry is about whom its commands make it be.
func TestTransactionsSayWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	g, _, withdraw, _ := setUpConsents(t)
	g.of("1").do("SET", "old", "v")
	_, ran, problem := g.of("2").multi(nil, "SET old w", "HSET h f v", "COPY old copy")
	if !ran || problem != "" {
		t.Fatalf("ran %v %s", ran, problem)
	}
	g.of("")
	f := func(who, key string, want bool) {
		t.Helper()
		withdraw(who)
		if got := g.do("EXISTS", key); (got == withheld) != want {
			t.Errorf("without the consent of %s: EXISTS %s %q", who, key, got)
		}
	}
	f("1", "old", false)
	f("2", "old", true)
	f("2", "h", true)
	f("2", "copy", true)
	f("1", "copy", false)
}

// An entry about more patients than a record takes is refused, as it was.
func TestAnEntryIsNotAboutEverybody(t *testing.T) {
	t.Parallel()
	g, _, _, _ := setUpConsents(t)
	for i := range 20 {
		g.of(strings.Repeat("x", 999)+fmt.Sprint(i)).do("HSET", "h", fmt.Sprint(i), "v")
	}
	got := g.of("").do("HLEN", "h")
	if refused := g.of(strings.Repeat("y", 1000)).do("HSET", "h", "more", "v"); got != ":16\r\n" || !strings.HasPrefix(refused, "-CONSENT") {
		t.Errorf("HLEN %q, HSET %q", got, refused)
	}
	g.of("").expect(ok, "SET", "other", "v")
	g.of("1").do("RPUSH", "l", "v")
	if got := g.of(strings.Repeat("z", 17<<10)).do("RPUSH", "l", "v"); !strings.HasPrefix(got, "-CONSENT") {
		t.Errorf("RPUSH: %q", got)
	}
	g.of("").expect(":1\r\n", "LLEN", "l")
}
