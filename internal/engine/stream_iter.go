package engine

import "encoding/binary"

// StreamIter walks over the entries of a stream whose ids lie in a range, up or down. The stream must not change
// meanwhile.
//
//	for it := s.Iter(from, to, false); it.Next(); {
//		... it.ID(), it.Fields() ...
//		for range it.Fields() {
//			field, value := it.Pair()
//		}
//	}
//
// A walk that ends before Next says so is closed.
type StreamIter struct {
	blocks    idMap[ref]
	sh        *shard
	cursor    idCursor
	block     *streamBlock // nil before the first step, and at the end
	from, to  StreamID
	backwards bool

	id       StreamID
	at, size int    // of the present entry, in its block's room
	names    []byte // the block's fields that are still to come; nil where the entry has its own
	items    []byte // the entry's items that are still to come
	fields   int

	scratch [2]intText
}

// Iter returns a walk over the entries from one id to another, both included, in the given direction.
func (s *StreamValue) Iter(from, to StreamID, backwards bool) StreamIter {
	it := StreamIter{from: from, to: to, backwards: backwards}
	if s.x.e == nil || s.root().length == 0 || to.Before(from) {
		return it
	}
	it.sh, it.blocks = s.x.sh, s.blocks()
	if backwards {
		it.cursor = it.blocks.upTo(to)
		return it
	}
	it.cursor = it.blocks.upTo(from)
	if it.cursor.leaf == 0 {
		it.cursor = it.blocks.first()
	}
	return it
}

// Next goes to the next entry; false when there is none.
func (it *StreamIter) Next() bool {
	for it.cursor.leaf != 0 {
		if it.block == nil {
			it.enter()
		} else {
			it.leaveEntry()
		}
		if it.inBlock() {
			it.id = it.block.idAt(it.at)
			if it.backwards && it.id.Before(it.from) || !it.backwards && it.to.Before(it.id) {
				break
			}
			if it.backwards && it.to.Before(it.id) || !it.backwards && it.id.Before(it.from) {
				continue
			}
			it.open()
			return true
		}
		it.block = nil
		if it.backwards {
			it.cursor = it.blocks.previous(it.cursor)
		} else {
			it.cursor = it.blocks.next(it.cursor)
		}
	}
	it.Close()
	return false
}

// enter goes to the first entry of the cursor's block, or to the last.
func (it *StreamIter) enter() {
	_, r := it.blocks.at(it.cursor)
	it.block = it.sh.streamBlock(*r)
	it.at = int(it.block.start)
	if it.backwards {
		it.at += lastElement(it.block.run())
	}
}

// leaveEntry goes on to the place behind the present entry, or to the entry before it; at is negative where there is none.
func (it *StreamIter) leaveEntry() {
	switch {
	case !it.backwards:
		it.at += it.block.entryLen(it.at)
	case it.at == int(it.block.start):
		it.at = -1
	default:
		it.at = int(it.block.start) + lastElement(it.block.room()[it.block.start:it.at])
	}
}

func (it *StreamIter) inBlock() bool {
	return it.at >= int(it.block.start) && it.at < int(it.block.end)
}

// open prepares the fields of the present entry.
func (it *StreamIter) open() {
	b := it.block
	it.size = b.entryLen(it.at)
	n, at := b.body(it.at)
	body := b.room()[at : at+n]
	shape := body[0]
	at = 1 + uvarintAfter(body[1:])
	if shape&hasNumber != 0 {
		at += uvarintAfter(body[at:])
	}
	if shape&ownFields != 0 {
		it.names, it.fields = b.names(), int(b.fields)
	} else {
		count, n := binary.Uvarint(body[at:])
		at += n
		it.names, it.fields = nil, int(count)
	}
	it.items = body[at:]
}

// uvarintAfter is the length of the uvarint that data begins with.
func uvarintAfter(data []byte) int {
	n := 1
	for data[n-1]&0x80 != 0 {
		n++
	}
	return n
}

// ID returns the present entry's id.
func (it *StreamIter) ID() StreamID { return it.id }

// Fields returns how many fields the present entry has.
func (it *StreamIter) Fields() int { return it.fields }

// Pair returns the next field of the present entry and its value: the store's memory or the walk's own, valid until the
// next step. There must be one.
func (it *StreamIter) Pair() (field, value []byte) {
	names := &it.names
	if it.names == nil {
		names = &it.items
	}
	field = itemText(*names, &it.scratch[0])
	*names = (*names)[itemLen(*names):]
	value = itemText(it.items, &it.scratch[1])
	it.items = it.items[itemLen(it.items):]
	return field, value
}

// Close clears what the walk holds of the stream.
func (it *StreamIter) Close() { *it = StreamIter{} }

// Contains reports whether there is an entry with an id.
func (s *StreamValue) Contains(id StreamID) bool {
	it := s.Iter(id, id, false)
	defer it.Close()
	return it.Next()
}

// body returns the length of an entry's body and where it begins.
func (b *streamBlock) body(at int) (n, from int) {
	room := b.room()
	if first := room[at]; first < 0x80 {
		return int(first), at + 1
	}
	v, head := binary.Uvarint(room[at:b.end])
	return int(v), at + head
}

// entryLen is the number of bytes of the entry at a place.
func (b *streamBlock) entryLen(at int) int {
	n, from := b.body(at)
	return withBack(from - at + n)
}

// idAt returns the id of the entry at a place.
func (b *streamBlock) idAt(at int) StreamID {
	_, at = b.body(at)
	room := b.room()
	shape := room[at]
	ms, n := uint64(room[at+1]), 1
	if ms >= 0x80 {
		ms, n = binary.Uvarint(room[at+1:])
	}
	id := StreamID{Ms: b.first.Ms + ms}
	if shape&hasNumber != 0 {
		id.Seq, _ = binary.Uvarint(room[at+1+n:])
	}
	return id
}
