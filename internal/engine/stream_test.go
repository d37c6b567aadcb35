package engine

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// modelEntry is an entry of a stream as its test has it.
type modelEntry struct {
	id    StreamID
	pairs [][]byte
}

func readAll(s *StreamValue, from, to StreamID, backwards bool) []modelEntry {
	var all []modelEntry
	for it := s.Iter(from, to, backwards); it.Next(); {
		e := modelEntry{id: it.ID()}
		for range it.Fields() {
			field, value := it.Pair()
			e.pairs = append(e.pairs, bytes.Clone(field), bytes.Clone(value))
		}
		all = append(all, e)
	}
	return all
}

func sameEntries(t *testing.T, what string, got, want []modelEntry) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d entries, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i].id != want[i].id || !slices.EqualFunc(got[i].pairs, want[i].pairs, bytes.Equal) {
			t.Fatalf("%s: entry %d of %d differs", what, i, len(want))
		}
	}
}

// streamModel is a stream and what must be in it.
type streamModel struct {
	t    *testing.T
	pick *rand.Rand
	s    StreamValue
	want []modelEntry
	last StreamID
}

func (l *streamModel) pairs() [][]byte {
	names := []string{"temperature", "pulse", "12", "", strings.Repeat("n", 100)}
	var pairs [][]byte
	for i := range 1 + l.pick.IntN(4) {
		if l.pick.IntN(10) == 0 {
			i = l.pick.IntN(len(names))
		}
		value := fmt.Appendf(nil, "%d", l.pick.Int64()>>l.pick.IntN(64))
		switch l.pick.IntN(6) {
		case 0:
			value = nil
		case 1:
			value = bytes.Repeat([]byte{'v'}, l.pick.IntN(300))
		case 2:
			value = []byte("36.6")
		}
		pairs = append(pairs, []byte(names[i]), value)
	}
	return pairs
}

func (l *streamModel) add() {
	switch l.pick.IntN(4) {
	case 0:
		l.last.Seq += 1 + l.pick.Uint64N(300)
	case 1:
		l.last = StreamID{l.last.Ms + 1<<l.pick.IntN(30), l.pick.Uint64() >> l.pick.IntN(64)}
	default:
		l.last = StreamID{l.last.Ms + 1 + l.pick.Uint64N(20), 0}
	}
	e := modelEntry{l.last, l.pairs()}
	l.s.Add(e.id, e.pairs)
	l.want = append(l.want, e)
}

// someID is the id of an entry, or one near it.
func (l *streamModel) someID() StreamID {
	if len(l.want) == 0 {
		return StreamID{1, 1}
	}
	id := l.want[l.pick.IntN(len(l.want))].id
	switch l.pick.IntN(4) {
	case 0:
		id, _ = id.Next()
	case 1:
		id, _ = id.Previous()
	}
	return id
}

func (l *streamModel) remove() {
	id := l.someID()
	at := slices.IndexFunc(l.want, func(e modelEntry) bool { return e.id == id })
	if l.s.Delete(id) != (at >= 0) {
		l.t.Fatalf("deleting an entry says %v", at < 0)
	}
	if at >= 0 {
		l.want = slices.Delete(l.want, at, at+1)
	}
}

func (l *streamModel) trim() {
	n := l.pick.IntN(len(l.want) + 1)
	how := StreamTrim{MaxLen: uint64(len(l.want) - n)}
	if l.pick.IntN(2) == 0 && n < len(l.want) {
		how = StreamTrim{ByID: true, MinID: l.want[n].id}
	}
	if l.pick.IntN(3) == 0 {
		how.Whole = true
		how.Limit = l.pick.Uint64N(500)
	}
	removed := int(l.s.Trim(how))
	if how.Whole && removed > n || !how.Whole && removed != n {
		l.t.Fatalf("trimming %d removes %d", n, removed)
	}
	if how.Limit > 0 && removed > int(how.Limit) {
		l.t.Fatalf("trimming at most %d removes %d", how.Limit, removed)
	}
	l.want = l.want[removed:]
}

func (l *streamModel) check() {
	l.t.Helper()
	info := l.s.Info()
	first, top := StreamID{}, StreamID{}
	if len(l.want) > 0 {
		first, top = l.want[0].id, l.want[len(l.want)-1].id
	}
	if int(info.Length) != len(l.want) || info.Last != l.last || info.First != first || l.s.Top() != top {
		l.t.Fatalf("the stream says %+v of %d entries", info, len(l.want))
	}
	sameEntries(l.t, "all", readAll(&l.s, StreamID{}, LastStreamID(), false), l.want)
	from, to := l.someID(), l.someID()
	var part []modelEntry
	for _, e := range l.want {
		if !e.id.Before(from) && !to.Before(e.id) {
			part = append(part, e)
		}
	}
	sameEntries(l.t, "a range", readAll(&l.s, from, to, false), part)
	slices.Reverse(part)
	sameEntries(l.t, "a range backwards", readAll(&l.s, from, to, true), part)
}

func TestStreamAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		store := New(Options{})
		inTx(store, "s", func(tx *Tx, k *Key) {
			s, _ := tx.StreamAt(k)
			s.Create(testMeta)
			l := &streamModel{t: t, pick: rand.New(rand.NewPCG(seed, 3)), s: s}
			for range 40 {
				for range l.pick.IntN(150) {
					l.add()
				}
				l.check()
				for range l.pick.IntN(60) {
					l.remove()
				}
				l.check()
				if l.pick.IntN(3) == 0 {
					l.trim()
					l.check()
				}
			}
			if beside := int64(s.Bytes()); beside+int64(s.Entry().Bytes()) > store.shards[k.shard()].arena.used {
				t.Errorf("the stream says that it takes %d bytes, more than there are", beside)
			}
			for _, e := range slices.Clone(l.want) {
				s.Delete(e.id)
			}
			if info := s.Info(); info.Length != 0 || info.Blocks != 0 || !info.First.IsZero() || !s.Exists() {
				t.Errorf("an emptied stream says %+v", info)
			}
			tx.Delete(k)
		})
		checkEmpty(t, store)
		store.Close()
	}
}

// TestStreamCutsAtOnce: what was deleted is nowhere in the shard's memory, while its neighbours stay.
func TestStreamCutsAtOnce(t *testing.T) {
	const mark = "a-mark-to-be-forgotten"
	for _, position := range []int{0, 1, 50, 98, 99} {
		store := New(Options{})
		inTx(store, "s", func(tx *Tx, k *Key) {
			s, _ := tx.StreamAt(k)
			s.Create(testMeta)
			for i := range 100 {
				value := "kept"
				if i == position {
					value = mark
				}
				s.Add(StreamID{uint64(i + 1), 0}, [][]byte{[]byte("field"), []byte(value)})
			}
			s.Delete(StreamID{uint64(position + 1), 0})
			if s.Len() != 99 {
				t.Errorf("%d entries are left", s.Len())
			}
			sh := &store.shards[k.shard()]
			for number, c := range sh.arena.chunks {
				if c != nil && bytes.Contains(sh.arena.bytes(ref(number<<chunkShift), chunkBytes), []byte(mark)) {
					t.Errorf("the entry at %d is still in memory", position)
				}
			}
		})
		store.Close()
	}
}

func TestStreamLargeEntries(t *testing.T) {
	store := New(Options{})
	inTx(store, "s", func(tx *Tx, k *Key) {
		s, _ := tx.StreamAt(k)
		s.Create(testMeta)
		large := bytes.Repeat([]byte{'x'}, 9<<20)
		want := []modelEntry{
			{StreamID{1, 0}, [][]byte{[]byte("f"), []byte("1")}},
			{StreamID{2, 0}, [][]byte{[]byte("f"), large}},
			{StreamID{3, math.MaxUint64}, [][]byte{large[:5000], nil}},
			{StreamID{math.MaxUint64, 7}, [][]byte{[]byte("f"), []byte("2")}},
			{LastStreamID(), [][]byte{[]byte("f"), []byte("3")}},
		}
		for _, e := range want {
			s.Add(e.id, e.pairs)
		}
		sameEntries(t, "large entries", readAll(&s, StreamID{}, LastStreamID(), false), want)
		slices.Reverse(want)
		sameEntries(t, "large entries backwards", readAll(&s, StreamID{}, LastStreamID(), true), want)
		tx.Delete(k)
	})
	checkEmpty(t, store)
	store.Close()
}

// TestStreamBlocksAsRedis: blocks end where those of redis-server 7.0.15 do, which shows in what MAXLEN ~ 1 removes.
func TestStreamBlocksAsRedis(t *testing.T) {
	f := func(want int, n int, pairs ...string) {
		t.Helper()
		store := New(Options{})
		defer store.Close()
		inTx(store, "s", func(tx *Tx, k *Key) {
			s, _ := tx.StreamAt(k)
			s.Create(testMeta)
			var args [][]byte
			for _, p := range pairs {
				args = append(args, []byte(p))
			}
			for i := range n {
				s.Add(StreamID{uint64(1 + i*1000), 0}, args)
			}
			if got := int(s.Trim(StreamTrim{MaxLen: 1, Whole: true})); got != want {
				t.Errorf("%d entries of %d removed, want %d", got, n, want)
			}
		})
	}
	f(200, 250, "f", "v")
	f(208, 250, "field", strings.Repeat("v", 60), "n", "123456789")
	f(225, 250, "field", strings.Repeat("v", 130), "n", "1099511627776", "m", "-5000")
	f(18, 20, "field", strings.Repeat("v", 2000))
	f(19, 20, "field", strings.Repeat("v", 4090))
}
