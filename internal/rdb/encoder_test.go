package rdb_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/rdb"
)

func walked(t *testing.T, payload []byte) string {
	t.Helper()
	value, err := rdb.Open(payload)
	if err != nil {
		t.Fatal(err)
	}
	var l listing
	if err := rdb.Walk(value, &l); err != nil {
		t.Fatal(err)
	}
	return l.String()
}

func TestWritesAsRedis(t *testing.T) {
	t.Parallel()
	f := func(name string, write func(e *rdb.Encoder)) {
		t.Helper()
		e := rdb.NewEncoder(0)
		write(e)
		if got := hex.EncodeToString(e.Payload()); got != golden[name].payload {
			t.Errorf("%s: %s, want %s", name, got, golden[name].payload)
		}
	}
	text := func(s string) func(e *rdb.Encoder) {
		return func(e *rdb.Encoder) {
			e.Begin(rdb.String, 1)
			e.Element([]byte(s))
		}
	}
	f("string", text("hello"))
	f("8 bits", text("-7"))
	f("16 bits", text("1000"))
	f("32 bits", text("-100000"))
	f("digits", text("12345678901"))
	f("set", func(e *rdb.Encoder) {
		e.Begin(rdb.Set, 2)
		e.Element([]byte("a"))
		e.Element([]byte("b"))
	})
	f("sorted set", func(e *rdb.Encoder) {
		e.Begin(rdb.SortedSet, 4)
		e.Member([]byte("c"), math.Inf(1))
		e.Member([]byte("b"), 2.5)
		e.Member([]byte("a"), 1)
		e.Member([]byte("d"), math.Inf(-1))
	})
}

// Texts that look like integers come back as they were.
func TestIntegersKeepTheirText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "-", "0", "-0", "00", "01", "-1", "-01", "+1", " 1", "1 ", "1a", "127", "128", "-128", "-129",
		"32767", "32768", "-32768", "-32769", "2147483647", "2147483648", "-2147483648", "-2147483649", "99999999999", "9223372036854775808"} {
		e := rdb.NewEncoder(0)
		e.Begin(rdb.String, 1)
		e.Element([]byte(s))
		if got := walked(t, e.Payload()); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		if r.IntN(3) == 0 {
			return strconv.AppendInt(nil, int64(r.Uint64())>>r.IntN(64), 10)
		}
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	for range 300 {
		n := 1 + r.IntN(200)
		var want listing
		e := rdb.NewEncoder(r.IntN(64))
		switch kind := rdb.Kind(1 + r.IntN(6)); kind {
		case rdb.String:
			e.Begin(kind, 1)
			s := text()
			e.Element(s)
			want.Element(s)
		case rdb.List, rdb.Set:
			e.Begin(kind, n)
			for range n {
				s := text()
				e.Element(s)
				want.Element(s)
			}
		case rdb.SortedSet:
			e.Begin(kind, n)
			for range n {
				s, score := text(), r.NormFloat64()
				e.Member(s, score)
				want.Member(s, score)
			}
		case rdb.Hash:
			e.Begin(kind, n)
			for range n {
				s, v := text(), text()
				e.Field(s, v)
				want.Field(s, v, 0)
			}
		default:
			const first = 1_700_000_000_000
			e.BeginTimed(n, first)
			for range n {
				s, v, at := text(), text(), int64(0)
				if r.IntN(2) == 0 {
					at = first + r.Int64N(1<<40)
				}
				e.TimedField(s, v, at)
				want.Field(s, v, at)
			}
		}
		if got := walked(t, e.Payload()); got != want.String() {
			t.Fatalf("%d parts came back otherwise", n)
		}
	}
}

func TestLengths(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 63, 64, 16383, 16384, 100_000} {
		e := rdb.NewEncoder(0)
		e.Begin(rdb.String, 1)
		e.Element(bytes.Repeat([]byte("x"), n))
		if got := walked(t, e.Payload()); len(got) != n {
			t.Errorf("%d bytes came back as %d", n, len(got))
		}
	}
}

// A hash with deadlines says so by its version: a Redis that does not know them refuses it instead of forgetting them.
func TestTimedHashNeedsRedis74(t *testing.T) {
	t.Parallel()
	e := rdb.NewEncoder(0)
	e.BeginTimed(2, 1000)
	e.TimedField([]byte("f"), []byte("v"), 1000)
	e.TimedField([]byte("g"), []byte("w"), 0)
	const want = "18" + "e803000000000000" + "02" + "01" + "0166" + "0176" + "00" + "0167" + "0177" + "0c00"
	p := e.Payload()
	if got := hex.EncodeToString(p); !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s and a checksum", got, want)
	}
	if got := walked(t, p); got != "f=v@1000 g=w" {
		t.Error(got)
	}
}

func TestClear(t *testing.T) {
	t.Parallel()
	e := rdb.NewEncoder(64)
	e.Begin(rdb.String, 1)
	e.Element([]byte("secret"))
	p := e.Payload()
	e.Clear()
	if bytes.Contains(p, []byte("secret")) {
		t.Error("the payload is still there")
	}
}

func ExampleWalk() {
	e := rdb.NewEncoder(0)
	e.Begin(rdb.Hash, 1)
	e.Field([]byte("f"), []byte("v"))
	value, _ := rdb.Open(e.Payload())
	var l listing
	fmt.Println(rdb.Walk(value, &l), l.String())
	// Output: <nil> f=v
}
