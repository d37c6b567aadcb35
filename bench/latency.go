package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// measureLatency compares latencies at rates that both servers can take.
func (b *bench) measureLatency(ctx context.Context) ([]*table, error) {
	servers, stop, err := b.pair(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	var tables []*table
	for _, w := range []workload{b.get(), b.set()} {
		most, err := b.slower(ctx, servers, w)
		if err != nil {
			return nil, err
		}
		for _, percent := range b.rates {
			t, err := b.compareOpen(ctx, servers, w, most, percent)
			if err != nil {
				return nil, err
			}
			tables = append(tables, t)
		}
	}
	return tables, nil
}

// slower is the throughput that the slower of the two servers reaches in a closed loop without pipelining.
func (b *bench) slower(ctx context.Context, servers [2]*target, w workload) (float64, error) {
	least := math.Inf(1)
	for _, t := range servers {
		if err := t.freshen(w.writes()); err != nil {
			return 0, err
		}
		c, err := t.measureClosed(ctx, b.closed(w, 1))
		if err != nil {
			return 0, err
		}
		least = min(least, c.perSecond)
	}
	return least, nil
}

// compareOpen makes the table of one rate.
func (b *bench) compareOpen(ctx context.Context, servers [2]*target, w workload, most float64, percent int) (*table, error) {
	rate := most * float64(percent) / 100
	t := b.newTable("latency", fmt.Sprintf("%s of 512 B, open loop, %.0f arrivals/s (%d %% of the slower server's most), %d connections",
		w.command, rate, percent, b.connections),
		"from the instant planned for a request; includes the generator's own lateness, which is the last row")
	l := openLoad{work: w, connections: b.connections, rate: rate, windows: []window{{b.warmUp, b.warmUp + b.duration}}}
	err := b.interleave(ctx, func(side int) error {
		if err := servers[side].freshen(w.writes()); err != nil {
			return err
		}
		r, err := servers[side].measureOpen(ctx, l, time.Time{})
		if err != nil {
			return err
		}
		h := r.latencies[0]
		t.add("p50", "us", side, microseconds(h.quantile(0.50)))
		t.add("p99", "us", side, microseconds(h.quantile(0.99)))
		t.add("p99.9", "us", side, microseconds(h.quantile(0.999)))
		t.add("max", "us", side, microseconds(h.most))
		t.add("generator late by, p99", "us", side, microseconds(r.lateness.quantile(0.99)))
		return nil
	})
	return t, err
}
