package audit

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// latencyBuckets is the number of buckets of Stats.Latency.
const latencyBuckets = 24

// firstBucket is the upper bound of the first bucket; every further one is twice as wide.
const firstBucket = 256 * time.Nanosecond

// Stats says how a log is doing.
type Stats struct {
	Ready     bool
	Sequence  uint64 // records written
	Segment   uint64 // number of the active segment
	Commits   uint64 // commits that succeeded
	Failures  uint64 // commits that failed
	Bytes     uint64 // written since Open
	Pending   uint64 // records that wait for the end of an outage
	Lost      uint64 // records that found no room while they waited
	Outages   uint64
	LastError string // cause of the last trouble, empty for none; holds no data
	// Latency counts commits by how long they took, sync and waiting included: Latency[i] those of at most
	// LatencyBound(i) that no smaller bucket counts, the last one all slower ones.
	Latency      [latencyBuckets]uint64
	LatencyTotal time.Duration
}

// LatencyBound is the upper bound of bucket i of Stats.Latency.
func LatencyBound(i int) time.Duration { return firstBucket << i }

// Stats may be called at any time; the numbers are those of about now.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	s := Stats{Ready: l.ready.Load(), Sequence: l.tip.sequence, Segment: l.tip.segment}
	if l.outage != nil {
		s.Pending, s.Lost = l.outage.backlog.records, l.outage.backlog.lost
	}
	l.mu.Unlock()
	l.stats.read(&s)
	return s
}

// counters are written by every commit without a lock.
type counters struct {
	failures, bytes, lost, outages, nanoseconds atomic.Uint64
	latency                                     [latencyBuckets]atomic.Uint64

	mu     sync.Mutex
	text   string
	textAt time.Time
}

func (c *counters) observe(took time.Duration, err error) {
	if err != nil {
		c.failures.Add(1)
		return
	}
	c.latency[bucket(took)].Add(1)
	c.nanoseconds.Add(uint64(took))
}

func bucket(took time.Duration) int {
	if took <= firstBucket {
		return 0
	}
	return min(bits.Len64(uint64(took-1)/uint64(firstBucket)), latencyBuckets-1)
}

// setError remembers err and tells whether it is news: another text, or a minute later.
func (c *counters) setError(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := err.Error()
	if text == c.text && time.Since(c.textAt) < time.Minute {
		return false
	}
	c.text, c.textAt = text, time.Now()
	return true
}

func (c *counters) read(s *Stats) {
	s.Failures, s.Bytes, s.Outages = c.failures.Load(), c.bytes.Load(), c.outages.Load()
	s.Lost += c.lost.Load()
	for i := range c.latency {
		s.Latency[i] = c.latency[i].Load()
		s.Commits += s.Latency[i]
	}
	s.LatencyTotal = time.Duration(c.nanoseconds.Load())
	c.mu.Lock()
	s.LastError = c.text
	c.mu.Unlock()
}
