package rdb

import (
	"bytes"
	"math"
	"strconv"
)

// streamWalk reads a stream. It is apart from walk for what has to be remembered from one part to the next.
type streamWalk struct {
	*walk
	to      StreamSink
	length  uint64
	first   ID // of the entries
	top     ID // of the entries so far
	last    ID // the greatest that was ever given
	pending []Pending
	owned   []bool // of pending: told with a consumer
	block   streamBlock
}

// streamBlock is the block that is being read.
type streamBlock struct {
	*listpack
	first   ID
	fields  [][]byte  // of the block, which most of its entries have
	pairs   [][]byte  // of the entry
	numbers [2][]byte // texts of the numbers among fields, and among pairs
}

const (
	ofBlock = 0
	ofEntry = 1
)

// maxFields is how many fields an entry may have: more than a request can ask for are not read, since what is set aside
// for each is more than the two bytes that it may take.
const maxFields = 1 << 19

func (w *walk) stream(kind byte) {
	to, ok := w.to.(StreamSink)
	if !ok {
		w.fail()
		return
	}
	w.parts = 1 // a stream may be empty
	to.Begin(Stream)
	s := streamWalk{walk: w, to: to}
	defer s.block.clear()
	w.times(s.readBlock)
	s.facts(kind)
	last, any := []byte(nil), 0
	w.times(func() {
		last = s.group(kind, 1+any%2, last)
		any++
	})
}

func (s *streamWalk) readBlock() {
	key := s.text(0)
	if len(key) != idBytes {
		s.fail()
		return
	}
	b := &s.block
	b.first = parseID(key)
	b.listpack = newListpack(s.text(0))
	entries, deleted, fields := s.integer(), s.integer(), s.integer()
	if s.bad || entries < 0 || deleted < 0 || !b.mayHave(fields) {
		s.fail()
		return
	}
	b.reserve(ofBlock, fields)
	b.fields = s.strings(b.fields[:0], ofBlock, fields)
	if s.integer() != 0 { // what ends the fields
		s.fail()
	}
	found := int64(0)
	for !s.bad && len(b.rest) > 0 {
		if s.entry() {
			found++
		}
	}
	if found != entries || found == 0 && deleted == 0 || !b.done() {
		s.fail()
	}
}

// entry reads an entry, and reports whether it is there and not deleted.
func (s *streamWalk) entry() bool {
	b := &s.block
	flags := s.integer()
	id := ID{b.first.Ms + uint64(s.integer()), b.first.Seq + uint64(s.integer())}
	n, count := int64(len(b.fields)), int64(len(b.fields)+3)
	if flags&entrySameFields == 0 {
		n = s.integer()
		count = 2*n + 4
	}
	if s.bad || flags&^(entryDeleted|entrySameFields) != 0 || !b.mayHave(n) {
		s.fail()
		return false
	}
	b.reserve(ofEntry, 2*n)
	if b.pairs = b.pairs[:0]; flags&entrySameFields == 0 {
		b.pairs = s.strings(b.pairs, ofEntry, 2*n)
	} else {
		for _, f := range b.fields {
			b.pairs = s.strings(append(b.pairs, f), ofEntry, 1)
		}
	}
	if s.integer() != count || s.bad {
		s.fail()
		return false
	}
	if flags&entryDeleted != 0 {
		return false
	}
	if s.length > 0 && !s.top.Before(id) || id == (ID{}) {
		s.fail()
		return false
	}
	if s.length == 0 {
		s.first = id
	}
	s.top = id
	s.length++
	s.to.Entry(id, b.pairs)
	return true
}

// integer reads an element that is a number.
func (s *streamWalk) integer() int64 {
	e, more := s.block.next(&s.reader)
	if !more {
		s.fail()
		return 0
	}
	n, err := strconv.ParseInt(string(e), 10, 64)
	if err != nil {
		s.fail()
	}
	return n
}

// mayHave reports whether there can be n elements more.
func (b *streamBlock) mayHave(n int64) bool {
	return n > 0 && n <= maxFields && n <= int64(len(b.rest))
}

// reserve makes room for the texts of n numbers, which must not move while they are gathered.
func (b *streamBlock) reserve(of int, n int64) {
	const longest = 20
	if int64(cap(b.numbers[of])) < n*longest {
		clear(b.numbers[of][:cap(b.numbers[of])])
		b.numbers[of] = make([]byte, 0, n*longest)
	}
	b.numbers[of] = b.numbers[of][:0]
}

func (b *streamBlock) clear() {
	for _, n := range b.numbers {
		clear(n[:cap(n)])
	}
}

// strings reads n elements, and keeps the texts of those that are numbers.
func (s *streamWalk) strings(to [][]byte, of int, n int64) [][]byte {
	b := &s.block
	for ; n > 0 && !s.bad; n-- {
		isNumber := b.atNumber()
		e, more := b.next(&s.reader)
		if !more {
			s.fail()
			return to
		}
		if isNumber {
			at := len(b.numbers[of])
			b.numbers[of] = append(b.numbers[of], e...)
			e = b.numbers[of][at:]
		}
		to = append(to, e)
	}
	return to
}

func (s *streamWalk) id() ID { return ID{s.walk.length(), s.walk.length()} }

func (s *streamWalk) facts(kind byte) {
	f := StreamFacts{Length: s.walk.length(), Last: s.id()}
	if kind == typeStream {
		f.Added = f.Length
	} else {
		f.First, f.Deleted, f.Added = s.id(), s.id(), s.walk.length()
	}
	if s.bad || f.Length != s.length || f.Added < f.Length || f.Added > math.MaxInt64 || f.Last.Before(s.top) || f.Last.Before(f.Deleted) {
		s.fail()
		return
	}
	s.last = f.Last
	s.to.End(f)
}

// group reads a group into a place, and returns its name, which must be behind the one before.
func (s *streamWalk) group(kind byte, place int, before []byte) []byte {
	g := Group{Name: s.text(place), Last: s.id()}
	if kind == typeStream {
		g.Read = s.readUpTo(g.Last)
	} else {
		g.Read = int64(s.walk.length())
	}
	if before != nil && bytes.Compare(before, g.Name) >= 0 || g.Read < -1 {
		s.fail()
	}
	if s.bad {
		return nil
	}
	s.to.Group(g)
	s.pending, s.owned = s.pending[:0], s.owned[:0]
	s.times(s.pendingEntry)
	last, any := []byte(nil), 0
	s.times(func() {
		last = s.consumer(kind, 3+any%2, last)
		any++
	})
	for _, owned := range s.owned {
		if !owned {
			s.fail()
		}
	}
	return g.Name
}

// readUpTo is how many entries were read up to an id in a stream that does not say how many there ever were: as Redis 7.0
// takes it, as many as there are. It is known at either end only; -1 otherwise.
func (s *streamWalk) readUpTo(id ID) int64 {
	switch {
	case s.length == 0 && !s.last.Before(id), id == s.last:
		return int64(s.length)
	case id.Before(s.first):
		return 0
	case id == s.first:
		return 1
	default:
		return -1
	}
}

// pendingEntry reads an entry that is pending with a consumer that comes later.
func (s *streamWalk) pendingEntry() {
	raw := s.take(idBytes)
	at, n := s.number(8), s.walk.length()
	if s.bad || at > math.MaxInt64 || n > math.MaxInt64 {
		s.fail()
		return
	}
	p := Pending{parseID(raw), int64(at), int64(n)}
	if k := len(s.pending); k > 0 && !s.pending[k-1].ID.Before(p.ID) {
		s.fail()
		return
	}
	s.pending, s.owned = append(s.pending, p), append(s.owned, false)
}

func (s *streamWalk) consumer(kind byte, place int, before []byte) []byte {
	c := Consumer{Name: s.text(place), SeenAt: int64(s.number(8))}
	if c.ActiveAt = c.SeenAt; kind == typeStream72 {
		c.ActiveAt = int64(s.number(8))
	}
	if before != nil && bytes.Compare(before, c.Name) >= 0 || c.SeenAt < 0 {
		s.fail()
	}
	if s.bad {
		return nil
	}
	s.to.Consumer(c)
	s.times(func() {
		if raw := s.take(idBytes); raw != nil {
			s.own(parseID(raw))
		}
	})
	return c.Name
}

// own tells what is pending with the present consumer: an entry of the group that no other has.
func (s *streamWalk) own(id ID) {
	from, to := 0, len(s.pending)
	for from < to {
		if m := int(uint(from+to) >> 1); s.pending[m].ID.Before(id) {
			from = m + 1
		} else {
			to = m
		}
	}
	if from == len(s.pending) || s.pending[from].ID != id || s.owned[from] {
		s.fail()
		return
	}
	s.owned[from] = true
	s.to.Pending(s.pending[from])
}
