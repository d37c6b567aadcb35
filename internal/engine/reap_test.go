package engine

import (
	"fmt"
	"testing"
)

// What is too large to be erased at once is erased in slices, until nothing is left of it: whoever looks when there is something to do,
// and no longer, has all of it gone, though nothing else happens in its shard.
func TestLargeEntriesAreErasedToTheEnd(t *testing.T) {
	t.Parallel()
	const mark, parts = "CANARY", 5000
	kinds := map[string]func(tx *Tx, k *Key, m Meta){
		"set": func(tx *Tx, k *Key, m Meta) {
			s, _ := tx.SetAt(k)
			s.Create(m)
			for i := range parts {
				s.Add(fmt.Append(nil, mark, i))
			}
		},
		"hash": func(tx *Tx, k *Key, m Meta) {
			h, _ := tx.HashAt(k)
			h.Create(m)
			for i := range parts {
				h.Set(fmt.Append(nil, mark, i), []byte(mark))
			}
		},
		"list": func(tx *Tx, k *Key, m Meta) {
			l, _ := tx.ListAt(k)
			l.Create(m)
			for range parts * 20 {
				l.Push(false, []byte(mark+mark+mark+mark+mark+mark+mark+mark))
			}
		},
		"stream": func(tx *Tx, k *Key, m Meta) {
			s, _ := tx.StreamAt(k)
			s.Create(m)
			for i := range parts * 10 {
				s.Add(StreamID{1, uint64(i + 1)}, [][]byte{[]byte(mark), fmt.Append(nil, i)})
			}
		},
	}
	ends := map[string]func(l *lab){
		"expired": func(l *lab) { l.now += 5000 },
		"deleted": func(l *lab) { l.do(func(tx *Tx, keys []Key) { tx.Delete(&keys[0]) }, mark) },
	}
	for kind, fill := range kinds {
		for how, end := range ends {
			t.Run(kind+" "+how, func(t *testing.T) {
				t.Parallel()
				l := newLab()
				defer l.store.Close()
				l.do(func(tx *Tx, keys []Key) { fill(tx, &keys[0], l.meta(1000)) }, mark)
				end(l)
				slices := 0
				for shard := range l.store.Shards() {
					for l.store.Due(shard, l.now) {
						l.store.Reap(shard, l.now, l)
						slices++
					}
				}
				if slices < 3 {
					t.Errorf("it was erased in %d slices: it is not large", slices)
				}
				for shard := range l.store.shards {
					if used := l.store.shards[shard].arena.used; used != 0 {
						t.Fatalf("%d bytes are left when there is nothing to do", used)
					}
				}
				l.checkEmpty(t, mark)
			})
		}
	}
}

// A reaper that rests is told of what is due before it looks again, and of nothing else.
func TestWhoRestsIsStirred(t *testing.T) {
	t.Parallel()
	l := newLab()
	defer l.store.Close()
	for shard := range l.store.Shards() {
		l.store.Reap(shard, l.now, l)
	}
	stirred := func() bool {
		select {
		case <-l.store.Stirred():
			return true
		default:
			return false
		}
	}
	set := func(name string, ttl int64) {
		l.do(func(tx *Tx, keys []Key) { tx.SetString(&keys[0], l.meta(ttl), []byte("v")) }, name)
	}
	const rest = 400
	if got := l.store.Rest(l.now + rest); got != l.now+rest {
		t.Errorf("without entries it may rest for %d ms, want %d", got-l.now, rest)
	}
	set("later", 100_000)
	if stirred() {
		t.Error("what is due later stirs")
	}
	set("sooner", 200)
	if !stirred() {
		t.Error("what is due earlier does not stir")
	}
	set("soonest", 100)
	if stirred() {
		t.Error("who does not rest any more is stirred")
	}
	if got := l.store.Rest(l.now + rest); got < l.now+100 || got > l.now+104 {
		t.Errorf("it may rest for %d ms, want 100", got-l.now)
	}
	set("afterwards", 150)
	l.store.Rest(0)
	set("now", 1)
	if stirred() {
		t.Error("who does not rest is stirred")
	}
	l.now += 1000
	for shard := range l.store.Shards() {
		for l.store.Due(shard, l.now) {
			l.store.Reap(shard, l.now, l)
		}
	}
	l.do(func(tx *Tx, keys []Key) {
		s, _ := tx.SetAt(&keys[0])
		s.Create(l.meta(100_000))
		for i := range 5000 {
			s.Add(fmt.Append(nil, "member", i))
		}
	}, "large")
	l.store.Rest(l.now + rest)
	l.do(func(tx *Tx, keys []Key) { tx.Delete(&keys[0]) }, "large")
	if !stirred() {
		t.Error("a large entry that waits to be erased does not stir")
	}
}
