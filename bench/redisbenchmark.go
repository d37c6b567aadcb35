package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// runRedisBenchmark sends n requests with redis-benchmark and measures them. The CPU times include its connections'
// handshakes, which the Go generator's leave out.
func (b *bench) runRedisBenchmark(ctx context.Context, t *target, l closedLoad, n int) (cost, error) {
	// The token can be seen in the list of processes. It is random, and ends with the run.
	args := []string{"-h", "127.0.0.1", "-p", t.port(), "--tls", "--cacert", t.caFile, "--sni", "localhost", "--tls-ciphersuites", suite,
		"--user", t.user, "-a", t.token, "-c", strconv.Itoa(l.connections), "-P", strconv.Itoa(l.depth), "-n", strconv.Itoa(n),
		"-r", strconv.Itoa(l.work.keys), "--threads", strconv.Itoa(b.clientThreads), "--csv",
		l.work.command, l.work.prefix + "__rand_int__"}
	if l.work.command == "SET" {
		args = append(append(args, strings.Repeat("x", l.work.bytes)), l.work.expiry...)
	}
	before, err := cpuTime(t.pid())
	if err != nil {
		return cost{}, err
	}
	cmd := exec.CommandContext(ctx, b.redisLoader, args...)
	out, err := cmd.Output()
	if err != nil {
		return cost{}, fmt.Errorf("cannot run redis-benchmark: %w", withStderr(err))
	}
	after, err := cpuTime(t.pid())
	if err != nil {
		return cost{}, err
	}
	server, own := after-before, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	c := cost{serverCPU: microseconds(server) / float64(n), allCPU: microseconds(server+own) / float64(n)}
	c.perSecond, err = parseRedisBenchmark(string(out))
	return c, err
}

// probeRate is the rate at which redis-benchmark is thought to run before it has: it counts requests, not time.
const probeRate = 20_000

// measureByRedisBenchmark runs it once to warm up and then until a run has lasted long enough. rate is what an earlier
// measurement found, 0 for none; a short run finds too low a rate, because most of it is handshakes.
func (b *bench) measureByRedisBenchmark(ctx context.Context, t *target, l closedLoad, rate float64) (cost, error) {
	const tries = 4
	least := l.connections * l.depth * 4 // some batches of each connection
	n := max(least, int(max(rate, probeRate)*l.warmUp.Seconds()))
	c, err := b.runRedisBenchmark(ctx, t, l, n)
	for range tries {
		if err != nil {
			return c, err
		}
		n = max(least, int(max(rate, c.perSecond)*l.duration.Seconds()))
		c, err = b.runRedisBenchmark(ctx, t, l, n)
		if b.quick || float64(n)/c.perSecond > l.duration.Seconds()/2 {
			break
		}
	}
	return c, err
}

// parseRedisBenchmark finds the requests a second in the output of --csv: a line of names, and one of figures.
func parseRedisBenchmark(out string) (float64, error) {
	// Warnings may come before the lines that are wanted.
	_, table, found := strings.Cut(out, `"test",`)
	if !found {
		return 0, errors.New("cannot read redis-benchmark's figures: there is no table")
	}
	rows, err := csv.NewReader(strings.NewReader(`"test",` + table)).ReadAll()
	if err != nil || len(rows) != 2 {
		return 0, errors.New("cannot read redis-benchmark's figures: the table is not two lines")
	}
	for i, name := range rows[0] {
		if name == "rps" {
			return strconv.ParseFloat(rows[1][i], 64)
		}
	}
	return 0, errors.New("cannot read redis-benchmark's figures: there is no column rps")
}
