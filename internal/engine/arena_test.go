package engine

import (
	"math/rand/v2"
	"testing"
)

func TestClasses(t *testing.T) {
	for n := 1; n <= largestClass; n++ {
		c := classOf(n)
		if size := classBytes(c); size < n || size-n > max(16, n/8) {
			t.Fatalf("%d bytes: class %d of %d", n, c, size)
		}
		if c > 0 && classBytes(c-1) >= n {
			t.Fatalf("%d bytes would fit class %d", n, c-1)
		}
	}
	if got := classOf(largestClass); got != classCount-1 {
		t.Fatalf("last class is %d", got)
	}
}

// TestArenaClears checks the invariant that erasure rests on: new blocks are zero, live blocks keep their bytes, and
// after everything is freed no byte of the arena but the links of free slots is set.
func TestArenaClears(t *testing.T) {
	a := newArena()
	type block struct {
		r ref
		n int
		b byte
	}
	var live []block
	rng := rand.New(rand.NewPCG(1, 2))
	check := func(b block) {
		for i, x := range a.bytes(b.r, b.n) {
			if x != b.b {
				t.Fatalf("block of %d bytes: byte %d is %d, want %d", b.n, i, x, b.b)
			}
		}
	}
	for i := range 60000 {
		if len(live) > 0 && (rng.IntN(100) < 45 || len(live) > 3000) {
			k := rng.IntN(len(live))
			check(live[k])
			a.free(live[k].r, live[k].n)
			live[k] = live[len(live)-1]
			live = live[:len(live)-1]
			continue
		}
		n := 1 + rng.IntN(600)
		switch rng.IntN(1000) {
		case 0:
			n = 1 + rng.IntN(6<<20)
		case 1, 2, 3, 4, 5:
			n = 1 + rng.IntN(200<<10)
		}
		r := a.alloc(n)
		check(block{r, n, 0})
		b := block{r, n, byte(i%255 + 1)}
		for j := range a.bytes(r, n) {
			a.bytes(r, n)[j] = b.b
		}
		live = append(live, b)
	}
	for _, b := range live {
		check(b)
		a.free(b.r, b.n)
	}
	if a.used != 0 || len(a.huge) != 0 {
		t.Fatalf("%d bytes still used, %d huge blocks", a.used, len(a.huge))
	}
	for number, c := range a.chunks {
		if c == nil {
			continue
		}
		set := 0
		for _, x := range a.bytes(ref(number<<chunkShift), chunkBytes) {
			if x != 0 {
				set++
			}
		}
		// One run of each class may be kept, with a two-byte link in each of its slots.
		if set > 40000 {
			t.Fatalf("chunk %d: %d bytes not cleared", number, set)
		}
	}
	a.close()
}

func BenchmarkArena(b *testing.B) {
	a := newArena()
	b.ReportAllocs()
	for b.Loop() {
		a.free(a.alloc(180), 180)
	}
}
