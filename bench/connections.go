package main

import (
	"context"
	"fmt"
)

// measureConnections compares what an operation costs when more and more connections share it.
func (b *bench) measureConnections(ctx context.Context) ([]*table, error) {
	servers, stop, err := b.pair(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	t := b.newTable("connections", "GET of 512 B, depth 1, Go generator")
	for _, n := range b.fleets {
		l := b.closed(b.get(), 1)
		l.connections = n
		name := fmt.Sprintf("%d connections", n)
		err := b.interleave(ctx, func(side int) error {
			if err := servers[side].freshen(l.work.writes()); err != nil {
				return err
			}
			c, err := servers[side].measureClosed(ctx, l)
			t.add(name+", server CPU", "us/op", side, c.serverCPU)
			t.add(name+", throughput", "op/s", side, c.perSecond)
			return err
		})
		if err != nil {
			return nil, err
		}
		t.ratioAtMost(name+", server CPU", 1)
	}
	return []*table{t}, nil
}
