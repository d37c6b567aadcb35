package engine

import (
	"fmt"
	"testing"
)

// fillStream adds entries of three small fields, some milliseconds apart.
func fillStream(s *StreamValue, n int) {
	var buf [3][]byte
	for i := range n {
		buf[0] = fmt.Appendf(buf[0][:0], "dev-%d", i%1000)
		buf[1] = fmt.Appendf(buf[1][:0], "%.1f", 20+float64(i*7919%100)/10)
		buf[2] = fmt.Appendf(buf[2][:0], "%d", 60+i%60)
		last := s.Info().Last
		s.Add(StreamID{max(last.Ms, 1_700_000_000_000) + 1 + uint64(i*7919%20), 0},
			[][]byte{[]byte("device"), buf[0], []byte("temp"), buf[1], []byte("pulse"), buf[2]})
	}
}

// TestStreamMemory holds a stream of many entries of three small fields to the 30.9 bytes an entry that redis-server
// 7.0.15 takes.
func TestStreamMemory(t *testing.T) {
	store := New(Options{})
	defer store.Close()
	const n = 100_000
	inTx(store, "s", func(tx *Tx, k *Key) {
		s, _ := tx.StreamAt(k)
		s.Create(testMeta)
		fillStream(&s, n)
	})
	got := float64(store.Total().Bytes) / n
	t.Logf("%.1f bytes an entry", got)
	if got > 22 {
		t.Errorf("%.1f bytes an entry", got)
	}
}

// TestPendingMemory holds entries that wait for being acknowledged to the 148 bytes each that redis-server 7.0.15 takes.
func TestPendingMemory(t *testing.T) {
	store := New(Options{})
	defer store.Close()
	const n = 100_000
	inTx(store, "s", func(tx *Tx, k *Key) {
		s, _ := tx.StreamAt(k)
		s.Create(testMeta)
		s.CreateGroup([]byte("g"), StreamID{}, 0)
		g, _ := s.Group([]byte("g"))
		c, _ := g.CreateConsumer([]byte("c"), 1)
		for i := range uint64(n) {
			c.Deliver(StreamID{1_700_000_000_000 + i*7, 0}, 1, 1)
		}
	})
	got := float64(store.Total().Bytes) / n
	t.Logf("%.1f bytes a pending entry", got)
	if got > 60 {
		t.Errorf("%.1f bytes a pending entry", got)
	}
}

func BenchmarkStream(b *testing.B) {
	inStream := func(name string, n int, f func(b *testing.B, s *StreamValue)) {
		b.Run(name, func(b *testing.B) {
			store := New(Options{})
			defer store.Close()
			inTx(store, "s", func(tx *Tx, k *Key) {
				s, _ := tx.StreamAt(k)
				s.Create(testMeta)
				fillStream(&s, n)
				b.ReportAllocs()
				f(b, &s)
			})
		})
	}
	pairs := [][]byte{[]byte("device"), []byte("dev-17"), []byte("temp"), []byte("21.5"), []byte("pulse"), []byte("77")}
	inStream("add", 0, func(b *testing.B, s *StreamValue) {
		for id := (StreamID{1, 0}); b.Loop(); id.Ms += 7 {
			s.Add(id, pairs)
		}
	})
	inStream("add, of at most 1000", 0, func(b *testing.B, s *StreamValue) {
		for id := (StreamID{1, 0}); b.Loop(); id.Ms += 7 {
			s.Add(id, pairs)
			s.Trim(StreamTrim{MaxLen: 1000})
		}
	})
	read := func(b *testing.B, s *StreamValue, from, to StreamID, n int, backwards bool) {
		total := 0
		it := s.Iter(from, to, backwards)
		for i := 0; i < n && it.Next(); i++ {
			for range it.Fields() {
				field, value := it.Pair()
				total += len(field) + len(value)
			}
		}
		if total == 0 {
			b.Fatal("nothing was read")
		}
		it.Close()
	}
	inStream("range of 10 in 1000000", 1_000_000, func(b *testing.B, s *StreamValue) {
		last := s.Info().Last
		for at := uint64(1); b.Loop(); at = (at * 7919) % 9_000_000 {
			read(b, s, StreamID{last.Ms - 9_000_000 + at, 0}, LastStreamID(), 10, false)
		}
	})
	inStream("last one of 1000000", 1_000_000, func(b *testing.B, s *StreamValue) {
		for b.Loop() {
			read(b, s, StreamID{}, LastStreamID(), 1, true)
		}
	})
	inStream("deliver and acknowledge", 0, func(b *testing.B, s *StreamValue) {
		s.CreateGroup([]byte("g"), StreamID{}, 0)
		g, _ := s.Group([]byte("g"))
		c, _ := g.CreateConsumer([]byte("c"), 1)
		const waiting = 1000
		for id := uint64(1); b.Loop(); id++ {
			c.Deliver(StreamID{id, 0}, 1, 1)
			if id > waiting {
				g.Acknowledge(StreamID{id - waiting, 0})
			}
		}
	})
}
