package resp

// deferredBytes is what a length that is not known yet takes: a marker, 13 digits (no reply has 10^13 elements in memory)
// and CRLF.
const deferredBytes = 1 + 13 + 2

// Mark is the place of a length that is to be set.
type Mark struct{ at int }

// DeferredArray begins an aggregate whose length and kind are known only when its elements have been written. Until then
// the replies are not fit to be sent. Marks may be nested; they are set from the innermost to the outermost.
func (w *Writer) DeferredArray() Mark {
	at := len(w.buf)
	w.buf = w.room(deferredBytes)[:at+deferredBytes] // zero, by the writer's invariant
	w.open = append(w.open, at)
	return Mark{at}
}

// SetArrayLen makes the aggregate that m began an array of the n elements written since. It moves them together, which
// costs a copy of what was written since m.
func (w *Writer) SetArrayLen(m Mark, n int) { w.setLen(m, '*', n) }

// SetMapLen is SetArrayLen for a map, as [Writer.Map].
func (w *Writer) SetMapLen(m Mark, pairs int) {
	marker, n := w.mapHeader(pairs)
	w.setLen(m, marker, n)
}

// SetSetLen is SetArrayLen for a set, as [Writer.Set].
func (w *Writer) SetSetLen(m Mark, n int) { w.setLen(m, w.resp3Marker('~'), n) }

func (w *Writer) setLen(m Mark, marker byte, n int) {
	last := len(w.open) - 1
	if last < 0 || w.open[last] != m.at {
		panic("BUG: deferred lengths are set once each, the innermost first")
	}
	if n < 0 || n >= 1e13 {
		panic("BUG: length of an aggregate reply out of range")
	}
	w.open = w.open[:last]
	head := appendNumberLine(w.buf[m.at:m.at], marker, int64(n))
	end := m.at + len(head) + copy(w.buf[m.at+len(head):], w.buf[m.at+deferredBytes:])
	clear(w.buf[end:])
	w.buf = w.buf[:end]
}
