package upstream

import "encoding/binary"

// What was taken over is told to the others: eight bytes for who has it now, eight for whose it was, and for each entry its
// pseudonym and the stamp of its record. So one that was only silent lets go of it, and of two that took it over at once one
// keeps it. It may be lost as all news: then an expiration is recorded twice.

// estate are entries that were taken over from one process.
type estate struct {
	from    uint64
	entries []claim
}

// estates are all that were, lately.
type estates struct {
	at      int64 // of the last walk that found any; Unix milliseconds
	entries []claim
}

const (
	estateHead  = 8 + 8
	estateBytes = 64 << 10 // of one message
	estatesBeat = 4        // messages for one Tell

	// maxTaken bounds what is kept of one process, for the case that it is heard again.
	maxTaken = 1 << 18
)

// took notes that entries were taken over, and has the others told.
func (s *Succession) took(from uint64, entries []claim) {
	if len(entries) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.taken[from]
	if e == nil {
		e = &estates{}
		s.taken[from] = e
	}
	e.at = s.b.clock.Now()
	e.entries = append(e.entries, entries[:min(len(entries), maxTaken-len(e.entries))]...)
	if last := len(s.telling) - 1; last >= 0 && s.telling[last].from == from { // pages have few each
		s.telling[last].entries = append(s.telling[last].entries, entries...)
		return
	}
	s.telling = append(s.telling, estate{from, entries})
}

// retell has a process told what was taken from it.
func (s *Succession) retell(from uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.taken[from]; e != nil {
		s.telling = append(s.telling, estate{from, e.entries[:len(e.entries):len(e.entries)]})
	}
}

// Tell gives what is to be told to the other gateways, for Heard there. It is called ten times a second.
func (s *Succession) Tell() (bodies [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.telling) > 0 && len(bodies) < estatesBeat {
		e := &s.telling[0]
		n := min(len(e.entries), (estateBytes-estateHead)/claimBytes)
		b := binary.LittleEndian.AppendUint64(make([]byte, 0, estateHead+n*claimBytes), s.peers.ID())
		b = binary.LittleEndian.AppendUint64(b, e.from)
		for _, c := range e.entries[:n] {
			b = binary.LittleEndian.AppendUint64(append(b, c.id[:]...), c.stamp)
		}
		bodies = append(bodies, b)
		if e.entries = e.entries[n:]; len(e.entries) == 0 {
			s.telling = s.telling[1:]
		}
	}
	if len(s.telling) == 0 {
		s.telling = nil
	}
	return bodies
}

// Heard takes what another gateway has taken over. What is no such message is dropped.
func (s *Succession) Heard(body []byte) {
	if len(body) < estateHead || (len(body)-estateHead)%claimBytes != 0 {
		return
	}
	heir, from, self := binary.LittleEndian.Uint64(body), binary.LittleEndian.Uint64(body[8:]), s.peers.ID()
	if heir == self {
		return
	}
	var kept []claim
	for body = body[estateHead:]; len(body) > 0; body = body[claimBytes:] {
		c := claim{stamp: binary.LittleEndian.Uint64(body[16:])}
		copy(c.id[:], body)
		if s.b.ledger.cede(c, self < heir) {
			kept = append(kept, c)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(kept) == 0 {
		if len(s.heirs) >= maxHeirs {
			clear(s.heirs)
		}
		s.heirs[from] = heir
	}
	if len(kept) > 0 { // the other one has not heard of it
		s.telling = append(s.telling, estate{from, kept})
	}
}
