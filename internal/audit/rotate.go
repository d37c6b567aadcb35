package audit

import "fmt"

// rotate ends the active segment and goes on in the next one, which the keeper has usually prepared. When there is none
// and none can be made, nothing has changed yet and the error says why.
func (l *Log) rotate() error {
	next, err := l.takeNext()
	if err != nil {
		return err
	}
	if err := l.endSegment(); err != nil {
		return l.giveBack(next, err)
	}
	if l.o.Durability == Disk {
		if err := l.active.sync(); err != nil {
			return l.giveBack(next, fmt.Errorf("cannot sync an audit segment: %w", err))
		}
	}
	return l.enter(next)
}

// enter makes next the active segment.
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

// takeNext hands over the prepared segment, or prepares one here and now.
func (l *Log) takeNext() (*segment, error) {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	number := l.tip.segment + 1
	next := l.next
	l.next = nil
	if next != nil {
		if next.header.number == number && next.inPlace() {
			return next, nil
		}
		_ = next.discard(nil)
	}
	return prepareSegment(l.dir, l.o.SegmentBytes, l.id, number, l.o.OpeningKey)
}

// prepareNext prepares the segment that follows the one with the number given, unless that is done.
func (l *Log) prepareNext(active uint64) error {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	if l.next != nil {
		return nil
	}
	next, err := prepareSegment(l.dir, l.o.SegmentBytes, l.id, active+1, l.o.OpeningKey)
	l.next = next
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
