package audit

import (
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
)

// segmentReserve is kept free in every segment for its last checkpoint and its end.
const segmentReserve = 2048

// maxUnsigned is how many milliseconds lie at most between the first frame of records after a checkpoint and another one
// before the next checkpoint. The keeper signs long before that; where it could not (a suspended machine, a clock that
// jumped), the commit does. So whoever strips checkpoints to alter records in peace is found by the times alone.
const maxUnsigned = 60_000

// Commit numbers the records of b, seals them, chains them to those before and writes them; it then empties b, which may
// be used again. When it returns nil, every record has left this process's memory (Process) or is on stable storage
// (Disk). On an error nothing that b recorded may be answered; the log keeps the records and writes them first when it
// can write again. It allocates nothing.
func (l *Log) Commit(b *Batch) error {
	if b.Len() == 0 {
		return nil
	}
	begun := time.Now()
	sequence, err := l.append(b)
	if err == nil && l.o.Durability == Disk {
		err = l.makeDurable(sequence)
	}
	b.Reset()
	l.stats.observe(time.Since(begun), err)
	return err
}

// Append is Commit for records that no answer waits for: when it returns nil they have left this process's memory, and
// with Disk they reach stable storage with the next commit or within a second. It does not wait.
func (l *Log) Append(b *Batch) error {
	if b.Len() == 0 {
		return nil
	}
	begun := time.Now()
	_, err := l.append(b)
	b.Reset()
	l.stats.observe(time.Since(begun), err)
	return err
}

// append writes the records of b to the mapped segment and returns the sequence of the last.
func (l *Log) append(b *Batch) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, ErrClosed
	}
	err := b.frames(func(c chunk, plain []byte) error {
		if l.outage != nil {
			l.outage.backlog.add(c, plain)
			return nil
		}
		if err := l.writeRecords(c, plain); err != nil {
			l.fail(err)
			l.outage.backlog.add(c, plain)
		}
		return nil
	})
	if err == nil && l.outage != nil {
		err = ErrUnavailable
	}
	return l.tip.sequence, err
}

// writeRecords makes one frame of the records in plain.
func (l *Log) writeRecords(c chunk, plain []byte) error {
	body := nonceBytes + len(plain) + tagBytes
	if err := l.makeRoom(frameLength(body)); err != nil {
		return err
	}
	if l.unsigned && c.at-l.unsignedAt > maxUnsigned {
		if err := l.checkpoint(); err != nil {
			return err
		}
	}
	l.begin(kindRecords, c.count, c.at, body)
	l.stage = l.active.sealer.seal(l.stage, plain, l.stage.additional())
	if err := l.put(); err != nil {
		return err
	}
	failpoint.Here(failpoint.FrameStored)
	l.tip.sequence += uint64(c.count)
	if !l.unsigned {
		l.unsigned, l.unsignedAt = true, c.at
	}
	l.segmentHas = true
	l.advance()
	if l.active.wantsPopulate() {
		l.wakeKeeper()
	}
	return nil
}

// begin stages a frame whose body will have the length given.
func (l *Log) begin(kind frameKind, count int, at int64, body int) {
	l.stage.begin(&l.tip.chain, frameHeader{
		kind: kind, count: uint16(count), first: l.tip.sequence + 1, at: at, body: uint32(body),
	})
}

// put finishes the staged frame and stores it in the active segment.
func (l *Log) put() error {
	chain := l.stage.end()
	if err := l.active.store(l.stage.frame()); err != nil {
		return err
	}
	l.tip.chain = chain
	l.stats.bytes.Add(uint64(len(l.stage.frame())))
	return nil
}

// advance tells the head how far the chain has come. With Disk the head waits for the sync: it must not claim what a loss
// of power could take away. A head that cannot be written is an outage like any other, though the frame itself is in the log.
func (l *Log) advance() {
	if l.o.Durability == Disk {
		return
	}
	if err := l.head.write(&l.tip); err != nil {
		l.fail(err)
	}
}

// makeRoom sees to it that the active segment takes a frame of n bytes.
func (l *Log) makeRoom(n int) error {
	if l.active.room() >= n+segmentReserve {
		return nil
	}
	return l.rotate()
}

// note adds a record of what the log itself did.
func (l *Log) note(a Action, o Outcome, detail string) {
	l.own.Add(&Record{At: l.o.Now().UnixMilli(), Actor: l.actor, Action: a, Outcome: o, Detail: detail})
}

// writeOwn writes the records of note.
func (l *Log) writeOwn() error {
	err := l.own.frames(l.writeRecords)
	l.own.Reset()
	return err
}
