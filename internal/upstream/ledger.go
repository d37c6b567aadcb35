package upstream

import (
	"sync"

	"github.com/lethe-cache/lethe/internal/seal"
)

// ledger is what this gateway knows of entries while they live: the stamp of the latest write or deletion that it made or
// saw, so that nobody can put back what was replaced; the sealed record of collections, so that a command needs not ask for
// it first; and the deadlines of what this gateway wrote, for the queue that deletes at them.
//
// It holds pseudonyms and ciphertext. It may be used concurrently.
type ledger struct {
	stamps *seal.Stamps          // of this gateway, by which it asks for records, too
	ours   func(key uint64) bool // whether this gateway drew a data key
	parts  [ledgerParts]ledgerPart
}

const (
	ledgerParts = 64
	tickMillis  = 32 // the queue's precision

	// raceMillis is how long a write may be on its way from the drawing of its stamp, clocks of gateways considered: so much older than
	// the known one a stamp may be without being a replay, until the known one was read that much after it was made.
	raceMillis = 2000

	maxNotes = 1 << 18 // of one part; beyond, what is only known for replays is forgotten
)

type ledgerPart struct {
	mu      sync.Mutex
	notes   notes
	due     map[int64][][16]byte // by tick
	checked int64                // the tick up to which due was looked at
	claims  []claim              // to be told to the other gateways
	doubts  doubts
}

// note is what is known of one entry.
type note struct {
	stamp    uint64
	acked    uint64 // a stamp of when the upstream had confirmed it
	floor    uint64 // the latest stamp that is known to have been replaced or deleted
	since    uint64 // a stamp of when that, or the latest one, became known: what was asked for before may have been answered before it came
	deadline int64  // Unix milliseconds: until when this is worth knowing
	gone     bool   // it was deleted
	own      bool   // this gateway wrote it, or took it over, and deletes it
	heir     bool   // it took it over from one that has gone
	parts    bool   // it is a collection
	counted  bool   // in the account
	told     bool   // its expiration was
	slice    uint8  // of the account, where it is counted
	claimed  uint8  // the time during which it was claimed last
	floorKey uint32 // the end of the number of the data key of the record that had the floor's stamp
	key      uint32 // the same of the record that is known; 0 where none is
	bytes    int64  // for which it is counted; if it is not, what is known of its size, for which it counts at another gateway
	tick     int64  // where in due it is
	account  *Account
	category string
	record   []byte // of a collection the record, of a string its header and sealed name
	*annex          // of an entry that this gateway wrote or took over; it may be there for others too
}

// annex is what is needed of an entry to end it. It lies behind its note: who writes an entry again waits for memory once.
type annex struct {
	head  [headInAnnex]byte // what record is in if it is no longer
	names names
}

// headInAnnex is enough for a string's header and a sealed name of 44 bytes.
const headInAnnex = 112

// know makes a record, sealed with a data key, the one that is known.
func (n *note) know(record []byte, key uint64) {
	if n.record == nil && n.annex != nil {
		n.record = n.head[:0]
	}
	n.record, n.key = append(n.record[:0], record...), uint32(key)
}

// names are the upstream's: of the record, and of the data behind it.
type names [2*seal.KeyNameBytes + 1]byte

func (n *names) ofRecord() []byte { return n[:seal.KeyNameBytes] }
func (n *names) ofData() []byte   { return n[seal.KeyNameBytes:] }

func newLedger(s *seal.Stamps, ours func(key uint64) bool) *ledger {
	l := &ledger{stamps: s, ours: ours}
	for i := range l.parts {
		l.parts[i].due = map[int64][][16]byte{}
		l.parts[i].doubts.of = map[[16]byte]doubt{}
	}
	return l
}

func partOf(id [16]byte) byte { return id[0] % ledgerParts }

func (l *ledger) part(id [16]byte) *ledgerPart { return &l.parts[partOf(id)] }

// wrote notes a write of this gateway that the upstream has confirmed; acked is a stamp of now, in Unix milliseconds. What was
// confirmed before the write was made is surely replaced by it, and so is what the write compared. It returns by how many bytes
// the entry has grown, as far as is known here, and whether it did not count here before.
func (l *ledger) wrote(e *pending, acked uint64, now int64) (grown int64, taken bool) {
	k, h, record := e.k, &e.header, e.record
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.notes.withAnnex(&id)
	n := s.n
	if n.stamp > h.Stamp {
		p.doubts.add(&id, h, acked, now)
		return 0, false
	}
	p.doubts.settle(&id, h.Stamp)
	if !n.own { // this gateway has not written it so far
		copy(n.names[:], k.names)
	}
	n.replaced(k, h.Stamp, acked)
	n.since = acked
	n.stamp, n.acked, n.deadline, n.gone, n.own, n.heir = h.Stamp, acked, h.Deadline, false, true, false
	n.account, n.category = k.account, k.place.Category
	if h.Type == seal.String {
		record = record[:h.NameEnd()]
	}
	n.know(record, h.KeyID)
	n.parts = h.Type != seal.String
	counted, bytes := n.counted, e.bytes
	if e.grows && counted {
		bytes += n.bytes
	}
	s.settle()
	grown = n.count(partOf(id), bytes, now)
	p.claimWritten(id, n, counted)
	p.queue(id, n)
	return grown, !counted
}

// doubt notes that nobody knows whether the upstream has made a write of this gateway, with a stamp of now, in Unix milliseconds.
func (l *ledger) doubt(e *pending, at uint64, now int64) {
	id := e.k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubts.add(&id, &e.header, seal.StampAfter(at, raceMillis), now)
}

// counts reports whether an entry is counted here, so that how much it grows is enough to know.
func (l *ledger) counts(k *keyState) bool {
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.notes.get(&id)
	return n != nil && n.counted
}

// replaced raises the floor for a write or deletion with a stamp, now.
func (n *note) replaced(k *keyState, stamp, now uint64) {
	if n.acked != 0 && n.acked < stamp && !n.gone { // what was deleted is the latest already
		n.raise(n.stamp, n.key, now)
	}
	if k.found && k.guard == guardHeader {
		n.raise(k.header.Stamp, uint32(k.header.KeyID), now)
	}
}

// raise makes the record with a stamp, sealed with a data key, the latest that is known to have been replaced.
func (n *note) raise(stamp uint64, key uint32, now uint64) {
	if stamp > n.floor {
		n.floor, n.floorKey, n.since = stamp, key, now
	}
}

// reset makes the note one of another record, or of a deletion. What is known of those that were replaced stays.
func (n *note) reset(stamp uint64, deadline int64) {
	*n = note{stamp: stamp, deadline: deadline, floor: n.floor, floorKey: n.floorKey, since: n.since, tick: n.tick, annex: n.annex}
}

// queue sees to it that a note is looked at when it ends. An entry that is written again and again is queued once: it is
// queued anew when its old turn comes.
func (p *ledgerPart) queue(id [16]byte, n *note) {
	tick := n.deadline/tickMillis + 1
	if n.tick == 0 || n.tick > tick {
		n.tick = tick
		p.due[tick] = append(p.due[tick], id)
	}
}

// deleted notes a deletion by this gateway. until is when the last value that there can have been ends.
func (l *ledger) deleted(k *keyState, stamp uint64, until int64) {
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.notes.of(&id)
	n := s.n
	if n.stamp > stamp {
		return
	}
	n.replaced(k, 0, stamp)
	n.discount(partOf(id))
	p.claimEnded(id, k.account, stamp)
	n.reset(stamp, max(until, n.deadline))
	n.acked, n.since, n.gone = stamp, stamp, true
	s.settle()
	p.queue(id, n)
}

// erasure is when an entry was deleted that was not named: stamps of the record that was seen before, if it could be opened, of
// before the deletion was sent, and of now.
type erasure struct{ seen, sent, done uint64 }

// outlived reports whether an entry may have been written after it was deleted: its record is newer than the one that was seen,
// and was confirmed, or if another gateway made it, made, when the deletion was on its way.
func (e *erasure) outlived(n *note) bool {
	if n.acked == 0 {
		return n.stamp > e.seen && seal.StampAge(n.stamp, e.sent) < raceMillis
	}
	return n.stamp > e.seen && n.acked > e.sent
}

// erased notes that an entry is gone that was not named: its tenant's were deleted. One that was written meanwhile is not taken
// for gone, as nobody knows which came first: whoever reads it sees.
func (l *ledger) erased(a *Account, id [16]byte, e erasure) {
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.notes.find(&id)
	if s != nil && !s.n.gone && e.outlived(s.n) {
		return
	}
	p.claimEnded(id, a, e.sent)
	if s != nil && !s.n.gone {
		n := s.n
		n.discount(partOf(id))
		n.raise(n.stamp, n.key, e.done)
		n.reset(e.sent, n.deadline)
		n.acked, n.since, n.gone = e.done, e.done, true
		s.settle()
	}
}

// saw notes a record that was read and is authentic, and reports whether it is as new as what is known. Two gateways may give
// one stamp at the same moment, but each has data keys of its own, and a deletion's stamp is no record's of this gateway.
func (l *ledger) saw(k *keyState, h *seal.Header, record []byte) (fresh bool) {
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.notes.find(&id)
	if s == nil {
		if p.notes.used >= maxNotes {
			return true
		}
		s = p.notes.add(&id)
	} else if latest, there := s.is(h.Stamp); latest && there {
		if !k.place.Replica { // a replica may have what its primary has no more
			s.read(h.Stamp, k.asked)
		}
		return true
	}
	n := s.n
	if n.stamp != 0 && h.Stamp <= max(n.floor, n.stamp) {
		return l.mayPrecede(p, s, h, k.asked)
	}
	n.discount(partOf(id)) // another gateway wrote it since
	n.reset(h.Stamp, h.Deadline)
	n.since = l.stamps.Next(0)
	switch {
	case h.Type != seal.String:
		n.know(record, h.KeyID)
		n.parts = true
	case len(record) > h.NameEnd(): // all of it was asked for
		n.bytes = int64(len(k.names) + len(record))
	}
	s.settle()
	p.queue(id, n)
	return true
}

// mayPrecede reports whether a record that is not newer than what is known may be believed all the same, with the stamp of when it was
// asked for.
func (l *ledger) mayPrecede(p *ledgerPart, s *slot, h *seal.Header, asked uint64) bool {
	n := s.n
	switch {
	case h.Stamp == n.floor && uint32(h.KeyID) == n.floorKey:
		return asked < n.since // it was replaced while it was on its way here
	case h.Stamp == n.stamp && n.stamp > n.floor:
		return true // it is the latest
	default: // or it was made before what it replaced, and came after it: writes may overtake one another
		return asked < n.since || s.mayBeLate(h.Stamp) && !l.replacedHere(p, s, h, asked)
	}
}

// replacedHere reports whether a record is this gateway's own and was surely replaced before something that was replaced itself: its
// answer came, and in its turn.
func (l *ledger) replacedHere(p *ledgerPart, s *slot, h *seal.Header, asked uint64) bool {
	return h.Stamp < s.n.floor && seal.StampAge(h.Stamp, asked) >= raceMillis && l.ours(h.KeyID) && !p.doubts.have(&s.id, h.Stamp)
}

// replayed reports whether a record that was found without asking for its entry is older than what is known.
func (l *ledger) replayed(id [16]byte, h *seal.Header, asked uint64) bool {
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.notes.find(&id)
	return s != nil && s.n.stamp != 0 && h.Stamp <= max(s.n.floor, s.n.stamp) && !l.mayPrecede(p, s, h, asked)
}

// supersedes reports whether a record is known to have been replaced or deleted.
func (l *ledger) supersedes(k *keyState, h *seal.Header) bool {
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.notes.get(&id)
	return n != nil && (h.Stamp <= n.floor || h.Stamp < n.stamp || n.gone)
}

// collection appends the record that a collection is thought to have; nothing when none is known.
func (l *ledger) collection(dst []byte, k *keyState) []byte {
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.notes.find(&id); s.isCollection() {
		dst = append(dst, s.n.record...)
		k.stands = s.mark&markStands != 0
	}
	return dst
}

// confirmed notes that the upstream had the record of a collection that is known when it was asked. It costs something once for
// each record.
func (l *ledger) confirmed(k *keyState) {
	h := &k.coll.Header
	if k.stands || k.place.Replica || seal.StampAge(h.Stamp, k.asked) < raceMillis {
		return
	}
	k.stands = true
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.notes.find(&id); s != nil {
		if latest, there := s.is(h.Stamp); latest && there {
			s.read(h.Stamp, k.asked)
		}
	}
}

// hasCollection reports whether a collection is thought to be there.
func (l *ledger) hasCollection(k *keyState) bool {
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.notes.find(&id)
	if s != nil {
		k.note = s.n
	}
	return s.isCollection()
}

// expects reports whether an entry should be there, as far as is known.
func (l *ledger) expects(k *keyState, now int64) bool {
	id := k.entry.Pseudonym()
	p := l.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.notes.get(&id)
	return n != nil && !n.gone && n.deadline > now
}

// approach brings what is known of an entry closer to the processor.
func (l *ledger) approach(k *keyState) {
	id := k.entry.Pseudonym()
	l.part(id).notes.approach(&id)
	if k.note != nil {
		k.note.approach()
	}
}

// ended takes out what has ended at an instant, and calls f for what this gateway has to delete, without a lock.
func (l *ledger) ended(now int64, f func(*note)) {
	for i := range l.parts {
		for _, n := range l.parts[i].ended(now) {
			f(n)
		}
	}
}

func (p *ledgerPart) ended(now int64) (own []*note) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tick := now / tickMillis
	if p.checked == 0 || tick-p.checked > int64(len(p.due)) {
		// After a start, and after a long pause: look at the ticks that there are, not at all that have passed.
		for at := range p.due {
			if at <= tick {
				own = p.endTick(at, now, own)
			}
		}
		p.checked = tick
		return own
	}
	for p.checked < tick {
		p.checked++
		own = p.endTick(p.checked, now, own)
	}
	return own
}

func (p *ledgerPart) endTick(tick, now int64, own []*note) []*note {
	for _, id := range p.due[tick] {
		n := p.notes.get(&id)
		if n == nil || n.tick != tick {
			continue
		}
		if n.deadline > now { // written again since
			n.tick = 0
			p.queue(id, n)
			continue
		}
		p.notes.remove(&id)
		p.doubts.remove(&id)
		n.discount(partOf(id))
		if n.own && !n.gone {
			own = append(own, n)
		}
	}
	delete(p.due, tick)
	return own
}
