package rdb_test

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/rdb"
)

// weight adds up what it is told.
type weight struct{ parts, bytes int }

func (w *weight) Begin(rdb.Kind)              {}
func (w *weight) Element(b []byte)            { w.parts, w.bytes = w.parts+1, w.bytes+len(b) }
func (w *weight) Member(m []byte, _ float64)  { w.Element(m) }
func (w *weight) Field(f, v []byte, at int64) { w.Element(f); w.bytes += len(v) }

func (w *weight) End(rdb.StreamFacts)     {}
func (w *weight) Group(g rdb.Group)       { w.Element(g.Name) }
func (w *weight) Consumer(c rdb.Consumer) { w.Element(c.Name) }
func (w *weight) Pending(rdb.Pending)     { w.parts++ }

// Entry leaves the fields out: those that a block's entries share are told with each.
func (w *weight) Entry(_ rdb.ID, pairs [][]byte) {
	for i := 1; i < len(pairs); i += 2 {
		w.Element(pairs[i])
	}
}

// FuzzWalk shows that no bytes make reading panic, tell more parts than there are bytes, or unpack to more than the most
// that the format can fold.
func FuzzWalk(f *testing.F) {
	for _, g := range golden {
		value, err := rdb.Open(unhex(f, g.payload))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
	}
	f.Add(unhex(f, "18e803000000000000020101660176000167017"+"7"))
	f.Fuzz(func(t *testing.T, value []byte) {
		const fold = 88 * 20 // of LZF, and of a byte that stands for a number's text
		var w weight
		err := rdb.Walk(value, &w)
		if w.parts > 88*len(value) || w.bytes > fold*len(value) {
			t.Errorf("%d bytes tell of %d parts with %d bytes", len(value), w.parts, w.bytes)
		}
		var again weight
		if rdb.Walk(value, &again) != err || again != w {
			t.Error("read twice, it is another value")
		}
	})
}
