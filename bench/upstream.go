package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// measureUpstream compares Lethe in front of a redis-server, which sees sealed entries only, with the ways in which people
// reach one by TLS: its own TLS, and proxies that end TLS in front of it. None of those seals, audits or knows what a
// deadline is. All redis-servers but the first are on unix sockets.
func (b *bench) measureUpstream(ctx context.Context) (tables []*table, err error) {
	var servers []*target
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	start := func(s *target, err error) error {
		if err == nil {
			servers = append(servers, s)
		}
		return err
	}
	if err := start(b.startSealing(ctx)); err != nil {
		return nil, err
	}
	if err := start(b.startRedis(ctx)); err != nil {
		return nil, err
	}
	for _, p := range b.proxies {
		if err := start(b.startProxy(ctx, p)); err != nil {
			return nil, err
		}
	}
	for _, of := range []func(context.Context, []*target) ([]*table, error){b.upstreamThroughput, b.upstreamLatency, b.upstreamConnections} {
		more, err := of(ctx, servers)
		if err != nil {
			return nil, err
		}
		tables = append(tables, more...)
	}
	return tables, nil
}

// startSealing starts a Lethe with a redis-server behind it.
func (b *bench) startSealing(ctx context.Context) (*target, error) {
	behind, err := b.startBehind(ctx, "")
	if err != nil {
		return nil, err
	}
	t, err := b.startLethe(ctx, letheOptions{upstream: behind.addr})
	if err != nil {
		behind.stop()
		return nil, err
	}
	t.behind = behind
	return t, nil
}

// eachPeer measures servers[0], which is Lethe, and the others in turn, round after round, and gives add the samples of
// Lethe and of one other within one round.
func (b *bench) eachPeer(ctx context.Context, servers []*target, w workload, measure func(*target) error, add func(peer int)) error {
	for range b.rounds {
		for _, s := range servers {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.freshen(w.writes()); err != nil {
				return err
			}
			if err := measure(s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		for peer := range servers[1:] {
			add(peer)
		}
	}
	return nil
}

// peerTables begins a table for each server that Lethe is compared with.
func (b *bench) peerTables(servers []*target, title string, notes ...string) (tables []*table) {
	for _, s := range servers[1:] {
		t := b.newTable("upstream", title, notes...)
		t.Baseline = s.name
		if s.behind == nil {
			t.Baseline += "'s own TLS"
		}
		tables = append(tables, t)
	}
	return tables
}

func (b *bench) upstreamThroughput(ctx context.Context, servers []*target) ([]*table, error) {
	tables := b.peerTables(servers, fmt.Sprintf("512 B, %d connections, Go generator", b.connections),
		"Lethe: PHI sealed, every access audited; upstream: the redis-server that has the entries; gateway: what stands before it")
	for _, w := range []workload{b.get(), b.set()} {
		for _, depth := range depths() {
			name := fmt.Sprintf("%s depth %d", w.command, depth)
			l := b.closed(w, depth)
			costs := map[*target]cost{}
			err := b.eachPeer(ctx, servers, w,
				func(s *target) (err error) { costs[s], err = s.measureClosed(ctx, l); return err },
				func(peer int) {
					tables[peer].addFront(name, baseline, servers[1+peer], costs[servers[1+peer]])
					tables[peer].addFront(name, subject, servers[0], costs[servers[0]])
				})
			if err != nil {
				return nil, err
			}
			for peer, s := range servers[1:] {
				tables[peer].aimBefore(name, s, depth)
			}
		}
	}
	return tables, nil
}

// addFront adds what a server with another one behind it has cost.
func (t *table) addFront(name string, side int, s *target, c cost) {
	t.add(name+", throughput", "op/s", side, c.perSecond)
	t.add(name+", upstream CPU", "us/op", side, c.upstreamCPU)
	if s.behind != nil {
		t.add(name+", gateway CPU", "us/op", side, c.serverCPU)
	}
	t.add(name+", total CPU", "us/op", side, c.allCPU)
}

// aimBefore sets the goals against one peer.
func (t *table) aimBefore(name string, peer *target, depth int) {
	ownTLS := peer.behind == nil
	switch {
	case ownTLS && depth == 1:
		t.ratioAtLeast(name+", throughput", 0.8)
	case depth > 1 || peer.tls != nil:
		t.ratioAtLeast(name+", throughput", 1)
	}
	if ownTLS {
		t.ratioAtMost(name+", upstream CPU", 0.5)
	}
}

// upstreamLatency compares latencies at a rate at which nobody waits for others.
func (b *bench) upstreamLatency(ctx context.Context, servers []*target) ([]*table, error) {
	tables := b.peerTables(servers, fmt.Sprintf("512 B, open loop, %d arrivals/s, %d connections", b.lowRate, b.connections),
		"from the instant planned for a request; added: Lethe's median less the other's, round by round")
	for _, w := range []workload{b.get(), b.set()} {
		l := openLoad{work: w, connections: b.connections, rate: float64(b.lowRate), windows: []window{{b.warmUp, b.warmUp + b.duration}}}
		found := map[*target]*histogram{}
		err := b.eachPeer(ctx, servers, w, func(s *target) error {
			r, err := s.measureOpen(ctx, l, time.Time{})
			if err == nil {
				found[s] = r.latencies[0]
			}
			return err
		}, func(peer int) {
			t, mine, theirs := tables[peer], found[servers[0]], found[servers[1+peer]]
			t.addTail(w.command, baseline, theirs)
			t.addTail(w.command, subject, mine)
			t.addDifference(w.command+", added p50", "us", subject, microseconds(mine.quantile(0.5)-theirs.quantile(0.5)))
		})
		if err != nil {
			return nil, err
		}
		tables[0].subjectAtMost(w.command+", added p50", 60)
	}
	return tables, nil
}

func (t *table) addTail(name string, side int, h *histogram) {
	t.add(name+", p50", "us", side, microseconds(h.quantile(0.50)))
	t.add(name+", p99", "us", side, microseconds(h.quantile(0.99)))
}

// upstreamConnections compares what an operation costs Lethe with few and with many connections.
func (b *bench) upstreamConnections(ctx context.Context, servers []*target) ([]*table, error) {
	t := b.newTable("upstream", "GET of 512 B, depth 1, Go generator", "best: the least of the round's figures")
	t.Baseline = "lethe, best"
	for range b.rounds {
		var spent []float64
		for _, n := range b.fleets {
			l := b.closed(b.get(), 1)
			l.connections = n
			if err := servers[0].freshen(l.work.writes()); err != nil {
				return nil, err
			}
			c, err := servers[0].measureClosed(ctx, l)
			if err != nil {
				return nil, err
			}
			spent = append(spent, c.serverCPU)
		}
		for i, n := range b.fleets {
			name := fmt.Sprintf("%d connections, gateway CPU", n)
			t.add(name, "us/op", baseline, slices.Min(spent))
			t.add(name, "us/op", subject, spent[i])
			t.ratioAtMost(name, 1.3)
		}
	}
	return []*table{t}, nil
}
