package engine

import (
	"cmp"
	"fmt"
	"math"
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
				old, had := model[m]
				if added, changed := z.Add([]byte(m), score); added == had || changed != (!had || score != old) {
					t.Fatalf("Add says %v, %v", added, changed)
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
