package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

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
