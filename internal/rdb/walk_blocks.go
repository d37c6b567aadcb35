package rdb

import (
	"math"
	"strconv"
)

// What follows walks the blocks that hold small collections. A block is a string of the value, and may be compressed; its
// memory stays as it is while its elements are told, since they take other places.

// block reads the string that holds a block.
func (w *walk) block() []byte { return w.text(0) }

// end sets bad unless the block was sound to its end.
func (w *walk) end(e elements) {
	if !e.done() {
		w.fail()
	}
}

func (w *walk) elements(e elements) {
	for b, more := e.next(&w.reader); more && !w.bad; b, more = e.next(&w.reader) {
		w.element(b)
	}
	w.end(e)
}

// tuples calls f with n elements at a time.
func (w *walk) tuples(e elements, n int, f func(t *[places][]byte)) {
	var t [places][]byte
	at := 0
	for b, more := e.next(&w.reader); more && !w.bad; b, more = e.next(&w.reader) {
		t[at] = b
		if at++; at == n {
			f(&t)
			at = 0
		}
	}
	if at != 0 {
		w.fail()
	}
	w.end(e)
}

func (w *walk) pairs(e elements) {
	w.tuples(e, 2, func(t *[places][]byte) { w.field(t[0], t[1], 0) })
}

func (w *walk) scored(e elements) {
	w.tuples(e, 2, func(t *[places][]byte) { w.member(t[0], w.parseScore(t[1])) })
}

// timedHash reads a hash some of whose fields have deadlines. It begins with the earliest of them. In a table the others
// are told relative to it, plus one, so that 0 is none; in a block each is the instant itself, and 0 is none.
func (w *walk) timedHash(kind byte) {
	earliest := w.number(8)
	if kind == typeHashTimedListpack {
		w.tuples(newListpack(w.block()), 3, func(t *[places][]byte) {
			at, err := strconv.ParseUint(string(t[2]), 10, 64)
			if err != nil {
				w.fail()
			}
			w.timedField(t[0], t[1], at)
		})
		return
	}
	w.times(func() {
		at := w.length()
		if at > 0 && at+earliest-1 < at-1 { // an overflow
			w.fail()
			return
		}
		if at > 0 {
			at += earliest - 1
		}
		w.timedField(w.text(0), w.text(1), at)
	})
}

func (w *walk) timedField(field, value []byte, expiresAt uint64) {
	if expiresAt > math.MaxInt64 {
		w.fail()
	}
	w.field(field, value, int64(expiresAt))
}
