package upstream

import "github.com/lethe-cache/lethe/internal/seal"

// adopt makes an entry this gateway's own that another one has written which has gone, and reports whether it did. head is the
// beginning of its record, with the whole name at least, and shorter than headBytes if it is everything. It counts for no quota
// here: what the one that has gone has told counts until then.
func (l *ledger) adopt(id [16]byte, name []byte, a *Account, category string, h *seal.Header, head []byte) bool {
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.notes.withAnnex(&id)
	n := s.n
	switch {
	case n.stamp > h.Stamp, n.stamp == h.Stamp && (n.own || n.gone || !n.mayBe(head)), n.floor != 0 && h.Stamp <= n.floor:
		return false
	case n.stamp < h.Stamp:
		n.discount(partOf(id))
		n.reset(h.Stamp, h.Deadline)
		n.since = l.stamps.Next(0)
	}
	copy(n.names[:], name)
	copy(n.names[len(name):], name)
	n.names[2*len(name)] = '~'
	n.account, n.category, n.own, n.heir = a, category, true, true
	if !n.parts {
		end := h.NameEnd()
		if n.parts = h.Type != seal.String && len(head) < headBytes; n.parts {
			end = len(head)
		}
		n.know(head[:end], h.KeyID)
	}
	s.settle()
	p.queue(id, n)
	return true
}

// mayBe reports whether a note can be of the record with a beginning.
func (n *note) mayBe(head []byte) bool {
	return len(n.record) < seal.HeaderBytes || string(n.record[:seal.HeaderBytes]) == string(head[:seal.HeaderBytes])
}

// cede lets go of an entry that another gateway has taken over, unless this one has, too, and is to keep it; then it reports
// true. What it counts for goes on counting here.
func (l *ledger) cede(c claim, keeps bool) (kept bool) {
	p := l.part(c.id)
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.notes.get(&c.id)
	if n == nil || !n.own || n.stamp != c.stamp {
		return false
	}
	if n.heir && keeps {
		return true
	}
	n.own = false
	return false
}
