package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const setMark = "CANARY"

type setModel struct {
	lab     *lab
	members map[string]bool
}

func (m *setModel) with(f func(s *SetValue)) {
	m.lab.do(func(tx *Tx, keys []Key) {
		s, err := tx.SetAt(&keys[0])
		if err != nil {
			panic(err)
		}
		f(&s)
	}, "key-"+setMark)
}

func (m *setModel) add(t *rapid.T, member string) {
	m.with(func(s *SetValue) {
		if !s.Exists() {
			s.Create(m.lab.meta(1000))
		}
		if s.Add([]byte(member)) == m.members[member] {
			t.Fatalf("Add says that a member is new: %v", m.members[member])
		}
		m.members[member] = true
	})
}

func (m *setModel) check(t *rapid.T) {
	m.with(func(s *SetValue) {
		if s.Len() != len(m.members) || s.Exists() != (len(m.members) > 0) {
			t.Fatalf("the set has %d members, want %d", s.Len(), len(m.members))
		}
		seen, scanned := map[string]bool{}, map[string]bool{}
		s.Each(func(member []byte) bool { seen[string(member)] = true; return true })
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			cursor = s.Scan(cursor, 7, func(member []byte) { scanned[string(member)] = true })
		}
		if !maps.Equal(seen, m.members) || !maps.Equal(scanned, m.members) {
			t.Fatalf("Each and Scan do not show what was added")
		}
		for member := range m.members {
			if !s.Contains([]byte(member)) {
				t.Fatalf("a member is not in the set")
			}
		}
	})
}

func TestSetModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &setModel{newLab(), map[string]bool{}}
		member := rapid.OneOf(
			rapid.Map(rapid.Int64Range(-100, 600), func(n int64) string { return strconv.FormatInt(n, 10) }),
			rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }))
		if rapid.Bool().Draw(t, "text") {
			member = rapid.OneOf(member, rapid.SampledFrom([]string{"", "-0", "01", "+1", "-", "9223372036854775808", " 1"}),
				rapid.Map(rapid.IntRange(0, 300), func(n int) string { return fmt.Sprint(setMark, n) }),
				rapid.Map(rapid.IntRange(0, 10), func(n int) string { return strings.Repeat(setMark, n*5) }))
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) { m.add(t, member.Draw(t, "member")) },
			"add many": func(t *rapid.T) {
				for i := range rapid.IntRange(0, 600).Draw(t, "members") {
					m.add(t, strconv.Itoa(i*7))
				}
			},
			"remove": func(t *rapid.T) {
				name := member.Draw(t, "member")
				m.with(func(s *SetValue) {
					if s.Contains([]byte(name)) != m.members[name] || s.Remove([]byte(name)) != m.members[name] {
						t.Fatalf("Remove does not say %v", m.members[name])
					}
				})
				delete(m.members, name)
			},
			"pop": func(t *rapid.T) {
				n := rapid.IntRange(0, 700).Draw(t, "members")
				m.with(func(s *SetValue) {
					want, popped := min(n, s.Len()), 0
					s.Pop(n, func(member []byte) {
						if !m.members[string(member)] {
							t.Fatalf("Pop gives what is not in the set")
						}
						delete(m.members, string(member))
						popped++
					})
					if popped != want {
						t.Fatalf("Pop gives %d members, want %d", popped, want)
					}
				})
			},
			"": m.check,
		})
		m.with(func(s *SetValue) { s.Erase() })
		m.lab.checkEmpty(t, setMark)
	})
}

func TestSetAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLab()
		names := []string{"a", "b", "c"}
		models := make([]map[string]bool, len(names))
		member := rapid.Map(rapid.IntRange(0, 700), strconv.Itoa)
		if rapid.Bool().Draw(t, "text") {
			member = rapid.Map(rapid.IntRange(0, 700), func(n int) string { return fmt.Sprint(setMark, n) })
		}
		l.do(func(tx *Tx, keys []Key) {
			sets := make([]SetValue, len(names))
			for i := range names {
				models[i] = map[string]bool{}
				sets[i], _ = tx.SetAt(&keys[i])
				for _, m := range rapid.SliceOfN(member, 0, 600).Draw(t, names[i]) {
					if !sets[i].Exists() {
						sets[i].Create(l.meta(1000))
					}
					models[i][m] = true
					sets[i].Add([]byte(m))
				}
			}
			wantUnion, wantInter, wantDiff := []string{}, []string{}, []string{}
			for i := range models {
				for m := range models[i] {
					wantUnion = append(wantUnion, m)
					if i == 0 && models[1][m] && models[2][m] {
						wantInter = append(wantInter, m)
					}
					if i == 0 && !models[1][m] && !models[2][m] {
						wantDiff = append(wantDiff, m)
					}
				}
			}
			var inter, diff, union []string
			Intersect(sets, func(m []byte) bool { inter = append(inter, string(m)); return true })
			Subtract(sets, func(m []byte) bool { diff = append(diff, string(m)); return true })
			b := tx.BuildSet(&keys[1])
			for i := range sets {
				sets[i].Each(func(m []byte) bool { b.Add(m); return true })
			}
			stored := b.Store(l.meta(500)) // over one of the sources
			stored.Each(func(m []byte) bool { union = append(union, string(m)); return true })
			same := func(what string, got, want []string) {
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, slices.Compact(want)) {
					t.Fatalf("%s has %d members, want %d", what, len(got), len(want))
				}
			}
			same("intersection", inter, wantInter)
			same("difference", diff, wantDiff)
			same("union", union, wantUnion)
			copied, _ := tx.SetAt(&keys[0])
			if stored.Exists() {
				tx.Copy(&keys[0], l.meta(100), stored.Entry())
				copied, _ = tx.SetAt(&keys[0])
				if copied.Len() != stored.Len() {
					t.Fatalf("the copy has %d members, want %d", copied.Len(), stored.Len())
				}
			}
			for i := range keys {
				tx.Delete(&keys[i])
			}
		}, names...)
		l.checkEmpty(t, setMark)
	})
}

func TestSetSample(t *testing.T) {
	f := func(members int, text string) {
		t.Helper()
		l := newLab()
		l.do(func(tx *Tx, keys []Key) {
			s, _ := tx.SetAt(&keys[0])
			s.Create(l.meta(1000))
			for i := range members {
				s.Add([]byte(fmt.Sprint(text, i)))
			}
			for _, n := range []int{0, 1, members / 5, members, members + 1} {
				seen := map[string]bool{}
				s.Sample(n, func(m []byte) bool { seen[string(m)] = true; return true })
				if len(seen) != min(n, members) {
					t.Errorf("%d of %d: %d different members", n, members, len(seen))
				}
			}
			hits := map[string]int{}
			s.Random(members*50, func(m []byte) bool { hits[string(m)]++; return true })
			for m, n := range hits {
				if n < 15 || n > 120 {
					t.Errorf("member %s was drawn %d times, about 50 are fair", m, n)
				}
			}
			s.Erase()
		}, "key")
		l.checkEmpty(t, setMark)
	}
	f(100, "")
	f(100, "m")
	f(3000, "m")
}

func TestParseInteger(t *testing.T) {
	f := func(s string, want int64, ok bool) {
		t.Helper()
		if got, is := parseInteger([]byte(s)); is != ok || (ok && got != want) {
			t.Errorf("parseInteger(%q) = %d, %v", s, got, is)
		}
	}
	f("0", 0, true)
	f("-1", -1, true)
	f("9223372036854775807", math.MaxInt64, true)
	f("-9223372036854775808", math.MinInt64, true)
	f("9223372036854775808", 0, false)
	f("-9223372036854775809", 0, false)
	f("99999999999999999999", 0, false)
	f("", 0, false)
	f("-", 0, false)
	f("-0", 0, false)
	f("00", 0, false)
	f("1a", 0, false)
	a := newArena()
	d := newDigits(a)
	for _, n := range []int64{0, 7, -7, math.MaxInt64, math.MinInt64} {
		if got := string(d.of(n)); got != strconv.FormatInt(n, 10) {
			t.Errorf("%d is written as %s", n, got)
		}
	}
}
