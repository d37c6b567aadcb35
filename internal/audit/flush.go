package audit

import (
	"fmt"
	"sync"
)

// flusher makes one fdatasync serve every commit that waits: whoever comes while none is running starts one for all that
// was appended by then, and the others wait for it or for the next.
type flusher struct {
	mu      sync.Mutex
	changed sync.Cond
	running bool
	durable uint64 // sequences up to here are on stable storage
	failed  uint64 // sequences up to here, and after durable, were not acknowledged
}

// reached says that everything up to sequence is on stable storage.
func (f *flusher) reached(sequence uint64) {
	f.mu.Lock()
	f.durable = max(f.durable, sequence)
	f.mu.Unlock()
	f.changed.Broadcast()
}

// makeDurable returns when the record with the sequence given, and so all before it, is on stable storage.
func (l *Log) makeDurable(sequence uint64) error {
	f := &l.flush
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.failed >= sequence: // first: a repair moves durable past what nobody was promised
			return ErrUnavailable
		case f.durable >= sequence:
			return nil
		case f.running:
			f.changed.Wait()
		default:
			f.running = true
			f.mu.Unlock()
			upTo, err := l.syncOnce()
			f.mu.Lock()
			f.running = false
			if err != nil {
				f.failed = max(f.failed, upTo)
			} else {
				f.durable = max(f.durable, upTo)
			}
			f.changed.Broadcast()
		}
	}
}

// syncOnce syncs the active segment and then lets the head say so. It returns the sequence that the sync was for.
//
// After a failed sync the kernel may call the lost pages clean and a second sync would succeed in vain, so the segment is
// given up: the repair writes its content anew (outage.go).
func (l *Log) syncOnce() (uint64, error) {
	l.mu.Lock()
	t, s := l.tip, l.active
	l.mu.Unlock()
	err := s.sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		s.suspect = true
		l.fail(fmt.Errorf("cannot sync an audit segment: %w", err))
		return l.tip.sequence, err
	}
	// A rotation in the meantime has told the head of a later end.
	if l.tip.segment == t.segment && !l.closed {
		if err := l.head.write(&t); err != nil {
			l.fail(err)
		}
	}
	return t.sequence, nil
}
