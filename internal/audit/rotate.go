package audit

import "fmt"

// rotate ends the active segment and goes on in the next one, which the keeper has usually prepared. When there is none
// and none can be made, nothing has changed yet and the error says why.
func (l *Log) rotate() error {
	// The prepared file keeps its name until it is entered, so nobody may prepare another one meanwhile.
	l.preparing.Lock()
	defer l.preparing.Unlock()
	next, err := l.takeNext()
	if err != nil {
		return err
	}
	if err := l.endSegment(); err != nil {
		return l.giveBack(next, err)
	}
	if l.o.Durability == Disk {
		if err := l.active.sync(); err != nil {
			l.active.suspect = true
			return l.giveBack(next, fmt.Errorf("cannot sync an audit segment: %w", err))
		}
	}
	return l.enter(next)
}

// enter makes next the active segment. preparing is held.
func (l *Log) enter(next *segment) error {
	now := l.o.Now()
	t, err := next.activate(l.dir, l.tip, now)
	if err != nil {
		return l.giveBack(next, err)
	}
	if l.o.Durability == Disk {
		if err := next.sync(); err != nil {
			return l.giveBack(next, fmt.Errorf("cannot sync an audit segment: %w", err))
		}
		if err := syncDirectory(l.dir); err != nil {
			return l.giveBack(next, fmt.Errorf("cannot sync the audit log's directory: %w", err))
		}
	}
	if l.active != nil {
		l.retired = append(l.retired, l.active)
	}
	l.active, l.tip = next, t
	l.number.Store(t.segment)
	l.segmentAt, l.segmentHas = now, false
	if l.o.Durability == Disk {
		l.flush.reached(l.tip.sequence)
	}
	if err := l.head.write(&l.tip); err != nil {
		return err
	}
	l.wakeKeeper()
	return nil
}

// endSegment signs and ends the active segment. It is done once for each.
func (l *Log) endSegment() error {
	if l.active.ended {
		return nil
	}
	if err := l.checkpoint(); err != nil {
		return err
	}
	l.begin(kindEnd, 0, l.o.Now().UnixMilli(), 0)
	if err := l.put(); err != nil {
		return err
	}
	l.active.ended = true
	l.advance()
	return nil
}

// takeNext hands over the prepared segment, or prepares one here and now. preparing is held.
func (l *Log) takeNext() (*segment, error) {
	if err := l.prepare(); err != nil {
		return nil, err
	}
	next := l.next
	l.next = nil
	return next, nil
}

// prepareNext prepares the next segment, unless that is done.
func (l *Log) prepareNext() error {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	return l.prepare()
}

// prepare makes l.next the segment that follows the active one, with its file in place. preparing is held.
func (l *Log) prepare() (err error) {
	number := l.number.Load() + 1
	if l.next != nil {
		if l.next.header.number == number && l.next.inPlace() {
			return nil
		}
		_ = l.next.discard(nil)
	}
	l.next, err = prepareSegment(l.dir, l.o.SegmentBytes, l.id, number, l.o.OpeningKey)
	return err
}

// giveBack discards a prepared segment that could not be entered.
func (l *Log) giveBack(next *segment, err error) error {
	_ = next.discard(nil)
	return err
}

func (l *Log) closeNext() {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	if l.next != nil {
		_ = l.next.discard(nil)
		l.next = nil
	}
}
