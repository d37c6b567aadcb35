package engine

import "errors"

// ErrWrongKind says that an entry holds a value of another kind than the one asked for.
var ErrWrongKind = errors.New("the entry holds another kind of value")

// How collections are laid out. Strings have the zero encoding.
const (
	packed      encoding = iota + 1 // the elements side by side in the entry's value part
	packedTimed                     // as packed, each with a place for its own deadline
	integers                        // a set: sorted integers in the entry's value part
	hashed                          // a block for each element, found through a table
)

// freeValue erases the blocks that a value has beside the entry's own, at most budget of them; false when some are left.
// The entry is unlinked, and the value is used for nothing else from the first call on.
func (sh *shard) freeValue(e *entry, budget int) bool {
	switch e.kind {
	case Hash:
		return sh.freeHash(e, budget)
	case List:
		return sh.freeList(e, budget)
	case Set:
		return sh.freeSet(e, budget)
	case ZSet:
		return sh.freeZSet(e, budget)
	case Stream:
		return sh.freeStream(e, budget)
	default:
		return true
	}
}

// splice makes the cut bytes at a place of the entry's value part gain bytes long; what follows moves. The caller writes
// all of the gain bytes: they hold anything. The entry may move.
func (x *Entry) splice(at, cut, gain int) {
	old := int(x.e.valLen)
	if gain > cut {
		x.ref, x.e = x.sh.grow(x.ref, x.e, old+gain-cut)
	}
	value := x.e.value()
	copy(value[at+gain:], value[at+cut:old])
	if gain < cut {
		x.ref, x.e = x.sh.grow(x.ref, x.e, old+gain-cut)
	}
}

// toRoot makes the value part of an entry a root of n bytes, all zero; what was there is erased.
func (x *Entry) toRoot(n int) {
	x.ref, x.e = x.sh.grow(x.ref, x.e, rootLen(int(x.e.keyLen), n))
	clear(x.e.value())
}
