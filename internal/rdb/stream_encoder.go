package rdb

import (
	"bytes"
	"encoding/binary"
)

// streamEncoder gathers the entries of a block.
type streamEncoder struct {
	countAt int    // where the number of blocks stands
	blocks  uint32 // those that were written
	first   ID     // of the block
	names   []byte // its fields, as elements
	fields  int
	run     []byte // its entries, as elements
	entries int
	seen    int    // elements of run
	entry   pieces // the one that is being written
}

// pieces are an entry's fields, its values, and both by turns, as elements.
type pieces struct{ names, values, pairs []byte }

func (p *pieces) reset() { p.names, p.values, p.pairs = p.names[:0], p.values[:0], p.pairs[:0] }

func (p *pieces) add(field, value []byte) {
	n := len(field) + longestHead
	p.names = appendString(reserve(p.names, n), field)
	p.values = appendString(reserve(p.values, len(value)+longestHead), value)
	p.pairs = appendString(reserve(p.pairs, n+len(value)+longestHead), field)
	p.pairs = appendString(p.pairs, value)
}

// BeginStream begins a stream: Entry for each entry, then EndEntries with the number of groups, and for each group Group,
// its pending entries in the order of their ids, BeginConsumers, and for each consumer Consumer and the ids of what it has.
// Groups and consumers come in the order of their names.
func (e *Encoder) BeginStream() {
	e.version = versionWritten
	e.room(16)
	e.buf = append(e.buf, typeStream70, wide32)
	e.stream.countAt = len(e.buf)
	e.buf = append(e.buf, 0, 0, 0, 0)
}

// Entry writes an entry of n fields. pair is called for each of them and its value, which are copied at once.
func (e *Encoder) Entry(id ID, n int, pair func() (field, value []byte)) {
	s := &e.stream
	s.entry.reset()
	for range n {
		s.entry.add(pair())
	}
	if s.entries == blockEntries || s.entries > 0 && len(s.run)+len(s.entry.pairs) > blockBytes {
		e.endBlock()
	}
	if s.entries == 0 {
		s.first, s.fields = id, n
		s.names = append(reserve(s.names[:0], len(s.entry.names)), s.entry.names...)
	}
	s.append(id, n)
}

// append adds the entry to the block: only its values where its fields are those of the block.
func (s *streamEncoder) append(id ID, n int) {
	body, flags, elements := s.entry.values, int64(entrySameFields), n+3
	if !bytes.Equal(s.entry.names, s.names) {
		body, flags, elements = s.entry.pairs, 0, 2*n+4
	}
	s.run = reserve(s.run, len(body)+5*longestHead)
	s.run = appendNumber(s.run, flags)
	s.run = appendNumber(s.run, int64(id.Ms-s.first.Ms))
	s.run = appendNumber(s.run, int64(id.Seq-s.first.Seq))
	if flags == 0 {
		s.run = appendNumber(s.run, int64(n))
	}
	s.run = append(s.run, body...)
	s.run = appendNumber(s.run, int64(elements))
	s.seen += elements + 1
	s.entries++
}

// endBlock writes the block that was gathered.
func (e *Encoder) endBlock() {
	s := &e.stream
	var head, end [3 * longestHead]byte
	before := appendNumber(appendNumber(appendNumber(head[:0], int64(s.entries)), 0), int64(s.fields))
	behind := appendNumber(end[:0], 0)
	elements := min(4+s.fields+s.seen, unknownCount)
	total := listpackHead + len(before) + len(s.names) + len(behind) + len(s.run) + 1

	e.id16(s.first)
	e.room(maxLengthBytes + total)
	e.length(uint64(total))
	e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(total))
	e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(elements))
	for _, part := range [][]byte{before, s.names, behind, s.run} {
		e.buf = append(e.buf, part...)
	}
	e.buf = append(e.buf, packEnd)
	s.blocks++
	clear(s.run)
	s.run, s.entries, s.seen = s.run[:0], 0, 0
}

// id16 writes an id as a string.
func (e *Encoder) id16(id ID) {
	e.room(1 + idBytes)
	e.length(idBytes)
	e.buf = appendID(e.buf, id)
}

// lengths writes numbers as lengths are written.
func (e *Encoder) lengths(numbers ...uint64) {
	e.room(len(numbers) * maxLengthBytes)
	for _, n := range numbers {
		e.length(n)
	}
}

// EndEntries ends the entries and begins n groups.
func (e *Encoder) EndEntries(f StreamFacts, groups int) {
	if e.stream.entries > 0 {
		e.endBlock()
	}
	binary.BigEndian.PutUint32(e.buf[e.stream.countAt:], e.stream.blocks)
	e.lengths(f.Length, f.Last.Ms, f.Last.Seq, f.First.Ms, f.First.Seq, f.Deleted.Ms, f.Deleted.Seq, f.Added, uint64(groups))
}

// Group writes a group with so many pending entries.
func (e *Encoder) Group(g Group, pending int) {
	e.text(g.Name)
	e.lengths(g.Last.Ms, g.Last.Seq, uint64(g.Read), uint64(pending))
}

// Pending writes an entry that is pending in the group.
func (e *Encoder) Pending(p Pending) {
	e.room(idBytes + 8 + maxLengthBytes)
	e.buf = binary.LittleEndian.AppendUint64(appendID(e.buf, p.ID), uint64(p.DeliveredAt))
	e.length(uint64(p.Deliveries))
}

// BeginConsumers begins n consumers of the group.
func (e *Encoder) BeginConsumers(n int) { e.lengths(uint64(n)) }

// Consumer writes a consumer with which so many entries are pending.
func (e *Encoder) Consumer(c Consumer, pending int) {
	e.text(c.Name)
	e.room(8)
	e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(c.SeenAt))
	e.lengths(uint64(pending))
}

// Owned writes the id of an entry that is pending with the consumer.
func (e *Encoder) Owned(id ID) {
	e.room(idBytes)
	e.buf = appendID(e.buf, id)
}

// reserve returns b with capacity for n more bytes. Memory that is left for larger one is overwritten.
func reserve(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	larger := make([]byte, len(b), 2*cap(b)+n)
	copy(larger, b)
	clear(b[:cap(b)])
	return larger
}
