package audit

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Names in the log's directory, besides the segments.
const (
	headName   = "audit.head"
	lockName   = "audit.lock"
	publicName = "audit.pub"
	nextName   = "audit.next"
)

var (
	// ErrUnavailable is what Commit returns while records cannot be written. The command must then be answered with an
	// AUDIT error and nothing else. The cause is in Stats and in the process's own log.
	ErrUnavailable = errors.New("the audit log cannot be written")
	// ErrClosed is what Commit returns after Close.
	ErrClosed = errors.New("the audit log is closed")
	// ErrLocked is what Open returns when another process writes the log.
	ErrLocked = errors.New("cannot lock the audit log: another process writes it")
)

// Durability says when a record counts as written. The zero value is invalid.
type Durability uint8

const (
	// Process survives the end of this process at any instruction, not the loss of power.
	Process Durability = iota + 1
	// Disk survives the loss of power too: a commit waits for stable storage, all waiting commits together.
	Disk
)

// Options are the settings of Open. Zero means the default that is named, except where a field is needed.
type Options struct {
	Durability      Durability         // needed
	SegmentBytes    int64              // size at which a segment is full: 64 MiB, at least 1 MiB
	SegmentAge      time.Duration      // age at which a segment with records is closed: 24 h
	CheckpointEvery time.Duration      // least time between signed checkpoints: 1 s
	PendingBytes    int                // records kept in memory while none can be written: 8 MiB
	Signer          ed25519.PrivateKey // needed: signs checkpoints
	OpeningKey      *ecdh.PublicKey    // needed: P-256, data keys are sealed to it
	Logger          *slog.Logger       // outages and repairs; none when nil
	Now             func() time.Time   // wall clock for the log's own records: time.Now
}

const (
	minSegmentBytes = 1 << 20
	maxSegmentBytes = 1 << 30
)

func (o *Options) complete() error {
	if o.Durability != Process && o.Durability != Disk {
		return errors.New("cannot open the audit log: its durability is not set")
	}
	if len(o.Signer) != ed25519.PrivateKeySize {
		return errors.New("cannot open the audit log: the signing key is missing")
	}
	if o.OpeningKey == nil || o.OpeningKey.Curve() != ecdh.P256() {
		return errors.New("cannot open the audit log: the opening key is missing or not a P-256 key")
	}
	o.SegmentBytes = orDefault(o.SegmentBytes, 64<<20)
	o.SegmentAge = orDefault(o.SegmentAge, 24*time.Hour)
	o.CheckpointEvery = orDefault(o.CheckpointEvery, time.Second)
	o.PendingBytes = orDefault(o.PendingBytes, 8<<20)
	if o.SegmentBytes < minSegmentBytes || o.SegmentBytes > maxSegmentBytes {
		return fmt.Errorf("cannot open the audit log: a segment has %d to %d bytes", minSegmentBytes, maxSegmentBytes)
	}
	if o.SegmentAge < 0 || o.CheckpointEvery < 0 || o.PendingBytes < 0 {
		return errors.New("cannot open the audit log: a setting is negative")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

func orDefault[T comparable](value, byDefault T) T {
	var zero T
	if value == zero {
		return byDefault
	}
	return value
}

// Log is an audit log that is open for writing. Its methods may be called by any goroutine at any time.
//
// mu is a leaf of the process's lock order: nothing is called under it but the file system. preparing and flush.mu are
// taken under it, never the other way round.
type Log struct {
	dir    string
	o      Options
	id     logID
	signer note.Signer
	actor  *Actor
	ready  atomic.Bool

	mu         sync.Mutex
	lock       *os.File
	active     *segment
	head       *head
	tip        tip
	stage      stage
	own        Batch // the log's own records
	retired    []*segment
	outage     *outage // nil while records can be written
	unsigned   bool    // records were written after the last checkpoint
	unsignedAt int64   // time of the first frame of those
	signedAt   time.Time
	segmentAt  time.Time // when the active segment was begun
	segmentHas bool      // it holds records
	closed     bool

	preparing sync.Mutex    // held while the file of the next segment is made, and until it is entered
	next      *segment      // nil until it is prepared
	number    atomic.Uint64 // of the active segment; changes under mu and preparing

	// Of the keeper alone.
	prepareAt    time.Time // when it may try again to prepare a segment
	headUnsynced bool

	flush flusher
	stats counters

	wake, stop, stopped chan struct{}
}

// Ready tells, for the price of one atomic load, whether records can be written now. A command that comes while it is
// false is refused before it does anything. True is no promise: Commit decides.
func (l *Log) Ready() bool { return l.ready.Load() }

// Close writes the last record and checkpoint, ends the segment and lets go of the directory. Commit fails afterwards.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.ready.Store(false)
	l.mu.Unlock()
	close(l.stop)
	<-l.stopped
	l.lastLook()

	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.finish()
	l.closeNext()
	return errors.Join(err, l.head.close(), l.lock.Close())
}

// lastLook does what the keeper would have done at its next tick: a directory that was removed a moment before Close must
// not take acknowledged records with it.
func (l *Log) lastLook() {
	l.watch()
	if !l.down() {
		return
	}
	if err := l.mend(); err != nil {
		l.stats.setError(err)
	}
	l.ready.Store(false)
}

// finish ends the chain for this process. Records that never found their way into the log are an error: they are gone.
func (l *Log) finish() error {
	if l.outage != nil {
		n := l.outage.backlog.records
		l.outage.backlog.clear()
		return errors.Join(fmt.Errorf("cannot finish the audit log: %d records were not written: %w", n, ErrUnavailable),
			l.retireAll())
	}
	l.note(Stop, OK, "")
	err := l.writeOwn()
	if err == nil {
		err = l.endSegment()
	}
	if err == nil && l.o.Durability == Disk {
		err = l.active.sync()
	}
	if err == nil {
		// Both slots: after a clean end a damaged one is a finding, not the trace of a crash.
		err = errors.Join(l.head.write(&l.tip), l.head.write(&l.tip))
	}
	if err == nil && l.o.Durability == Disk {
		err = syncData(l.head.file)
	}
	if err != nil {
		err = fmt.Errorf("cannot finish the audit log: %w", err)
	}
	return errors.Join(err, l.retireAll())
}

// retireAll lets go of every segment that is still mapped.
func (l *Log) retireAll() error {
	err := l.active.retire()
	for _, s := range l.retired {
		err = errors.Join(err, s.retire())
	}
	l.retired = nil
	return err
}
