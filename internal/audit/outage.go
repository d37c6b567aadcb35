package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = time.Second
)

// outage is the state of a log that cannot be written: why, since when, and what waits.
type outage struct {
	cause   error
	since   time.Time
	retryAt time.Time
	pause   time.Duration
	told    bool // the operator was told
	backlog backlog
}

// backlog keeps the records of refused commits, as far as its bound allows: what they say has happened, though nobody was
// answered, and expirations go on during an outage. What does not fit is counted.
type backlog struct {
	limit, bytes int
	chunks       []kept
	records      uint64
	lost         uint64
}

type kept struct {
	chunk
	plain []byte
}

func (g *backlog) add(c chunk, plain []byte) {
	const overhead = 64
	if g.bytes+len(plain)+overhead > g.limit {
		g.lost += uint64(c.count)
		return
	}
	g.bytes += len(plain) + overhead
	g.records += uint64(c.count)
	g.chunks = append(g.chunks, kept{c, append([]byte(nil), plain...)})
}

// clear overwrites the key names that it kept.
func (g *backlog) clear() {
	for _, k := range g.chunks {
		clear(k.plain)
	}
	g.chunks = nil
}

// fail begins an outage. The keeper tells the operator and mends; a second cause during an outage changes nothing.
func (l *Log) fail(cause error) {
	l.ready.Store(false)
	if l.outage != nil {
		return
	}
	now := time.Now()
	l.outage = &outage{cause: cause, since: now, retryAt: now, pause: firstRetry, backlog: backlog{limit: l.o.PendingBytes}}
	l.stats.outages.Add(1)
	l.stats.setError(cause)
	l.wakeKeeper()
}

// mend tries to end the outage: it goes on in a new segment, in a new directory if it must, and writes what waited. Only
// the keeper calls it, and Close once the keeper has stopped.
func (l *Log) mend() error {
	if err := l.ensureDirectory(); err != nil {
		return err
	}
	// Here and not under the log's lock: making a segment can take long on a disk that is in trouble.
	if err := l.prepareNext(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.leaveBroken(); err != nil {
		return err
	}
	return l.catchUp()
}

// leaveBroken does for a segment in trouble what rotate does for one that is full.
func (l *Log) leaveBroken() error {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	// The old segment gets its end where that is still possible. Where it is not, the next header says with what hash and
	// sequence the chain came here, and verification shows what the old file lacks.
	if err := l.endSegment(); err != nil && !errors.Is(err, errFault) {
		return err
	}
	if err := l.salvage(); err != nil {
		return err
	}
	if err := l.replaceHead(); err != nil {
		return err
	}
	next, err := l.takeNext()
	if err != nil {
		return err
	}
	return l.enter(next)
}

// ensureDirectory brings the directory back if it is gone, with the lock and the public keys that belong in it.
func (l *Log) ensureDirectory() error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the audit log's directory: %w", err)
	}
	if !sameFile(filepath.Join(l.dir, lockName), l.lock) {
		lock, err := lockDirectory(l.dir)
		if err != nil {
			return err
		}
		l.lock.Close()
		l.lock = lock
	}
	_, public, err := newSigner(l.id, l.o.Signer)
	if err != nil {
		return err
	}
	return publish(l.dir, public)
}

// salvage writes the active segment out of its mapping when its file was removed or replaced, or when a sync of it failed:
// records that were acknowledged moments before a `rm -r` are then not lost with it.
func (l *Log) salvage() error {
	s := l.active
	if sameFile(s.path, s.file) && !s.suspect {
		return nil
	}
	text, err := s.snapshot()
	if err != nil {
		return nil // the file was cut short as well; what is missing is a finding of verification
	}
	if !s.suspect {
		if err := moveAside(s.path, l.o.Now()); err != nil {
			return fmt.Errorf("cannot write an audit segment anew: %w", err)
		}
	}
	if err := replaceFile(s.path, text); err != nil {
		return fmt.Errorf("cannot write an audit segment anew: %w", err)
	}
	return nil
}

// replaceHead makes the head anew when its file is gone or can no longer be written.
func (l *Log) replaceHead() error {
	if sameFile(filepath.Join(l.dir, headName), l.head.file) && l.head.write(&l.tip) == nil {
		return nil
	}
	h, err := createHead(l.dir, l.id, l.head.counter)
	if err != nil {
		return err
	}
	_ = l.head.close()
	l.head = h
	return nil
}

// catchUp writes the record of the outage and then the records that waited for its end.
func (l *Log) catchUp() error {
	o := l.outage
	l.note(Recover, OK, fmt.Sprintf("cause=%s outage=%dms kept=%d lost=%d",
		causeWord(o.cause), time.Since(o.since).Milliseconds(), o.backlog.records, o.backlog.lost))
	if err := l.writeOwn(); err != nil {
		return err
	}
	for len(o.backlog.chunks) > 0 {
		k := o.backlog.chunks[0]
		if err := l.writeRecords(k.chunk, k.plain); err != nil {
			return err
		}
		clear(k.plain)
		o.backlog.chunks = o.backlog.chunks[1:]
	}
	if l.o.Durability == Disk {
		if err := l.active.sync(); err != nil {
			l.active.suspect = true
			return fmt.Errorf("cannot sync an audit segment: %w", err)
		}
		l.flush.reached(l.tip.sequence)
		if err := l.head.write(&l.tip); err != nil {
			return err
		}
	}
	l.stats.lost.Add(o.backlog.lost)
	l.outage = nil
	l.ready.Store(true)
	l.o.Logger.Info("audit log is written again", "after", time.Since(o.since).Round(time.Millisecond),
		"kept", o.backlog.records, "lost", o.backlog.lost)
	return nil
}

var errMoved = errors.New("the audit log's files were removed or replaced")
var errReadOnly = errors.New("the audit log's file system is read-only")

// causeWord is the machine word for the cause of an outage.
func causeWord(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return "no-space"
	case errors.Is(err, unix.EFBIG):
		return "file-too-large"
	case errors.Is(err, unix.EROFS), errors.Is(err, errReadOnly):
		return "read-only"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "no-permission"
	case errors.Is(err, errMoved), errors.Is(err, unix.ENOENT):
		return "removed"
	case errors.Is(err, errFault), errors.Is(err, unix.EIO):
		return "device"
	}
	return "other"
}
