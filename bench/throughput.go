package main

import (
	"context"
	"fmt"
	"runtime"
)

// depths of pipelines that are measured.
func depths() []int { return []int{1, 16} }

// measureThroughput compares closed-loop throughput, by the Go generator and by redis-benchmark.
func (b *bench) measureThroughput(ctx context.Context) ([]*table, error) {
	servers, stop, err := b.pair(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	// Both generators are given the same processors. They share the machine with the server: what a server spares, the
	// generator can use, and the other way round.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(b.clientThreads))
	own := b.newTable("throughput", fmt.Sprintf("512 B, %d connections, Go generator", b.connections),
		"server CPU is utime+stime of the server's process, in steps of 10 ms; total CPU adds the generator's")
	theirs := b.newTable("throughput", fmt.Sprintf("512 B, %d connections, redis-benchmark with %d threads", b.connections, b.clientThreads),
		"CPU includes the handshakes of its connections; it shares the processors with the server, as the Go generator does")
	for _, w := range []workload{b.get(), b.set()} {
		for _, depth := range depths() {
			l := b.closed(w, depth)
			if err := b.compareClosed(ctx, own, servers, l); err != nil {
				return nil, err
			}
			if err := b.compareByRedisBenchmark(ctx, theirs, servers, l); err != nil {
				return nil, err
			}
		}
	}
	return []*table{own, theirs}, nil
}

// newTable begins a table that compares Lethe with redis-server.
func (b *bench) newTable(part, title string, notes ...string) *table {
	return &table{Part: part, Title: title, Baseline: "redis-server", Subject: "lethe", Notes: notes, noGoals: b.quick}
}

// closed is a closed load as most parts use it.
func (b *bench) closed(w workload, depth int) closedLoad {
	return closedLoad{work: w, connections: b.connections, depth: depth, warmUp: b.warmUp, duration: b.duration}
}

// compareClosed adds the rows of one closed load by the Go generator.
func (b *bench) compareClosed(ctx context.Context, to *table, servers [2]*target, l closedLoad) error {
	name := fmt.Sprintf("%s depth %d", l.work.command, l.depth)
	err := b.interleave(ctx, func(side int) error {
		if err := servers[side].freshen(l.work.writes()); err != nil {
			return err
		}
		c, err := servers[side].measureClosed(ctx, l)
		to.addCost(name, side, c)
		return err
	})
	to.aimAtCost(name, l.depth)
	return err
}

// compareByRedisBenchmark adds the rows of one closed load by redis-benchmark.
func (b *bench) compareByRedisBenchmark(ctx context.Context, to *table, servers [2]*target, l closedLoad) error {
	name := fmt.Sprintf("%s depth %d", l.work.command, l.depth)
	var rates [2]float64
	err := b.interleave(ctx, func(side int) error {
		if err := servers[side].freshen(l.work.writes()); err != nil {
			return err
		}
		c, err := b.measureByRedisBenchmark(ctx, servers[side], l, rates[side])
		rates[side] = c.perSecond
		to.addCost(name, side, c)
		return err
	})
	to.aimAtCost(name, l.depth)
	return err
}

func (t *table) addCost(name string, side int, c cost) {
	t.add(name+", throughput", "op/s", side, c.perSecond)
	t.add(name+", server CPU", "us/op", side, c.serverCPU)
	t.add(name+", total CPU", "us/op", side, c.allCPU)
}

// aimAtCost sets what is promised: ahead of redis-server in throughput, for no more CPU.
func (t *table) aimAtCost(name string, depth int) {
	ahead := 1.2
	if depth > 1 {
		ahead = 1.5
	}
	t.ratioAtLeast(name+", throughput", ahead)
	t.ratioAtMost(name+", server CPU", 1)
}
