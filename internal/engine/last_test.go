package engine

import (
	"fmt"
	"strings"
	"testing"
)

// TestFoundAgain shows that the entry that a shard has found last is never taken for another one: neither after it was erased,
// moved, replaced or expired, nor for the same name of another tenant.
func TestFoundAgain(t *testing.T) {
	t.Parallel()
	s := New(Options{OneShard: true})
	defer s.Close()
	tx := s.NewTx()
	now := int64(1000)
	m := Meta{BornAt: now, ExpiresAt: now + 1000}
	mine, theirs := s.Key(1, 0, []byte("name")), s.Key(2, 0, []byte("name"))
	f := func(name string, k *Key, want string) {
		t.Helper()
		for range 2 {
			e := tx.Peek(k)
			if got := string(e.String()); got != want || e.Exists() != (want != "") {
				t.Errorf("%s: %d bytes, want %d", name, len(got), len(want))
			}
		}
	}
	do := func(change func(keys []Key)) {
		keys := []Key{mine, theirs}
		tx.Begin(now, noSink{})
		tx.Lock(keys)
		defer tx.Unlock()
		change(keys)
	}
	do(func(k []Key) {
		f("nothing", &k[0], "")
		tx.SetString(&k[0], m, []byte("one"))
		f("written", &k[0], "one")
		f("another tenant's", &k[1], "")
		f("written", &k[0], "one")
		tx.SetString(&k[0], m, []byte(strings.Repeat("long", 500)))
		f("moved", &k[0], strings.Repeat("long", 500))
		tx.SetString(&k[1], m, []byte("two"))
		f("another tenant's", &k[1], "two")
		f("mine", &k[0], strings.Repeat("long", 500))
		tx.Delete(&k[0])
		f("erased", &k[0], "")
		f("another tenant's", &k[1], "two")
		tx.SetString(&k[0], m, []byte("new"))
		f("new", &k[0], "new")
	})
	do(func(k []Key) { // what is large is erased in slices, and is as it was until then
		tx.Delete(&k[0])
		set, err := tx.SetAt(&k[0])
		if err != nil {
			t.Fatal(err)
		}
		set.Create(m)
		for i := range 5000 {
			set.Add(fmt.Appendf(nil, "a member of some length %d", i))
		}
		if e := tx.Peek(&k[0]); e.Kind() != Set {
			t.Error("the set is not there")
		}
		tx.Delete(&k[0])
		f("a set, erased", &k[0], "")
		tx.SetString(&k[0], m, []byte("new"))
		f("new", &k[0], "new")
	})
	tx.Prefetch([]Key{mine})
	now += 2000
	do(func(k []Key) { f("expired", &k[0], "") })
	do(func(k []Key) {
		f("expired", &k[1], "")
		tx.SetString(&k[1], Meta{BornAt: now, ExpiresAt: now + 1000}, []byte("again"))
		f("again", &k[1], "again")
		f("expired", &k[0], "")
	})
	tx.Flush(2, func(Entry) {})
	do(func(k []Key) { f("flushed", &k[1], "") })
}
