package upstream_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/upstream"
)

func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	a, o := setUp(t)
	b := &gateway{side: newSide(t, "phi"), sink: a.sink}
	b.clock, b.x = a.clock, a.backend.NewExecutor(5)
	b.place.Tenant, b.tenant = "B", 1
	t.Cleanup(b.x.Close)
	long := strings.Repeat("n", 5000)
	for i := range 30 {
		a.do("SET", fmt.Sprintf("a-%d", i), "v")
	}
	a.do("HSET", long, "f", "v")
	b.do("SET", "a-1", "of b")
	b.do("SET", "b-1", "of b")
	a.expect("$1\r\nv\r\n", "GET", "a-1")
	a.expect(":31\r\n", "DBSIZE")
	b.expect(":2\r\n", "DBSIZE")
	if got := b.do("KEYS", "*"); sorted(got) != sorted("*2\r\n$3\r\na-1\r\n$3\r\nb-1\r\n") {
		t.Errorf("KEYS of B: %q", got)
	}
	if got := a.do("KEYS", "nnn*"); got != "*1\r\n$5000\r\n"+long+"\r\n" {
		t.Errorf("a long name: %d bytes", len(got))
	}
	for range 20 {
		if got := b.do("RANDOMKEY"); got != "$3\r\na-1\r\n" && got != "$3\r\nb-1\r\n" {
			t.Errorf("RANDOMKEY of B: %q", got)
		}
	}
	n, err := a.x.Erase("A", func(name []byte, _ upstream.Subjects) bool { return bytes.HasPrefix(name, []byte("a-1")) }, func() {})
	if n != 11 || err != nil {
		t.Errorf("%d entries were erased: %v", n, err)
	}
	a.expect(null, "GET", "a-15")
	a.expect("$1\r\nv\r\n", "GET", "a-2")
	b.expect("$4\r\nof b\r\n", "GET", "a-1")
	names := 0
	n, err = a.x.Flush("A", func([]byte) { names++ })
	if n != 20 || names != 20 || err != nil {
		t.Errorf("%d entries were flushed, %d told of: %v", n, names, err)
	}
	b.expect(":2\r\n", "DBSIZE")
	records, data := o.keys()
	if len(records) != 2 || len(data) != 0 {
		t.Errorf("%d records and %d collections are left", len(records), len(data))
	}
	a.expectAlarm("")
}

// What was erased with its tenant does not expire once more.
func TestErasedEntriesDoNotExpire(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	g.do("SET", "erased", "v", "PX", "3000")
	g.do("SET", "ends", "v", "PX", "3000")
	if n, err := g.x.Erase("A", func(name []byte, _ upstream.Subjects) bool { return string(name) == "erased" }, func() {}); n != 1 || err != nil {
		t.Fatalf("%d erased: %v", n, err)
	}
	g.runQueue(t)
	eventually(t, "the other entry expires", func() bool { return g.sink.hasExpired("A phi ends") })
	if g.sink.hasExpired("A phi erased") {
		t.Error("an erased entry expired")
	}
}

var _ upstream.Sink = (*sink)(nil)
