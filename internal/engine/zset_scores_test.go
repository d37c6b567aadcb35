package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFirstByScore holds it to what the ranks of both ends say, with scores that are all different, often equal, and all
// equal, and with ends that are scores, lie between them or beyond.
func TestFirstByScore(t *testing.T) {
	for _, scores := range []int{1, 7, 400, 5000} {
		s := New(Options{})
		inTx(s, "z", func(tx *Tx, k *Key) {
			z, _ := tx.ZSetAt(k)
			z.Create(testMeta)
			random := rand.New(rand.NewPCG(1, uint64(scores)))
			for i := range 3000 {
				z.Add(fmt.Appendf(nil, "member:%d", i), float64(random.IntN(scores)))
			}
			end := func() float64 {
				if random.IntN(10) == 0 {
					return math.Inf(random.IntN(2)*2 - 1)
				}
				return float64(random.IntN(2*scores+4)-2) / 2
			}
			for range 2000 {
				r := ScoreRange{Low: end(), Top: end(), LowOpen: random.IntN(2) == 0, TopOpen: random.IntN(2) == 0}
				limit := random.IntN(120)
				it, n, ok := z.FirstByScore(r, limit)
				first, last := z.RankOfScore(r.Low, r.LowOpen), z.RankOfScore(r.Top, !r.TopOpen)
				want := pairsOf(z.Iter(first, false))
				want = want[:min(len(want), limit, max(last-first, 0))]
				if got := pairsOf(it); !ok || n != len(want) || !slices.Equal(got, want) {
					t.Fatalf("%+v, %d at most: %d members, want %d", r, limit, len(got), len(want))
				}
			}
		})
		s.Close()
	}
}

// TestFirstByScoreOfFew shows that it leaves small sets, and none, to others.
func TestFirstByScoreOfFew(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	inTx(s, "z", func(tx *Tx, k *Key) {
		z, _ := tx.ZSetAt(k)
		if _, _, ok := z.FirstByScore(ScoreRange{}, 1); ok {
			t.Error("an absent set has a tree")
		}
		z.Create(testMeta)
		z.Add([]byte("m"), 1)
		if _, _, ok := z.FirstByScore(ScoreRange{Top: 2}, 1); ok {
			t.Error("a packed set has a tree")
		}
	})
}
