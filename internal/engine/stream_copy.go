package engine

// copyStream makes a stream for a key that has none, with the entries and the groups of another entry's stream.
func (tx *Tx) copyStream(k *Key, m Meta, src Entry) Entry {
	from, to := StreamValue{tx: tx, x: src}, StreamValue{tx: tx, key: k}
	to.Create(m)
	blocks := from.blocks()
	for at := blocks.first(); at.leaf != 0; at = blocks.next(at) {
		id, r := blocks.at(at)
		to.copyBlock(id, src.sh.streamBlock(*r))
	}
	f, t := from.root(), to.root()
	t.last, t.first, t.deleted, t.length, t.added = f.last, f.first, f.deleted, f.length, f.added
	from.EachGroup(func(g StreamGroup) bool { to.copyGroup(g); return true })
	return to.x
}

// copyBlock appends a copy of a block.
func (s *StreamValue) copyBlock(id StreamID, old *streamBlock) {
	s.x.sh.chargeKey(s.key)
	r := s.x.sh.arena.alloc(int(old.size))
	s.blocks().insert(id, r)
	b := s.x.sh.streamBlock(r)
	*b = *old
	copy(b.room(), old.room())
	s.root().tail = r
}

func (s *StreamValue) copyGroup(old StreamGroup) {
	s.CreateGroup(old.Name(), old.Last(), old.Read())
	g, _ := s.Group(old.Name())
	old.EachConsumer(func(had StreamConsumer) bool {
		c, _ := g.CreateConsumer(had.Name(), had.SeenAt())
		c.Activate(had.ActiveAt())
		had.EachPending(StreamID{}, func(p Pending) bool {
			c.Deliver(p.ID, p.DeliveredAt, p.Deliveries)
			return true
		})
		return true
	})
}
