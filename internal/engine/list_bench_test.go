package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestCollectionMemory holds lists and sorted sets to what redis-server 7.0.15 takes for the same, used_memory divided by
// the number of keys, each with a time to live.
func TestCollectionMemory(t *testing.T) {
	f := func(elements int, format string, list, zset float64) {
		t.Helper()
		const keys = 2000
		for _, kind := range []Kind{List, ZSet} {
			s := New(Options{})
			for i := range keys {
				inTx(s, fmt.Sprintf("key:%d", i), func(tx *Tx, k *Key) {
					if kind == List {
						l, _ := tx.ListAt(k)
						l.Create(testMeta)
						for j := range elements {
							l.Push(false, fmt.Appendf(nil, format, j))
						}
						return
					}
					z, _ := tx.ZSetAt(k)
					z.Create(testMeta)
					for j := range elements {
						z.Add(fmt.Appendf(nil, format, j), float64(j*7))
					}
				})
			}
			limit := list
			if kind == ZSet {
				limit = zset
			}
			if got := float64(s.Total().Bytes) / keys; got > limit {
				t.Errorf("%v of %d elements %q takes %.0f bytes, redis-server %.0f", kind, elements, format, got, limit)
			} else {
				t.Logf("%v of %d elements %q takes %.0f bytes, redis-server %.0f", kind, elements, format, got, limit)
			}
			s.Close()
		}
	}
	f(10, "element:%d", 349, 282)
	f(100, "element:%d", 1498, 1658)
	f(10, "%d", 257, 177)
	f(100, "1%05d", 730, 1018)
}

// TestListMemory holds a list of many elements to the 15.1 bytes an element that redis-server 7.0.15 takes.
func TestListMemory(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	inTx(s, "l", func(tx *Tx, k *Key) {
		l, _ := tx.ListAt(k)
		l.Create(testMeta)
		for i := range 100000 {
			l.Push(false, fmt.Appendf(nil, "element:%d", i))
		}
	})
	if perElement := float64(s.Total().Bytes) / 100000; perElement > 15.1 {
		t.Fatalf("%.1f bytes an element", perElement)
	}
}

func BenchmarkList(b *testing.B) {
	element := bytes.Repeat([]byte("x"), 64)
	b.Run("push and pop", func(b *testing.B) {
		s := New(Options{})
		defer s.Close()
		inTx(s, "l", func(tx *Tx, k *Key) {
			l, _ := tx.ListAt(k)
			l.Create(testMeta)
			for range 1000 {
				l.Push(false, element)
			}
			b.ReportAllocs()
			for b.Loop() {
				l.Push(true, element)
				l.Drop(false, 1)
			}
		})
	})
	b.Run("push", func(b *testing.B) {
		s := New(Options{})
		defer s.Close()
		inTx(s, "l", func(tx *Tx, k *Key) {
			l, _ := tx.ListAt(k)
			l.Create(testMeta)
			b.ReportAllocs()
			for b.Loop() {
				l.Push(false, element)
			}
		})
	})
	b.Run("index of 1000000", func(b *testing.B) {
		s := New(Options{})
		defer s.Close()
		inTx(s, "l", func(tx *Tx, k *Key) {
			l, _ := tx.ListAt(k)
			l.Create(testMeta)
			for range 1000000 {
				l.Push(false, element)
			}
			rng := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				it := l.Iter(rng.IntN(1000000), false)
				if !it.Next() || len(it.Element()) != 64 {
					b.Fatal("not there")
				}
			}
		})
	})
}
