package gateway

import (
	"sync/atomic"
	"time"
)

// latencyBounds are the upper bounds of the buckets of command latency: from taking a command's bytes from the socket to
// handing its reply to it, audit included.
var latencyBounds = [...]time.Duration{
	25 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second,
}

// Latency counts commands by how long they took.
type Latency struct {
	buckets [len(latencyBounds) + 1]atomic.Uint64
	total   atomic.Int64 // nanoseconds
}

// Observe counts commands of one round, all of which took at most d.
func (l *Latency) Observe(d time.Duration, commands int) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	l.buckets[i].Add(uint64(commands))
	l.total.Add(int64(d) * int64(commands))
}

// Snapshot returns the count and sum of all commands, and by upper bound in seconds how many took at most that long.
func (l *Latency) Snapshot() (count uint64, sum time.Duration, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(latencyBounds))
	for i := range l.buckets {
		count += l.buckets[i].Load()
		if i < len(latencyBounds) {
			buckets[latencyBounds[i].Seconds()] = count
		}
	}
	return count, time.Duration(l.total.Load()), buckets
}
