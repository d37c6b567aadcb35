package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
)

// VerifyOptions say what to trust besides the log itself.
type VerifyOptions struct {
	// PublicKeys is the text of an audit.pub that was kept elsewhere. Empty means the one beside the log, which whoever
	// can replace the whole log can replace too.
	PublicKeys string
	// Checkpoint is a signed checkpoint that was kept elsewhere; the log must contain it. Without one nobody can tell a
	// log from a whole, older copy of it.
	Checkpoint []byte
}

// ErrNoLog means that the directory holds no audit log.
var ErrNoLog = errors.New("there is no audit log in the directory")

// Verify reads the whole log in dir and checks that it is as it was written, without any secret. It only reads, and may
// run while the log is written. What is wrong is in the report; the error means that the log could not be examined.
func Verify(dir string, o VerifyOptions) (*Report, error) {
	v := &verifier{dir: dir, report: Report{Findings: []Finding{}}}
	// The head is read before the segments: the chain may have grown past it since, but must reach it.
	head, headErr := readHead(dir)
	numbers, err := listSegments(dir)
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 && errors.Is(headErr, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot verify the audit log: %w", ErrNoLog)
	}
	v.head, v.live = head, isLive(dir)
	v.report.Live = v.live
	if headErr != nil {
		v.find(Changed, 0, "the head file %s is missing or damaged", headName)
		v.headSeen = true // one finding is enough
	}
	if err := v.trust(o); err != nil {
		return nil, err
	}
	for i, number := range numbers {
		if err := v.segment(number, i == len(numbers)-1); err != nil {
			return nil, err
		}
	}
	v.conclude(o)
	return &v.report, nil
}

// verifier is the state of one verification.
type verifier struct {
	dir    string
	report Report
	keys   note.Verifiers
	head   headState
	live   bool

	outside *Checkpoint // that was kept elsewhere
	seen    bool        // the chain contains it

	number   uint64 // of the segment that is read
	walker   walker
	anchored bool  // the walker's state is trusted: the next segment must follow it
	ended    bool  // the last frame was a segment's end
	signed   bool  // the last frame was a checkpoint
	since    int64 // time of the first frame of records after the last checkpoint
	open     bool  // there is such a frame
	headSeen bool  // the chain came to where the head says it was
}

// find adds a finding at the place that the walker has come to; segment 0 is the log as a whole.
func (v *verifier) find(kind Kind, segment uint64, format string, args ...any) {
	f := Finding{Kind: kind, Segment: segment, Text: fmt.Sprintf(format, args...)}
	if segment != 0 {
		f.Offset, f.Sequence = int64(v.walker.offset), v.walker.next
	}
	v.report.Findings = append(v.report.Findings, f)
}

// trust reads the public keys, and with them the checkpoint from elsewhere.
func (v *verifier) trust(o VerifyOptions) error {
	text := o.PublicKeys
	if text == "" {
		inLog, err := os.ReadFile(filepath.Join(v.dir, publicName))
		if err != nil {
			v.find(Changed, 0, "the public keys %s are missing", publicName)
			return nil
		}
		text = string(inLog)
	}
	keys, err := parsePublicKeys(text)
	if err != nil {
		if o.PublicKeys != "" {
			return err
		}
		v.find(Changed, 0, "%v", err)
		return nil
	}
	v.keys = keys
	if o.Checkpoint == nil {
		return nil
	}
	c, err := openCheckpoint(o.Checkpoint, keys)
	if err != nil {
		v.find(Rewound, 0, "the checkpoint from elsewhere is not one of this log: %v", err)
		return nil
	}
	v.outside = &c
	return nil
}

// segment verifies one file.
func (v *verifier) segment(number uint64, last bool) error {
	text, err := os.ReadFile(filepath.Join(v.dir, segmentName(number)))
	if err != nil {
		return fmt.Errorf("cannot read an audit segment: %w", err)
	}
	v.report.Segments++
	expected := v.number + 1
	v.number = number
	h, chain, err := parseHeader(text)
	before := v.walker
	v.walker = walker{data: text, offset: 0, next: before.next}
	if err != nil {
		v.find(Changed, number, "%v", err)
		v.anchored, v.ended = false, false
		return nil
	}
	v.placed(&h, expected, &before)
	v.walker = walker{data: text, offset: headerBytes, chain: chain, next: h.first}
	v.pass()
	v.anchored, v.ended, v.signed = true, false, false
	stop := v.frames()
	v.tail(stop, last)
	return nil
}

// placed checks that a segment stands where its header says: in this file, in this log, after the chain so far.
func (v *verifier) placed(h *header, expected uint64, before *walker) {
	number := v.number
	if v.report.Log == "" {
		v.report.Log, v.report.FirstSequence = logName(h.log), h.first
		v.walker.next = h.first
		if expected == 1 && number == 1 && (h.before != chainHash{} || h.first != 1) {
			v.find(Changed, number, "the first segment does not begin the log")
		}
	}
	switch {
	case h.number != number:
		v.find(Reordered, number, "the file holds segment %d", h.number)
	case number == expected+1:
		v.find(Removed, number, "segment %d is missing before it", expected)
	case number > expected:
		v.find(Removed, number, "segments %d to %d are missing before it", expected, number-1)
	case logName(h.log) != v.report.Log:
		v.find(Reordered, number, "the segment belongs to another log")
	case !v.anchored || (h.before == before.chain && h.first == before.next):
	case h.first > before.next:
		v.find(Removed, number, "records %d to %d are missing before the segment", before.next, h.first-1)
	case h.first < before.next:
		v.find(Reordered, number, "the segment begins with sequence %d, and %d was expected", h.first, before.next)
	default:
		v.find(Changed, number, "the segment does not follow the one before it")
	}
}

// frames verifies the frames of the segment and returns why it stopped: io.EOF at the end of the chain.
func (v *verifier) frames() error {
	for {
		f, err := v.walker.step()
		if err != nil {
			return v.explain(&f, err)
		}
		if v.ended {
			v.find(Changed, v.number, "a frame follows the end of the segment")
		}
		v.cadence(&f)
		v.ended = f.kind == kindEnd
		switch f.kind {
		case kindRecords:
			v.report.Records += uint64(f.count)
			v.report.Unsigned += uint64(f.count)
		case kindCheckpoint:
			v.checkpoint(&f)
		}
		v.pass()
	}
}

// cadence finds checkpoints that are missing where the writer always has one: without this, whoever strips them from the
// end of a log could alter all that they signed and chain it anew.
func (v *verifier) cadence(f *frame) {
	switch f.kind {
	case kindRecords:
		if !v.open {
			v.open, v.since = true, f.at
		} else if f.at-v.since > maxUnsigned {
			v.find(Unsigned, v.number, "records of more than a minute have no checkpoint among them")
			v.since = f.at
		}
	case kindCheckpoint:
		v.open = false
	case kindEnd:
		if !v.signed {
			v.find(Unsigned, v.number, "the segment ends without a checkpoint")
		}
		v.open = false
	}
	v.signed = f.kind == kindCheckpoint
}

// misplaced is a damaged frame that says itself that it belongs elsewhere.
type misplaced struct {
	kind               Kind
	sequence, expected uint64
}

func (m *misplaced) Error() string {
	if m.kind == Removed {
		return fmt.Sprintf("records %d to %d are missing before the frame", m.expected, m.sequence-1)
	}
	return fmt.Sprintf("the frame begins with sequence %d, and %d was expected", m.sequence, m.expected)
}

// explain tells a frame that was changed from one that stands in the wrong place, or behind a gap.
func (v *verifier) explain(f *frame, err error) error {
	expected := v.walker.next
	if !errors.Is(err, errFrameHash) && !errors.Is(err, errFrameOrder) || f.first == expected || f.kind > kindEnd {
		return err
	}
	m := &misplaced{kind: Reordered, sequence: f.first, expected: expected}
	if f.first > expected && !v.occursLater(expected) {
		m.kind = Removed
	}
	return m
}

// occursLater tells whether a frame that begins with the sequence stands further on in the segment. It only follows the
// lengths: this is for the wording of a finding, not for the finding.
func (v *verifier) occursLater(sequence uint64) bool {
	rest := v.walker.data[v.walker.offset:]
	for len(rest) >= minFrameBytes {
		h := parseFrameHeader(rest)
		if h.first == sequence {
			return true
		}
		if h.length < minFrameBytes || int(h.length) > len(rest) {
			return false
		}
		rest = rest[h.length:]
	}
	return false
}

// checkpoint verifies that a checkpoint signs exactly what stands before it.
func (v *verifier) checkpoint(f *frame) {
	if v.keys == nil {
		return
	}
	c, err := openCheckpoint(f.payload(), v.keys)
	switch {
	case err != nil:
		v.find(Forged, v.number, "%v", err)
	case c.Log != v.report.Log || c.Chain != f.before || c.Sequence != f.first-1:
		v.find(Forged, v.number, "the checkpoint signs something else")
	default:
		v.report.Checkpoints++
		v.report.LastCheckpoint, v.report.Unsigned = c.At, 0
	}
}

// pass notes which known points the chain comes through.
func (v *verifier) pass() {
	sequence := v.walker.next - 1
	if v.outside != nil && v.outside.Sequence == sequence && v.outside.Chain == v.walker.chain {
		v.seen = true
	}
	if t := &v.head.tip; t.segment == v.number && t.sequence == sequence && t.chain == v.walker.chain {
		v.headSeen = true
	}
}

// tail judges what stands behind the chain's end in a segment.
func (v *verifier) tail(stop error, last bool) {
	rest := v.walker.data[v.walker.offset:]
	used := len(bytes.TrimRight(rest, "\x00"))
	clean := errors.Is(stop, io.EOF)
	var moved *misplaced
	switch {
	case clean && used == 0 && !v.ended && !last:
		v.find(Truncated, v.number, "the end of the segment is missing")
	case clean && used == 0:
		return // the unused rest of a segment is cut off by its writer, if that lives to do it
	case v.ended:
		v.find(Changed, v.number, "%d bytes follow the end of the segment", used)
		return
	case last && (v.headSeen || v.live):
		// Behind the head, nothing was acknowledged: a crash, or the writer at work, is all that this needs.
		v.report.TornBytes = used
		return
	case errors.As(stop, &moved):
		v.find(moved.kind, v.number, "%v", stop)
	case errors.Is(stop, errFrameCut):
		v.find(Truncated, v.number, "%v", stop)
	case clean:
		v.find(Changed, v.number, "%d bytes follow the last frame", used)
	default:
		v.find(Changed, v.number, "%v", stop)
	}
	v.anchored = false
}

// conclude compares the end of the chain with the head and with the checkpoint from elsewhere.
func (v *verifier) conclude(o VerifyOptions) {
	if v.walker.next > 0 {
		v.report.LastSequence = v.walker.next - 1
	}
	t := &v.head.tip
	end := tip{segment: v.number, sequence: v.report.LastSequence, chain: v.walker.chain}
	switch {
	case !v.headSeen && t.sequence > end.sequence:
		v.find(Truncated, 0, "the log ends with sequence %d, but %d records were written", end.sequence, t.sequence)
	case !v.headSeen:
		v.find(Truncated, 0, "the log does not reach the point that its head names, in segment %d", t.segment)
	case v.live || !v.ended:
		// The writer, or a crash, may be ahead of its head.
	case v.head.damaged > 0:
		v.find(Changed, 0, "the head file %s is damaged", headName)
	case v.head.counter > 0 && *t != end:
		v.find(Changed, 0, "the log goes on behind the point that its head names")
	}
	if o.Checkpoint != nil {
		v.report.Checkpoint = &v.seen
		if v.outside != nil && !v.seen {
			v.find(Rewound, 0, "the log does not contain the checkpoint from elsewhere, made at sequence %d", v.outside.Sequence)
		}
	}
}
