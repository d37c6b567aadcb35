package engine

import (
	"math"
	"math/bits"
	"unsafe"
)

// The deadlines of a large hash's fields are a heap in the arena: each slot holds a deadline and the field's block, and
// the field knows its place, so that a field that is changed or erased leaves the heap in O(log n). The heap is eight wide,
// a third as deep as a binary one, because each level costs a visit to a field that has to be told its new place. It grows
// by chunks found through a directory, so that no step copies more than one chunk. The first slots stay empty, so that
// siblings begin at a multiple of eight and lie in one chunk.
type deadlines struct {
	root  ref // the only chunk, or the directory when room is more than one chunk
	count uint32
	room  uint32 // slots of all chunks, the empty first ones included
}

// noDeadline stands for the deadline of a field that has none.
const noDeadline = math.MaxInt64

// deadlineSlot is a deadline and its field, in 12 bytes.
type deadlineSlot struct {
	low, high uint32
	field     ref
}

func (s *deadlineSlot) at() int64 { return int64(s.high)<<32 | int64(s.low) }

const (
	heapWidth  = 8
	emptySlots = heapWidth - 1
	chunkSlots = 1024
	slotBytes  = int(unsafe.Sizeof(deadlineSlot{}))
)

type deadlineHeap struct {
	fields fields
	*deadlines
}

func (h deadlineHeap) arena() *arena { return h.fields.dict.sh.arena }

func (h deadlineHeap) directory() []ref {
	return unsafe.Slice((*ref)(h.arena().pointer(h.root)), h.room/chunkSlots)
}

// slot returns the slot of place i; those of its siblings lie beside it.
func (h deadlineHeap) slot(i uint32) *deadlineSlot {
	i += emptySlots
	chunk := h.root
	if h.room > chunkSlots {
		chunk = h.directory()[i/chunkSlots]
		i %= chunkSlots
	}
	return (*deadlineSlot)(unsafe.Add(h.arena().pointer(chunk), int(i)*slotBytes))
}

// at returns the deadline at a place.
func (h deadlineHeap) at(i uint32) int64 { return h.slot(i).at() }

// earliest returns the earliest deadline, or noDeadline.
func (h deadlineHeap) earliest() int64 {
	if h.count == 0 {
		return noDeadline
	}
	return h.at(0)
}

// reserve makes room for one more deadline, so that push cannot fail.
func (h deadlineHeap) reserve() {
	if h.count+emptySlots >= h.room {
		h.extend()
	}
}

// push adds a field's deadline, for which there is room. The field's block is timed, and is told its place.
func (h deadlineHeap) push(at int64, field ref) {
	h.count++
	h.up(h.count-1, deadlineSlot{uint32(at), uint32(at >> 32), field})
}

// change gives the field at a place another deadline.
func (h deadlineHeap) change(i uint32, at int64) {
	h.fix(i, deadlineSlot{uint32(at), uint32(at >> 32), h.slot(i).field})
}

// remove takes the deadline at a place out.
func (h deadlineHeap) remove(i uint32) {
	h.count--
	if last := *h.slot(h.count); i != h.count {
		h.fix(i, last)
	}
	h.reduce()
}

// fix puts s at place i, whose content is not needed any more, and restores the order.
func (h deadlineHeap) fix(i uint32, s deadlineSlot) {
	if i > 0 && s.at() < h.at((i-1)/heapWidth) {
		h.up(i, s)
	} else {
		h.down(i, s)
	}
}

func (h deadlineHeap) up(i uint32, s deadlineSlot) {
	for i > 0 {
		parent := (i - 1) / heapWidth
		if h.at(parent) <= s.at() {
			break
		}
		h.put(i, *h.slot(parent))
		i = parent
	}
	h.put(i, s)
}

func (h deadlineHeap) down(i uint32, s deadlineSlot) {
	for {
		first := i*heapWidth + 1
		if first >= h.count {
			break
		}
		children := unsafe.Slice(h.slot(first), min(heapWidth, h.count-first))
		least := 0
		for c := range children {
			if children[c].at() < children[least].at() {
				least = c
			}
		}
		if s.at() <= children[least].at() {
			break
		}
		h.put(i, children[least])
		i = first + uint32(least)
	}
	h.put(i, s)
}

func (h deadlineHeap) put(i uint32, s deadlineSlot) {
	*h.slot(i) = s
	h.fields.setPlace(s.field, i)
}

// countDue returns how many deadlines have passed. It looks at no others but their children.
func (h deadlineHeap) countDue(now int64) int { return h.countDueFrom(0, now) }

func (h deadlineHeap) countDueFrom(i uint32, now int64) int {
	if i >= h.count || h.at(i) > now {
		return 0
	}
	n := 1
	for c := i*heapWidth + 1; c <= i*heapWidth+heapWidth; c++ {
		n += h.countDueFrom(c, now)
	}
	return n
}

// extend adds room: a first chunk doubles up to its full size, then there are more chunks.
func (h deadlineHeap) extend() {
	a := h.arena()
	if h.room < chunkSlots {
		room := max(2*h.room, heapWidth) // the first chunk of all holds one deadline
		chunk := a.alloc(int(room) * slotBytes)
		if h.room > 0 {
			size := int(h.room) * slotBytes
			copy(a.bytes(chunk, size), a.bytes(h.root, size))
			a.free(h.root, size)
		}
		h.root, h.room = chunk, room
		return
	}
	chunks := int(h.room / chunkSlots)
	chunk := a.alloc(chunkSlots * slotBytes)
	switch old := h.root; {
	case chunks == 1:
		h.root = a.alloc(directoryBytes(2))
		*(*ref)(a.pointer(h.root)) = old
	case directoryBytes(chunks+1) > directoryBytes(chunks):
		h.root = a.alloc(directoryBytes(chunks + 1))
		copy(a.bytes(h.root, 4*chunks), a.bytes(old, 4*chunks))
		a.free(old, directoryBytes(chunks))
	}
	h.room += chunkSlots
	h.directory()[chunks] = chunk
}

// directoryBytes is the size of a directory of so many chunks: it doubles.
func directoryBytes(chunks int) int { return 4 << bits.Len(uint(chunks-1)) }

// reduce gives back what is not needed: the last chunk when the one before it is empty too, everything when the heap is
// empty.
func (h deadlineHeap) reduce() {
	switch {
	case h.count == 0:
		h.drain(drainAll)
	case h.room > chunkSlots && h.room-h.count >= 2*chunkSlots+emptySlots:
		h.dropChunk()
	}
}

// dropChunk gives the last of several chunks back.
func (h deadlineHeap) dropChunk() {
	a := h.arena()
	chunks := int(h.room / chunkSlots)
	dir, old := h.directory(), h.root
	last := dir[chunks-1]
	switch {
	case chunks == 2:
		h.root = dir[0]
		a.free(old, directoryBytes(2))
	case directoryBytes(chunks-1) < directoryBytes(chunks):
		h.root = a.alloc(directoryBytes(chunks - 1))
		copy(a.bytes(h.root, 4*(chunks-1)), a.bytes(old, 4*(chunks-1)))
		a.free(old, directoryBytes(chunks))
	}
	h.room -= chunkSlots
	a.free(last, chunkSlots*slotBytes)
}

// drain forgets all deadlines and frees at most budget chunks; it returns what is left of the budget and is done when
// that is positive. The fields keep their places: they must be erased or already gone.
func (h deadlineHeap) drain(budget int) int {
	h.count = 0
	for ; h.room > chunkSlots; budget-- {
		if budget <= 0 {
			return 0
		}
		h.dropChunk()
	}
	if h.room > 0 {
		h.arena().free(h.root, int(h.room)*slotBytes)
	}
	*h.deadlines = deadlines{}
	return budget
}
