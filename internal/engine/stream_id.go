package engine

import (
	"cmp"
	"math"
)

// StreamID names an entry of a stream: milliseconds, and a number that tells entries of one millisecond apart. The zero
// StreamID is no entry's.
type StreamID struct{ Ms, Seq uint64 }

// LastStreamID is the greatest that there is.
func LastStreamID() StreamID { return StreamID{math.MaxUint64, math.MaxUint64} }

// Compare is negative when id is before other, positive when it is behind it.
func (id StreamID) Compare(other StreamID) int {
	if c := cmp.Compare(id.Ms, other.Ms); c != 0 {
		return c
	}
	return cmp.Compare(id.Seq, other.Seq)
}

// Before reports whether id is before other.
func (id StreamID) Before(other StreamID) bool {
	return id.Ms < other.Ms || id.Ms == other.Ms && id.Seq < other.Seq
}

// IsZero reports whether id is 0-0.
func (id StreamID) IsZero() bool { return id == StreamID{} }

// Next returns the id behind this one; false when there is none.
func (id StreamID) Next() (StreamID, bool) {
	switch {
	case id.Seq < math.MaxUint64:
		return StreamID{id.Ms, id.Seq + 1}, true
	case id.Ms < math.MaxUint64:
		return StreamID{id.Ms + 1, 0}, true
	default:
		return StreamID{}, false
	}
}

// Previous returns the id before this one; false when there is none.
func (id StreamID) Previous() (StreamID, bool) {
	switch {
	case id.Seq > 0:
		return StreamID{id.Ms, id.Seq - 1}, true
	case id.Ms > 0:
		return StreamID{id.Ms - 1, math.MaxUint64}, true
	default:
		return LastStreamID(), false
	}
}
