package engine

import (
	"encoding/binary"
	"unsafe"
)

// A streamBlock is the head of up to a hundred entries of a stream, or about 4 KiB of them. Behind it lie the names of
// the fields that the first entry had, as items (list_codec.go), then a run of entries, each of them:
//
//	length   of what follows up to the back length, a uvarint
//	shape    one byte: whether the fields are the block's own, whether there is a number
//	ms       milliseconds since the block's first id, a uvarint
//	number   the id's second part, a uvarint; left out where it is 0
//	count    of fields, a uvarint; left out where the fields are the block's own
//	items    the values; where the fields are not the block's own, each behind its field
//	back     the length of all the above, to be read from the right
//
// Blocks end where Redis's do, deleted entries counted, because what an approximate trim removes is whole blocks: weight
// is the length of the listpack that Redis would have.
type streamBlock struct {
	first, last StreamID // of the entries that it ever had
	size        uint32   // of the block
	entries     uint32   // where the run begins, counted from the end of the head
	start, end  uint32   // of what is left of the run, counted likewise
	weight      uint32
	fields      uint32 // how many the first entry had
	live, ever  uint16 // entries that are left, entries that it ever had
	_           uint32
}

const (
	streamBlockHead    = int(unsafe.Sizeof(streamBlock{}))
	streamBlockEntries = 100
	streamBlockWeight  = 4 << 10

	ownFields     = 1 // shape: the fields are the block's own
	hasNumber     = 2 // shape: the id's second part is not 0
	emptyListpack = 7 // bytes of an empty listpack
	smallCount    = 2 // bytes of a small number in a listpack
)

func (sh *shard) streamBlock(r ref) *streamBlock { return (*streamBlock)(sh.arena.pointer(r)) }

// room returns the bytes behind the head.
func (b *streamBlock) room() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(b), streamBlockHead)), int(b.size)-streamBlockHead)
}

// run returns the entries that are left.
func (b *streamBlock) run() []byte { return b.room()[b.start:b.end:b.end] }

// names returns the items of the block's own fields.
func (b *streamBlock) names() []byte { return b.room()[:b.entries:b.entries] }

// full reports whether the next entry, whose fields and values have so many bytes, belongs into another block.
func (b *streamBlock) full(bytes, entries int) bool {
	return int(b.weight)+bytes >= streamBlockWeight || int(b.ever) >= entries
}

// has reports whether the fields of an entry, every other one of pairs, are the block's own.
func (b *streamBlock) has(pairs [][]byte) bool {
	if len(pairs) != 2*int(b.fields) {
		return false
	}
	names := b.names()
	for i := 0; i < len(pairs); i += 2 {
		x := textItem(pairs[i])
		same := x.at(names)
		names = names[itemLen(names):]
		x.clear()
		if !same {
			return false
		}
	}
	return true
}

// weigh returns how many bytes Redis's listpack takes for an item: as many as ours, but for integers of 5 to 7 bytes.
func weigh(x *item) int {
	n := x.len()
	if x.head[0] > itemInt+4 && x.head[0] < itemFloat32 {
		n = 9
	}
	return n + listpackBack(n)
}

// listpackBack is how many bytes the back length of n bytes takes in a listpack.
func listpackBack(n int) int {
	switch {
	case n < 1<<7:
		return 1
	case n < 1<<14-1:
		return 2
	case n < 1<<21-1:
		return 3
	case n < 1<<28-1:
		return 4
	default:
		return 5
	}
}

func weighInt(v int64) int {
	x := intItem(v)
	return weigh(&x)
}

// entryPlan is an entry that is about to be written, measured.
type entryPlan struct {
	id     StreamID
	pairs  [][]byte
	ms     uint64
	own    bool // the fields are the block's own
	body   int  // bytes between the length and the back length
	weight int
}

// planEntry measures an entry for a block that begins with the id first.
func planEntry(first, id StreamID, pairs [][]byte, own bool) entryPlan {
	p := entryPlan{id: id, pairs: pairs, ms: id.Ms - first.Ms, own: own}
	p.body = 1 + uvarint64Len(p.ms)
	if id.Seq != 0 {
		p.body += uvarint64Len(id.Seq)
	}
	parts := 3 + len(pairs)/2 // of the entry in a listpack, which ends with that number
	if !own {
		p.body += uvarint64Len(uint64(len(pairs) / 2))
		p.weight += weighInt(int64(len(pairs) / 2))
		parts += len(pairs)/2 + 1
	}
	for i, b := range pairs {
		if own && i%2 == 0 {
			continue
		}
		x := textItem(b)
		p.body += x.len()
		p.weight += weigh(&x)
		x.clear()
	}
	p.weight += smallCount + weighInt(int64(p.ms)) + weighInt(int64(id.Seq-first.Seq)) + weighInt(int64(parts))
	return p
}

// len is the number of bytes that the entry takes.
func (p *entryPlan) len() int { return withBack(uvarint64Len(uint64(p.body)) + p.body) }

// put writes the entry to the start of dst.
func (p *entryPlan) put(dst []byte) {
	at := binary.PutUvarint(dst, uint64(p.body))
	shape := at
	at++
	at += binary.PutUvarint(dst[at:], p.ms)
	if p.id.Seq != 0 {
		dst[shape] |= hasNumber
		at += binary.PutUvarint(dst[at:], p.id.Seq)
	}
	if p.own {
		dst[shape] |= ownFields
	} else {
		at += binary.PutUvarint(dst[at:], uint64(len(p.pairs)/2))
	}
	for i, b := range p.pairs {
		if p.own && i%2 == 0 {
			continue
		}
		x := textItem(b)
		at += x.put(dst[at:])
		x.clear()
	}
	putBack(dst[at:], at)
}

func uvarint64Len(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// append writes a planned entry, for which there must be room, behind the others.
func (b *streamBlock) append(p *entryPlan) {
	n := p.len()
	p.put(b.room()[b.end:])
	b.end += uint32(n)
	b.weight += uint32(p.weight)
	b.last = p.id
	b.live++
	b.ever++
}

// cut erases the bytes of one entry. What lies behind it moves; at the front nothing has to.
func (b *streamBlock) cut(at, n int) {
	room := b.room()
	if at == int(b.start) {
		clear(room[at : at+n])
		b.start += uint32(n)
	} else {
		copy(room[at:], room[at+n:b.end])
		clear(room[int(b.end)-n : b.end])
		b.end -= uint32(n)
	}
	b.live--
}
