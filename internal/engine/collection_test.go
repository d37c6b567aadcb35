package engine

import (
	"bytes"
	"testing"
	"unsafe"
)

// lab is a store with one Tx and a clock that a test moves, for keys of tenant 0.
type lab struct {
	store      *Store
	tx         *Tx
	now        int64
	fieldsTold int // groups of fields that expired while their hash lived on
	removed    []Removal
}

func newLab() *lab {
	s := New(Options{Categories: 1})
	return &lab{store: s, tx: s.NewTx(), now: 1000}
}

func (l *lab) Removed(r Removal) {
	if r.Reason == FieldsExpired {
		l.fieldsTold++
		return
	}
	r.Key = bytes.Clone(r.Key)
	l.removed = append(l.removed, r)
}

func (l *lab) Commit() {}

// do runs f with the keys locked.
func (l *lab) do(f func(tx *Tx, keys []Key), names ...string) {
	keys := make([]Key, len(names))
	for i, name := range names {
		keys[i] = l.store.Key(0, 0, []byte(name))
	}
	l.tx.Begin(l.now, l)
	l.tx.Lock(keys)
	defer l.tx.Unlock()
	f(l.tx, keys)
}

func (l *lab) meta(ttl int64) Meta { return Meta{BornAt: l.now, ExpiresAt: l.now + ttl} }

// reap lets the wheels of all shards do what is due.
func (l *lab) reap() {
	for i := range l.store.Shards() {
		for l.store.Reap(i, l.now, l).More {
		}
	}
}

// fatal is the part of testing.TB and of rapid.T that checks need.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkEmpty fails unless the store holds nothing, and no copy of a text that the test stored.
func (l *lab) checkEmpty(t fatal, mark string) {
	t.Helper()
	l.reap()
	for i := range l.store.shards {
		sh := &l.store.shards[i]
		if sh.arena.used != 0 {
			t.Fatalf("shard %d still uses %d bytes", i, sh.arena.used)
		}
		if sh.wheel.armed != 0 {
			t.Fatalf("shard %d still has %d entries in its wheel", i, sh.wheel.armed)
		}
		for n, c := range sh.arena.chunks {
			if c == nil {
				continue
			}
			if memory := unsafe.Slice((*byte)(sh.arena.bases[n]), chunkBytes); bytes.Contains(memory, []byte(mark)) {
				t.Fatalf("shard %d still holds a copy of what was stored", i)
			}
		}
	}
	if total := l.store.Total(); total.Bytes != 0 || total.Entries != 0 {
		t.Fatalf("the accounts still say %+v", total)
	}
}

func TestTableMerge(t *testing.T) {
	a := newArena()
	var tab table
	tag := func(i int) uint32 { return uint32(i) * 2654435761 }
	const n = 100_000
	for i := range n {
		tab.insert(a, tag(i), ref(i+1))
	}
	full := a.used
	for i := 100; i < n; i++ {
		tab.remove(a, tag(i), ref(i+1))
		tab.merge(a, tag(i))
	}
	if a.used*100 > full {
		t.Errorf("100 blocks of once %d leave %d bytes of %d", n, a.used, full)
	}
	seen := 0
	tab.each(a, func(_ uint32, r ref) bool { seen++; return r <= 100 })
	if seen != 100 {
		t.Errorf("%d blocks are left, want 100", seen)
	}
	for i := range 100 {
		p := tab.probe(a, tag(i))
		found := false
		for p.next() {
			found = found || p.found == ref(i+1)
		}
		if !found {
			t.Fatalf("block %d is not found", i+1)
		}
		tab.remove(a, tag(i), ref(i+1))
		tab.merge(a, tag(i))
	}
	if a.used != 0 {
		t.Errorf("%d bytes left by an empty table", a.used)
	}
}
