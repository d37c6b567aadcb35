package engine

import (
	"fmt"
	"testing"
)

// TestStreamIsErasedInSlices: a stream of many blocks, groups and pending entries goes a bounded number at a time.
func TestStreamIsErasedInSlices(t *testing.T) {
	l := newLab()
	l.do(func(tx *Tx, keys []Key) {
		s, _ := tx.StreamAt(&keys[0])
		s.Create(l.meta(1000))
		fillStream(&s, 100_000)
		for i := range 5 {
			s.CreateGroup(fmt.Append(nil, i), StreamID{}, 0)
			g, _ := s.Group(fmt.Append(nil, i))
			for j := range 50 {
				c, _ := g.CreateConsumer(fmt.Append(nil, "consumer ", j), 1)
				for n := range uint64(200) {
					c.Deliver(StreamID{n*50 + uint64(j), 0}, 1, 1)
				}
			}
		}
	}, "a key with a mark in it")
	l.now += 1000
	sh := 0
	for i := range l.store.shards {
		if l.store.shards[i].arena.used > 0 {
			sh = i
		}
	}
	before := l.store.Total().Bytes
	l.store.Reap(sh, l.now, l) // unlinks it
	slices := 1
	for more := true; more; slices++ {
		more = l.store.Reap(sh, l.now, l).More
	}
	if slices < 4 {
		t.Errorf("%d bytes were erased in %d slices", before, slices)
	}
	l.checkEmpty(t, "dev-")
	l.store.Close()
}

// TestStreamChargesItsOwner: what streams take is on their tenants' accounts, whichever stream a command changes last.
func TestStreamChargesItsOwner(t *testing.T) {
	store := New(Options{Categories: 1})
	tx := store.NewTx()
	tx.Begin(1, noSink{})
	keys := []Key{store.Key(0, 0, []byte("s")), store.Key(1, 0, []byte("s"))}
	tx.Lock(keys)
	var groups [2]StreamGroup
	for i := range keys {
		s, _ := tx.StreamAt(&keys[i])
		s.Create(testMeta)
		fillStream(&s, 10)
		s.CreateGroup([]byte("g"), StreamID{}, 0)
		groups[i], _ = s.Group([]byte("g"))
	}
	for n := range uint64(1000) {
		for i, g := range groups {
			c, ok := g.Consumer([]byte("c"))
			if !ok {
				c, _ = g.CreateConsumer([]byte("c"), 1)
			}
			if i == 0 || n < 10 {
				c.Deliver(StreamID{n, 0}, 1, 1)
			}
		}
	}
	tx.Unlock()
	if large, small := store.Usage(0).Bytes, store.Usage(1).Bytes; large < 40_000 || small > 5_000 {
		t.Errorf("the accounts say %d and %d bytes", large, small)
	}
	store.Close()
}
