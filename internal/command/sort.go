package command

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgSortBy     = "ERR BY option of SORT denied due to insufficient ACL permissions."
	msgSortGet    = "ERR GET option of SORT denied due to insufficient ACL permissions."
	msgSortScore  = "ERR One or more scores can't be converted into double"
	msgSortTooBig = "ERR SORT would answer more values than a reply may have"

	// maxSortValues bounds what GET patterns multiply the elements to. Redis has no bound there.
	maxSortValues = 1 << 22
)

func sortCommands() []*Spec {
	const (
		cost    = "O(N+M*log(M)) with N elements and M of them returned"
		options = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]"
	)
	return []*Spec{
		{Name: "SORT", Arity: -2, Flags: Write | DenyOOM | MovableKeys, Categories: CatSet | CatSortedSet | CatList | CatDangerous,
			Keys: []KeySpec{{Begin: 1, Step: 1, Flags: KeyRO | KeyAccess}, {Keyword: "STORE", From: 2, Step: 1, Flags: KeyOW | KeyUpdate,
				Place: lastNamed(2, "STORE", map[string]int{"LIMIT": 2, "BY": 1, "GET": 1})}},
			Group: "generic", Since: "1.0.0", Complexity: cost, Summary: "Sorts a list, a set or a sorted set, and returns or stores it; BY and GET read only keys of the same tenant that the credential may read.",
			Syntax: options + " [STORE destination]", Effect: EffectDerive, Action: ActionWrite, Run: runSort},
		{Name: "SORT_RO", Arity: -2, Flags: ReadOnly | MovableKeys, Categories: CatSet | CatSortedSet | CatList | CatDangerous, Keys: oneKey(KeyRO | KeyAccess),
			Group: "generic", Since: "7.0.0", Complexity: cost, Summary: "Sorts a list, a set or a sorted set, and returns it; BY and GET read only keys of the same tenant that the credential may read.",
			Syntax: options, Action: ActionRead, Run: runSort},
	}
}

// sorting is one call of SORT.
type sorting struct {
	c *Call

	descending, texts bool
	offset, limit     int64 // limit is negative where there is none
	by                *sortPattern
	unsorted          bool // BY names no key
	gets              []sortPattern
	into              int // number of the key that is stored; -1: none

	source   sortSource
	elements sortElements
	lookup   sortLookup
}

// sortSource is what is sorted.
type sortSource struct {
	kind engine.Kind // 0: there is nothing
	list engine.ListValue
	set  engine.SetValue
	zset sortedSet
}

func (v *sortSource) len() int {
	switch v.kind {
	case engine.List:
		return v.list.Len()
	case engine.Set:
		return v.set.Len()
	case engine.ZSet:
		return v.zset.Len()
	default:
		return 0
	}
}

func (v *sortSource) entry() engine.Entry {
	switch v.kind {
	case engine.List:
		return v.list.Entry()
	case engine.Set:
		return v.set.Entry()
	default:
		return v.zset.Entry()
	}
}

// read takes the options, or answers Redis's error.
func (s *sorting) read() bool {
	c, storeAt := s.c, 0
	for at := 2; at < len(c.Args); at++ {
		left := len(c.Args) - at - 1
		switch a := c.Args[at]; {
		case word(a, "ASC"):
			s.descending = false
		case word(a, "DESC"):
			s.descending = true
		case word(a, "ALPHA"):
			s.texts = true
		case word(a, "LIMIT") && left >= 2:
			var ok bool
			if s.offset, ok = c.intArg(at + 1); !ok {
				return false
			}
			if s.limit, ok = c.intArg(at + 2); !ok {
				return false
			}
			at += 2
		case word(a, "STORE") && left >= 1 && c.Spec.IsWrite():
			at++
			storeAt = at
		case word(a, "BY") && left >= 1:
			at++
			by := parseSortPattern(c.Args[at])
			s.by = &by
			s.unsorted = s.unsorted || bytes.IndexByte(c.Args[at], '*') < 0
		case word(a, "GET") && left >= 1:
			at++
			s.gets = append(s.gets, parseSortPattern(c.Args[at]))
		default:
			c.Error(resp.MsgSyntax)
			return false
		}
	}
	// The last of several destinations counts: it is the one that was checked, and no other is written.
	if storeAt > 0 {
		if s.into = c.keyAt(storeAt); s.into <= 0 {
			c.Error(resp.MsgSyntax)
			return false
		}
	}
	return true
}

func runSort(c *Call) {
	s := sorting{c: c, limit: -1, into: -1}
	if !s.read() || !s.open() {
		return
	}
	s.lookup = sortLookup{c: c, derive: s.into >= 0}
	s.lookup.keys, _ = c.Conn.(ForeignKeys)
	defer s.lookup.name.clear()
	defer s.elements.clear()
	from, n := s.window()
	if !s.load(&from, n) {
		return
	}
	wanted := s.elements.list[from : from+n]
	switch {
	case len(s.gets) > 0 && int64(n)*int64(len(s.gets)) > maxSortValues:
		c.Error(msgSortTooBig)
	case s.into >= 0:
		s.store(wanted)
	default:
		s.answer(wanted)
	}
}

// open finds what is sorted; false when the key holds something else and the error is answered.
func (s *sorting) open() (ok bool) {
	c, v := s.c, &s.source
	switch v.kind = c.Tx.Peek(&c.Keys[0]).Kind(); v.kind {
	case engine.Set:
		v.set, ok = c.set(0)
	case engine.ZSet:
		v.zset, ok = c.zset(0)
	default:
		v.list, ok = c.list(0)
	}
	if v.kind == engine.Set && s.unsorted && (s.into >= 0 || c.Script) {
		// A set has no order that is worth storing, or that a script may depend on, so Redis sorts it.
		s.unsorted, s.texts, s.by = false, true, nil
	}
	return ok
}

// window is the range of elements that LIMIT leaves.
func (s *sorting) window() (from, n int) {
	size := int64(s.source.len())
	start := min(max(s.offset, 0), size)
	left := size - start
	if s.limit >= 0 {
		left = min(left, s.limit)
	}
	return int(start), int(left)
}

// load takes the elements and sorts them; false when an error is answered. Where nothing is to be sorted, only the window of
// n elements from a place on is taken, and begins at 0 then.
func (s *sorting) load(from *int, n int) bool {
	if s.unsorted && s.source.kind != engine.Set {
		s.elements.loadRange(&s.source, *from, n, s.descending)
		*from = 0
		return true
	}
	s.elements.load(&s.source)
	if s.unsorted {
		return true
	}
	if !s.weigh() {
		return false
	}
	switch {
	case !s.texts:
		s.elements.sortNumbers(s.descending)
	case s.by != nil:
		s.elements.sortWeights(s.descending)
	default:
		s.elements.sortTexts(s.descending)
	}
	return true
}

// weigh finds what each element is sorted by; false when an error is answered.
func (s *sorting) weigh() bool {
	numbers := true
	for i := range s.elements.list {
		e := &s.elements.list[i]
		weight := s.elements.text.at(e.text)
		if s.by != nil {
			var ok bool
			if weight, ok = s.lookup.value(s.by, weight); !ok {
				s.c.Error(msgSortBy)
				return false
			}
			if weight == nil {
				continue
			}
		}
		switch {
		case !s.texts:
			var ok bool
			e.score, ok = sortScore(weight)
			numbers = numbers && ok
		case s.by != nil:
			e.weight, e.known = s.elements.text.add(weight), true
		}
	}
	if !numbers {
		s.c.Error(msgSortScore)
	}
	return numbers
}

// each calls f with the values of an element: itself, or what the GET patterns say, nil where there is none. False means
// that the credential may not read one.
func (s *sorting) each(e *sortElement, f func(value []byte)) bool {
	element := s.elements.text.at(e.text)
	if len(s.gets) == 0 {
		f(element)
		return true
	}
	for i := range s.gets {
		value, ok := s.lookup.value(&s.gets[i], element)
		if !ok {
			return false
		}
		f(value)
	}
	return true
}

func (s *sorting) answer(elements []sortElement) {
	out := s.c.Out
	start := out.Len()
	out.Array(len(elements) * max(len(s.gets), 1))
	for i := range elements {
		ok := s.each(&elements[i], func(value []byte) {
			if value == nil {
				out.Null()
			} else {
				out.Bulk(value)
			}
		})
		if !ok {
			out.Truncate(start)
			s.c.Error(msgSortGet)
			return
		}
	}
}
