package rdb

import (
	"encoding/binary"
	"math"
)

// Sink is told the parts of a value in their order: Begin first, then what fits its kind. Slices are valid until the
// method returns.
type Sink interface {
	Begin(Kind)
	// Element is the string itself, an element of a list or a member of a set.
	Element(b []byte)
	// Member is a member of a sorted set; the score is a number. Members may come twice and in any order.
	Member(member []byte, score float64)
	// Field is a field of a hash and its value; expiresAt is the field's own deadline in Unix milliseconds, 0 for none.
	// Fields may come twice.
	Field(field, value []byte, expiresAt int64)
}

// Walk tells a sink the parts of a value, as Open returns it. The error is ErrFormat; by then the sink may have been told a
// part of it. A value without elements is none.
func Walk(value []byte, to Sink) error {
	w := walk{reader: reader{rest: value}, to: to}
	defer w.clear()
	w.value()
	if w.bad || len(w.rest) > 0 || w.parts == 0 {
		return ErrFormat
	}
	return nil
}

// walk is one reading of a value.
type walk struct {
	reader
	to    Sink
	parts int
}

func (w *walk) value() {
	switch kind := w.byte(); kind {
	case typeString:
		w.to.Begin(String)
		w.element(w.text(0))
	case typeList, typeListZiplist, typeListZiplists, typeListNodes:
		w.list(kind)
	case typeSet, typeSetIntegers, typeSetListpack:
		w.set(kind)
	case typeSortedSetText, typeSortedSet, typeSortedSetZiplist, typeSortedSetListpack:
		w.sortedSet(kind)
	case typeHash, typeHashZipmap, typeHashZiplist, typeHashListpack, typeHashTimed, typeHashTimedListpack:
		w.hash(kind)
	case typeStream, typeStream70, typeStream72:
		w.stream(kind)
	default:
		w.fail()
	}
}

func (w *walk) element(b []byte) {
	if !w.bad {
		w.to.Element(b)
		w.parts++
	}
}

func (w *walk) member(b []byte, score float64) {
	if math.IsNaN(score) {
		w.fail()
	}
	if !w.bad {
		w.to.Member(b, score)
		w.parts++
	}
}

func (w *walk) field(field, value []byte, expiresAt int64) {
	if !w.bad {
		w.to.Field(field, value, expiresAt)
		w.parts++
	}
}

// times calls f as often as the next length says. Whatever that is, the value ends the loop: f takes bytes of it.
func (w *walk) times(f func()) {
	for n := w.length(); n > 0 && !w.bad; n-- {
		f()
	}
}

// The ways in which a node of a list is written.
const (
	nodePlain  = 1 // the node is one element
	nodePacked = 2 // the node is a listpack
)

func (w *walk) list(kind byte) {
	w.to.Begin(List)
	switch kind {
	case typeList:
		w.times(func() { w.element(w.text(0)) })
	case typeListZiplist:
		w.elements(newZiplist(w.block()))
	case typeListZiplists:
		w.times(func() { w.elements(newZiplist(w.block())) })
	default:
		w.times(func() {
			switch w.length() {
			case nodePlain:
				w.element(w.block())
			case nodePacked:
				w.elements(newListpack(w.block()))
			default:
				w.fail()
			}
		})
	}
}

func (w *walk) set(kind byte) {
	w.to.Begin(Set)
	switch kind {
	case typeSet:
		w.times(func() { w.element(w.text(0)) })
	case typeSetIntegers:
		w.integers(w.block())
	default:
		w.elements(newListpack(w.block()))
	}
}

// integers reads a set of integers: how many bytes each takes, how many there are, the integers in ascending order.
func (w *walk) integers(block []byte) {
	if len(block) < 8 {
		w.fail()
		return
	}
	width, n := binary.LittleEndian.Uint32(block), binary.LittleEndian.Uint32(block[4:])
	block = block[8:]
	if width != 2 && width != 4 && width != 8 || uint64(len(block)) != uint64(width)*uint64(n) {
		w.fail()
		return
	}
	for last := int64(0); len(block) > 0 && !w.bad; block = block[width:] {
		v := signed(block[:width])
		if w.parts > 0 && v <= last {
			w.fail()
			return
		}
		last = v
		w.element(w.decimal(0, v))
	}
}

func (w *walk) sortedSet(kind byte) {
	w.to.Begin(SortedSet)
	switch kind {
	case typeSortedSetText:
		w.times(func() { w.member(w.text(0), w.textScore()) })
	case typeSortedSet:
		w.times(func() { w.member(w.text(0), w.binaryScore()) })
	case typeSortedSetZiplist:
		w.scored(newZiplist(w.block()))
	default:
		w.scored(newListpack(w.block()))
	}
}

func (w *walk) hash(kind byte) {
	w.to.Begin(Hash)
	switch kind {
	case typeHash:
		w.times(func() { w.field(w.text(0), w.text(1), 0) })
	case typeHashZipmap:
		w.pairs(newZipmap(w.block()))
	case typeHashZiplist:
		w.pairs(newZiplist(w.block()))
	case typeHashListpack:
		w.pairs(newListpack(w.block()))
	default:
		w.timedHash(kind)
	}
}
