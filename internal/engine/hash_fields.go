package engine

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// hashRoot is the root of a large hash.
type hashRoot struct {
	earliest  int64 // of the fields' deadlines; means nothing unless the entry's flag fieldDeadlines is set
	table     table
	deadlines deadlines
	order     fieldOrder
}

// fields is the handle of a large hash. A field's block is a dict element with this tail:
//
//	head    uvarint: the value's length << 1 | timed
//	value
//	place   4 bytes, only where timed: the field's place in the heap of deadlines
type fields struct {
	dict dict
	root *hashRoot
}

const placeBytes = 4

// fieldBlock is what a field's block says behind the member.
type fieldBlock struct {
	value []byte
	timed bool
	place uint32
	end   int // where the tail begins
	size  int // of the block
}

func (f fields) at(r ref) fieldBlock {
	end := f.dict.end(r)
	p := unsafe.Add(f.dict.sh.arena.pointer(r), end)
	head, n := uvarintAt(p)
	v := fieldBlock{timed: head&1 != 0, end: end, size: end + n + head>>1}
	v.value = unsafe.Slice((*byte)(unsafe.Add(p, n)), head>>1)
	if v.timed {
		v.place = binary.LittleEndian.Uint32(f.dict.sh.arena.bytes(r, v.size+placeBytes)[v.size:])
		v.size += placeBytes
	}
	return v
}

func tailLen(valueLen int, timed bool) int {
	n := uvarintLen(valueLen<<1) + valueLen
	if timed {
		n += placeBytes
	}
	return n
}

// add makes a field that is not there, without a deadline.
func (f fields) add(tag uint32, field, value []byte) ref {
	a, n, ordered := f.dict.sh.arena, f.dict.len(), f.root.order.block != 0
	if ordered {
		f.root.order.reserve(a, n+1)
	}
	r := f.dict.add(tag, field, tailLen(len(value), false))
	if ordered && n < maxPacked {
		f.root.order.refs(a, n+1)[n] = r
	}
	f.writeTail(r, f.dict.end(r), value, false, 0)
	return r
}

// write gives a field another value, and the timed and place of v. The field's block may move; the heap is told if the
// field was and is timed. value may be the field's present one.
func (f fields) write(tag uint32, r ref, v fieldBlock, value []byte) ref {
	a := f.dict.sh.arena
	was := f.at(r)
	old := was.size
	size := v.end + tailLen(len(value), v.timed)
	if blockBytes(size) == blockBytes(old) {
		f.writeTail(r, v.end, value, v.timed, v.place)
		if size < old {
			clear(a.bytes(r, old)[size:])
		}
		return r
	}
	n := a.alloc(size)
	copy(a.bytes(n, v.end), a.bytes(r, v.end))
	f.writeTail(n, v.end, value, v.timed, v.place)
	f.dict.table.replace(a, tag, r, n)
	f.root.order.replace(a, f.dict.len(), r, n)
	if was.timed && v.timed {
		f.heap().slot(v.place).field = n
	}
	a.free(r, old)
	return n
}

func (f fields) writeTail(r ref, end int, value []byte, timed bool, place uint32) {
	head := uint64(len(value)) << 1
	if timed {
		head |= 1
	}
	block := f.dict.sh.arena.bytes(r, end+tailLen(len(value), timed))
	at := end + binary.PutUvarint(block[end:], head)
	at += copy(block[at:], value)
	if timed {
		binary.LittleEndian.PutUint32(block[at:], place)
	}
}

// remove erases a field, and its deadline if it has one.
func (f fields) remove(tag uint32, r ref) {
	v := f.at(r)
	if v.timed {
		f.heap().remove(v.place)
	}
	f.root.order.remove(f.dict.sh.arena, f.dict.len(), r)
	f.dict.remove(tag, r, v.size)
}

// heap is the handle of the fields' deadlines.
func (f fields) heap() deadlineHeap { return deadlineHeap{fields: f, deadlines: &f.root.deadlines} }

// setPlace tells a timed field where it stands in the heap.
func (f fields) setPlace(r ref, place uint32) {
	block := f.dict.sh.arena.pointer(r)
	end := f.dict.end(r)
	head, n := uvarintAt(unsafe.Add(block, end))
	binary.LittleEndian.PutUint32(unsafe.Slice((*byte)(unsafe.Add(block, end+n+head>>1)), placeBytes), place)
}

// unpack turns a packed hash into a large one.
func (h *HashValue) unpack() {
	var root hashRoot
	f := fields{dict: dict{sh: h.x.sh, table: &root.table}, root: &root}
	built := false
	defer func() {
		if !built { // no memory: the hash stays as it was
			f.heap().drain(drainAll)
			root.order.release(h.x.sh.arena)
			var cursor ref
			f.dict.drain(&cursor, drainAll, func(r ref) int { return f.at(r).size })
		}
	}()
	root.order.reserve(h.x.sh.arena, max(h.Len(), 1))
	for p := h.x.pairs(); p.next(); {
		tag := f.dict.tag(p.field)
		r := f.add(tag, p.field, p.value)
		if p.deadline != noDeadline {
			f.setDeadline(tag, r, p.deadline)
		}
	}
	earliest := f.heap().earliest()
	h.x.toRoot(hashRootBytes)
	*(*hashRoot)(h.x.e.root()) = root
	h.x.e.encoding = hashed
	built = true
	h.x.sh.setEarliest(h.x.ref, h.x.e, earliest)
}

// drainAll is a budget that no value exhausts.
const drainAll = math.MaxInt
