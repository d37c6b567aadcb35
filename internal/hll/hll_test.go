package hll

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func newSketch() slice {
	s := make(slice, EmptyBytes)
	PutEmpty(s)
	return s
}

func number(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// The bytes and the number were taken from a redis-server 7.0.15.
func TestAsRedis(t *testing.T) {
	t.Parallel()
	s := newSketch()
	for _, element := range []string{"a", "b", "c", "", "1234567", "12345678", "123456789", "12345678901234567"} {
		if changed, err := Add(&s, []byte(element)); err != nil || !changed {
			t.Fatalf("%q: %v, %v", element, changed, err)
		}
	}
	Invalidate(s)
	const want = "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80"
	if string(s[:headBytes]) != want {
		t.Errorf("the head is %q, want %q", s[:headBytes], want)
	}
	if n, err := Count(s); n != 8 || err != nil {
		t.Errorf("%d elements, %v", n, err)
	}
	for _, element := range []string{"a", "", "12345678"} {
		if changed, _ := Add(&s, []byte(element)); changed {
			t.Errorf("%q changed a sketch that has it", element)
		}
	}
}

// TestFormsAgree adds the same elements to a sparse and to a dense sketch: they have the same registers all the time, the
// sparse one becomes dense where Redis's would, and both count about right.
func TestFormsAgree(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		sparse, dense := newSketch(), newSketch()
		if err := ToDense(&dense); err != nil {
			t.Fatal(err)
		}
		for i := range 4000 {
			element := number(rng.Uint64())
			a, err := Add(&sparse, element)
			b, denseErr := Add(&dense, element)
			if err != nil || denseErr != nil || a != b {
				t.Fatalf("added %v and %v: %v, %v", a, b, err, denseErr)
			}
			if !IsDense(sparse) && len(sparse) > sparseLimit {
				t.Fatalf("a sparse sketch has %d bytes", len(sparse))
			}
			if i%500 == 499 {
				same(t, sparse, dense)
			}
		}
		if !IsDense(sparse) {
			t.Error("4000 elements are still sparse")
		}
		if n, _ := Count(dense); n < 3800 || n > 4200 {
			t.Errorf("4000 elements are counted as %d", n)
		}
	}
}

func same(t *testing.T, a, b slice) {
	t.Helper()
	var x, y Union
	if err := errors.Join(x.Merge(a), y.Merge(b)); err != nil {
		t.Fatal(err)
	}
	if x != y {
		t.Fatal("the registers differ")
	}
	n, _ := Count(a)
	m, _ := Count(b)
	if n != m || x.Count() != n {
		t.Fatalf("the counts are %d, %d and %d", n, m, x.Count())
	}
}

func TestUnion(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	f := func(sizes ...int) {
		t.Helper()
		all, stored := newSketch(), newSketch()
		var u Union
		dense := false
		for _, size := range sizes {
			s := newSketch()
			for range size {
				element := number(rng.Uint64())
				for _, v := range []*slice{&s, &all} {
					if _, err := Add(v, element); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := u.Merge(s); err != nil {
				t.Fatal(err)
			}
			dense = dense || IsDense(s)
		}
		if err := u.Store(&stored, dense); err != nil {
			t.Fatal(err)
		}
		same(t, stored, all)
		if _, known := Cached(stored); known {
			t.Error("a stored union knows its count")
		}
	}
	f()
	f(0, 0)
	f(3, 5)
	f(500, 500, 500)
	f(20_000, 10)
	f(10, 20_000)
	f(30_000, 30_000)
}

func TestCached(t *testing.T) {
	t.Parallel()
	s := newSketch()
	if n, known := Cached(s); n != 0 || !known {
		t.Errorf("nothing counts as %d, %v", n, known)
	}
	SetCached(s, 1<<62)
	if n, known := Cached(s); n != 1<<62 || !known {
		t.Errorf("got %d, %v", n, known)
	}
	Invalidate(s)
	if _, known := Cached(s); known {
		t.Error("the count is still known")
	}
}

func TestCorrupt(t *testing.T) {
	t.Parallel()
	f := func(runs string) {
		t.Helper()
		s := append(newSketch()[:headBytes], runs...)
		if _, err := Count(s); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%x counts: %v", runs, err)
		}
		var u Union
		if err := u.Merge(s); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%x merges: %v", runs, err)
		}
		if err := ToDense(&s); !errors.Is(err, ErrCorrupt) || IsDense(s) {
			t.Errorf("%x becomes dense: %v", runs, err)
		}
	}
	f("")
	f("\x00")
	f("\x7f")     // cut short
	f("\x7f\xfe") // one register too few
	f("\x7f\xff\x00")
	f("\x7f\xff\x80")
	f("\x7f\xff\x7f\xff")
}

// FuzzSketch runs everything on what a client may have written as a string: no panic, no bytes beyond it, and what counts
// as a sketch can be added to and merged.
func FuzzSketch(f *testing.F) {
	empty := newSketch()
	f.Add([]byte(empty), []byte("element"))
	f.Add([]byte(append(newSketch()[:headBytes], "\x00\x84\x43\x10\x7c\xeb"...)), []byte(""))
	dense := newSketch()
	if err := ToDense(&dense); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(dense), []byte("x"))
	f.Fuzz(func(t *testing.T, b, element []byte) {
		if !Valid(b) {
			return
		}
		s := slice(bytes.Clone(b))
		before, err := Count(s)
		AppendRuns(nil, s)
		var u Union
		if merged := u.Merge(s); (merged == nil) != (err == nil) {
			t.Fatalf("counting says %v, merging %v", err, merged)
		}
		_, added := Add(&s, element)
		if err != nil {
			return
		}
		if added != nil {
			t.Fatalf("a sound sketch takes no element: %v", added)
		}
		after, err := Count(s)
		if err != nil || !Valid(s) {
			t.Fatalf("after an element: %v", err)
		}
		if after < before {
			t.Errorf("%d elements became %d", before, after)
		}
	})
}

func TestSelfTest(t *testing.T) {
	t.Parallel()
	if err := SelfTest(); err != nil {
		t.Error(err)
	}
}

func BenchmarkSketch(b *testing.B) {
	for _, size := range []int{100, 100_000} {
		s := newSketch()
		for i := range size {
			if _, err := Add(&s, number(uint64(i))); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("add/%d", size), func(b *testing.B) {
			element, n := make([]byte, 8), uint64(0)
			for b.Loop() {
				n++
				binary.LittleEndian.PutUint64(element, n%uint64(size))
				if _, err := Add(&s, element); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("count/%d", size), func(b *testing.B) {
			for b.Loop() {
				if _, err := Count(s); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("union/%d", size), func(b *testing.B) {
			var u Union
			for b.Loop() {
				if err := u.Merge(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
