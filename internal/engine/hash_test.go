package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const hashMark = "CANARY"

// hashModel is what a hash must be: a map, and the rules of its deadlines.
type hashModel struct {
	lab    *lab
	fields map[string]modelField
	ends   int64 // the entry's deadline; 0 while there is no hash
	added  int   // fields since there is one
}

type modelField struct {
	value string
	ends  int64 // noDeadline: none
	came  int   // which of the hash's it was
}

func (m *hashModel) with(f func(h *HashValue)) {
	m.lab.do(func(tx *Tx, keys []Key) {
		h, err := tx.HashAt(&keys[0])
		if err != nil {
			panic(err)
		}
		f(&h)
	}, "key-"+hashMark)
}

// age drops what the model's clock has ended.
func (m *hashModel) age() {
	if m.ends <= m.lab.now {
		clear(m.fields)
	}
	maps.DeleteFunc(m.fields, func(_ string, f modelField) bool { return f.ends <= m.lab.now })
	if len(m.fields) == 0 {
		m.ends = 0
	}
}

func (m *hashModel) set(t *rapid.T, field, value string, keep bool) {
	m.with(func(h *HashValue) {
		if !h.Exists() {
			ttl := rapid.Int64Range(1, 5000).Draw(t, "ttl")
			h.Create(m.lab.meta(ttl))
			m.ends, m.added = m.lab.now+ttl, 0
		}
		old, had := m.fields[field]
		set := h.Set
		if keep {
			set = h.Update
		}
		if added := set([]byte(field), []byte(value)); added == had {
			t.Fatalf("Set says %v for a field that was there: %v", added, had)
		}
		f := modelField{value, noDeadline, old.came}
		if keep && had {
			f.ends = old.ends
		}
		if !had {
			m.added++
			f.came = m.added
		}
		m.fields[field] = f
	})
}

func (m *hashModel) setDeadline(t *rapid.T, field string, at int64) {
	m.with(func(h *HashValue) {
		f, had := m.fields[field]
		if _, found := h.Get([]byte(field)); found != had {
			t.Fatalf("Get finds: %v, want %v", found, had)
		}
		if !had {
			return
		}
		h.SetDeadline([]byte(field), at)
		f.ends = min(at, m.ends)
		m.fields[field] = f
	})
	m.age()
}

func (m *hashModel) check(t *rapid.T) {
	m.age()
	m.with(func(h *HashValue) {
		if h.Len() != len(m.fields) || h.Exists() != (len(m.fields) > 0) {
			t.Fatalf("the hash has %d fields, want %d", h.Len(), len(m.fields))
		}
		seen, last := map[string]string{}, 0
		h.Each(func(field, value []byte) bool {
			seen[string(field)] = string(value)
			if came := m.fields[string(field)].came; m.added <= maxPacked {
				if came <= last {
					t.Fatalf("field %d comes behind field %d", came, last)
				}
				last = came
			}
			return true
		})
		scanned := map[string]string{}
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			cursor = h.Scan(cursor, 10, func(field, value []byte) { scanned[string(field)] = string(value) })
		}
		want := map[string]string{}
		for field, f := range m.fields {
			want[field] = f.value
			at, timed, found := h.Deadline([]byte(field))
			if !found || timed != (f.ends != noDeadline) || (timed && at != f.ends) {
				t.Fatalf("deadline is %d %v %v, want %d", at, timed, found, f.ends)
			}
			if got, _ := h.Get([]byte(field)); string(got) != f.value {
				t.Fatalf("value is %q, want %q", got, f.value)
			}
		}
		if !maps.Equal(seen, want) || !maps.Equal(scanned, want) {
			t.Fatalf("Each and Scan do not show what was set")
		}
	})
}

func TestHashModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &hashModel{lab: newLab(), fields: map[string]modelField{}}
		wide := rapid.Bool().Draw(t, "wide") // values that no packed hash takes
		field := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("f%d", rapid.IntRange(0, 200).Draw(t, "n")) })
		value := rapid.Custom(func(t *rapid.T) string {
			n := rapid.IntRange(0, 60).Draw(t, "length")
			if wide {
				n *= 5
			}
			return hashMark[:min(n, len(hashMark))] + strings.Repeat("v", max(n-len(hashMark), 0))
		})
		t.Repeat(map[string]func(*rapid.T){
			"set":    func(t *rapid.T) { m.age(); m.set(t, field.Draw(t, "field"), value.Draw(t, "value"), false) },
			"update": func(t *rapid.T) { m.age(); m.set(t, field.Draw(t, "field"), value.Draw(t, "value"), true) },
			"fill": func(t *rapid.T) {
				m.age()
				at := m.lab.now + rapid.Int64Range(1, 50).Draw(t, "in")
				for i := range rapid.IntRange(1, 400).Draw(t, "fields") {
					name := fmt.Sprintf("f%d", i)
					m.set(t, name, "x"+hashMark, false)
					if i%7 > 0 {
						m.setDeadline(t, name, at)
					}
				}
			},
			"delete": func(t *rapid.T) {
				m.age()
				name := field.Draw(t, "field")
				_, had := m.fields[name]
				m.with(func(h *HashValue) {
					if h.Delete([]byte(name)) != had {
						t.Fatalf("Delete does not say %v", had)
					}
				})
				delete(m.fields, name)
			},
			"deadline": func(t *rapid.T) {
				m.age()
				m.setDeadline(t, field.Draw(t, "field"), m.lab.now+rapid.Int64Range(0, 300).Draw(t, "in"))
			},
			"persist": func(t *rapid.T) {
				m.age()
				name := field.Draw(t, "field")
				f, had := m.fields[name]
				m.with(func(h *HashValue) {
					if h.ClearDeadline([]byte(name)) != (had && f.ends != noDeadline) {
						t.Fatalf("ClearDeadline does not say what there was")
					}
				})
				if had {
					f.ends = noDeadline
					m.fields[name] = f
				}
			},
			"wait": func(t *rapid.T) { m.lab.now += rapid.Int64Range(1, 100).Draw(t, "ms") },
			"reap": func(t *rapid.T) { m.lab.reap() },
			"":     m.check,
		})
		m.with(func(h *HashValue) { h.Erase() })
		m.lab.checkEmpty(t, hashMark)
	})
}

// TestHashDeadlinesFireByThemselves: no command looks at the hash; the wheel erases what is due, and at last the entry.
func TestHashDeadlinesFireByThemselves(t *testing.T) {
	for _, fields := range []int{5, 1000} {
		l := newLab()
		key := "key"
		l.do(func(tx *Tx, keys []Key) {
			h, _ := tx.HashAt(&keys[0])
			h.Create(l.meta(100_000))
			for i := range fields {
				name := []byte(fmt.Sprint(hashMark, i))
				h.Set(name, name)
				h.SetDeadline(name, l.now+100+int64(i%2)*1000)
			}
		}, key)
		full := l.store.Total().Bytes
		l.now += 104
		l.reap()
		if got := l.store.Total().Bytes; got >= full*4/5 {
			t.Errorf("%d fields: %d bytes of %d are left after half of them expired", fields, got, full)
		}
		if len(l.removed) != 0 || l.fieldsTold == 0 {
			t.Errorf("%d fields: %d removals told, and %d groups of fields", fields, len(l.removed), l.fieldsTold)
		}
		l.now += 1000
		l.reap()
		if len(l.removed) != 1 || l.removed[0].Reason != Expired || string(l.removed[0].Key) != key {
			t.Errorf("%d fields: the sink was told %+v", fields, l.removed)
		}
		l.checkEmpty(t, hashMark)
	}
}

// TestHashAllDue: more fields are due than one step erases, and a command comes before the wheel.
func TestHashAllDue(t *testing.T) {
	l := newLab()
	l.do(func(tx *Tx, keys []Key) {
		h, _ := tx.HashAt(&keys[0])
		h.Create(l.meta(100_000))
		for i := range 3000 {
			name := []byte(fmt.Sprint(hashMark, i))
			h.Set(name, name)
			h.SetDeadline(name, l.now+100)
		}
	}, "key")
	l.now += 100
	l.do(func(tx *Tx, keys []Key) {
		h, _ := tx.HashAt(&keys[0])
		if h.Exists() || h.Len() != 0 {
			t.Errorf("a hash of %d fields that are due is still there", h.Len())
		}
		h.Create(l.meta(1000))
		h.Set([]byte("new"), []byte("1"))
		if h.Len() != 1 {
			t.Errorf("the new hash has %d fields", h.Len())
		}
		h.Delete([]byte("new"))
	}, "key")
	if len(l.removed) != 1 {
		t.Errorf("the sink was told of %d removals, want 1", len(l.removed))
	}
	l.checkEmpty(t, hashMark)
}

func TestHashRandom(t *testing.T) {
	f := func(fields, due int) {
		t.Helper()
		l := newLab()
		name := func(i int) []byte { return []byte(fmt.Sprint("field", i)) }
		l.do(func(tx *Tx, keys []Key) {
			h, _ := tx.HashAt(&keys[0])
			h.Create(l.meta(100_000))
			for i := range fields + due {
				h.Set(name(i), name(i))
				if i >= fields {
					h.SetDeadline(name(i), l.now+1)
				}
			}
		}, "key")
		l.now++
		l.do(func(tx *Tx, keys []Key) {
			h, _ := tx.HashAt(&keys[0])
			for _, n := range []int{1, fields / 4, fields, fields + 5} {
				var seen []string
				h.Sample(n, func(field, value []byte) bool {
					if string(field) != string(value) {
						t.Errorf("a field has another's value")
					}
					seen = append(seen, string(field))
					return true
				})
				slices.Sort(seen)
				if len(slices.Compact(seen)) != min(n, fields) {
					t.Errorf("%d of %d: %d different fields", n, fields, len(slices.Compact(seen)))
				}
			}
			hits := map[string]int{}
			h.Random(20*fields, func(field, _ []byte) bool { hits[string(field)]++; return true })
			if len(hits) < fields*9/10 {
				t.Errorf("20 draws for each of %d fields met only %d", fields, len(hits))
			}
			h.Erase()
		}, "key")
		l.checkEmpty(t, hashMark)
	}
	f(10, 0)
	f(10, 10)
	f(2000, 0)
	f(500, 2000)
}

func TestHashWrongKind(t *testing.T) {
	l := newLab()
	l.do(func(tx *Tx, keys []Key) {
		tx.SetString(&keys[0], l.meta(1000), []byte("text"))
		if _, err := tx.HashAt(&keys[0]); err != ErrWrongKind {
			t.Errorf("HashAt of a string: %v", err)
		}
		if _, err := tx.SetAt(&keys[0]); err != ErrWrongKind {
			t.Errorf("SetAt of a string: %v", err)
		}
		tx.Delete(&keys[0])
	}, "key")
	l.checkEmpty(t, hashMark)
}

func TestHashCopy(t *testing.T) {
	for _, fields := range []int{3, 1000} {
		l := newLab()
		l.do(func(tx *Tx, keys []Key) {
			h, _ := tx.HashAt(&keys[0])
			h.Create(l.meta(1000))
			for i := range fields {
				name := []byte(fmt.Sprint(hashMark, i))
				h.Set(name, name)
				if i%2 == 0 {
					h.SetDeadline(name, l.now+500)
				}
			}
			tx.Copy(&keys[1], l.meta(400), h.Entry())
			c, _ := tx.HashAt(&keys[1])
			if c.Len() != fields {
				t.Errorf("the copy has %d fields, want %d", c.Len(), fields)
			}
			if at, timed, _ := c.Deadline([]byte(hashMark + "0")); !timed || at != l.now+400 {
				t.Errorf("the copy's field ends at %d, not with its entry", at-l.now)
			}
			h.Erase()
			c.Erase()
		}, "a", "bb")
		l.checkEmpty(t, hashMark)
	}
}
