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
