package audit

import (
	"crypto/ecdh"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// populateAhead is how far ahead of its writer a segment's pages are made ready.
const populateAhead = 1 << 20

// segment is one file of the log while it is written: preallocated and mapped, so that storing a frame is a copy, costs
// no system call, and survives the end of this process at any instruction. It belongs to the log's lock, but for sync.
type segment struct {
	path  string
	file  *os.File
	mem   []byte
	used  int
	ready atomic.Int64 // bytes whose pages were populated
	ended bool         // its end frame is written
	// suspect is set after a failed sync: what is in memory may not be what the disk has.
	suspect bool
	header  header
	sealer  *sealer

	closing sync.Mutex // held while the file is synced, and to close it
	closed  bool
}

// prepareSegment makes the file of a segment under the name of the next one; activate gives it its place in the chain.
func prepareSegment(dir string, size int64, log logID, number uint64, to *ecdh.PublicKey) (*segment, error) {
	sealer, sealedKey, err := newSealer(to, log, number)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, nextName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot prepare an audit segment: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot prepare an audit segment: %w", err)
	}
	s := &segment{path: path, file: f, sealer: sealer}
	s.header = header{number: number, log: log, openingKey: openingKeyID(to), sealedKey: sealedKey}
	if err := allocate(f, size); err != nil {
		return nil, s.discard(err)
	}
	if s.mem, err = mapFile(f, int(size)); err != nil {
		return nil, s.discard(err)
	}
	s.populate(0)
	return s, nil
}

// discard gives a prepared segment back; err is returned with what it was about.
func (s *segment) discard(err error) error {
	if s.mem != nil {
		_ = unmap(s.mem)
	}
	s.file.Close()
	_ = os.Remove(s.path) // prepareSegment removes what this could not
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot prepare an audit segment: %w", err)
}

// activate writes the header, which chains the segment to t, and gives the file its own name: a file of that name always
// has a whole header. It returns the chain's new end.
func (s *segment) activate(dir string, t tip, now time.Time) (_ tip, err error) {
	defer catchFault(&err, debug.SetPanicOnFault(true))
	s.header.first, s.header.before, s.header.createdAt = t.sequence+1, t.chain, now.UnixMilli()
	chain := s.header.put(s.mem)
	path := filepath.Join(dir, segmentName(s.header.number))
	if err := moveAside(path, now); err != nil {
		return t, fmt.Errorf("cannot name an audit segment: %w", err)
	}
	if err := os.Rename(s.path, path); err != nil {
		return t, fmt.Errorf("cannot name an audit segment: %w", err)
	}
	s.path, s.used = path, headerBytes
	return tip{segment: s.header.number, sequence: t.sequence, chain: chain}, nil
}

// room is the number of bytes that are left.
func (s *segment) room() int { return len(s.mem) - s.used }

// store copies a frame behind the last one. Its length word comes last and at once: up to then a reader, and the next
// start after a crash, finds a zero there and takes it for the end.
func (s *segment) store(frame []byte) (err error) {
	defer catchFault(&err, debug.SetPanicOnFault(true))
	dst := s.mem[s.used : s.used+len(frame)]
	copy(dst[4:], frame[4:])
	atomic.StoreUint32((*uint32)(unsafe.Pointer(unsafe.SliceData(dst))), binary.NativeEndian.Uint32(frame))
	s.used += len(frame)
	return nil
}

// populate makes the pages after used ready for the writer. Only one goroutine at a time calls it, without the log's lock.
func (s *segment) populate(used int) {
	from, to := int(s.ready.Load()), min(used+populateAhead, len(s.mem))&^(os.Getpagesize()-1)
	if to > from {
		populate(s.mem[from:to])
		s.ready.Store(int64(to))
	}
}

// wantsPopulate tells whether the writer is about to run out of pages made ready.
func (s *segment) wantsPopulate() bool {
	ready := int(s.ready.Load())
	return s.used+populateAhead/2 > ready && ready < len(s.mem)&^(1<<16-1)
}

// sync puts the segment on stable storage. A segment that is closed was synced before, if it had to be.
func (s *segment) sync() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	return syncData(s.file)
}

// retire cuts the file to what is used and lets go of it. No frame is stored after it.
func (s *segment) retire() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := errors.Join(unmap(s.mem), s.file.Truncate(int64(s.used)))
	s.mem = nil
	return errors.Join(err, s.file.Close())
}

// inPlace tells whether the file is still where it was put and has its whole length.
func (s *segment) inPlace() bool {
	there, err := os.Lstat(s.path)
	if err != nil || there.Size() < int64(len(s.mem)) {
		return false
	}
	ours, err := s.file.Stat()
	return err == nil && os.SameFile(there, ours)
}

// snapshot is a copy of what was stored.
func (s *segment) snapshot() (text []byte, err error) {
	defer catchFault(&err, debug.SetPanicOnFault(true))
	return append([]byte(nil), s.mem[:s.used]...), nil
}

func unmap(mem []byte) error { return unix.Munmap(mem) }
