package engine

// Pending is an entry that was delivered to a consumer and is not acknowledged.
type Pending struct {
	ID          StreamID
	Consumer    StreamConsumer
	DeliveredAt int64 // Unix milliseconds
	Deliveries  int64
}

func (g StreamGroup) pending() idMap[pendingEntry] {
	return idMap[pendingEntry]{g.sh.arena, &g.head().pending}
}

func (c StreamConsumer) pending() idMap[struct{}] {
	return idMap[struct{}]{c.group.sh.arena, &c.head().pending}
}

func (g StreamGroup) describe(id StreamID, p *pendingEntry) Pending {
	return Pending{id, StreamConsumer{g, p.consumer}, p.deliveredAt, p.deliveries}
}

// Find returns the pending entry of an id; false when there is none.
func (g StreamGroup) Find(id StreamID) (Pending, bool) {
	p := g.pending().find(id)
	if p == nil {
		return Pending{}, false
	}
	return g.describe(id, p), true
}

// EachPending calls f for the group's pending entries from an id on, in order, until f says stop. f must not change them.
func (g StreamGroup) EachPending(from StreamID, f func(Pending) bool) {
	m := g.pending()
	for at := m.from(from); at.leaf != 0; at = m.next(at) {
		if id, p := m.at(at); !f(g.describe(id, p)) {
			return
		}
	}
}

// EachPending is the same for one consumer's. f may deliver an entry again to the consumer that has it.
func (c StreamConsumer) EachPending(from StreamID, f func(Pending) bool) {
	m := c.pending()
	for at := m.from(from); at.leaf != 0; at = m.next(at) {
		id, _ := m.at(at)
		if p, _ := c.group.Find(id); !f(p) {
			return
		}
	}
}

// PendingFrom returns the first pending entry from an id on; false when there is none.
func (g StreamGroup) PendingFrom(id StreamID) (Pending, bool) {
	m := g.pending()
	at := m.from(id)
	if at.leaf == 0 {
		return Pending{}, false
	}
	id, p := m.at(at)
	return g.describe(id, p), true
}

// LastPending returns the id of the last pending entry; zero when there is none.
func (g StreamGroup) LastPending() StreamID {
	m := g.pending()
	at := m.last()
	if at.leaf == 0 {
		return StreamID{}
	}
	id, _ := m.at(at)
	return id
}

// Deliver makes an entry pending with a consumer of the group, whoever had it before. The instant is in Unix milliseconds.
func (c StreamConsumer) Deliver(id StreamID, deliveredAt, deliveries int64) {
	c.group.sh.chargeTo(c.group.e)
	all := c.group.pending()
	p := all.find(id)
	if p != nil && p.consumer == c.ref {
		p.deliveredAt, p.deliveries = deliveredAt, deliveries
		return
	}
	// First where memory may be missing, then where it is not: what is in a consumer's tree is in the group's.
	if p == nil {
		all.insert(id, pendingEntry{deliveredAt, deliveries, c.ref, 0})
		c.insertOrUndo(id)
		return
	}
	c.pending().insert(id, struct{}{})
	StreamConsumer{c.group, p.consumer}.pending().remove(id)
	*p = pendingEntry{deliveredAt, deliveries, c.ref, 0}
}

// insertOrUndo gives the consumer an id that was just put into the group's tree, or takes it out there again.
func (c StreamConsumer) insertOrUndo(id StreamID) {
	done := false
	defer func() {
		if !done {
			c.group.pending().remove(id)
		}
	}()
	c.pending().insert(id, struct{}{})
	done = true
}

// Acknowledge ends an entry's being pending; false when it was not.
func (g StreamGroup) Acknowledge(id StreamID) bool {
	p := g.pending().find(id)
	if p == nil {
		return false
	}
	g.sh.chargeTo(g.e)
	StreamConsumer{g, p.consumer}.pending().remove(id)
	g.pending().remove(id)
	return true
}
