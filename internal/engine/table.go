package engine

import (
	"cmp"
	"slices"
	"unsafe"
)

// A table finds blocks by the hash of what they hold. It is an extendible hash table that lives in an arena: segments of
// slots, found through a directory by the highest bits of the hash. A full segment is split in two on its own, so the
// table grows without a pause that depends on its size, and the order of segments is the order of hashes, so a scan can
// say where it stopped by a hash alone, whatever happened to the table in between.
//
// A slot is a tag, 32 bits of the hash, and the ref of the block. The tag's high bits choose the segment, its low eight
// the slot where probing starts. The table never looks into a block: callers compare.
type table struct {
	root  ref // the segment, or the directory of refs when depth > 0
	depth uint32
	count uint32
}

const (
	segmentBits = 8 // of the largest segment; smaller ones exist only while depth is 0
	maxDepth    = 32 - segmentBits
)

// segment is the head of a segment's block; its slots follow.
type segment struct {
	depth uint8
	bits  uint8 // log2 of the number of slots
	used  uint16
	_     uint32
}

type slot struct {
	tag uint32
	ref ref
}

const segmentHead = int(unsafe.Sizeof(segment{}))

func segmentBytes(bits uint8) int { return segmentHead + int(unsafe.Sizeof(slot{}))<<bits }

// segmentAt returns a segment and its slots; len(slots) is a power of two.
func segmentAt(a *arena, r ref) (*segment, []slot) {
	s := (*segment)(a.pointer(r))
	return s, unsafe.Slice((*slot)(unsafe.Add(unsafe.Pointer(s), segmentHead)), 1<<s.bits)
}

func (t *table) directory(a *arena) []ref {
	return unsafe.Slice((*ref)(a.pointer(t.root)), 1<<t.depth)
}

func (t *table) segmentFor(a *arena, tag uint32) ref {
	if t.depth == 0 {
		return t.root
	}
	return t.directory(a)[tag>>(32-t.depth)]
}

// probe is a walk over the slots that may hold a tag. Use: for p := t.probe(a, tag); p.next(); { p.ref() ... }.
type probe struct {
	slots []slot
	tag   uint32
	at    uint32
	found ref
}

func (t *table) probe(a *arena, tag uint32) probe {
	if t.root == 0 {
		return probe{}
	}
	r := t.segmentFor(a, tag)
	if t.depth > 0 {
		// All segments have the largest size: their heads, a cache line of their own, need not be looked at.
		slots := unsafe.Slice((*slot)(unsafe.Add(a.pointer(r), segmentHead)), 1<<segmentBits)
		return probe{slots: slots, tag: tag, at: tag - 1}
	}
	_, slots := segmentAt(a, r)
	return probe{slots: slots, tag: tag, at: tag - 1}
}

func (p *probe) next() bool {
	if p.slots == nil {
		return false
	}
	mask := uint32(len(p.slots) - 1)
	for {
		p.at++
		s := p.slots[p.at&mask]
		if s.ref == 0 {
			return false
		}
		if s.tag == p.tag {
			p.found = s.ref
			return true
		}
	}
}

// insert adds a block that is not in the table.
func (t *table) insert(a *arena, tag uint32, r ref) {
	if t.root == 0 {
		t.root = a.alloc(segmentBytes(2))
		(*segment)(a.pointer(t.root)).bits = 2
	}
	for {
		sr := t.segmentFor(a, tag)
		s, slots := segmentAt(a, sr)
		if int(s.used) < len(slots)-len(slots)/8-1 || (len(slots) <= 8 && int(s.used) < len(slots)-1) {
			place(slots, tag, r)
			s.used++
			t.count++
			return
		}
		if s.bits < segmentBits {
			t.enlarge(a, sr)
		} else {
			t.split(a, sr, tag)
		}
	}
}

func place(slots []slot, tag uint32, r ref) {
	mask := uint32(len(slots) - 1)
	i := tag & mask
	for slots[i].ref != 0 {
		i = (i + 1) & mask
	}
	slots[i] = slot{tag, r}
}

// enlarge doubles the only segment of a table of depth 0.
func (t *table) enlarge(a *arena, old ref) {
	s, slots := segmentAt(a, old)
	r := a.alloc(segmentBytes(s.bits + 1))
	(*segment)(a.pointer(r)).bits = s.bits + 1
	n, bigger := segmentAt(a, r)
	n.used = s.used
	for _, x := range slots {
		if x.ref != 0 {
			place(bigger, x.tag, x.ref)
		}
	}
	t.root = r
	a.free(old, segmentBytes(s.bits))
}

// split divides a full segment by the next bit of its tags.
func (t *table) split(a *arena, old ref, tag uint32) {
	s, slots := segmentAt(a, old)
	if uint32(s.depth) == t.depth {
		t.double(a)
	}
	depth := s.depth + 1
	var halves [2]ref
	for i := range halves {
		halves[i] = a.alloc(segmentBytes(segmentBits))
		n := (*segment)(a.pointer(halves[i]))
		n.bits, n.depth = segmentBits, depth
	}
	for _, x := range slots {
		if x.ref != 0 {
			n, half := segmentAt(a, halves[x.tag>>(32-depth)&1])
			place(half, x.tag, x.ref)
			n.used++
		}
	}
	dir := t.directory(a)
	span := uint32(1) << (t.depth - uint32(depth)) // directory places of each half
	first := tag >> (32 - uint32(depth) + 1) << (t.depth - uint32(depth) + 1)
	for i := range span {
		dir[first+i], dir[first+span+i] = halves[0], halves[1]
	}
	a.free(old, segmentBytes(segmentBits))
}

func (t *table) double(a *arena) {
	if t.depth == maxDepth {
		panic(errNoMemory) // 16 million segments whose tags agree in 24 bits: only a broken hash gets here
	}
	r := a.alloc(4 << (t.depth + 1))
	dir := unsafe.Slice((*ref)(a.pointer(r)), 2<<t.depth)
	if t.depth == 0 {
		dir[0], dir[1] = t.root, t.root
	} else {
		for i, s := range t.directory(a) {
			dir[2*i], dir[2*i+1] = s, s
		}
		a.free(t.root, 4<<t.depth)
	}
	t.root = r
	t.depth++
}

// remove takes a block out; it must be there. Later slots of the probe sequence move up, so there are no tombstones.
func (t *table) remove(a *arena, tag uint32, r ref) {
	s, slots := segmentAt(a, t.segmentFor(a, tag))
	mask := uint32(len(slots) - 1)
	i := tag & mask
	for slots[i].ref != r {
		if slots[i].ref == 0 {
			panic("BUG: removed block is not in the table")
		}
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; slots[j].ref != 0; j = (j + 1) & mask {
		// slots[j] may move to i unless its own start lies between them.
		if (j-slots[j].tag&mask)&mask >= (j-i)&mask {
			slots[i] = slots[j]
			i = j
		}
	}
	slots[i] = slot{}
	s.used--
	if t.count--; t.count == 0 {
		t.release(a)
	}
}

// replace points the slot of a block at the block's new place.
func (t *table) replace(a *arena, tag uint32, old, new ref) {
	_, slots := segmentAt(a, t.segmentFor(a, tag))
	mask := uint32(len(slots) - 1)
	for i := tag & mask; ; i = (i + 1) & mask {
		if slots[i].ref == old {
			slots[i].ref = new
			return
		}
		if slots[i].ref == 0 {
			panic("BUG: replaced block is not in the table")
		}
	}
}

// release frees the table's own blocks, not those that it refers to, and empties it.
func (t *table) release(a *arena) {
	if t.root == 0 {
		return
	}
	if t.depth == 0 {
		s, _ := segmentAt(a, t.root)
		a.free(t.root, segmentBytes(s.bits))
	} else {
		dir := t.directory(a)
		for i := 0; i < len(dir); {
			s, _ := segmentAt(a, dir[i])
			width := 1 << (t.depth - uint32(s.depth))
			a.free(dir[i], segmentBytes(s.bits))
			i += width
		}
		a.free(t.root, 4<<t.depth)
	}
	*t = table{}
}

// each calls f for every block until f says stop. The table must not change meanwhile.
func (t *table) each(a *arena, f func(tag uint32, r ref) bool) {
	for from, more := uint64(0), t.root != 0; more; {
		var slots []slot
		slots, from = t.segmentFrom(a, uint32(from))
		for _, s := range slots {
			if s.ref != 0 && !f(s.tag, s.ref) {
				return
			}
		}
		more = from < 1<<32
	}
}

// segmentFrom returns the slots of the segment that holds tag, and the first tag beyond it (1<<32 after the last).
func (t *table) segmentFrom(a *arena, tag uint32) ([]slot, uint64) {
	s, slots := segmentAt(a, t.segmentFor(a, tag))
	if s.depth == 0 {
		return slots, 1 << 32
	}
	shift := 32 - uint32(s.depth)
	return slots, (uint64(tag>>shift) + 1) << shift
}

// scan calls f for blocks in the order of their tags, from tag on, until it has called it at least count times and all
// blocks of the last tag have been seen. It returns the tag to go on from, and false when there is nothing beyond.
func (t *table) scan(a *arena, tag uint32, count int, f func(r ref)) (uint32, bool) {
	if t.root == 0 {
		return 0, false
	}
	var order [1 << segmentBits]slot
	for from := uint64(tag); from < 1<<32; {
		slots, beyond := t.segmentFrom(a, uint32(from))
		n := 0
		for _, s := range slots {
			if s.ref != 0 && uint64(s.tag) >= from {
				order[n] = s
				n++
			}
		}
		sortSlots(order[:n])
		for i, s := range order[:n] {
			if count <= 0 && (i == 0 || order[i-1].tag != s.tag) {
				return s.tag, true
			}
			f(s.ref)
			count--
		}
		from = beyond
	}
	return 0, false
}

func sortSlots(s []slot) {
	slices.SortFunc(s, func(x, y slot) int { return cmp.Compare(x.tag, y.tag) })
}

// random returns a block, each with the same chance. pick returns a number below n. Empty places and, so that shallow
// segments are not favoured, some hits on them cost another try: about three tries a block.
func (t *table) random(a *arena, pick func(n uint64) uint64) (uint32, ref) {
	for t.count > 0 {
		s, slots := segmentAt(a, t.segmentFor(a, uint32(pick(1<<32))))
		x := slots[pick(uint64(len(slots)))]
		if x.ref != 0 && pick(1<<(t.depth-uint32(s.depth))) == 0 {
			return x.tag, x.ref
		}
	}
	return 0, 0
}
