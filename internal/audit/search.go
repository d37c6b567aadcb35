package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Event is a record that was read back, with its place in the log.
type Event struct {
	Sequence uint64
	Segment  uint64
	Record   // its slices are valid until the function that was given the event returns
	At       time.Time
}

// Query says which records to find; a zero field asks for nothing.
type Query struct {
	User, Tenant, Category string
	Subject                string // a subject's name, or the pseudonym that reports show
	Action                 Action
	Outcome                Outcome
	Since, Until           time.Time // Since is part of the range, Until is not
	Limit                  int       // at most so many records, the oldest first
}

// ErrDamaged means that a search came to a part of the log that is not whole. What it gave before that is true; Verify
// says what is missing.
var ErrDamaged = errors.New("the audit log is damaged, and the answer is not complete: verify it")

// Search calls visit for each record that q asks for, oldest first. It only reads, and may run while the log is written.
// An error of visit ends the search and is returned. Frames that are damaged are left out and make the error ErrDamaged.
func Search(dir string, o Opener, q Query, visit func(*Event) error) error {
	names, err := NewPseudonyms(o)
	if err != nil {
		return err
	}
	left := q.Limit
	err = readAll(dir, o, 0, func(e *Event) error {
		if !q.matches(e, names) {
			return nil
		}
		if err := visit(e); err != nil {
			return err
		}
		if left--; left == 0 {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

var errEnough = errors.New("enough records were found")

func (q *Query) matches(e *Event, names *Pseudonyms) bool {
	switch {
	case q.User != "" && q.User != e.Actor.User,
		q.Tenant != "" && q.Tenant != e.Tenant,
		q.Category != "" && q.Category != e.Category,
		q.Action != 0 && q.Action != e.Action,
		q.Outcome != 0 && q.Outcome != e.Outcome,
		!q.Since.IsZero() && e.At.Before(q.Since),
		!q.Until.IsZero() && !e.At.Before(q.Until):
		return false
	}
	return q.Subject == "" || (len(e.Subject) > 0 &&
		(q.Subject == string(e.Subject) || q.Subject == names.Subject(e.Tenant, e.Subject)))
}

// readAll visits every record whose sequence is at least from, oldest first.
func readAll(dir string, o Opener, from uint64, visit func(*Event) error) error {
	head, headErr := readHead(dir)
	numbers, err := listSegments(dir)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		return fmt.Errorf("cannot read the audit log: %w", ErrNoLog)
	}
	damaged, next := false, uint64(0)
	for i, number := range numbers {
		next, err = readSegment(dir, number, o, from, visit)
		switch {
		case errors.Is(err, ErrDamaged):
			// The last segment may end in a frame that is being written, or was when its process died: the head tells.
			damaged = damaged || i < len(numbers)-1 || headErr != nil
		case err != nil:
			return err
		}
	}
	if damaged || (headErr == nil && next <= head.tip.sequence) {
		return ErrDamaged
	}
	return nil
}

// readSegment visits the records of one segment and returns the sequence that follows its last whole frame.
func readSegment(dir string, number uint64, o Opener, from uint64, visit func(*Event) error) (next uint64, _ error) {
	text, err := os.ReadFile(filepath.Join(dir, segmentName(number)))
	if err != nil {
		return 0, fmt.Errorf("cannot read an audit segment: %w", err)
	}
	h, chain, err := parseHeader(text)
	if err != nil {
		return 0, ErrDamaged
	}
	r, err := newSegmentReader(o, &h)
	if err != nil {
		return 0, fmt.Errorf("segment %d: %w", number, err)
	}
	defer r.close()
	w := walker{data: text, offset: headerBytes, chain: chain, next: h.first}
	for {
		f, err := w.step()
		switch {
		case errors.Is(err, io.EOF):
			return w.next, nil
		case err != nil:
			return w.next, ErrDamaged
		}
		if w.next <= from {
			continue
		}
		if err := r.read(&f, from, visit); err != nil {
			return w.next, err
		}
	}
}

// segmentReader turns the frames of one segment into events.
type segmentReader struct {
	number uint64
	opener *unsealer
	plain  []byte
}

func newSegmentReader(o Opener, h *header) (*segmentReader, error) {
	u, err := newUnsealer(o, h)
	return &segmentReader{number: h.number, opener: u}, err
}

// read visits the records of f whose sequence is at least from.
func (r *segmentReader) read(f *frame, from uint64, visit func(*Event) error) error {
	if f.kind != kindRecords {
		return nil
	}
	plain, err := r.opener.open(r.plain[:0], f)
	if err != nil {
		return ErrDamaged
	}
	r.plain = plain
	err = decodeRecords(plain, int(f.count), func(i int, rec *Record) error {
		sequence := f.first + uint64(i)
		if sequence < from {
			return nil
		}
		return visit(&Event{Sequence: sequence, Segment: r.number, Record: *rec, At: time.UnixMilli(rec.At).UTC()})
	})
	if errors.Is(err, errRecord) {
		return ErrDamaged
	}
	return err
}

// close overwrites the key names that were read.
func (r *segmentReader) close() { clear(r.plain[:cap(r.plain)]) }
