package command

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/lethe-cache/lethe/internal/engine"
)

// heldText is plaintext on Go's heap while a command runs. Whatever memory it leaves is cleared.
type heldText struct{ buf []byte }

// span is a part of a heldText.
type span struct{ from, to int }

const firstHeldText = 256

// add copies bytes to the end.
func (t *heldText) add(b []byte) span {
	from := len(t.buf)
	if need := from + len(b); need > cap(t.buf) {
		larger := make([]byte, from, max(need, 2*cap(t.buf), firstHeldText))
		copy(larger, t.buf)
		t.clear() // what reset has left behind the length too
		t.buf = larger
	}
	t.buf = append(t.buf, b...)
	return span{from, len(t.buf)}
}

func (t *heldText) at(s span) []byte { return t.buf[s.from:s.to] }

func (t *heldText) reset() { t.buf = t.buf[:0] }

func (t *heldText) clear() { clear(t.buf[:cap(t.buf)]) }

// sortElement is an element and what it is sorted by.
type sortElement struct {
	text   span
	weight span // of BY, where the order is that of texts
	known  bool // there is a weight
	score  float64
}

// sortElements are the elements of a collection.
type sortElements struct {
	text heldText
	list []sortElement
}

func (s *sortElements) clear() {
	s.text.clear()
	clear(s.list)
}

func (s *sortElements) add(element []byte) {
	s.list = append(s.list, sortElement{text: s.text.add(element)})
}

// load takes all elements. A range of a list or of a sorted set is taken in its own order.
func (s *sortElements) load(v *sortSource) {
	s.list = make([]sortElement, 0, v.len())
	switch v.kind {
	case engine.List:
		for it := v.list.Iter(0, false); it.Next(); {
			s.add(it.Element())
		}
	case engine.Set:
		v.set.Each(func(member []byte) bool { s.add(member); return true })
	case engine.ZSet:
		for it := v.zset.Iter(0, false); it.Next(); {
			s.add(it.Member())
		}
	}
}

// loadRange takes n elements of a list or sorted set in its own order, or the other way round, from a place on.
func (s *sortElements) loadRange(v *sortSource, from, n int, backwards bool) {
	if n <= 0 {
		return
	}
	if backwards {
		from = v.len() - 1 - from
	}
	s.list = make([]sortElement, 0, n)
	if v.kind == engine.List {
		it := v.list.Iter(from, backwards)
		defer it.Close()
		for len(s.list) < n && it.Next() {
			s.add(it.Element())
		}
		return
	}
	it := v.zset.Iter(from, backwards)
	defer it.Close()
	for len(s.list) < n && it.Next() {
		s.add(it.Member())
	}
}

// sortNumbers sorts by score, and by text where scores are equal.
func (s *sortElements) sortNumbers(descending bool) {
	s.sort(descending, func(x, y *sortElement) int {
		if c := cmp.Compare(x.score, y.score); c != 0 {
			return c
		}
		return bytes.Compare(s.text.at(x.text), s.text.at(y.text))
	})
}

// sortTexts sorts by text.
func (s *sortElements) sortTexts(descending bool) {
	s.sort(descending, func(x, y *sortElement) int {
		return bytes.Compare(s.text.at(x.text), s.text.at(y.text))
	})
}

// sortWeights sorts by the texts of the weights; elements without one are first.
func (s *sortElements) sortWeights(descending bool) {
	s.sort(descending, func(x, y *sortElement) int {
		if !x.known || !y.known {
			return int(one(x.known) - one(y.known))
		}
		return bytes.Compare(s.text.at(x.weight), s.text.at(y.weight))
	})
}

// sort sorts; what compares equal stays in the order in which it was loaded, which is that of the texts' places.
func (s *sortElements) sort(descending bool, compare func(x, y *sortElement) int) {
	slices.SortFunc(s.list, func(x, y sortElement) int {
		c := compare(&x, &y)
		if descending {
			c = -c
		}
		if c == 0 {
			c = cmp.Or(cmp.Compare(x.text.from, y.text.from), cmp.Compare(x.text.to, y.text.to))
		}
		return c
	})
}

// sortScore reads a number as C's strtod does: nothing is 0, leading spaces are passed over, hexadecimal and infinite
// numbers are numbers, what is too large or too small is none.
func sortScore(b []byte) (float64, bool) {
	if len(b) == 0 {
		return 0, true
	}
	digits := bytes.TrimLeft(b, " \t\n\v\f\r")
	f, err := parseDouble(digits)
	return f, err == nil && f == f && (f != 0 || !hasDigits(digits))
}
