package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// bench is one run: what was asked for, the programs that are measured, and what has been found so far.
type bench struct {
	options
	dir         string // everything that the run writes lies in it
	out         io.Writer
	lethe       string // paths of the programs
	redis       string
	redisLoader string
	proxies     []proxy // that are installed, if the part upstream is measured
	report      report
	started     int // servers so far, for the names of their directories
}

// part is one group of figures, chosen by its name.
type part struct {
	name    string
	about   string
	measure func(*bench, context.Context) ([]*table, error)
}

// parts lists all there are, in the order in which they are measured.
func parts() []part {
	return []part{
		{"throughput", "closed-loop throughput and CPU per operation", (*bench).measureThroughput},
		{"latency", "open-loop latency at fixed rates", (*bench).measureLatency},
		{"memory", "memory per entry", (*bench).measureMemory},
		{"audit", "what the audit costs", (*bench).measureAudit},
		{"expiry", "how late entries are erased and whom that disturbs", (*bench).measureExpiry},
		{"types", "common commands of every type, transactions and scripts", (*bench).measureTypes},
		{"zset", "a sorted set of a million members", (*bench).measureSortedSet},
		{"upstream", "Lethe in front of a redis-server, beside other ways to reach one by TLS", (*bench).measureUpstream},
		{"flood", "good clients while bad ones try wrong tokens", (*bench).measureFlood},
		{"connections", "CPU per operation by number of connections", (*bench).measureConnections},
	}
}

// prepare finds or builds the programs and describes the machine.
func (b *bench) prepare(ctx context.Context) error {
	// The load is taken before the build of lethe, which would be mistaken for somebody else's work.
	m, err := describeMachine()
	if err != nil {
		return err
	}
	for _, program := range []struct {
		path *string
		name string
	}{{&b.redis, "redis-server"}, {&b.redisLoader, "redis-benchmark"}} {
		if *program.path, err = exec.LookPath(program.name); err != nil {
			return fmt.Errorf("cannot find %s (apt-get install redis-server): %w", program.name, err)
		}
	}
	if err := b.findProxies(); err != nil {
		return err
	}
	if b.lethe = b.binary; b.lethe == "" {
		b.lethe = filepath.Join(b.dir, "lethe")
		build := exec.CommandContext(ctx, "go", "build", "-o", b.lethe, "github.com/lethe-cache/lethe/cmd/lethe")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot build lethe: %w\n%s", err, out)
		}
	}
	if m.Redis, err = firstLine(ctx, b.redis, "--version"); err != nil {
		return err
	}
	if m.Lethe, err = firstLine(ctx, b.lethe, "version"); err != nil {
		return err
	}
	m.Rounds, m.Seconds, m.Quick = b.rounds, b.duration.Seconds(), b.quick
	b.report.Machine = m
	return nil
}

// serverDir makes an empty directory for the next server.
func (b *bench) serverDir(name string) (string, error) {
	b.started++
	dir := filepath.Join(b.dir, fmt.Sprintf("%s-%d", name, b.started))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("cannot make a directory for %s: %w", name, err)
	}
	return dir, nil
}

// pair starts both servers. stop ends them and removes what they wrote.
func (b *bench) pair(ctx context.Context) (servers [2]*target, stop func(), err error) {
	redis, err := b.startRedis(ctx)
	if err != nil {
		return servers, nil, err
	}
	lethe, err := b.startLethe(ctx, letheOptions{})
	if err != nil {
		redis.stop()
		return servers, nil, err
	}
	return [2]*target{redis, lethe}, func() { redis.stop(); lethe.stop() }, nil
}

// interleave measures both sides in turn, round after round: A B A B.
func (b *bench) interleave(ctx context.Context, measure func(side int) error) error {
	for range b.rounds {
		for side := range 2 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := measure(side); err != nil {
				return err
			}
		}
	}
	return nil
}
