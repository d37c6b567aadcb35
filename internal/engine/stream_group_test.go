package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// inStream runs f with a stream of entries 1-0 to n-0, and a group that has got nothing.
func inStream(t *testing.T, n int, f func(s *StreamValue, g StreamGroup)) {
	t.Helper()
	store := New(Options{})
	inTx(store, "s", func(tx *Tx, k *Key) {
		s, _ := tx.StreamAt(k)
		s.Create(testMeta)
		for i := range uint64(n) {
			s.Add(StreamID{i + 1, 0}, [][]byte{[]byte("f"), []byte("v")})
		}
		s.CreateGroup([]byte("g"), StreamID{}, 0)
		g, _ := s.Group([]byte("g"))
		f(&s, g)
		tx.Delete(k)
	})
	checkEmpty(t, store)
	store.Close()
}

// TestPendingAgainstModel delivers, hands over, acknowledges and deletes consumers by chance, and compares with a map.
func TestPendingAgainstModel(t *testing.T) {
	type held struct {
		consumer       string
		at, deliveries int64
	}
	for seed := range uint64(4) {
		inStream(t, 0, func(_ *StreamValue, g StreamGroup) {
			pick := rand.New(rand.NewPCG(seed, 5))
			want := map[StreamID]held{}
			counts := map[string]int{}
			for n := range 6000 {
				id := StreamID{pick.Uint64N(500), pick.Uint64N(2)}
				name := fmt.Sprint("consumer ", pick.IntN(5))
				switch pick.IntN(20) {
				case 0, 1, 2, 3, 4, 5, 6:
					if _, ok := want[id]; g.Acknowledge(id) != ok {
						t.Fatalf("acknowledging says %v", !ok)
					}
					counts[want[id].consumer]--
					delete(want, id)
				case 7:
					if got := g.DeleteConsumer([]byte(name)); got != max(counts[name], 0) {
						t.Fatalf("a consumer had %d entries, want %d", got, counts[name])
					}
					for id, h := range want {
						if h.consumer == name {
							delete(want, id)
						}
					}
					delete(counts, name)
				default:
					c, ok := g.Consumer([]byte(name))
					if !ok {
						c, _ = g.CreateConsumer([]byte(name), 1)
					}
					c.Deliver(id, int64(n), int64(n%7))
					counts[want[id].consumer]--
					counts[name]++
					want[id] = held{name, int64(n), int64(n % 7)}
				}
			}
			got := map[StreamID]held{}
			var last StreamID
			g.EachPending(StreamID{}, func(p Pending) bool {
				if len(got) > 0 && !last.Before(p.ID) {
					t.Fatal("pending entries are out of order")
				}
				last = p.ID
				got[p.ID] = held{string(p.Consumer.Name()), p.DeliveredAt, p.Deliveries}
				return true
			})
			if len(got) != len(want) || g.Pending() != len(want) || g.LastPending() != last {
				t.Fatalf("%d entries are pending, want %d", len(got), len(want))
			}
			for id, h := range want {
				if got[id] != h {
					t.Fatalf("a pending entry is %+v, want %+v", got[id], h)
				}
			}
			g.EachConsumer(func(c StreamConsumer) bool {
				n := 0
				c.EachPending(StreamID{}, func(p Pending) bool {
					if want[p.ID].consumer != string(c.Name()) {
						t.Fatal("a consumer has another one's entry")
					}
					n++
					return true
				})
				if n != c.Pending() || n != counts[string(c.Name())] {
					t.Fatalf("a consumer has %d entries and says %d, want %d", n, c.Pending(), counts[string(c.Name())])
				}
				return true
			})
		})
	}
}

func TestRosterKeepsOrder(t *testing.T) {
	inStream(t, 0, func(s *StreamValue, g StreamGroup) {
		names := []string{"", "a", "a\x00", "ab", "b", "\xff"}
		for _, i := range rand.Perm(len(names)) {
			if _, created := g.CreateConsumer([]byte(names[i]), 7); !created {
				t.Error("a consumer was there before it was made")
			}
		}
		if _, created := g.CreateConsumer([]byte("ab"), 9); created || g.Consumers() != len(names) {
			t.Error("a consumer was made twice")
		}
		var got []string
		g.EachConsumer(func(c StreamConsumer) bool { got = append(got, string(c.Name())); return true })
		if !slices.Equal(got, names) {
			t.Errorf("%q", got)
		}
		for i := range 300 {
			s.CreateGroup(fmt.Append(nil, "group ", i), StreamID{}, UnknownRead)
		}
		for i := range 300 {
			if name := fmt.Append(nil, "group ", i); !s.DestroyGroup(name) || s.DestroyGroup(name) {
				t.Error("a group is not destroyed once")
			}
		}
		if s.Info().Groups != 1 {
			t.Errorf("%d groups", s.Info().Groups)
		}
	})
}

// TestLag: how much a group has before it, told as redis-server 7.0.15 tells it. -1 is unknown.
func TestLag(t *testing.T) {
	lag := func(s *StreamValue, id uint64, read int64) int64 {
		s.CreateGroup([]byte("x"), StreamID{id, 0}, read)
		defer s.DestroyGroup([]byte("x"))
		g, _ := s.Group([]byte("x"))
		if n, known := g.Lag(); known {
			return n
		}
		return -1
	}
	f := func(deleted []uint64, trimmedTo uint64, id uint64, read, want int64) {
		t.Helper()
		inStream(t, 10, func(s *StreamValue, _ StreamGroup) {
			for _, id := range deleted {
				s.Delete(StreamID{id, 0})
			}
			s.Trim(StreamTrim{MaxLen: trimmedTo})
			if got := lag(s, id, read); got != want {
				t.Errorf("%v deleted, %d left, at %d having read %d: a lag of %d, want %d", deleted, trimmedTo, id, read, got, want)
			}
		})
	}
	f(nil, 10, 0, UnknownRead, 10)
	f(nil, 10, 1, UnknownRead, 9)
	f(nil, 10, 3, UnknownRead, -1)
	f(nil, 10, 10, UnknownRead, 0)
	f(nil, 10, 11, UnknownRead, -1)
	f(nil, 10, 3, 3, 7)
	f([]uint64{5}, 10, 3, 3, -1)
	f([]uint64{5}, 10, 6, 6, 4)
	f([]uint64{1}, 10, 1, 1, 9)
	f(nil, 4, 2, 2, 8)
	f(nil, 4, 2, UnknownRead, 4)
	f(nil, 4, 7, UnknownRead, 3)
	f([]uint64{10}, 10, 10, UnknownRead, 0)
	f(nil, 0, 3, UnknownRead, 0)
}

func TestCopyStream(t *testing.T) {
	store := New(Options{})
	tx := store.NewTx()
	tx.Begin(1, noSink{})
	keys := []Key{store.Key(0, 0, []byte("from")), store.Key(0, 0, []byte("to"))}
	tx.Lock(keys)
	s, _ := tx.StreamAt(&keys[0])
	s.Create(testMeta)
	fillStream(&s, 1000)
	s.Delete(s.Info().First)
	s.CreateGroup([]byte("g"), s.Info().Last, 17)
	g, _ := s.Group([]byte("g"))
	for i := range 100 {
		c, ok := g.Consumer(fmt.Append(nil, i%3))
		if !ok {
			c, _ = g.CreateConsumer(fmt.Append(nil, i%3), 55)
		}
		c.Deliver(StreamID{uint64(i), 0}, int64(i), 2)
	}
	want := readAll(&s, StreamID{}, LastStreamID(), false)
	tx.Copy(&keys[1], testMeta, s.Entry())
	to, _ := tx.StreamAt(&keys[1])
	if to.Info() != s.Info() || to.Bytes() > s.Bytes()*11/10 {
		t.Errorf("the copy is %+v, want %+v", to.Info(), s.Info())
	}
	tx.Delete(&keys[0])
	sameEntries(t, "the copy", readAll(&to, StreamID{}, LastStreamID(), false), want)
	copied, _ := to.Group([]byte("g"))
	if copied.Last() != to.Info().Last || copied.Read() != 17 || copied.Pending() != 100 || copied.Consumers() != 3 {
		t.Error("the copy's group differs")
	}
	p, _ := copied.Find(StreamID{44, 0})
	if string(p.Consumer.Name()) != "2" || p.DeliveredAt != 44 || p.Deliveries != 2 || p.Consumer.SeenAt() != 55 {
		t.Errorf("a pending entry of the copy is %+v", p)
	}
	to.Add(StreamID{to.Info().Last.Ms + 1, 0}, [][]byte{[]byte("f"), []byte("v")})
	tx.Delete(&keys[1])
	tx.Unlock()
	checkEmpty(t, store)
	store.Close()
}
