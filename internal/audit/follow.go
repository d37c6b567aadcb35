package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// followEvery is how often Follow looks for new records.
const followEvery = 200 * time.Millisecond

// Last calls visit for the newest n records, oldest first, and returns the sequence that would come next.
func Last(dir string, o Opener, n int, visit func(*Event) error) (next uint64, err error) {
	end, err := endOf(dir)
	if err != nil {
		return 0, err
	}
	from := end - min(end, uint64(max(n, 0)))
	if n > 0 {
		err = readAll(dir, o, from, visit)
	}
	return end, err
}

// Follow calls visit for every record from the sequence given on, those yet to be written included, until ctx ends or
// visit fails. It keeps up with rotation and waits where the log waits.
func Follow(ctx context.Context, dir string, o Opener, from uint64, visit func(*Event) error) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	f := follower{dir: dir, opener: o, from: from, visit: visit}
	defer f.leave()
	for {
		if err := f.catchUp(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follower remembers how far it has read, so that each look reads only what is new.
type follower struct {
	dir    string
	opener Opener
	from   uint64
	visit  func(*Event) error

	file   *os.File
	reader *segmentReader
	number uint64
	offset int64
	chain  chainHash
	next   uint64
	buf    []byte
}

// catchUp reads to the end of the log as it is now.
func (f *follower) catchUp() error {
	for {
		if f.file == nil {
			if found, err := f.enter(); err != nil || !found {
				return err
			}
		}
		ended, err := f.frames()
		if err != nil {
			return err
		}
		if !ended {
			return nil
		}
		f.leave()
	}
}

// enter opens the segment that follows, once it exists. At first that is the one that holds the record to begin with.
func (f *follower) enter() (found bool, err error) {
	numbers, err := listSegments(f.dir)
	if err != nil {
		return false, err
	}
	for _, number := range numbers {
		if number <= f.number {
			continue
		}
		h, chain, file, err := openSegment(f.dir, number)
		if err != nil {
			return false, err
		}
		if f.reader, err = newSegmentReader(f.opener, &h); err != nil {
			return false, errors.Join(err, file.Close())
		}
		f.file, f.number, f.offset, f.chain, f.next = file, number, headerBytes, chain, h.first
		return true, nil
	}
	return false, nil
}

func (f *follower) leave() {
	if f.file != nil {
		f.file.Close()
		f.reader.close()
		f.file = nil
	}
}

// frames reads the frames that are there now; ended is true behind the segment's end.
func (f *follower) frames() (ended bool, err error) {
	if f.buf == nil {
		f.buf = make([]byte, 2*maxFrameBytes)
	}
	for final := false; ; {
		n, err := f.file.ReadAt(f.buf, f.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("cannot read an audit segment: %w", err)
		}
		w := walker{data: f.buf[:n], chain: f.chain, next: f.next}
		for {
			fr, err := w.step()
			if err != nil {
				break // the end, the buffer's end, or a frame that is being written; a look later is a better one
			}
			if fr.kind == kindEnd {
				return true, nil
			}
			if err := f.reader.read(&fr, f.from, f.visit); err != nil {
				return false, err
			}
		}
		if w.offset == 0 {
			if final || !f.superseded() {
				return final, nil
			}
			final = true // nothing is added any more, but something may have been since the last look
		}
		f.offset, f.chain, f.next = f.offset+int64(w.offset), w.chain, w.next
	}
}

// superseded tells whether a segment that was never ended has a successor.
func (f *follower) superseded() bool {
	numbers, err := listSegments(f.dir)
	return err == nil && len(numbers) > 0 && numbers[len(numbers)-1] > f.number
}

// openSegment opens a segment for reading.
func openSegment(dir string, number uint64) (header, chainHash, *os.File, error) {
	file, err := os.Open(filepath.Join(dir, segmentName(number)))
	if err != nil {
		return header{}, chainHash{}, nil, fmt.Errorf("cannot read an audit segment: %w", err)
	}
	text := make([]byte, headerBytes)
	if _, err := file.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return header{}, chainHash{}, nil, errors.Join(fmt.Errorf("cannot read an audit segment: %w", err), file.Close())
	}
	h, chain, err := parseHeader(text)
	if err != nil {
		return header{}, chainHash{}, nil, errors.Join(fmt.Errorf("cannot read an audit segment: %w", err), file.Close())
	}
	return h, chain, file, nil
}

// endOf is the sequence that the next record of the log will have.
func endOf(dir string) (uint64, error) {
	var next uint64
	err := walkLast(dir, func(f *frame) { next = f.first + uint64(f.count) })
	return next, err
}

// NewestCheckpoint returns the newest signed checkpoint of the log in dir, to be kept where the log is not. It is ErrNoLog
// when there is none yet.
func NewestCheckpoint(dir string) ([]byte, error) {
	var signed []byte
	err := walkLast(dir, func(f *frame) {
		if f.kind == kindCheckpoint {
			signed = append([]byte(nil), f.payload()...)
		}
	})
	if err == nil && signed == nil {
		err = ErrNoLog
	}
	return signed, err
}

// walkLast visits the frames of the newest segments: of the last one, preceded by the one before it, because a segment
// that was just begun may hold nothing yet.
func walkLast(dir string, visit func(*frame)) error {
	numbers, err := listSegments(dir)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		return fmt.Errorf("cannot read the audit log: %w", ErrNoLog)
	}
	for _, number := range numbers[max(0, len(numbers)-2):] {
		text, err := os.ReadFile(filepath.Join(dir, segmentName(number)))
		if err != nil {
			return fmt.Errorf("cannot read an audit segment: %w", err)
		}
		h, chain, err := parseHeader(text)
		if err != nil {
			return fmt.Errorf("cannot read an audit segment: %w", err)
		}
		w := walker{data: text, offset: headerBytes, chain: chain, next: h.first}
		for {
			f, err := w.step()
			if err != nil {
				break
			}
			visit(&f)
		}
	}
	return nil
}
