package seal

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Subjects are the patients that an entry's value is about where its name does not say so, each with its length before it. They
// are plaintext: whoever holds them clears them.
type Subjects []byte

// SubjectBytes is what one patient takes of a list.
func SubjectBytes(id []byte) int {
	var length [binary.MaxVarintLen64]byte
	return binary.PutUvarint(length[:], uint64(len(id))) + len(id)
}

// With appends a patient who is not in the list yet. The list's memory is used where it has room.
func (s Subjects) With(id []byte) Subjects {
	if s.Has(id) {
		return s
	}
	return append(binary.AppendUvarint(s, uint64(len(id))), id...)
}

// Has reports whether a patient is in the list.
func (s Subjects) Has(id []byte) bool {
	for one := range s.All() {
		if bytes.Equal(one, id) {
			return true
		}
	}
	return false
}

// All gives the patients one after another; they are slices of the list.
func (s Subjects) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := []byte(s); len(rest) > 0; {
			id, more, ok := cutCounted(rest)
			if !ok || !yield(id) {
				return
			}
			rest = more
		}
	}
}

// whole reports whether the list is one from its beginning to its end.
func (s Subjects) whole() bool {
	for rest := []byte(s); len(rest) > 0; {
		var ok bool
		if _, rest, ok = cutCounted(rest); !ok {
			return false
		}
	}
	return true
}

// cutCounted takes a text with its length before it from the beginning.
func cutCounted(b []byte) (text, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}

// label is what the name box of an entry's record holds: the name, or, where the value is about patients, the name with its
// length before it and the patients behind.
func (s *Sealer) label(e *Entry) []byte {
	if len(e.Subjects) == 0 {
		return e.Name
	}
	need := binary.MaxVarintLen64 + len(e.Name) + len(e.Subjects)
	if cap(s.plain) < need {
		s.plain = make([]byte, 0, need)
	}
	s.plain = append(binary.AppendUvarint(s.plain[:0], uint64(len(e.Name))), e.Name...)
	s.plain = append(s.plain, e.Subjects...)
	return s.plain
}

// OpenName opens what a record says of itself beside its value, in the memory behind dst: the entry's real name, and the
// patients of its value. The first NameEnd bytes of the record are enough; upstreamName is what it was found under.
func (s *Sealer) OpenName(dst []byte, tenant string, upstreamName, record []byte) (h Header, name []byte, subjects Subjects, err error) {
	e := Entry{Tenant: tenant}
	var ok bool
	if e.pseudonym, ok = PseudonymOf(upstreamName); !ok {
		return h, nil, nil, ErrAltered
	}
	return s.openLabel(dst, &e, record)
}

// OpenSubjects opens the patients of an identified entry's value, in memory of their own.
func (s *Sealer) OpenSubjects(e *Entry, record []byte) (Subjects, error) {
	_, name, subjects, err := s.openLabel(nil, e, record)
	clear(name)
	return subjects, err
}

func (s *Sealer) openLabel(dst []byte, e *Entry, record []byte) (Header, []byte, Subjects, error) {
	h, err := ParseHeader(record)
	if err != nil || len(record) < h.NameEnd() {
		return h, nil, nil, ErrAltered
	}
	k := s.ring.key(h.KeyID)
	if k == nil {
		return h, nil, nil, ErrNoKey
	}
	defer k.done()
	out, err := k.box.Open(dst, nil, record[headerBytes:h.NameEnd()], s.bind(boxName, record[:headerBytes], e))
	if err != nil {
		return h, nil, nil, ErrAltered
	}
	if h.Flags&AboutSubjects == 0 {
		return h, out[len(dst):], nil, nil
	}
	name, rest, ok := cutCounted(out[len(dst):])
	if subjects := Subjects(rest); ok && len(rest) > 0 && subjects.whole() {
		return h, name, subjects, nil
	}
	clear(out[len(dst):])
	return h, nil, nil, ErrAltered // a gateway writes no such thing
}
