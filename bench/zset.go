package main

import (
	"context"
	"fmt"
	"strconv"
)

// measureSortedSet compares one sorted set of a million members: its memory, and the commands that a leaderboard needs.
func (b *bench) measureSortedSet(ctx context.Context) ([]*table, error) {
	servers, stop, err := b.recordedPair(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	t := b.newTable("zset", fmt.Sprintf("one sorted set of %d members, %d connections, Go generator", b.entries, b.connections),
		"RSS is (after - before) / members; Lethe's mapped audit segments count")
	key := tenant + ":bench:leaders"
	for side, s := range servers {
		before, err := s.weigh()
		if err != nil {
			return nil, err
		}
		if err := s.fillSortedSet(key, b.entries); err != nil {
			return nil, err
		}
		after, err := s.weigh()
		if err != nil {
			return nil, err
		}
		n := float64(b.entries)
		t.add("RSS", "bytes", side, float64(after.Total-before.Total)/n)
		t.add("counted", "bytes", side, float64(after.used-before.used)/n)
	}
	t.ratioAtMost("RSS", 1)
	for _, l := range []typeLoad{
		{"ZADD", nil, [][]string{{"ZADD", key, "#", "member:#"}}},
		{"ZRANGE of 10", nil, [][]string{{"ZRANGE", key, "#", "(#", "BYSCORE", "LIMIT", "0", "10"}}},
		{"ZRANGE of 10 by rank", nil, [][]string{{"ZRANGE", key, "500000", "500009"}}},
		{"ZRANK", nil, [][]string{{"ZRANK", key, "member:#"}}},
	} {
		for _, depth := range depths() {
			load := b.closed(workload{calls: l.calls, digits: shortDigits - 1, keys: b.entries}, depth)
			name := fmt.Sprintf("%s depth %d", l.name, depth)
			err := b.interleave(ctx, func(side int) error {
				c, err := servers[side].measureClosed(ctx, load)
				t.add(name, "op/s", side, c.perSecond)
				t.add(name+", server CPU", "us/op", side, c.serverCPU)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			t.ratioAtLeast(name, 1)
		}
	}
	return []*table{t}, nil
}

// fillSortedSet adds n members with scores of their own.
func (t *target) fillSortedSet(key string, n int) error {
	c, err := t.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	const at = 500
	for from := 0; from < n; from += at {
		call := []string{"ZADD", key}
		for i := from; i < min(from+at, n); i++ {
			// The order of the scores is not the order in which members come.
			call = append(call, strconv.Itoa(i*7919%n), fmt.Sprintf("member:%0*d", shortDigits-1, i))
		}
		if _, err := c.call(call...); err != nil {
			return err
		}
	}
	return nil
}
