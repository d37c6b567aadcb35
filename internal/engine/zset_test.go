package engine

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pair is a member and its score in a model.
type pair struct {
	member string
	score  float64
}

func comparePairs(x, y pair) int {
	return cmp.Or(cmp.Compare(x.score, y.score), cmp.Compare(x.member, y.member))
}

func sortedPairs(model map[string]float64) []pair {
	var all []pair
	for m, s := range model {
		all = append(all, pair{m, s + 0})
	}
	slices.SortFunc(all, comparePairs)
	return all
}

func pairsOf(it ZSetIter) []pair {
	var all []pair
	for it.Next() {
		all = append(all, pair{string(it.Member()), it.Score() + 0})
	}
	return all
}

// checkTree checks what a tree promises to itself: order, counts, least elements, links, and bytes that are not used
// are clear. It returns the number of elements.
func checkTree(t *rapid.T, a *arena, r ref, level int) int {
	n := leafAt(a, r)
	if int(n.level) != level || n.n == 0 || n.n > treeFan {
		t.Fatalf("a node of level %d has %d places on level %d", n.level, n.n, level)
	}
	for at := int(n.n); at < treeFan; at++ {
		if n.scores[at] != 0 || n.refs[at] != 0 {
			t.Fatalf("a place that is not used is not clear")
		}
	}
	if n.next != 0 && leafAt(a, n.next).prev != r {
		t.Fatalf("links do not agree")
	}
	if level == 0 {
		return int(n.n)
	}
	total := 0
	in := n.inner()
	for at := range int(n.n) {
		kid := leafAt(a, in.kids[at])
		count := checkTree(t, a, in.kids[at], level-1)
		if count != int(in.counts[at]) || kid.scores[0] != n.scores[at] || kid.refs[0] != n.refs[at] {
			t.Fatalf("place %d of %d on level %d: %d below, said to be %d", at, n.n, level, count, in.counts[at])
		}
		if at > 0 && leafAt(a, in.kids[at-1]).next != in.kids[at] {
			t.Fatalf("children are not linked in order")
		}
		total += count
	}
	return total
}

// samePairs fails at the first difference.
func samePairs(t *rapid.T, what string, got, want []pair) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d members, want %d", what, len(got), len(want))
	}
	for i, p := range want {
		if got[i] != p {
			t.Fatalf("%s: member %d of %d is %v, want %v", what, i, len(want), got[i], p)
		}
	}
}

func checkZSet(t *rapid.T, z *ZSetValue, model map[string]float64) {
	if z.Len() != len(model) || z.Exists() != (len(model) > 0) {
		t.Fatalf("%d members, want %d", z.Len(), len(model))
	}
	if len(model) == 0 {
		return
	}
	want := sortedPairs(model)
	samePairs(t, "upwards", pairsOf(z.Iter(0, false)), want)
	got := pairsOf(z.Iter(len(want)-1, true))
	slices.Reverse(got)
	samePairs(t, "downwards", got, want)
	if !z.isPacked() {
		r := z.ranking()
		if n := checkTree(t, r.sh.arena, r.root.tree.root, int(leafAt(r.sh.arena, r.root.tree.root).level)); n != len(model) {
			t.Fatalf("the tree has %d members, want %d", n, len(model))
		}
	}
	for _, rank := range []int{0, len(want) / 2, len(want) - 1} {
		w := want[rank]
		if r, s, ok := z.Rank([]byte(w.member)); !ok || r != rank || s != w.score {
			t.Fatalf("rank of a member is %d, %v, %v, want %d", r, s, ok, rank)
		}
		below, _ := slices.BinarySearchFunc(want, w.score, func(p pair, s float64) int { return cmp.Compare(p.score, s) })
		upTo, _ := slices.BinarySearchFunc(want, w.score, func(p pair, s float64) int {
			if p.score <= s {
				return -1
			}
			return 1
		})
		if z.RankOfScore(w.score, false) != below || z.RankOfScore(w.score, true) != upTo {
			t.Fatalf("score %v: %d below, %d up to, want %d, %d", w.score, z.RankOfScore(w.score, false), z.RankOfScore(w.score, true), below, upTo)
		}
	}
}

func anyMember() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 12).Draw(t, "sort") {
		case 0:
			return strings.Repeat("m", rapid.IntRange(60, 300).Draw(t, "long"))
		case 1, 2:
			return fmt.Sprint(rapid.IntRange(-200, 200).Draw(t, "integer"))
		default:
			return fmt.Sprintf("member:%d", rapid.IntRange(0, 300).Draw(t, "n"))
		}
	})
}

func anyScore() *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 {
		switch rapid.IntRange(0, 6).Draw(t, "sort") {
		case 0:
			return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1)}).Draw(t, "odd")
		case 1:
			return rapid.Float64().Filter(func(f float64) bool { return f == f }).Draw(t, "any")
		default:
			return float64(rapid.IntRange(-20, 20).Draw(t, "few"))
		}
	})
}

// TestZSetModel runs random commands against a sorted set and a map.
func TestZSetModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := New(Options{})
		defer s.Close()
		inTx(s, "zset", func(tx *Tx, k *Key) {
			model := map[string]float64{}
			z, _ := tx.ZSetAt(k)
			add := func(t *rapid.T, m string, score float64) {
				if !z.Exists() {
					z.Create(testMeta)
				}
				_, had := model[m]
				if added := z.Add([]byte(m), score); added == had {
					t.Fatalf("Add says %v", added)
				}
				model[m] = score
			}
			known := func(t *rapid.T) string {
				m := anyMember().Draw(t, "member")
				if all := sortedPairs(model); len(all) > 0 && rapid.Bool().Draw(t, "known") {
					m = all[rapid.IntRange(0, len(all)-1).Draw(t, "rank")].member
				}
				return m
			}
			t.Repeat(map[string]func(*rapid.T){
				"":    func(t *rapid.T) { checkZSet(t, &z, model) },
				"add": func(t *rapid.T) { add(t, known(t), anyScore().Draw(t, "score")) },
				"add many": func(t *rapid.T) {
					n, by := rapid.IntRange(1, 800).Draw(t, "n"), rapid.IntRange(-2, 2).Draw(t, "by")
					for i := range n {
						add(t, fmt.Sprintf("many:%d", i), float64(i*by))
					}
				},
				"remove": func(t *rapid.T) {
					m := known(t)
					_, had := model[m]
					delete(model, m)
					if z.Remove([]byte(m)) != had {
						t.Fatalf("Remove does not say %v", had)
					}
				},
				"remove ranks": func(t *rapid.T) {
					all := sortedPairs(model)
					if len(all) == 0 {
						t.Skip()
					}
					from := rapid.IntRange(0, len(all)-1).Draw(t, "from")
					n := rapid.IntRange(0, len(all)-from).Draw(t, "n")
					z.RemoveRanks(from, n)
					for _, p := range all[from : from+n] {
						delete(model, p.member)
					}
				},
				"score": func(t *rapid.T) {
					m := known(t)
					want, had := model[m]
					if got, ok := z.Score([]byte(m)); ok != had || got != want {
						t.Fatalf("score is %v, %v, want %v, %v", got, ok, want, had)
					}
				},
				"walk": func(t *rapid.T) {
					all := sortedPairs(model)
					from, backwards := rapid.IntRange(0, len(all)).Draw(t, "from"), rapid.Bool().Draw(t, "backwards")
					want := all[from:]
					if backwards {
						want = slices.Clone(all[:min(from+1, len(all))])
						slices.Reverse(want)
						if from == len(all) {
							want = nil
						}
					}
					samePairs(t, "walk", pairsOf(z.Iter(from, backwards)), want)
				},
				"scan": func(t *rapid.T) {
					seen := map[string]float64{}
					for cursor, calls := uint64(0), 0; ; calls++ {
						cursor = z.Scan(cursor, 10, func(m []byte, s float64) { seen[string(m)] = s })
						if cursor == 0 {
							break
						}
					}
					samePairs(t, "scan", sortedPairs(seen), sortedPairs(model))
				},
				"store": func(t *rapid.T) {
					b := tx.BuildZSet(k)
					n := rapid.IntRange(0, 200).Draw(t, "n")
					model = map[string]float64{}
					for i := range n {
						b.Add(fmt.Appendf(nil, "built:%d", i), float64(i%7))
						model[fmt.Sprintf("built:%d", i)] = float64(i % 7)
					}
					z = b.Store(testMeta)
				},
			})
			tx.Delete(k)
		})
		checkEmpty(t, s)
	})
}

// TestZSetByMember checks ranks by member where all scores are equal.
func TestZSetByMember(t *testing.T) {
	for _, n := range []int{1, 100, 1000, 20000} {
		s := New(Options{})
		inTx(s, "z", func(tx *Tx, k *Key) {
			z, _ := tx.ZSetAt(k)
			z.Create(testMeta)
			for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
				z.Add(fmt.Appendf(nil, "%06d", i), 0)
			}
			for _, i := range []int{0, 1, n / 2, n - 1} {
				m := fmt.Appendf(nil, "%06d", i)
				if i < n && (z.RankOfMember(m, false) != i || z.RankOfMember(m, true) != i+1) {
					t.Fatalf("%d of %d: ranks %d, %d", i, n, z.RankOfMember(m, false), z.RankOfMember(m, true))
				}
			}
			if z.RankOfMember([]byte(""), true) != 0 || z.RankOfMember([]byte("~"), false) != n {
				t.Fatal("ends are wrong")
			}
		})
		s.Close()
	}
}

// TestZSetOrders fills and empties large sets in orders that a tree may find hard.
func TestZSetOrders(t *testing.T) {
	t.Parallel()
	const n = 20000
	ascending := func(i int) int { return i }
	descending := func(i int) int { return n - 1 - i }
	perm := rand.New(rand.NewPCG(3, 4)).Perm(n)
	random := func(i int) int { return perm[i] }
	fromTheEnds := func(i int) int {
		if i%2 == 0 {
			return i / 2
		}
		return n - 1 - i/2
	}
	orders := []func(int) int{ascending, descending, random, fromTheEnds}
	for in, fill := range orders {
		for out, empty := range orders {
			s := New(Options{})
			inTx(s, "z", func(tx *Tx, k *Key) {
				z, _ := tx.ZSetAt(k)
				z.Create(testMeta)
				for i := range n {
					z.Add(fmt.Appendf(nil, "m%d", fill(i)), float64(fill(i)/3))
				}
				if fill(0) == 0 && fill(1) == 1 { // members in order leave full leaves
					if perMember := float64(s.shards[k.shard()].arena.used) / n; perMember > 60 {
						t.Errorf("%.1f bytes a member", perMember)
					}
				}
				for i := range n {
					if !z.Remove(fmt.Appendf(nil, "m%d", empty(i))) {
						t.Fatalf("orders %d, %d: member %d is not there", in, out, i)
					}
				}
			})
			checkEmpty(t, s)
			s.Close()
		}
	}
}

// TestZSetErasedInSlices checks that a large sorted set goes a bounded number of blocks at a time.
func TestZSetErasedInSlices(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	var shard int
	inTx(s, "z", func(tx *Tx, k *Key) {
		z, _ := tx.ZSetAt(k)
		z.Create(testMeta)
		for i := range 50000 {
			z.Add(fmt.Appendf(nil, "member:%d", i), float64(i))
		}
		shard = k.shard()
		tx.Delete(k)
	})
	sh := &s.shards[shard]
	slices := 0
	for before := sh.arena.used; sh.digGraves(reapBudget); slices++ {
		if freed := before - sh.arena.used; freed > 3<<20 {
			t.Fatalf("%d bytes in one slice", freed)
		}
		before = sh.arena.used
	}
	if slices < 90 {
		t.Fatalf("%d slices", slices)
	}
	checkEmpty(t, s)
}

// TestZSetMemory holds a large sorted set of random scores to the 102 bytes a member that redis-server 7.0.15 says with
// MEMORY USAGE.
func TestZSetMemory(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	const n = 200000
	inTx(s, "z", func(tx *Tx, k *Key) {
		z, _ := tx.ZSetAt(k)
		z.Create(testMeta)
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			z.Add(fmt.Appendf(nil, "member:%d", i), float64(rng.IntN(n)))
		}
	})
	got := float64(s.Total().Bytes) / n
	t.Logf("%.1f bytes a member", got)
	if got > 75 {
		t.Fatalf("%.1f bytes a member", got)
	}
}

func benchmarkSet(b *testing.B, n int, f func(b *testing.B, z *ZSetValue, members [][]byte, rng *rand.Rand)) {
	s := New(Options{})
	defer s.Close()
	inTx(s, "z", func(tx *Tx, k *Key) {
		z, _ := tx.ZSetAt(k)
		z.Create(testMeta)
		rng := rand.New(rand.NewPCG(1, 2))
		members := make([][]byte, n)
		for i := range members {
			members[i] = fmt.Appendf(nil, "member:%d", i)
			z.Add(members[i], float64(rng.IntN(n)))
		}
		b.ReportMetric(float64(s.shards[k.shard()].arena.used)/float64(n), "B/member")
		b.ReportAllocs()
		f(b, &z, members, rng)
	})
}

func BenchmarkZSet(b *testing.B) {
	for _, n := range []int{100, 1000000} {
		b.Run(fmt.Sprintf("move in %d", n), func(b *testing.B) {
			benchmarkSet(b, n, func(b *testing.B, z *ZSetValue, members [][]byte, rng *rand.Rand) {
				for b.Loop() {
					z.Add(members[rng.IntN(n)], float64(rng.IntN(n)))
				}
			})
		})
		b.Run(fmt.Sprintf("rank in %d", n), func(b *testing.B) {
			benchmarkSet(b, n, func(b *testing.B, z *ZSetValue, members [][]byte, rng *rand.Rand) {
				for b.Loop() {
					z.Rank(members[rng.IntN(n)])
				}
			})
		})
		b.Run(fmt.Sprintf("remove and add in %d", n), func(b *testing.B) {
			benchmarkSet(b, n, func(b *testing.B, z *ZSetValue, members [][]byte, rng *rand.Rand) {
				for b.Loop() {
					m := members[rng.IntN(n)]
					z.Remove(m)
					z.Add(m, float64(rng.IntN(n)))
				}
			})
		})
		b.Run(fmt.Sprintf("range of 100 in %d", n), func(b *testing.B) {
			benchmarkSet(b, n, func(b *testing.B, z *ZSetValue, members [][]byte, rng *rand.Rand) {
				total := 0
				for b.Loop() {
					it := z.Iter(rng.IntN(n-99), false)
					for i := 0; i < 100 && it.Next(); i++ {
						total += len(it.Member())
					}
				}
			})
		})
	}
}
