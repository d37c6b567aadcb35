package engine

// Delete erases the entry with an id and reports whether there was one.
func (s *StreamValue) Delete(id StreamID) bool {
	it := s.Iter(id, id, false)
	defer it.Close()
	if s.x.e == nil || !it.Next() {
		return false
	}
	s.x.sh.chargeKey(s.key)
	s.cut(it.cursor, it.at, it.size)
	r := s.root()
	if r.deleted.Before(id) {
		r.deleted = id
	}
	if id == r.first {
		s.findFirst()
	}
	return true
}

// cut erases one entry of a block, and the block with its last one.
func (s *StreamValue) cut(c idCursor, at, n int) {
	_, r := s.blocks().at(c)
	b := s.x.sh.streamBlock(*r)
	if b.live == 1 {
		s.dropBlock(*r, b)
		return
	}
	b.cut(at, n)
	s.root().length--
	if used := streamBlockHead + int(b.end) - int(b.start-b.entries); 2*used < int(b.size) && *r != s.root().tail {
		s.resize(c, used)
	}
}

// dropBlock erases a block and the entries in it.
func (s *StreamValue) dropBlock(r ref, b *streamBlock) {
	root := s.root()
	root.length -= uint64(b.live)
	s.blocks().remove(b.first)
	if r == root.tail {
		root.tail = 0
		if c := s.blocks().last(); c.leaf != 0 {
			_, last := s.blocks().at(c)
			root.tail = *last
		}
	}
	s.x.sh.arena.free(r, int(b.size))
}

// findFirst notes the id of the first entry that there is.
func (s *StreamValue) findFirst() {
	root := s.root()
	root.first = StreamID{}
	if root.length > 0 {
		_, r := s.blocks().at(s.blocks().first())
		b := s.x.sh.streamBlock(*r)
		root.first = b.idAt(int(b.start))
	}
}

// StreamTrim says what Trim leaves.
type StreamTrim struct {
	ByID   bool
	MaxLen uint64   // the last so many entries, or ...
	MinID  StreamID // ... ByID: those whose id is not below this one
	Whole  bool     // erase whole blocks only, which may leave some more
	Limit  uint64   // erase no more than so many; 0: no limit
}

// Trim erases entries from the front and returns how many.
func (s *StreamValue) Trim(t StreamTrim) uint64 {
	root := s.root()
	s.x.sh.chargeKey(s.key)
	before := root.length
	for root.length > 0 && (t.ByID || root.length > t.MaxLen) {
		c := s.blocks().first()
		_, r := s.blocks().at(c)
		b := s.x.sh.streamBlock(*r)
		live := uint64(b.live)
		if t.Limit > 0 && before-root.length+live > t.Limit {
			break
		}
		if t.ByID && b.last.Before(t.MinID) || !t.ByID && root.length-live >= t.MaxLen {
			s.dropBlock(*r, b)
			continue
		}
		if !t.Whole {
			s.trimBlock(b, &t)
		}
		break
	}
	if root.length != before {
		s.findFirst()
	}
	return before - root.length
}

// trimBlock erases entries from the front of the first block.
func (s *StreamValue) trimBlock(b *streamBlock, t *StreamTrim) {
	root := s.root()
	c := s.blocks().first()
	for b.live > 0 {
		at := int(b.start)
		if t.ByID && !b.idAt(at).Before(t.MinID) || !t.ByID && root.length <= t.MaxLen {
			return
		}
		last := b.live == 1
		s.cut(c, at, b.entryLen(at))
		if last {
			return
		}
		_, r := s.blocks().at(c)
		b = s.x.sh.streamBlock(*r) // it may have become smaller
	}
}
