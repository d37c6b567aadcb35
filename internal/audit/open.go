package audit

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Open opens the log in dir for writing, making both if they do not exist, and records that it did. After a crash it
// clears what a frame left behind that was never acknowledged. A log that lost records or was altered still opens, in a
// new segment that goes on from the head: refusing would hide nothing and stop the service, and verification shows the
// damage for ever. The error is ErrLocked while another process has the log open.
func Open(dir string, o Options) (*Log, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot open the audit log: %w", err)
	}
	lock, err := lockDirectory(dir)
	if err != nil {
		return nil, err
	}
	l := &Log{
		dir: dir, o: o, lock: lock, actor: systemActor(),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	l.flush.changed.L = &l.flush.mu
	if err := l.begun(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("cannot open the audit log: %w", err)
	}
	l.ready.Store(true)
	go l.keep()
	return l, nil
}

// begun finds the end of the chain and makes the log go on from there.
func (l *Log) begun() error {
	past, err := findEnd(l.dir)
	if err != nil {
		return err
	}
	l.id, l.tip = past.log, past.tip
	var public string
	if l.signer, public, err = newSigner(l.id, l.o.Signer); err != nil {
		return err
	}
	if err := publish(l.dir, public); err != nil {
		return err
	}
	if past.cut != nil {
		if l.tip, err = past.cut.end(l.signer, l.id, past.tip, l.o.Now()); err != nil {
			return err
		}
	}
	if l.head, err = l.openHead(past); err != nil {
		return err
	}
	if err := l.firstFrames(past); err != nil {
		l.closeNext()
		if l.active != nil {
			err = errors.Join(err, l.active.retire())
		}
		return errors.Join(err, l.head.close())
	}
	return nil
}

func (l *Log) openHead(past *past) (*head, error) {
	if past.head {
		return openHead(l.dir, past.counter)
	}
	return createHead(l.dir, l.id, past.counter)
}

// firstFrames begins this process's first segment with the records of the start.
func (l *Log) firstFrames(past *past) error {
	if err := l.firstSegment(); err != nil {
		return err
	}
	if len(past.trouble) > 0 {
		words := strings.Join(past.trouble, " ")
		l.note(Recover, OK, words)
		l.o.Logger.Warn("audit log was not closed in order", "found", words)
	}
	l.note(Start, OK, "")
	l.signedAt = l.o.Now()
	if err := l.writeOwn(); err != nil {
		return err
	}
	if l.o.Durability == Disk {
		if err := l.active.sync(); err != nil {
			return fmt.Errorf("cannot sync an audit segment: %w", err)
		}
		l.flush.reached(l.tip.sequence)
		return l.head.write(&l.tip)
	}
	return nil
}

// firstSegment begins the segment that follows the past.
func (l *Log) firstSegment() error {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	l.number.Store(l.tip.segment)
	next, err := l.takeNext()
	if err != nil {
		return err
	}
	return l.enter(next)
}

// past is what a log's directory says about the log's end.
type past struct {
	log     logID
	tip     tip
	head    bool   // the head file can be used
	counter uint64 // of the head
	trouble []string
	cut     *cut // what is to be done to the last segment, nil for nothing
}

func (p *past) found(format string, args ...any) {
	p.trouble = append(p.trouble, fmt.Sprintf(format, args...))
}

// findEnd reads the head and the last segment and decides where the chain goes on. It changes nothing.
func findEnd(dir string) (*past, error) {
	numbers, err := listSegments(dir)
	if err != nil {
		return nil, err
	}
	h, err := readHead(dir)
	p := &past{log: h.log, tip: h.tip, head: err == nil, counter: h.counter}
	switch {
	case err == nil, errors.Is(err, errHeadDamaged), errors.Is(err, os.ErrNotExist):
	default:
		return nil, err
	}
	if len(numbers) == 0 {
		if p.head {
			p.found("segments=missing")
		} else {
			rand.Read(p.log[:])
		}
		return p, nil
	}
	if !p.head {
		p.found("head=missing")
	}
	return p, p.readLast(dir, numbers[len(numbers)-1])
}

// readLast reads the last segment.
func (p *past) readLast(dir string, number uint64) error {
	path := filepath.Join(dir, segmentName(number))
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	h, chain, err := parseHeader(text)
	if err != nil {
		if !p.head {
			return fmt.Errorf("neither the head nor segment %d can be read: %w", number, err)
		}
		p.found("segment=%d damaged=header", number)
		p.tip.segment = max(p.tip.segment, number)
		return nil
	}
	if !p.head {
		p.log = h.log
	}
	w := walker{data: text, offset: headerBytes, chain: chain, next: h.first}
	last, stop := w.toEnd()
	reached := tip{segment: number, sequence: w.next - 1, chain: w.chain}
	if p.head && (p.tip.segment > number || p.tip.sequence > reached.sequence || h.log != p.log) {
		// The head knows of more than is there: the chain goes on from the head, and the file stays as it is.
		p.found("segment=%d missing=%d", number, p.tip.sequence-min(p.tip.sequence, reached.sequence))
		p.tip.segment = max(p.tip.segment, number)
		return nil
	}
	p.tip = reached
	if !p.head && !errors.Is(stop, io.EOF) {
		p.found("segment=%d damaged", number) // without a head nobody can tell it from tampering: it stays as it is
		return nil
	}
	p.examine(path, &w, last.kind == kindEnd)
	return nil
}

// toEnd walks to where the chain ends and returns the last frame; stop says why it ends there.
func (w *walker) toEnd() (last frame, stop error) {
	for {
		f, err := w.step()
		if err != nil {
			return last, err
		}
		last = f
	}
}

// examine notes how the last segment ends when neither Close nor a rotation has ended it.
func (p *past) examine(path string, w *walker, ended bool) {
	torn := len(bytes.TrimRight(w.data[w.offset:], "\x00"))
	if torn > 0 {
		p.found("torn=%d", torn)
	}
	if !ended {
		p.found("segment=%d unfinished", p.tip.segment)
	}
	if !ended || len(w.data) > w.offset {
		p.cut = &cut{path: path, offset: int64(w.offset), ended: ended}
	}
}

// cut is the mending of a segment that a crash left: what is behind its last whole frame is cut off, and it gets the
// checkpoint and the end that its process could not write.
type cut struct {
	path   string
	offset int64
	ended  bool
}

// end does it and returns the chain's new end.
func (c *cut) end(signer note.Signer, id logID, t tip, now time.Time) (tip, error) {
	var text []byte
	if !c.ended {
		signed, err := signTip(signer, id, &t, now)
		if err != nil {
			return t, err
		}
		for _, f := range []struct {
			kind frameKind
			body []byte
		}{{kindCheckpoint, signed}, {kindEnd, nil}} {
			var s stage
			s.begin(&t.chain, frameHeader{kind: f.kind, first: t.sequence + 1, at: now.UnixMilli(), body: uint32(len(f.body))})
			s = append(s, f.body...)
			t.chain = s.end()
			text = append(text, s.frame()...)
		}
	}
	if err := c.write(text); err != nil {
		return t, fmt.Errorf("cannot end segment %d: %w", t.segment, err)
	}
	return t, nil
}

func (c *cut) write(text []byte) error {
	f, err := os.OpenFile(c.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	// Cut first, and so zeroed: a crash in the middle of this leaves a segment that this can mend.
	if err := f.Truncate(c.offset); err != nil {
		return err
	}
	if _, err := f.WriteAt(text, c.offset); err != nil {
		return err
	}
	return f.Sync()
}

// listSegments returns the numbers of the segments in dir in ascending order; none when dir does not exist.
func listSegments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot list the audit log: %w", err)
	}
	var numbers []uint64
	for _, e := range entries {
		if n, ok := parseSegmentName(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}
