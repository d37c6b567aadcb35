package upstream

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// notes are the notes of one part of the ledger by pseudonym: open addressing with linear probing, under the part's lock. What most
// commands ask of a note stands in its slot, so that they wait for one line of memory; and where that line will be can be said
// without the lock, so that it is on its way before its command comes.
type notes struct {
	slots []slot
	used  int
	ahead atomic.Pointer[[]slot] // slots, for whom has no lock
}

// slot is one note's. It is empty where it has none.
type slot struct {
	id   [16]byte
	n    *note
	mark mark
}

// mark is a note's stamp, and what it is.
type mark uint64

const (
	markGone   mark = 1 << iota // it was deleted
	markParts                   // it is a collection
	markBehind                  // what replaced it is known, and is not older than it
	markStands                  // it was read when all that was made before it had come
	markBits   = iota
)

// leastSlots is a power of two, as every number of slots.
const leastSlots = 8

// home is where a pseudonym's slot would be: pseudonyms are the outcome of a keyed hash, whose first byte chose the part.
func home(id *[16]byte, slots int) int {
	return int(binary.LittleEndian.Uint32(id[1:])) & (slots - 1)
}

// index is where the slot of a pseudonym is; less than 0 where there is none.
func (t *notes) index(id *[16]byte) int {
	if len(t.slots) == 0 {
		return -1
	}
	for i := home(id, len(t.slots)); ; i = (i + 1) & (len(t.slots) - 1) {
		switch s := &t.slots[i]; {
		case s.n == nil:
			return -1
		case s.id == *id:
			return i
		}
	}
}

// find returns the slot of a pseudonym, which is valid until the next add or remove; nil where there is none.
func (t *notes) find(id *[16]byte) *slot {
	if i := t.index(id); i >= 0 {
		return &t.slots[i]
	}
	return nil
}

// get returns the note of a pseudonym; nil where there is none.
func (t *notes) get(id *[16]byte) *note {
	if s := t.find(id); s != nil {
		return s.n
	}
	return nil
}

// add takes an empty note up for a pseudonym that has none.
func (t *notes) add(id *[16]byte) *slot { return t.take(id, &note{}) }

func (t *notes) take(id *[16]byte, n *note) *slot {
	if 4*(t.used+1) > 3*len(t.slots) {
		t.resize(max(leastSlots, 2*len(t.slots)))
	}
	t.used++
	return t.put(slot{id: *id, n: n})
}

// of returns the slot of a pseudonym, with an empty note if there was none.
func (t *notes) of(id *[16]byte) *slot {
	if s := t.find(id); s != nil {
		return s
	}
	return t.add(id)
}

// withAnnex is of, for an entry that this gateway is to end.
func (t *notes) withAnnex(id *[16]byte) *slot {
	s := t.find(id)
	if s != nil && s.n.annex != nil {
		return s
	}
	both := &struct {
		note  note
		annex annex
	}{}
	if s == nil {
		s = t.take(id, &both.note)
	} else {
		both.note, s.n = *s.n, &both.note
	}
	s.n.annex = &both.annex
	return s
}

func (t *notes) put(x slot) *slot {
	i := home(&x.id, len(t.slots))
	for t.slots[i].n != nil {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = x
	return &t.slots[i]
}

// remove forgets the note of a pseudonym. Slots behind it move up, as far as they were pushed away from their homes.
func (t *notes) remove(id *[16]byte) {
	hole := t.index(id)
	if hole < 0 {
		return
	}
	t.used--
	last := len(t.slots) - 1
	for i := (hole + 1) & last; t.slots[i].n != nil; i = (i + 1) & last {
		if (i-home(&t.slots[i].id, len(t.slots)))&last >= (i-hole)&last {
			t.slots[hole] = t.slots[i]
			hole = i
		}
	}
	t.slots[hole] = slot{}
	if len(t.slots) > leastSlots && 8*t.used < len(t.slots) {
		t.resize(len(t.slots) / 2)
	}
}

func (t *notes) resize(slots int) {
	old := t.slots
	t.slots = make([]slot, slots)
	for _, x := range old {
		if x.n != nil {
			t.put(x)
		}
	}
	all := t.slots
	t.ahead.Store(&all)
}

// approach brings the slot of a pseudonym closer to the processor. It needs no lock, and changes nothing.
func (t *notes) approach(id *[16]byte) {
	if slots := t.ahead.Load(); slots != nil && len(*slots) > 0 {
		engine.PrefetchBytes(unsafe.Pointer(&(*slots)[home(id, len(*slots))]), unsafe.Sizeof(slot{}))
	}
}

// approach brings the note closer to the processor.
func (n *note) approach() { engine.PrefetchBytes(unsafe.Pointer(n), unsafe.Sizeof(*n)+headInAnnex) }

// settle writes into a slot what its note has become.
func (s *slot) settle() {
	m := mark(s.n.stamp << markBits)
	if s.n.gone {
		m |= markGone
	}
	if s.n.parts {
		m |= markParts
	}
	if s.n.floor >= s.n.stamp {
		m |= markBehind
	}
	s.mark = m
}

// isCollection reports whether the entry is a collection that is thought to be there.
func (s *slot) isCollection() bool { return s != nil && s.mark&(markParts|markGone) == markParts }

// is reports whether the latest that is known of an entry is what has a stamp, and of nothing newer that this was replaced; there
// says that it was not deleted.
func (s *slot) is(stamp uint64) (latest, there bool) {
	return s.mark&^(markGone|markParts|markStands) == mark(stamp<<markBits), s.mark&markGone == 0
}

// read notes that the upstream had the record with a stamp, the latest that is known, when it was asked at another.
func (s *slot) read(stamp, asked uint64) {
	if s.mark&markStands == 0 && seal.StampAge(stamp, asked) >= raceMillis {
		s.mark |= markStands
	}
}

// mayBeLate reports whether a record that was made before the latest that is known may have come after it: two gateways that
// write at the same moment draw their stamps in one order and may reach the upstream in the other.
func (s *slot) mayBeLate(stamp uint64) bool {
	return s.mark&markStands == 0 && seal.StampAge(stamp, max(s.n.stamp, s.n.floor)) < raceMillis
}
