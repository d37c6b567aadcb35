package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTable(t *testing.T) {
	a := newArena()
	var tab table
	rng := rand.New(rand.NewPCG(3, 4))
	want := map[ref]uint32{}
	var refs []ref
	for i := range 200000 {
		if len(refs) > 0 && rng.IntN(100) < 40 {
			k := rng.IntN(len(refs))
			r := refs[k]
			tab.remove(a, want[r], r)
			delete(want, r)
			refs[k] = refs[len(refs)-1]
			refs = refs[:len(refs)-1]
			continue
		}
		r, tag := ref(i+1), rng.Uint32()
		if rng.IntN(50) == 0 {
			tag &= 0xfff // some tags collide
		}
		tab.insert(a, tag, r)
		want[r] = tag
		refs = append(refs, r)
	}
	if int(tab.count) != len(want) {
		t.Fatalf("count is %d, want %d", tab.count, len(want))
	}
	for r, tag := range want {
		found := false
		for p := tab.probe(a, tag); p.next(); {
			found = found || p.found == r
		}
		if !found {
			t.Fatalf("block %d is not found", r)
		}
	}
	seen := map[ref]bool{}
	tab.each(a, func(tag uint32, r ref) bool {
		if seen[r] || want[r] != tag {
			t.Fatalf("each: block %d twice or with a wrong tag", r)
		}
		seen[r] = true
		return true
	})
	if len(seen) != len(want) {
		t.Fatalf("each saw %d of %d", len(seen), len(want))
	}
	for r, tag := range want {
		tab.remove(a, tag, r)
	}
	if a.used != 0 {
		t.Fatalf("%d bytes left by an empty table", a.used)
	}
}

// TestTableScan checks SCAN's promise: what is there from the first call to the last is seen, though the table grows and
// shrinks between the calls.
func TestTableScan(t *testing.T) {
	a := newArena()
	var tab table
	rng := rand.New(rand.NewPCG(5, 6))
	var steady, passing []slot
	for i := range 20000 {
		s := slot{rng.Uint32(), ref(i + 1)}
		tab.insert(a, s.tag, s.ref)
		steady = append(steady, s)
	}
	next := ref(1 << 20)
	seen := map[ref]int{}
	calls, order := 0, []uint32{}
	for tag, more := uint32(0), true; more; calls++ {
		n := 0
		tag, more = tab.scan(a, tag, 10, func(r ref) { seen[r]++; n++ })
		order = append(order, tag)
		if n > 40 {
			t.Fatalf("%d blocks for a count of 10", n)
		}
		for range 30 {
			if rng.IntN(2) == 0 || len(passing) == 0 {
				s := slot{rng.Uint32(), next}
				next++
				tab.insert(a, s.tag, s.ref)
				passing = append(passing, s)
			} else {
				s := passing[len(passing)-1]
				passing = passing[:len(passing)-1]
				tab.remove(a, s.tag, s.ref)
			}
		}
	}
	for _, s := range steady {
		if seen[s.ref] != 1 {
			t.Fatalf("a steady block was seen %d times", seen[s.ref])
		}
	}
	if !slices.IsSorted(order[:len(order)-1]) {
		t.Fatal("the scan went backwards")
	}
}

func BenchmarkTableFind(b *testing.B) {
	a := newArena()
	var tab table
	rng := rand.New(rand.NewPCG(5, 6))
	tags := make([]uint32, 1<<16)
	for i := range tags {
		tags[i] = rng.Uint32()
		tab.insert(a, tags[i], ref(i+1))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		p := tab.probe(a, tags[i&(1<<16-1)])
		if !p.next() {
			b.Fatal("not found")
		}
	}
}
