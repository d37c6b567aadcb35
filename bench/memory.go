package main

import (
	"context"
	"fmt"
	"time"
)

// shortDigits is the number of digits in the keys of the parts that count entries, as identifiers of patients have them.
const shortDigits = 7

// settleTime, or the length of a measurement if that is less, lets a server finish what follows its last reply before its
// memory is read.
const settleTime = time.Second

// measureMemory compares what an entry takes. Memory hardly varies, so there is one round.
func (b *bench) measureMemory(ctx context.Context) ([]*table, error) {
	t := b.newTable("memory", fmt.Sprintf("per entry, %d entries with EX 300", b.entries),
		"RSS is (after - before) / entries from smaps_rollup; the buffers that loading needed count, and so do Lethe's mapped audit segments",
		"anonymous RSS leaves out pages that files back; counted: used_memory of redis-server, redis_used_memory_bytes of Lethe",
		"one round: a server is started for each figure")
	for _, bytes := range []int{100, 1024} {
		for side, start := range []func() (*target, error){
			func() (*target, error) { return b.startRedis(ctx) },
			func() (*target, error) { return b.startLethe(ctx, letheOptions{}) },
		} {
			server, err := start()
			if err != nil {
				return nil, err
			}
			err = b.weigh(ctx, t, server, side, bytes)
			server.stop()
			if err != nil {
				return nil, err
			}
		}
		t.ratioAtMost(fmt.Sprintf("%d B, RSS", bytes), 1)
	}
	return []*table{t}, nil
}

// weight is all that is known of a server's memory at an instant.
type weight struct {
	resident
	used int64
}

func (t *target) weigh() (w weight, err error) {
	if w.used, err = t.usedMemory(); err != nil {
		return w, err
	}
	w.resident, err = residentOf(t.pid())
	return w, err
}

// weigh fills a server and adds what that made it grow by.
func (b *bench) weigh(ctx context.Context, t *table, server *target, side, bytes int) error {
	before, err := server.weigh()
	if err != nil {
		return err
	}
	w := workload{prefix: patients, digits: shortDigits, keys: b.entries, bytes: bytes}.writes()
	if err := server.fill(w); err != nil {
		return err
	}
	if err := server.holds(b.entries); err != nil {
		return err
	}
	if err := pause(ctx, min(settleTime, b.duration)); err != nil {
		return err
	}
	after, err := server.weigh()
	if err != nil {
		return err
	}
	n := float64(b.entries)
	t.add(fmt.Sprintf("%d B, RSS", bytes), "bytes", side, float64(after.Total-before.Total)/n)
	t.add(fmt.Sprintf("%d B, anonymous RSS", bytes), "bytes", side, float64(after.Anonymous-before.Anonymous)/n)
	t.add(fmt.Sprintf("%d B, counted", bytes), "bytes", side, float64(after.used-before.used)/n)
	return nil
}
