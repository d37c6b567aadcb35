package engine

import (
	"bytes"
	"unsafe"
)

// A roster keeps things by name, in the order of the names: refs of blocks, side by side in one block. Groups and
// consumers have one each. There are few of them, and a walk in order is what most commands want; adding one among many
// moves four bytes for each of those behind it.
type roster struct {
	refs    ref
	n, room uint32
}

// rosterHandle is the handle on a roster that a command makes on its stack. The things' blocks begin with a uint32, the
// length of the name, which stands behind head bytes.
type rosterHandle struct {
	a    *arena
	r    *roster
	head int
}

func (h rosterHandle) refs() []ref {
	if h.r.refs == 0 {
		return nil
	}
	return unsafe.Slice((*ref)(h.a.pointer(h.r.refs)), h.r.room)[:h.r.n]
}

// name returns the name of the thing in a block.
func (h rosterHandle) name(r ref) []byte {
	p := h.a.pointer(r)
	return unsafe.Slice((*byte)(unsafe.Add(p, h.head)), *(*uint32)(p))
}

// len is the length of a thing's block.
func (h rosterHandle) len(r ref) int { return h.head + int(*(*uint32)(h.a.pointer(r))) }

// find returns the place of a name, or that where it would be.
func (h rosterHandle) find(name []byte) (at int, ok bool) {
	refs := h.refs()
	low, high := 0, len(refs)
	for low < high {
		mid := int(uint(low+high) / 2)
		switch c := bytes.Compare(h.name(refs[mid]), name); {
		case c == 0:
			return mid, true
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return low, false
}

// get returns the block of a name, or 0.
func (h rosterHandle) get(name []byte) ref {
	if at, ok := h.find(name); ok {
		return h.refs()[at]
	}
	return 0
}

// add makes the block of a name that is not there, all zero beside the name. It returns 0 for one that is.
func (h rosterHandle) add(name []byte) ref {
	at, ok := h.find(name)
	if ok {
		return 0
	}
	if h.r.n == h.r.room {
		h.enlarge()
	}
	r := h.a.alloc(h.head + len(name))
	*(*uint32)(h.a.pointer(r)) = uint32(len(name))
	copy(h.name(r), name)
	h.r.n++
	refs := h.refs()
	copy(refs[at+1:], refs[at:])
	refs[at] = r
	return r
}

func (h rosterHandle) enlarge() {
	room := max(2, 2*h.r.room)
	larger := h.a.alloc(4 * int(room))
	copy(unsafe.Slice((*ref)(h.a.pointer(larger)), room), h.refs())
	if h.r.refs != 0 {
		h.a.free(h.r.refs, 4*int(h.r.room))
	}
	h.r.refs, h.r.room = larger, room
}

// remove erases the block of a name that is there.
func (h rosterHandle) remove(name []byte) {
	at, _ := h.find(name)
	refs := h.refs()
	r := refs[at]
	copy(refs[at:], refs[at+1:])
	refs[len(refs)-1] = 0
	h.r.n--
	h.a.free(r, h.len(r))
	h.release()
}

// removeLast erases the block of the last name.
func (h rosterHandle) removeLast() {
	refs := h.refs()
	r := refs[len(refs)-1]
	h.r.n--
	h.a.free(r, h.len(r))
	h.release()
}

// release gives the roster's own block back when it is empty.
func (h rosterHandle) release() {
	if h.r.n == 0 {
		h.a.free(h.r.refs, 4*int(h.r.room))
		*h.r = roster{}
	}
}
