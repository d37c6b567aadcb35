package engine

import (
	"bytes"
	"encoding/binary"
	"unsafe"
)

// dict finds the elements of a large collection by member. It is a table whose blocks have one layout:
//
//	payload   fixed bytes of the collection's own, at the start so that they are aligned (a score, a link)
//	length    of the member, a uvarint
//	member
//	tail      whatever the collection wants (a hash: the value)
//
// The table lies in the collection's root; a dict is the handle that a command makes on its stack.
type dict struct {
	sh      *shard
	table   *table
	payload int // bytes before the member's length
}

func (d dict) len() int { return int(d.table.count) }

// tag returns what the table knows of a member.
func (d dict) tag(member []byte) uint32 { return d.sh.store.memberHash(member) }

// find returns the element of a member, or 0.
func (d dict) find(tag uint32, member []byte) ref {
	for p := d.table.probe(d.sh.arena, tag); p.next(); {
		if bytes.Equal(d.member(p.found), member) {
			return p.found
		}
	}
	return 0
}

// add makes the element of a member that has none, with its payload and tail bytes of tail all zero.
func (d dict) add(tag uint32, member []byte, tail int) ref {
	r := d.sh.arena.alloc(d.sizeFor(len(member)) + tail)
	// The table may need memory too and not get it: the block must be empty until the table leads to it.
	d.table.insert(d.sh.arena, tag, r)
	block := d.sh.arena.bytes(r, d.sizeFor(len(member)))[d.payload:]
	copy(block[binary.PutUvarint(block, uint64(len(member))):], member)
	return r
}

// remove takes an element out and erases it; size is the length of its block.
func (d dict) remove(tag uint32, r ref, size int) {
	d.table.remove(d.sh.arena, tag, r)
	d.table.merge(d.sh.arena, tag)
	d.sh.arena.free(r, size)
}

// member returns an element's member.
func (d dict) member(r ref) []byte {
	p := unsafe.Add(d.sh.arena.pointer(r), d.payload)
	n, head := uvarintAt(p)
	return unsafe.Slice((*byte)(unsafe.Add(p, head)), n)
}

// end returns the place in an element's block where its tail begins: the block's length, if it has no tail.
func (d dict) end(r ref) int {
	n, head := uvarintAt(unsafe.Add(d.sh.arena.pointer(r), d.payload))
	return d.payload + head + n
}

// sizeFor returns what end will return for a member of n bytes.
func (d dict) sizeFor(n int) int { return d.payload + uvarintLen(n) + n }

// uvarintAt reads a length and says how many bytes it takes.
func uvarintAt(p unsafe.Pointer) (n, head int) {
	if n, head = int(*(*byte)(p)), 1; n >= 0x80 {
		n, head = longUvarintAt(p)
	}
	return
}

// longUvarintAt is apart so that uvarintAt is short enough to be inlined.
func longUvarintAt(p unsafe.Pointer) (n, head int) {
	v, head := binary.Uvarint(unsafe.Slice((*byte)(p), binary.MaxVarintLen32))
	return int(v), head
}

func uvarintLen(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// each calls f for every element until f says stop. The collection must not change meanwhile.
func (d dict) each(f func(r ref) bool) {
	d.table.each(d.sh.arena, func(_ uint32, r ref) bool { return f(r) })
}

// scan calls f for about count elements in hash order, from a cursor on, and returns the cursor to go on from: 0 at the
// end. What is there from the first call to the last is seen at least once.
func (d dict) scan(cursor uint64, count int, f func(r ref)) uint64 {
	next, more := d.table.scan(d.sh.arena, uint32(cursor), max(count, 1), f)
	if !more {
		return 0
	}
	return uint64(next)
}

// drain erases the elements and then the table, at most budget blocks of them, and reports what is left of the budget;
// it is done when that is positive. sizeOf returns the length of an element's block. cursor must be 0 at the first call
// and is kept between calls; nothing else may use the dict in between.
func (d dict) drain(cursor *ref, budget int, sizeOf func(r ref) int) int {
	a := d.sh.arena
	for d.table.root != 0 {
		segment := d.table.segmentFor(a, uint32(*cursor))
		s, slots := segmentAt(a, segment)
		for i := range slots {
			if slots[i].ref == 0 {
				continue
			}
			if budget <= 0 {
				return 0
			}
			a.free(slots[i].ref, sizeOf(slots[i].ref))
			slots[i] = slot{}
			budget--
		}
		_, beyond := d.table.segmentFrom(a, uint32(*cursor))
		a.free(segment, segmentBytes(s.bits))
		budget--
		*cursor = ref(beyond)
		if beyond < 1<<32 {
			continue
		}
		if d.table.depth > 0 {
			a.free(d.table.root, 4<<d.table.depth)
		}
		*d.table = table{}
	}
	return budget
}
