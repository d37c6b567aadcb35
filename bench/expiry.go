package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measureExpiry compares how late entries are erased, and what that does to the latency of others.
func (b *bench) measureExpiry(ctx context.Context) ([]*table, error) {
	t := b.newTable("expiry", fmt.Sprintf("%d of %d entries (100 B) at one deadline, then %d a second; GETs of others at %d/s",
		b.expiring, b.entries, b.expiring, b.expiryRate),
		fmt.Sprintf("a lag of %d ms means that entries were still there when the measurement ended", b.lagLimit().Milliseconds()),
		"gone is what DBSIZE no longer counts: both servers count an entry until it is erased; p99 from the instant planned for a request",
		"a server that leaves entries behind spends no time on erasing them: read its p99 with the rows of what is left")
	err := b.interleave(ctx, func(side int) error {
		start := func() (*target, error) { return b.startRedis(ctx) }
		if side == subject {
			start = func() (*target, error) { return b.startLethe(ctx, letheOptions{}) }
		}
		server, err := start()
		if err != nil {
			return err
		}
		defer server.stop()
		return b.watchExpiry(ctx, t, server, side)
	})
	t.subjectAtMost("erasure of all, lag", 100)
	for _, w := range []string{"burst", "stream"} {
		t.subjectAtMost("rise of p99 in the "+w, 1)
	}
	return []*table{t}, err
}

// watchExpiry carries out the plan on one server.
func (b *bench) watchExpiry(ctx context.Context, t *table, server *target, side int) error {
	p, err := b.loadExpiry(server)
	if err != nil {
		return err
	}
	l := openLoad{work: p.others, connections: p.connections, rate: float64(p.rate)}
	l.work.command, l.work.expiry = "GET", nil
	// Seconds of the plan from its first one, before which the load warms up.
	for _, w := range [][2]float64{{0, calm}, {calm, calm + 1}, {calm + streamAt, calm + streamAt + streamFor}} {
		span := func(s float64) time.Duration { return time.Duration((s + warmSeconds) * float64(p.second)) }
		l.windows = append(l.windows, window{span(w[0]), span(w[1])})
	}
	type outcome struct {
		openResult
		err error
	}
	loaded := make(chan outcome, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		r, err := server.measureOpen(ctx, l, p.at(-calm-warmSeconds))
		loaded <- outcome{r, err}
	}()
	watchErr := b.watchErasure(ctx, t, server, side, p)
	if watchErr != nil {
		cancel()
	}
	found := <-loaded
	if err := errors.Join(watchErr, found.err); err != nil {
		return err
	}
	calmP99 := addP99(t, "p99 before", side, found.latencies[0])
	for i, name := range []string{"burst", "stream"} {
		p99 := addP99(t, "p99 in the "+name, side, found.latencies[i+1])
		t.addDifference("rise of p99 in the "+name, "ms", side, p99-calmP99)
	}
	return nil
}

// addP99 adds a quantile in milliseconds and returns it.
func addP99(t *table, measure string, side int, h *histogram) float64 {
	ms := microseconds(h.quantile(0.99)) / 1000
	t.add(measure, "ms", side, ms)
	return ms
}

// watchErasure waits for the deadline and adds how long after it all entries of the burst were gone, and how many of all
// were left at the end.
func (b *bench) watchErasure(ctx context.Context, t *table, server *target, side int, p *expiryPlan) error {
	c, err := server.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if server.erasureLag != nil {
		// It tells the worst since the last look: this look forgets what was before.
		if _, err := server.erasureLag(); err != nil {
			return err
		}
	}
	if err := pause(ctx, time.Until(p.deadline)); err != nil {
		return err
	}
	lag, left, err := awaitSize(ctx, c, p, b.entries-b.expiring, b.lagLimit())
	if err != nil {
		return err
	}
	t.add("erasure of all, lag", "ms", side, microseconds(lag)/1000)
	t.addDifference("left after a second", "entries", side, float64(left))
	if server.erasureLag != nil {
		own, err := server.erasureLag()
		if err != nil {
			return err
		}
		t.add("erasure of all, lag by the server's own metric", "ms", side, microseconds(own)/1000)
	}
	if err := pause(ctx, time.Until(p.at(streamAt+streamFor+1))); err != nil {
		return err
	}
	n, err := c.size()
	t.addDifference("left a second after the stream", "entries", side, float64(n-p.others.keys))
	return err
}

// awaitSize asks for the number of entries until it has fallen to size or limit has passed since the deadline. left is how
// many of them were too many when the first second after the deadline had passed.
func awaitSize(ctx context.Context, c *client, p *expiryPlan, size int, limit time.Duration) (lag time.Duration, left int, err error) {
	const step = 2 * time.Millisecond
	for {
		n, err := c.size()
		if err != nil {
			return 0, 0, err
		}
		lag = time.Since(p.deadline)
		if lag <= p.second {
			left = n - size
		}
		if n <= size {
			return lag, max(left, 0), nil
		}
		if lag >= limit {
			return limit, left, nil
		}
		if err := pause(ctx, step); err != nil {
			return 0, 0, err
		}
	}
}
