package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

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
		b.Run(fmt.Sprintf("members of 100 in %d", n), func(b *testing.B) {
			benchmarkSet(b, n, func(b *testing.B, z *ZSetValue, members [][]byte, rng *rand.Rand) {
				total := 0
				var some [16][]byte
				for b.Loop() {
					it := z.Iter(rng.IntN(n-99), false)
					it.Limit(100)
					for k := it.Members(some[:]); k > 0; k = it.Members(some[:]) {
						for _, m := range some[:k] {
							total += len(m)
						}
					}
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
