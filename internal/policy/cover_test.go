package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// fits tells whether key fits the pattern, without the index.
func (p *pattern) fits(key string) bool {
	parts := strings.Split(key, ":")
	if len(parts) < p.depth() || !p.open && len(parts) > len(p.segments) {
		return false
	}
	for i, s := range p.segments {
		if !s.fits([]byte(parts[i])) {
			return false
		}
	}
	return !p.open || strings.HasPrefix(strings.Join(parts[len(p.segments):], ":"), p.openPrefix)
}

func drawPattern(t *rapid.T) *pattern {
	text := rapid.StringMatching(`(a|b|global|\{x\}|\{tenant\}|\*|a\{x\}|\{x\}b|a\*b|\{tenant\}b)?(:(a|b|ab|\{y\}|\*|\*b|b\{y\}a))*(:\*\*|:a\*\*)?`).Draw(t, "pattern")
	patterns, err := compilePattern(text)
	if err != nil {
		t.Skip(err)
	}
	return patterns[0]
}

// drawPatterns draws up to so many patterns, and tells how deep their index is.
func drawPatterns(t *rapid.T, most int) (patterns []*pattern, depth int) {
	patterns = make([]*pattern, rapid.IntRange(1, most).Draw(t, "count"))
	for i := range patterns {
		patterns[i] = drawPattern(t)
		depth = max(depth, patterns[i].depth())
	}
	return patterns, depth
}

// What covers and meets say about two patterns holds for keys.
func TestCoversAndMeetsHoldForKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawPattern(t), drawPattern(t)
		key := rapid.StringMatching(`(a|b|aa|ab|ba|aab|global|globalb)?(:(a|b|aa|ab|ba|bab|aba)?)*`).Draw(t, "key")
		inA, inB := a.fits(key), b.fits(key)
		if a.covers(b) && inB && !inA {
			t.Fatalf("%q fits %q but not %q, which is said to cover it", key, b.text, a.text)
		}
		if inA && inB && !a.meets(b) {
			t.Fatalf("%q fits %q and %q, which are said not to meet", key, a.text, b.text)
		}
		if a.meets(b) != b.meets(a) {
			t.Fatalf("%q and %q do not agree whether they meet", a.text, b.text)
		}
	})
}

// The index finds what trying one pattern after the other finds.
func TestIndexFindsTheFirstPattern(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		patterns, depth := drawPatterns(t, 12)
		key := rapid.StringMatching(`(a|b|aa|ab|ba|aab|global|globalb)?(:(a|b|aa|ab|ba|bab|aba)?)*`).Draw(t, "key")
		want := none
		for i, p := range patterns {
			if p.fits(key) {
				want = i
				break
			}
		}
		var c cut
		c.split([]byte(key), depth)
		if got := newIndex(patterns).find(&c, 0, none); got != want {
			t.Fatalf("%q: the index found %d, want %d", key, got, want)
		}
	})
}

// Where the index says that the last segment's bytes do not matter, keys that differ in them alone find the same pattern, and what
// it captures lies in the same places.
func TestKeysAreAlike(t *testing.T) {
	t.Parallel()
	alike := 0
	rapid.Check(t, func(t *rapid.T) {
		patterns, depth := drawPatterns(t, 6)
		index := newIndex(patterns)
		find := func(key string) (c cut, at int) {
			c.split([]byte(key), depth)
			return c, index.find(&c, 0, none)
		}
		head := rapid.StringMatching(`((a|b|aa|ab|global)?:){0,4}`).Draw(t, "head")
		tails := rapid.SampledFrom([][]string{{"a", "b"}, {"ab", "ba", "aa"}, {"aab", "bab", "abb"}, {"global", "tenant"}}).Draw(t, "tails")
		one, at := find(head + tails[0])
		if one.lastMatters {
			return
		}
		alike++
		for _, tail := range tails[1:] {
			other, there := find(head + tail)
			if there != at || other.lastMatters {
				t.Fatalf("%q finds %d, %q finds %d", head+tails[0], at, head+tail, there)
			}
			if at == none {
				continue
			}
			for i, s := range patterns[at].segments {
				for j := range s {
					was, _ := s.split(one.segment(i), j)
					is, _ := s.split(other.segment(i), j)
					if len(was) != len(is) || i < one.n-1 && string(was) != string(is) {
						t.Fatalf("%q in segment %d of %q, %q of %q", was, i, head+tails[0], is, head+tail)
					}
				}
			}
		}
	})
	if alike == 0 {
		t.Error("no two keys are alike")
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	f := func(a, b string, want bool) {
		t.Helper()
		pa, errA := compilePattern(a)
		pb, errB := compilePattern(b)
		if errA != nil || errB != nil {
			t.Fatalf("cannot compile %s and %s: %v, %v", a, b, errA, errB)
		}
		if got := pa[0].covers(pb[0]); got != want {
			t.Errorf("%s covers %s: got %v, want %v", a, b, got, want)
		}
	}
	f("{tenant}:patient:{id}", "T1:patient:{id}", true)
	f("{tenant}:patient:{id}", "global:patient:{id}", false)
	f("{tenant}:patient:{id}", "{cache}:patient:{id}", false)
	f("{cache}:patient:{id}", "{tenant}:patient:{id}", true)
	f("{tenant}:**", "{tenant}:patient:{id}", true)
	f("{tenant}:**", "{tenant}", false)
	f("{tenant}:patient:{id}", "{tenant}:patient:**", false)
	f("**", "{tenant}:patient:**", true)
	f("tmp**", "tmp-{id}:x", true)
	f("tmp**", "{id}:x", false)
	f("tmp**", "tmp2**", true)
	f("a:*", "a:{id}", true)
	f("a:{id}", "a:*", false)
	f("a:{id}", "a:*b", true)
	f("a:{id}-*", "a:{id}-x", true)
	f("a:{x}-{y}", "a:{x}-b-{y}", true)
	f("a:{x}-b-{y}", "a:{x}-{y}", false)
	f("WCC-{tenant}-{id}", "WCC-{tenant}-{number}", true)
}
