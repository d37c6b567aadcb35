package consent

import (
	"bytes"
	"errors"
	"slices"
)

// The bounds of what a Finder looks at. A value beyond them is not searched, and must not be stored where it has to be.
const (
	MaxSearchedBytes = 1 << 20
	maxNesting       = 64
	maxPatients      = 64
)

// ErrUnsearchable is what Find returns for a value that is beyond the bounds.
var ErrUnsearchable = errors.New("the value is too large, too deep or about too many patients to be searched for them")

// Finder finds the patients that a FHIR value in JSON is about: the id of each resource of type Patient, and each
// subject.reference and patient.reference to Patient/ID, at any depth, so that Bundles and contained resources count. It
// reads the text once, builds nothing of it, and in steady state allocates nothing. One goroutine at a time may use it.
type Finder struct {
	// IDs are the patients that Find found, each once. They are slices of the value, or of the Finder's own memory where
	// the value spells them with escapes: valid until the next Find or Clear.
	IDs [][]byte

	text    []byte
	at      int
	scratch []byte // what strings with escapes mean
	kept    int    // of scratch: what IDs may point into
	high    int    // of scratch: what was written
	beyond  bool
}

// Find looks for patients. A value that does not begin as a JSON object or array is about none. Of JSON that is broken
// what stands before the break counts.
func (f *Finder) Find(value []byte) error {
	f.Clear()
	f.text = bytes.TrimPrefix(value, []byte("\xef\xbb\xbf"))
	if f.space(); f.at >= len(f.text) || f.text[f.at] != '{' && f.text[f.at] != '[' {
		return nil
	}
	if len(value) > MaxSearchedBytes {
		return ErrUnsearchable
	}
	f.value(false, 0)
	if f.beyond {
		return ErrUnsearchable
	}
	return nil
}

// Clear forgets what was found and overwrites the memory that it took.
func (f *Finder) Clear() {
	clear(f.scratch[:f.high])
	clear(f.IDs)
	f.IDs, f.scratch, f.text, f.at, f.beyond = f.IDs[:0], f.scratch[:0], nil, 0, false
	f.kept, f.high = 0, 0
}

// value reads one value; names says that it is that of a member that names a patient. False means that the text is at its
// end or broken.
func (f *Finder) value(names bool, depth int) bool {
	if depth > maxNesting {
		f.beyond = true
		return false
	}
	f.space()
	if f.at >= len(f.text) {
		return false
	}
	switch f.text[f.at] {
	case '{':
		f.at++
		return f.object(names, depth)
	case '[':
		f.at++
		return f.array(names, depth)
	case '"':
		before := len(f.scratch)
		_, ok := f.string()
		f.scratch = f.scratch[:before]
		return ok
	default:
		return f.word()
	}
}

func (f *Finder) array(names bool, depth int) bool {
	for {
		f.space()
		if f.take(']') {
			return true
		}
		if !f.value(names, depth+1) {
			return false
		}
		f.space()
		if !f.take(',') && (f.at >= len(f.text) || f.text[f.at] != ']') {
			return false
		}
	}
}

// object reads the members of an object. Of members that stand there twice each counts: readers differ in which they take.
func (f *Finder) object(names bool, depth int) bool {
	var isPatient bool
	var id []byte
	patient := func() {
		if isPatient && id != nil {
			f.found(id)
		}
	}
	defer patient()
	for {
		f.space()
		if f.take('}') {
			return true
		}
		before := len(f.scratch)
		member, ok := f.string()
		if !ok {
			return false
		}
		if f.space(); !f.take(':') {
			return false
		}
		f.space()
		text, isText := []byte(nil), f.at < len(f.text) && f.text[f.at] == '"'
		if isText {
			if text, ok = f.string(); !ok {
				return false
			}
		}
		switch {
		case !isText:
			if !f.value(string(member) == "subject" || string(member) == "patient", depth+1) {
				return false
			}
		case string(member) == "resourceType":
			isPatient = isPatient || string(text) == "Patient"
		case string(member) == "id":
			if id != nil {
				f.found(id)
			}
			id, f.kept = text, len(f.scratch)
		case names && string(member) == "reference":
			if id, ok := PatientID(text); ok {
				f.found(id)
				f.kept = len(f.scratch)
			}
		}
		f.scratch = f.scratch[:max(before, f.kept)]
		f.space()
		if !f.take(',') && (f.at >= len(f.text) || f.text[f.at] != '}') {
			return false
		}
	}
}

func (f *Finder) found(id []byte) {
	if len(id) == 0 || slices.ContainsFunc(f.IDs, func(x []byte) bool { return bytes.Equal(x, id) }) {
		return
	}
	if len(f.IDs) == maxPatients {
		f.beyond = true
		return
	}
	f.IDs = append(f.IDs, id)
}

// PatientID returns the logical id of a reference to a patient: Patient/ID, with a server before it or a version behind it
// (FHIR R4, 2.3.0.1, literal references). What follows an id there, such as #part, is not of it.
func PatientID(reference []byte) (id []byte, ok bool) {
	rest := reference
	if i := bytes.LastIndex(rest, []byte("Patient/")); i > 0 && rest[i-1] == '/' {
		rest = rest[i:]
	}
	rest, ok = bytes.CutPrefix(rest, []byte("Patient/"))
	if !ok {
		return nil, false
	}
	id, _, _ = bytes.Cut(rest, []byte("/_history/"))
	if i := bytes.IndexAny(id, "#?|"); i >= 0 {
		id = id[:i]
	}
	return id, len(id) > 0 && bytes.IndexByte(id, '/') < 0
}

func (f *Finder) space() {
	for f.at < len(f.text) && (f.text[f.at] == ' ' || f.text[f.at] == '\n' || f.text[f.at] == '\r' || f.text[f.at] == '\t') {
		f.at++
	}
}

func (f *Finder) take(b byte) bool {
	if f.at < len(f.text) && f.text[f.at] == b {
		f.at++
		return true
	}
	return false
}

// word skips a number, true, false or null.
func (f *Finder) word() bool {
	from := f.at
	for f.at < len(f.text) {
		switch f.text[f.at] {
		case ',', ']', '}', ' ', '\n', '\r', '\t':
			return f.at > from
		case '{', '[', '"', ':':
			return false
		}
		f.at++
	}
	return f.at > from
}
