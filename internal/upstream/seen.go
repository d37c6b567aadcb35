package upstream

import "github.com/lethe-cache/lethe/internal/seal"

// seen is what the upstream had of an entry when a command read it, in as far as no two states of it are the same in that.
type seen struct {
	name nearName
	text seenText
}

// seenText is the header of a record, a value that is not sealed, which is no longer, or nothing.
type seenText struct {
	bytes [seal.HeaderBytes]byte
	n     uint8
}

func textOf(b []byte) (t seenText) {
	t.n = uint8(copy(t.bytes[:], b))
	return t
}

func (t *seenText) header() (seal.Header, bool) {
	h, err := seal.ParseHeader(t.bytes[:t.n])
	return h, err == nil
}

func (t *seenText) isCollection() bool {
	h, sealed := t.header()
	return sealed && h.Type != seal.String
}

// end is until when the entry may be followed. A hash whose fields end one by one may not be, for the upstream does not know
// when; nor may what is about patients, for it is theirs, whatever its category.
func (t *seenText) end(now int64) (end int64, followable bool) {
	h, sealed := t.header()
	if !sealed {
		return now + followMillis, true
	}
	return h.Deadline, h.Flags&(seal.TimedFields|seal.AboutSubjects) == 0
}

// Held reports whether the upstream had anything under the key i when an ended call read it.
func (t *Task) Held(i int) bool {
	if i >= len(t.keys) {
		return false // it was answered before any key was looked at
	}
	s := t.seen(i)
	return s.text.n > 0
}

// seen returns what a call has seen of its key i, when it has ended.
func (t *Task) seen(i int) (s seen) {
	k := &t.keys[i]
	s.name = nearName(k.record)
	switch k.guard {
	case guardClear:
		s.text = textOf(k.expect[:k.digits])
	case guardHeader:
		s.text = textOf(k.expect[:])
	}
	return s
}
