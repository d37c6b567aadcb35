package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// closedLoad is a load whose connections each wait for the replies of a batch before they send the next.
type closedLoad struct {
	work               workload
	connections, depth int
	warmUp, duration   time.Duration
}

// cost is what a load got out of a server and what that took.
type cost struct {
	perSecond   float64
	serverCPU   float64 // microseconds of the server for each operation
	upstreamCPU float64 // of the redis-server that has the entries: the one behind the server, or the server itself
	allCPU      float64 // of all of these and the generator
}

// sender is one connection of a load. Its counter is read by others while it runs and has a cache line for itself.
type sender struct {
	conn *client
	err  error
	done atomic.Int64
	_    [96]byte
}

// readBytes holds the replies of a whole batch of most loads.
const readBytes = 32 << 10

// measureClosed runs a load and measures its middle.
func (t *target) measureClosed(ctx context.Context, l closedLoad) (cost, error) {
	conns, err := t.dialAll(l.connections)
	if err != nil {
		return cost{}, err
	}
	defer closeAll(conns)
	senders := make([]sender, len(conns))
	var stop atomic.Bool
	var all sync.WaitGroup
	limit := time.Now().Add(l.warmUp + l.duration + startTimeout)
	for i := range senders {
		s := &senders[i]
		s.conn = conns[i]
		if err := s.conn.SetDeadline(limit); err != nil {
			return cost{}, err
		}
		all.Go(func() { s.err = s.run(l.work.newBatch(l.depth, l.work.random(i)), l.work.command == "GET", &stop) })
	}
	c, err := t.observe(ctx, l, func() (n int64) {
		for i := range senders {
			n += senders[i].done.Load()
		}
		return n
	})
	stop.Store(true)
	all.Wait()
	for i := range senders {
		if senders[i].err != nil {
			return cost{}, senders[i].err // why one failed is why the others did
		}
	}
	return c, err
}

// run sends batches until it is told to stop.
func (s *sender) run(b *batch, reading bool, stop *atomic.Bool) error {
	e := exchange{conn: s.conn, buf: make([]byte, readBytes)}
	for !stop.Load() {
		if err := e.do(b); err != nil {
			return err
		}
		if reading && e.replies.misses > 0 {
			return errMissing
		}
		s.done.Add(int64(b.units))
	}
	return nil
}

// errMissing ends a measurement of reads: a miss costs less than a hit.
var errMissing = errors.New("an entry that was loaded before is missing")

// exchange sends batches and waits for their replies.
type exchange struct {
	conn    *client
	replies replyCounter
	buf     []byte
}

// do sends one batch with new keys and returns when all its replies are there.
func (e *exchange) do(b *batch) error {
	if _, err := e.conn.Write(b.next()); err != nil {
		return fmt.Errorf("cannot send: %w", err)
	}
	for ended := 0; ended < b.replies; {
		n, err := e.conn.Read(e.buf)
		if err != nil {
			return fmt.Errorf("cannot receive: %w", err)
		}
		more, err := e.replies.feed(e.buf[:n])
		if err != nil {
			return err
		}
		ended += more
	}
	return nil
}

// observe waits for the warm-up to pass and measures what happens in the time that follows.
func (t *target) observe(ctx context.Context, l closedLoad, done func() int64) (cost, error) {
	if err := pause(ctx, l.warmUp); err != nil {
		return cost{}, err
	}
	before, err := t.read(done)
	if err != nil {
		return cost{}, err
	}
	if err := pause(ctx, l.duration); err != nil {
		return cost{}, err
	}
	after, err := t.read(done)
	if err != nil {
		return cost{}, err
	}
	operations := float64(after.done - before.done)
	if operations == 0 {
		return cost{}, fmt.Errorf("%s answered nothing in %v", t.name, l.duration)
	}
	server, upstream, own := after.server-before.server, after.upstream-before.upstream, after.own-before.own
	c := cost{
		perSecond:   operations / after.at.Sub(before.at).Seconds(),
		serverCPU:   microseconds(server) / operations,
		upstreamCPU: microseconds(upstream) / operations,
		allCPU:      microseconds(server+upstream+own) / operations,
	}
	if t.behind == nil {
		c.upstreamCPU = c.serverCPU
	}
	return c, nil
}

// reading is the state of all counters at an instant.
type reading struct {
	at                    time.Time
	done                  int64
	server, upstream, own time.Duration
}

func (t *target) read(done func() int64) (r reading, err error) {
	r = reading{at: time.Now(), done: done(), own: ownCPU()}
	if r.server, err = cpuTime(t.pid()); err == nil && t.behind != nil {
		r.upstream, err = cpuTime(t.behind.pid())
	}
	return r, err
}

// pause lets time pass in which others are measured.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
