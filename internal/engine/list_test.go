package engine

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
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

func TestListItems(t *testing.T) {
	f := func(in string, want int) {
		t.Helper()
		x := textItem([]byte(in))
		data := make([]byte, withBack(x.len()))
		putElement(data, &x)
		var scratch intText
		if got := itemText(data, &scratch); string(got) != in {
			t.Fatalf("%q reads as %q", in, got)
		}
		if x.len() != want || itemLen(data) != want || lastElement(data) != 0 || !x.at(data) {
			t.Fatalf("%.20q: %d bytes, length %d, starts at %d; want %d bytes", in, x.len(), itemLen(data), lastElement(data), want)
		}
	}
	f("", 1)
	f("a", 2)
	f("0", 1)
	f("-0", 3)
	f("00", 3)
	f("+1", 3)
	f("127", 1)
	f("128", 2)
	f("-1", 2)
	f("-4096", 2)
	f("-4097", 3)
	f("32767", 3)
	f("32768", 4)
	f("-8388608", 4)
	f("8388608", 5)
	f("2147483648", 6)
	f("9223372036854775807", 9)
	f("-9223372036854775808", 9)
	f("9223372036854775808", 20)
	f("-9223372036854775809", 21)
	f("-", 2)
	f(strings.Repeat("x", 63), 64)
	f(strings.Repeat("x", 64), 66)
	f(strings.Repeat("x", 4095), 4097)
	f(strings.Repeat("x", 4096), 4101)
	f(strings.Repeat("x", 3<<20), 3<<20+5)
}

func TestListScores(t *testing.T) {
	f := func(in float64, want int) {
		t.Helper()
		x := scoreItem(in)
		data := make([]byte, x.len())
		x.put(data)
		got := itemScore(data)
		if got != in || len(data) != want || itemLen(data) != want {
			t.Fatalf("%v reads as %v, %d bytes, want %d", in, got, len(data), want)
		}
	}
	f(0, 1)
	f(math.Copysign(0, -1), 1)
	f(100, 1)
	f(-5, 2)
	f(1.5, 5)
	f(0.1, 9)
	f(1e15, 8)
	f(1<<53, 5)
	f(1<<53-1, 8)
	f(math.MaxFloat64, 9)
	f(math.Inf(1), 5)
	f(math.Inf(-1), 5)
	f(math.SmallestNonzeroFloat64, 9)
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
