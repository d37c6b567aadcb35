package upstream

import "github.com/lethe-cache/lethe/internal/seal"

// doubts are of this gateway's own writes of which it cannot say that they were made before those behind them: whose answer was lost,
// or came behind that of a later one. What the upstream has of an entry may be such a write, though there is a newer one.
type doubts struct {
	of      map[[16]byte]doubt // by pseudonym
	blurred uint64             // a stamp: all writes up to it are in doubt, as there was no more room
	swept   int64              // Unix milliseconds: when room was made last
}

// doubt is of writes to one entry.
type doubt struct {
	first, last uint64 // their stamps are between these
	until       uint64 // a stamp: a write that is made later replaces them
	deadline    int64  // Unix milliseconds: the latest of theirs
}

const (
	maxDoubts   = 1 << 10 // of one part of the ledger
	sweepMillis = 1000    // room is made once in so long
)

// add takes a write up, of which that is known by a stamp, at an instant in Unix milliseconds.
func (d *doubts) add(id *[16]byte, h *seal.Header, until uint64, now int64) {
	one, known := d.of[*id]
	if !known {
		if len(d.of) >= maxDoubts && !d.makeRoom(now) {
			d.blurred = max(d.blurred, h.Stamp)
			return
		}
		one.first = h.Stamp
	}
	d.of[*id] = doubt{min(one.first, h.Stamp), max(one.last, h.Stamp), max(one.until, until), max(one.deadline, h.Deadline)}
}

// makeRoom forgets what has ended, and reports whether that was anything.
func (d *doubts) makeRoom(now int64) bool {
	if now-d.swept < sweepMillis {
		return false
	}
	d.swept = now
	for id, one := range d.of {
		if one.deadline <= now {
			delete(d.of, id)
		}
	}
	return len(d.of) < maxDoubts
}

// settle notes that the upstream has made a write with a stamp.
func (d *doubts) settle(id *[16]byte, stamp uint64) {
	if len(d.of) == 0 {
		return
	}
	if one, known := d.of[*id]; known && stamp > one.until {
		delete(d.of, *id)
	}
}

// have reports whether a write may be what the upstream has.
func (d *doubts) have(id *[16]byte, stamp uint64) bool {
	one, known := d.of[*id]
	return stamp <= d.blurred || known && one.first <= stamp && stamp <= one.last
}

func (d *doubts) remove(id *[16]byte) {
	if len(d.of) > 0 {
		delete(d.of, *id)
	}
}
