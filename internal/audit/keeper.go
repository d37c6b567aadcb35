package audit

import (
	"fmt"
	"path/filepath"
	"time"
)

// tickEvery is how long a removed directory can go unnoticed at most, about.
const tickEvery = 50 * time.Millisecond

// wakeKeeper lets the keeper look around now; it never blocks.
func (l *Log) wakeKeeper() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// keep is the log's one goroutine of its own. It does what commits must not wait for, until stop is closed.
func (l *Log) keep() {
	defer close(l.stopped)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-l.wake:
		case <-tick.C:
		}
		if l.down() {
			l.tryToMend()
			continue
		}
		l.closeRetired()
		l.watch()
		l.sign()
		l.syncHead()
		l.readyAhead()
	}
}

// down tells whether there is an outage, and tells the operator once.
func (l *Log) down() bool {
	l.mu.Lock()
	o := l.outage
	var cause error
	if o != nil && !o.told {
		o.told, cause = true, o.cause
	}
	l.mu.Unlock()
	if cause != nil {
		l.o.Logger.Error("audit log cannot be written: commands are refused", "cause", causeWord(cause), "error", cause)
	}
	return o != nil
}

// tryToMend mends, at most once in a pause that doubles from firstRetry to lastRetry.
func (l *Log) tryToMend() {
	l.mu.Lock()
	o := l.outage
	due := !time.Now().Before(o.retryAt)
	l.mu.Unlock()
	if !due {
		return
	}
	err := l.mend()
	if err == nil {
		return
	}
	l.stats.setError(err)
	l.mu.Lock()
	o.pause = min(2*o.pause, lastRetry)
	o.retryAt = time.Now().Add(o.pause)
	l.mu.Unlock()
}

// closeRetired cuts and closes the segments that rotation left behind.
func (l *Log) closeRetired() {
	l.mu.Lock()
	retired := l.retired
	l.retired = nil
	l.mu.Unlock()
	for _, s := range retired {
		if err := s.retire(); err != nil {
			l.warn(fmt.Errorf("cannot close an audit segment: %w", err))
		}
	}
}

// watch begins an outage when the files are no longer where they were put, or can no longer be written. It looks without
// the log's lock: of what it looks at, only the keeper lets go.
func (l *Log) watch() {
	l.mu.Lock()
	s, h, lock := l.active, l.head, l.lock
	l.mu.Unlock()
	var cause error
	if !s.inPlace() || !sameFile(filepath.Join(l.dir, headName), h.file) || !sameFile(filepath.Join(l.dir, lockName), lock) {
		cause = errMoved
	} else if ro, err := readOnly(l.dir); err != nil || ro {
		cause = errReadOnly
	}
	if cause == nil {
		return
	}
	l.mu.Lock()
	l.fail(cause)
	l.mu.Unlock()
}

// sign writes a checkpoint when one is due, and ends a segment that is old enough.
func (l *Log) sign() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage != nil {
		return
	}
	var err error
	now := l.o.Now()
	switch {
	case l.segmentHas && now.Sub(l.segmentAt) >= l.o.SegmentAge:
		err = l.rotate()
	case l.unsigned && now.Sub(l.signedAt).Abs() >= l.o.CheckpointEvery:
		if err = l.makeRoom(segmentReserve); err == nil {
			err = l.checkpoint()
		}
		l.headUnsynced = l.o.Durability == Disk
	}
	if err != nil {
		l.fail(err)
	}
}

// readyAhead prepares pages and the next segment. A next segment that cannot be had is no outage yet: the active one
// still takes records. The operator is warned while there is time.
func (l *Log) readyAhead() {
	l.mu.Lock()
	s, used := l.active, l.active.used
	l.mu.Unlock()
	s.populate(used)
	if time.Now().Before(l.prepareAt) {
		return
	}
	if err := l.prepareNext(); err != nil {
		l.prepareAt = time.Now().Add(lastRetry)
		l.warn(err)
	}
}

// syncHead makes the head survive a loss of power, about as often as checkpoints are written. In between it may fall
// behind the chain, which is harmless.
func (l *Log) syncHead() {
	if !l.headUnsynced {
		return
	}
	l.headUnsynced = false
	l.mu.Lock()
	sequence := l.tip.sequence
	l.mu.Unlock()
	if l.makeDurable(sequence) != nil { // what Append left; it tells of trouble itself
		return
	}
	if err := syncData(l.head.file); err != nil {
		l.mu.Lock()
		l.fail(fmt.Errorf("cannot sync the audit log's head: %w", err))
		l.mu.Unlock()
	}
}

// warn tells the operator of trouble that stops nothing yet; the same trouble is told once a minute.
func (l *Log) warn(err error) {
	if l.stats.setError(err) {
		l.o.Logger.Warn("audit log needs attention", "cause", causeWord(err), "error", err)
	}
}
