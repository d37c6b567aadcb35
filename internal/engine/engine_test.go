package engine

import (
	"bytes"
	"container/list"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// told is a sink that remembers what it was told.
type told struct {
	removed []string
	commits int
}

func (t *told) Removed(r Removal) { t.removed = append(t.removed, fmt.Sprint(string(r.Key), r.Reason)) }
func (t *told) Commit()           { t.commits++ }

// contains reports whether any memory of the store holds b.
func (s *Store) contains(b []byte) bool {
	for i := range s.shards {
		a := s.shards[i].arena
		for number, c := range a.chunks {
			if c != nil && bytes.Contains(a.bytes(ref(number<<chunkShift), chunkBytes), b) {
				return true
			}
		}
		for r, length := range a.huge {
			if bytes.Contains(a.bytes(r, length), b) {
				return true
			}
		}
	}
	return false
}

// TestErasure shows that no byte of a key or value is left in the store after it was replaced, deleted, flushed, evicted
// or expired, for small, large and huge values.
func TestErasure(t *testing.T) {
	for _, size := range []int{40, 3000, 100_000, 5 << 20} {
		s := New(Options{Categories: 1})
		tx := s.NewTx()
		sink := &told{}
		now := int64(1000)
		mark := []byte("the marked text of a value")
		value := bytes.Repeat(append(mark, ' '), size/len(mark)+1)
		set := func(name string, v []byte) {
			k := []Key{s.Key(0, 0, []byte(name))}
			tx.Begin(now, sink)
			tx.Lock(k)
			tx.SetString(&k[0], Meta{BornAt: now, ExpiresAt: now + 5000}, v)
			tx.Unlock()
		}
		gone := func(how string) {
			t.Helper()
			if s.contains(mark) || s.contains([]byte("patient")) && how != "replaced" {
				t.Errorf("%d bytes: something is left after it was %s", size, how)
			}
		}
		set("patient:1", value)
		if !s.contains(mark) {
			t.Fatal("the test sees nothing")
		}
		set("patient:1", []byte("x"))
		gone("replaced")
		k := []Key{s.Key(0, 0, []byte("patient:1"))}
		tx.Lock(k)
		tx.Delete(&k[0])
		tx.Unlock()
		gone("deleted")
		set("patient:1", value)
		tx.Flush(0, func(Entry) {})
		gone("flushed")
		set("patient:1", value)
		tx.evictUntil(0, func() bool { return s.Usage(0).Entries == 0 })
		gone("evicted")
		set("patient:1", value)
		now += 5000
		for i := range s.Shards() {
			for s.Reap(i, now, sink).More {
			}
		}
		gone("expired")
		if sink.commits == 0 || len(sink.removed) != 2 {
			t.Errorf("the sink was told %d removals in %d groups", len(sink.removed), sink.commits)
		}
		if u := s.Total(); u.Bytes != 0 || u.Entries != 0 {
			t.Errorf("%d bytes of %d entries are still booked", u.Bytes, u.Entries)
		}
		s.Close()
	}
}

// TestDeadlineIsExact shows that an entry is readable until the millisecond before its deadline and not at it, though
// nobody has erased it.
func TestDeadlineIsExact(t *testing.T) {
	s := New(Options{Categories: 1})
	tx := s.NewTx()
	k := []Key{s.Key(0, 0, []byte("k"))}
	tx.Begin(1000, &told{})
	tx.Lock(k)
	tx.SetString(&k[0], Meta{BornAt: 1000, ExpiresAt: 1500}, []byte("v"))
	tx.Unlock()
	for _, at := range []struct {
		now  int64
		want bool
	}{{1499, true}, {1500, false}} {
		tx.Begin(at.now, &told{})
		tx.Lock(k)
		if got := tx.Get(&k[0]).Exists(); got != at.want {
			t.Errorf("at %d: readable %v", at.now, got)
		}
		tx.Unlock()
	}
}

// TestTenantsAreApart shows that nothing that one tenant can ask for shows another's entries.
func TestTenantsAreApart(t *testing.T) {
	s := New(Options{Categories: 1})
	tx := s.NewTx()
	tx.Begin(1, &told{})
	for tenant := range TenantID(2) {
		for i := range 100 {
			k := []Key{s.Key(tenant, 0, fmt.Appendf(nil, "%d:%d", tenant, i))}
			tx.Lock(k)
			tx.SetString(&k[0], Meta{ExpiresAt: 1000}, []byte("v"))
			tx.Unlock()
		}
	}
	foreign := func(e Entry) {
		if e.Key()[0] != '1' {
			t.Errorf("tenant 1 sees %q", e.Key())
		}
	}
	seen := 0
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		cursor = tx.Scan(1, cursor, 7, func(e Entry) { foreign(e); seen++ })
	}
	tx.Each(1, func(e Entry) bool { foreign(e); return true })
	for range 50 {
		tx.Random(1, foreign)
	}
	tx.Flush(1, foreign)
	if seen != 100 || s.Usage(0).Entries != 100 || s.Usage(1).Entries != 0 {
		t.Errorf("seen %d; entries left: %d and %d", seen, s.Usage(0).Entries, s.Usage(1).Entries)
	}
}

// TestQuota shows that a tenant that is full evicts its own entries only, and that what cannot fit is refused.
func TestQuota(t *testing.T) {
	s := New(Options{Categories: 1, TenantQuota: 1 << 20})
	tx := s.NewTx()
	sink := &told{}
	tx.Begin(1, sink)
	write := func(tenant TenantID, i int, pinned bool) error {
		value := make([]byte, 1000)
		if err := tx.MakeRoom(tenant, int64(len(value))); err != nil {
			return err
		}
		k := []Key{s.Key(tenant, 0, fmt.Appendf(nil, "%d", i))}
		tx.Lock(k)
		tx.SetString(&k[0], Meta{ExpiresAt: 1000, Pinned: pinned}, value)
		tx.Unlock()
		return nil
	}
	for i := range 500 {
		if err := write(0, i, false); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3000 {
		if err := write(1, i, false); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Usage(0).Entries; n != 500 {
		t.Errorf("the other tenant has %d of 500 entries left", n)
	}
	if u := s.Usage(1); u.Bytes > 1<<20+4096 || u.Evictions == 0 || int(u.Evictions) != len(sink.removed) {
		t.Errorf("%d bytes, %d evictions, %d told", u.Bytes, u.Evictions, len(sink.removed))
	}
	var err error
	for i := 0; err == nil && i < 3000; i++ {
		err = write(2, i, true)
	}
	if !errors.Is(err, ErrQuota) {
		t.Errorf("a tenant whose entries may not be evicted got %v", err)
	}
	if err := tx.MakeRoom(1, 2<<20); !errors.Is(err, ErrQuota) || s.Usage(1).Entries == 0 {
		t.Errorf("a value larger than the quota got %v and cost %d entries", err, s.Usage(1).Evictions)
	}
}

// A few large entries lie in a few shards only: the others' having nothing to give is no reason to refuse a write.
func TestRoomAmongFewLargeEntries(t *testing.T) {
	const size, limit = 300 << 10, 1 << 20
	s := New(Options{Categories: 1, MaxMemory: limit})
	tx := s.NewTx()
	tx.Begin(1, &told{})
	for i := range 200 {
		if err := tx.MakeRoom(0, size); err != nil {
			t.Fatalf("write %d with %d bytes in use: %v", i, s.Usage(0).Bytes, err)
		}
		k := []Key{s.Key(0, 0, fmt.Appendf(nil, "%d", i))}
		tx.Lock(k)
		tx.SetString(&k[0], Meta{ExpiresAt: 1000}, make([]byte, size))
		tx.Unlock()
	}
	if err := tx.MakeRoom(0, 2*limit); !errors.Is(err, ErrNoMemory) {
		t.Errorf("a value larger than the limit got %v", err)
	}
}

// TestEvictionKeepsWhatIsRead runs a skewed load with a scan in the middle through a small store: the hit ratio must beat
// a plain LRU of the same size, which is what S3-FIFO is for.
func TestEvictionKeepsWhatIsRead(t *testing.T) {
	const capacity, keys, requests = 1000, 10000, 200000
	s := New(Options{Categories: 1, TenantQuota: capacity * 120})
	tx := s.NewTx()
	sink := &told{}
	tx.Begin(1, sink)
	rng := rand.New(rand.NewPCG(9, 9))
	zipf := rand.NewZipf(rng, 1.1, 8, keys-1)
	lru := newLRU(capacity)
	hits, lruHits := 0, 0
	get := func(name string) bool {
		k := []Key{s.Key(0, 0, []byte(name))}
		tx.Lock(k)
		hit := tx.Get(&k[0]).Exists()
		tx.Unlock()
		if !hit {
			if err := tx.MakeRoom(0, 32); err != nil {
				t.Fatal(err)
			}
			tx.Lock(k)
			tx.SetString(&k[0], Meta{ExpiresAt: 1000}, make([]byte, 32))
			tx.Unlock()
		}
		return hit
	}
	for i := range requests {
		name := fmt.Sprintf("key:%d", zipf.Uint64())
		if i%4 == 0 {
			name = fmt.Sprintf("scan:%d", i) // read once, never again
		}
		if get(name) {
			hits++
		}
		if lru.get(name) {
			lruHits++
		}
	}
	entries := s.Usage(0).Entries
	t.Logf("hit ratio %.3f with %d entries; LRU %.3f with %d", float64(hits)/requests, entries, float64(lruHits)/requests, capacity)
	if entries > capacity*11/10 || hits <= lruHits {
		t.Errorf("%d hits with %d entries, LRU has %d with %d", hits, entries, lruHits, capacity)
	}
}

// lru is the yardstick: the keys of a cache that forgets what was read longest ago.
type lru struct {
	order *list.List // most recent first
	at    map[string]*list.Element
	limit int
}

func newLRU(limit int) *lru { return &lru{list.New(), map[string]*list.Element{}, limit} }

// get reports a hit, and puts the key into the cache if there was none.
func (l *lru) get(name string) bool {
	if e, ok := l.at[name]; ok {
		l.order.MoveToFront(e)
		return true
	}
	l.at[name] = l.order.PushFront(name)
	if l.order.Len() > l.limit {
		delete(l.at, l.order.Remove(l.order.Back()).(string))
	}
	return false
}

// A store of one shard has all its entries in the first, where they are found and erased.
func TestOneShard(t *testing.T) {
	s := New(Options{Categories: 1, OneShard: true})
	defer s.Close()
	tx := s.NewTx()
	sink := &told{}
	for i := range 100 {
		k := []Key{s.Key(0, 0, fmt.Append(nil, i))}
		tx.Begin(1000, sink)
		tx.Lock(k)
		tx.SetString(&k[0], Meta{BornAt: 1000, ExpiresAt: 2000}, []byte("v"))
		if got := tx.Peek(&k[0]); !got.Exists() {
			t.Errorf("entry %d is not found", i)
		}
		tx.Unlock()
	}
	for s.Reap(0, 3000, sink).More {
	}
	if len(sink.removed) != 100 {
		t.Errorf("%d of 100 entries were in the first shard", len(sink.removed))
	}
}

// Due is true whenever an entry's deadline has passed, and false where a look would be for nothing.
func TestDue(t *testing.T) {
	s := New(Options{Categories: 1, OneShard: true})
	defer s.Close()
	tx := s.NewTx()
	sink := &told{}
	now := int64(123_456_789)
	set := func(name string, expires int64) {
		k := []Key{s.Key(0, 0, []byte(name))}
		tx.Begin(now, sink)
		tx.Lock(k)
		tx.SetString(&k[0], Meta{BornAt: now, ExpiresAt: expires}, []byte("v"))
		tx.Unlock()
	}
	looks := 0
	look := func() {
		for s.Due(0, now) {
			looks++
			if !s.Reap(0, now, sink).More {
				break
			}
		}
	}
	look()
	if s.Due(0, now+1e6) {
		t.Error("there is something to do in an empty store")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	left := map[string]int64{}
	for i := range 2000 {
		name := fmt.Sprint(i)
		left[name] = now + 1 + rng.Int64N([]int64{20, 2000, 400_000}[rng.IntN(3)])
		set(name, left[name])
		now += rng.Int64N(50)
		sink.removed = sink.removed[:0]
		look()
		for _, r := range sink.removed {
			delete(left, r[:len(r)-1])
		}
		for name, at := range left {
			if now-at >= 1<<tickShift {
				t.Fatalf("an entry is there %d ms after its deadline: %s", now-at, name)
			}
		}
	}
	set("last", now+10_000)
	look()
	before := looks
	for range 100 {
		now++
		look()
	}
	if looks-before > 50 {
		t.Errorf("%d looks in 100 ms in which little ended", looks-before)
	}
}
