package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type noSink struct{}

func (noSink) Removed(Removal) {}

// inTx runs f with the shard of one key locked.
func inTx(s *Store, name string, f func(tx *Tx, k *Key)) {
	tx := s.NewTx()
	tx.Begin(1, noSink{})
	keys := []Key{s.Key(0, 0, []byte(name))}
	tx.Lock(keys)
	defer tx.Unlock()
	f(tx, &keys[0])
}

var testMeta = Meta{BornAt: 1, ExpiresAt: 1 << 40}

// checkEmpty checks that a store without entries holds no block, and no byte that once was in one but the links of free
// slots.
func checkEmpty(t interface{ Fatalf(string, ...any) }, s *Store) {
	for i := range s.shards {
		sh := &s.shards[i]
		for sh.digGraves(1 << 20) {
		}
		if sh.arena.used != 0 {
			t.Fatalf("%d bytes are left", sh.arena.used)
		}
		for number, c := range sh.arena.chunks {
			if c == nil {
				continue
			}
			for at, x := range sh.arena.bytes(ref(number<<chunkShift), chunkBytes) {
				if x != 0 && at%granuleBytes > 1 {
					t.Fatalf("a byte is not cleared")
				}
			}
		}
	}
}

func elementsOf(l *ListValue, from int, backwards bool) []string {
	var all []string
	for it := l.Iter(from, backwards); it.Next(); {
		all = append(all, string(it.Element()))
	}
	return all
}

// sameElements fails at the first difference.
func sameElements(t *rapid.T, what string, got, want []string) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, e := range want {
		if got[i] != e {
			t.Fatalf("%s: element %d of %d is %.40q, want %.40q", what, i, len(want), got[i], e)
		}
	}
}

// checkList compares a list with its model, and its parts with each other.
func checkList(t *rapid.T, l *ListValue, want []string) {
	if l.Len() != len(want) {
		t.Fatalf("length is %d, want %d", l.Len(), len(want))
	}
	if len(want) == 0 {
		if l.Exists() {
			t.Fatalf("an empty list is there")
		}
		return
	}
	sameElements(t, "forwards", elementsOf(l, 0, false), want)
	got := elementsOf(l, len(want)-1, true)
	slices.Reverse(got)
	sameElements(t, "backwards", got, want)
	if l.isPacked() {
		return
	}
	count, nodes := 0, 0
	for r, more := l.firstNode(), true; more; r, more = l.nextNode(r) {
		n := l.node(r)
		if n.count == 0 || (n.count > 1 && len(n.run()) > listNodeRun) {
			t.Fatalf("a node has %d elements in %d bytes", n.count, len(n.run()))
		}
		for at, x := range n.room() {
			if x != 0 && (at < int(n.start) || at >= int(n.end)) {
				t.Fatalf("a byte outside of the run is not cleared")
			}
		}
		count, nodes = count+int(n.count), nodes+1
	}
	if count != len(want) || nodes != int(l.root().nodes) {
		t.Fatalf("%d elements in %d nodes, the root says %d in %d", count, nodes, len(want), l.root().nodes)
	}
}

func anyElement() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 20).Draw(t, "sort") {
		case 0, 1, 2, 3:
			return fmt.Sprint(rapid.Int64().Draw(t, "integer"))
		case 4:
			return strings.Repeat("L", rapid.IntRange(3000, 20000).Draw(t, "long"))
		case 5, 6:
			return strings.Repeat("m", rapid.IntRange(60, 1500).Draw(t, "medium"))
		case 7, 8, 9, 10:
			return rapid.SampledFrom([]string{"a", "b", "1", "-7", ""}).Draw(t, "few")
		default:
			return fmt.Sprintf("element-%d", rapid.IntRange(0, 1000).Draw(t, "n"))
		}
	})
}

// TestListModel runs random commands against a list and a slice of strings.
func TestListModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := New(Options{})
		defer s.Close()
		inTx(s, "list", func(tx *Tx, k *Key) {
			var model []string
			l, _ := tx.ListAt(k)
			push := func(front bool, e string) {
				if !l.Exists() {
					l.Create(testMeta)
				}
				l.Push(front, []byte(e))
				if front {
					model = slices.Insert(model, 0, e)
				} else {
					model = append(model, e)
				}
			}
			index := func(t *rapid.T) int { return rapid.IntRange(0, len(model)).Draw(t, "index") }
			t.Repeat(map[string]func(*rapid.T){
				"": func(t *rapid.T) { checkList(t, &l, model) },
				"push": func(t *rapid.T) {
					front, e := rapid.Bool().Draw(t, "front"), anyElement().Draw(t, "element")
					for range rapid.IntRange(1, 4).Draw(t, "times") {
						push(front, e)
					}
				},
				"push many": func(t *rapid.T) {
					front, n := rapid.Bool().Draw(t, "front"), rapid.IntRange(1, 600).Draw(t, "n")
					for i := range n {
						push(front, fmt.Sprintf("many-%d", i%7))
					}
				},
				"drop": func(t *rapid.T) {
					if len(model) == 0 {
						t.Skip()
					}
					front, n := rapid.Bool().Draw(t, "front"), 1+index(t)
					l.Drop(front, n)
					n = min(n, len(model))
					if front {
						model = slices.Clone(model[n:])
					} else {
						model = model[:len(model)-n]
					}
				},
				"set": func(t *rapid.T) {
					i, e := index(t), anyElement().Draw(t, "element")
					if ok := l.Set(i, []byte(e)); ok != (i < len(model)) {
						t.Fatalf("Set says %v", ok)
					}
					if i < len(model) {
						model[i] = e
					}
				},
				"insert": func(t *rapid.T) {
					pivot, before := anyElement().Draw(t, "pivot"), rapid.Bool().Draw(t, "before")
					if len(model) > 0 && rapid.Bool().Draw(t, "existing") {
						pivot = model[rapid.IntRange(0, len(model)-1).Draw(t, "at")]
					}
					e := anyElement().Draw(t, "element")
					i := slices.Index(model, pivot)
					if ok := l.InsertBeside([]byte(pivot), before, []byte(e)); ok != (i >= 0) {
						t.Fatalf("InsertBeside says %v", ok)
					}
					if i >= 0 {
						if !before {
							i++
						}
						model = slices.Insert(model, i, e)
					}
				},
				"remove": func(t *rapid.T) {
					e, count := anyElement().Draw(t, "element"), rapid.IntRange(-5, 5).Draw(t, "count")
					if len(model) > 0 && rapid.Bool().Draw(t, "existing") {
						e = model[rapid.IntRange(0, len(model)-1).Draw(t, "at")]
					}
					before := len(model)
					model = removeModel(model, e, count)
					if n := l.Remove([]byte(e), count); n != before-len(model) {
						t.Fatalf("Remove says %d, want %d", n, before-len(model))
					}
				},
				"rotate": func(t *rapid.T) {
					lastToFront := rapid.Bool().Draw(t, "last to front")
					l.Rotate(lastToFront)
					if n := len(model); n > 1 && lastToFront {
						model = append([]string{model[n-1]}, model[:n-1]...)
					} else if n > 1 {
						model = append(slices.Clone(model[1:]), model[0])
					}
				},
				"walk": func(t *rapid.T) {
					i := index(t)
					sameElements(t, "walk", elementsOf(&l, i, false), model[i:])
				},
			})
			tx.Delete(k)
		})
		checkEmpty(t, s)
	})
}

func removeModel(model []string, e string, count int) []string {
	limit := count
	if count <= 0 {
		limit = -count
	}
	if limit == 0 {
		limit = len(model)
	}
	kept := []string{}
	if count < 0 {
		slices.Reverse(model)
	}
	for _, x := range model {
		if x == e && limit > 0 {
			limit--
			continue
		}
		kept = append(kept, x)
	}
	if count < 0 {
		slices.Reverse(kept)
	}
	return kept
}

// TestCollectionCopies checks Copy of lists and sorted sets, small and large, into the same shard and others.
func TestCollectionCopies(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	for _, n := range []int{3, 100, 5000} {
		for to := range 8 {
			keys := []Key{s.Key(0, 0, []byte("list")), s.Key(0, 0, []byte("zset")), s.Key(0, 0, fmt.Appendf(nil, "copy:%d", to))}
			tx := s.NewTx()
			tx.Begin(1, noSink{})
			tx.Lock(keys)
			l, _ := tx.ListAt(&keys[0])
			l.Create(testMeta)
			z, _ := tx.ZSetAt(&keys[1])
			z.Create(testMeta)
			for i := range n {
				l.Push(i%3 == 0, fmt.Appendf(nil, "element:%d", i))
				z.Add(fmt.Appendf(nil, "member:%d", i), float64(i%17))
			}
			tx.Copy(&keys[2], testMeta, l.Entry())
			if c, _ := tx.ListAt(&keys[2]); !slices.Equal(elementsOf(&c, 0, false), elementsOf(&l, 0, false)) {
				t.Fatalf("the copy of a list of %d elements is another", n)
			}
			tx.Copy(&keys[2], testMeta, z.Entry())
			if c, _ := tx.ZSetAt(&keys[2]); !slices.Equal(pairsOf(c.Iter(0, false)), pairsOf(z.Iter(0, false))) {
				t.Fatalf("the copy of a sorted set of %d members is another", n)
			}
			for i := range keys {
				tx.Delete(&keys[i])
			}
			tx.Unlock()
		}
	}
	checkEmpty(t, s)
}

func TestListWrongKind(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	inTx(s, "k", func(tx *Tx, k *Key) {
		tx.SetString(k, testMeta, []byte("v"))
		if _, err := tx.ListAt(k); err != ErrWrongKind {
			t.Fatalf("got %v", err)
		}
		if _, err := tx.ZSetAt(k); err != ErrWrongKind {
			t.Fatalf("got %v", err)
		}
	})
}
