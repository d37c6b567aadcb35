package engine

import "unsafe"

// A stream keeps its entries in blocks (stream_block.go), which a tree finds by the id that each began with
// (stream_tree.go), and its groups in a roster (stream_roster.go). All of it lies in the shard's arena, and what is
// deleted is overwritten at once: an entry inside a block too.
//
// What a group has read, and how far it lags behind, is told as Redis 7.0 tells it, by the same rules.

// streamRoot is the value part of a stream.
type streamRoot struct {
	last    StreamID // the greatest id that was ever given
	first   StreamID // of the entries there are; 0-0 when there are none
	deleted StreamID // the greatest id that XDEL ever took out
	length  uint64
	added   uint64 // entries that were ever added
	blocks  idTree
	tail    ref // the last block
	groups  roster
}

const streamRootBytes = int(unsafe.Sizeof(streamRoot{}))

// StreamValue is the stream of one key inside a Tx: absent, or live. A stream without entries exists until it is deleted.
// It is valid until Unlock or until its key is written by other means. Slices that its methods are given are copied.
type StreamValue struct {
	tx  *Tx
	key *Key
	x   Entry
}

// StreamAt returns the stream of a key, and counts a read. It fails with ErrWrongKind if the key holds something else.
func (tx *Tx) StreamAt(k *Key) (StreamValue, error) {
	s := StreamValue{tx: tx, key: k, x: tx.live(k)}
	if s.x.e == nil {
		return s, nil
	}
	if s.x.e.kind != Stream {
		return s, ErrWrongKind
	}
	s.x.e.touch(tx.now)
	return s, nil
}

// Create makes an absent stream, empty.
func (s *StreamValue) Create(m Meta) {
	s.x = s.tx.create(s.key, m, Stream, rootLen(len(s.key.Name), streamRootBytes))
}

// Exists reports whether there is a stream.
func (s *StreamValue) Exists() bool { return s.x.e != nil }

// Entry returns the stream's entry; its Exists tells whether there is one.
func (s *StreamValue) Entry() Entry { return s.x }

func (s *StreamValue) root() *streamRoot { return (*streamRoot)(s.x.e.root()) }

func (s *StreamValue) blocks() idMap[ref] { return idMap[ref]{s.x.sh.arena, &s.root().blocks} }

// StreamInfo is what there is to know of a stream beside its entries.
type StreamInfo struct {
	Length  uint64
	Added   uint64   // entries that were ever added
	Last    StreamID // the greatest id that was ever given, or set
	First   StreamID // the first entry's; zero when there is none
	Deleted StreamID // the greatest that was deleted by its id, or set
	Blocks  int
	Groups  int
}

// Info describes the stream; an absent one as an empty one.
func (s *StreamValue) Info() StreamInfo {
	if s.x.e == nil {
		return StreamInfo{}
	}
	r := s.root()
	return StreamInfo{Length: r.length, Added: r.added, Last: r.last, First: r.first, Deleted: r.deleted,
		Blocks: int(r.blocks.count), Groups: int(r.groups.n)}
}

// Len returns the number of entries.
func (s *StreamValue) Len() uint64 { return s.Info().Length }

// SetLast sets the greatest id that counts as given. It must not be below the last entry's.
func (s *StreamValue) SetLast(id StreamID) { s.root().last = id }

// SetAdded sets how many entries count as added.
func (s *StreamValue) SetAdded(n uint64) { s.root().added = n }

// SetDeleted sets the greatest id that counts as deleted.
func (s *StreamValue) SetDeleted(id StreamID) { s.root().deleted = id }

// Top returns the id of the last entry that there is; zero when there is none.
func (s *StreamValue) Top() StreamID {
	if s.x.e == nil || s.root().length == 0 {
		return StreamID{}
	}
	b := s.x.sh.streamBlock(s.root().tail)
	at := int(b.start) + lastElement(b.run())
	return b.idAt(at)
}

// Add appends an entry: pairs are its fields, each before its value. The id must be above every one that was given.
func (s *StreamValue) Add(id StreamID, pairs [][]byte) {
	r := s.root()
	if !r.last.Before(id) {
		panic("BUG: a stream's ids do not grow")
	}
	s.x.sh.chargeKey(s.key)
	total := 0
	for _, b := range pairs {
		total += len(b)
	}
	if r.tail == 0 || s.x.sh.streamBlock(r.tail).full(total, s.tx.store.StreamBlock()) {
		s.addBlock(id, pairs)
	} else {
		b := s.x.sh.streamBlock(r.tail)
		p := planEntry(b.first, id, pairs, b.has(pairs))
		if int(b.size)-streamBlockHead-int(b.end) < p.len() {
			b = s.widen(b, p.len())
		}
		b.append(&p)
	}
	r.last = id
	r.added++
	if r.length++; r.length == 1 {
		r.first = id
	}
}

// addBlock begins a block with an entry. The block before it gives back what it does not use.
func (s *StreamValue) addBlock(id StreamID, pairs [][]byte) {
	r := s.root()
	if r.tail != 0 {
		s.fit(s.blocks().last())
	}
	p := planEntry(id, id, pairs, true)
	names, weight := 0, emptyListpack+3*smallCount+weighInt(int64(len(pairs)/2))
	for i := 0; i < len(pairs); i += 2 {
		x := textItem(pairs[i])
		names += x.len()
		weight += weigh(&x)
		x.clear()
	}
	size := blockBytes(streamBlockHead + names + p.len())
	block := s.x.sh.arena.alloc(size)
	// The tree may need memory too and not get it: the block must be empty until the tree leads to it.
	s.blocks().insert(id, block)
	r.tail = block
	b := s.x.sh.streamBlock(block)
	b.first, b.size, b.fields, b.weight = id, uint32(size), uint32(len(pairs)/2), uint32(weight)
	b.entries = uint32(names)
	b.start, b.end = b.entries, b.entries
	at := 0
	for i := 0; i < len(pairs); i += 2 {
		x := textItem(pairs[i])
		at += x.put(b.room()[at:])
		x.clear()
	}
	b.append(&p)
}

// widen makes room for n more bytes at the end of the last block, and for about as much again as it holds.
func (s *StreamValue) widen(b *streamBlock, n int) *streamBlock {
	used := streamBlockHead + int(b.end) - int(b.start-b.entries)
	return s.resize(s.blocks().last(), max(used+n, min(2*used, streamBlockHead+streamBlockWeight)))
}

// fit gives back what a block does not use, where that is worth it.
func (s *StreamValue) fit(c idCursor) {
	_, r := s.blocks().at(c)
	b := s.x.sh.streamBlock(*r)
	if used := streamBlockHead + int(b.end) - int(b.start-b.entries); blockBytes(used) < int(b.size) {
		s.resize(c, used)
	}
}

// resize replaces a block with one of another size; what was cut from the front of its run falls away.
func (s *StreamValue) resize(c idCursor, size int) *streamBlock {
	_, place := s.blocks().at(c)
	old := s.x.sh.streamBlock(*place)
	r := s.x.sh.arena.alloc(blockBytes(size))
	b := s.x.sh.streamBlock(r)
	*b = *old
	b.size = uint32(blockBytes(size))
	copy(b.room(), old.names())
	copy(b.room()[b.entries:], old.run())
	b.start, b.end = b.entries, b.entries+old.end-old.start
	if s.root().tail == *place {
		s.root().tail = r
	}
	s.x.sh.arena.free(*place, int(old.size))
	*place = r
	return b
}
