package gateway

import (
	"math"
	"sync/atomic"
	"time"
)

// Clock tells the two times that Lethe lives by.
type Clock interface {
	// Now is in milliseconds, never goes back, and goes on while the machine sleeps.
	Now() int64
	// Wall is the wall clock in Unix milliseconds.
	Wall() int64
	// Micros is the wall clock in Unix microseconds, which no deadline is in.
	Micros() int64
	// Ahead is by how many milliseconds the wall clock is ahead of Now, rounded up. It takes longer than the two.
	Ahead() int64
}

// SystemClock is the machine's.
type SystemClock struct{}

// Now reads the boot clock.
func (SystemClock) Now() int64 { return bootNanos() / 1e6 }

// Wall reads the wall clock.
func (SystemClock) Wall() int64 { return time.Now().UnixMilli() }

// Micros reads the wall clock.
func (SystemClock) Micros() int64 { return time.Now().UnixMicro() }

// Ahead reads both, several times, and believes the two that were read closest together.
func (SystemClock) Ahead() int64 {
	closest, ahead := int64(math.MaxInt64), int64(0)
	for range 5 {
		before := bootNanos()
		wall := time.Now().UnixNano()
		if apart := bootNanos() - before; apart < closest {
			closest, ahead = apart, wall-before-apart/2
		}
	}
	if ahead%1e6 > 0 {
		return ahead/1e6 + 1
	}
	return ahead / 1e6
}

// steadyWall is a wall clock that goes with the other one. Both are read in whole milliseconds, so the difference of two readings
// is now one number and now the next: an instant that a client gives and gets back (PEXPIREAT, PEXPIRETIME) would be another.
// The larger of the two is right, with it no deadline is later than the client has said; it stays until the wall clock is set.
// The zero value is ready; it may be used concurrently.
type steadyWall struct{ ahead atomic.Int64 }

// read returns both times.
func (s *steadyWall) read(c Clock) (now, wall int64) {
	now, wall = c.Now(), c.Wall()
	ahead := s.ahead.Load()
	if by := wall - now - ahead; by < -1 || by > 0 {
		ahead = c.Ahead()
		s.ahead.Store(ahead)
	}
	return now, now + ahead
}
