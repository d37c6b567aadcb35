package gateway

import (
	"sync/atomic"
	"time"
)

// Clock tells the two times that Lethe lives by.
type Clock interface {
	// Now is in milliseconds, never goes back, and goes on while the machine sleeps.
	Now() int64
	// Wall is the wall clock in Unix milliseconds.
	Wall() int64
}

// SystemClock is the machine's.
type SystemClock struct{}

// Now reads the boot clock.
func (SystemClock) Now() int64 { return bootMillis() }

// Wall reads the wall clock.
func (SystemClock) Wall() int64 { return time.Now().UnixMilli() }

// steadyWall is a wall clock that goes with the other one. Both are read in milliseconds, so the difference of two readings is
// now one number and now the next, and an instant that a client gives and gets back (PEXPIREAT, PEXPIRETIME) would be another.
// The difference stays what it was until it is wrong by more than that. The zero value is ready; it may be used concurrently.
type steadyWall struct{ ahead atomic.Int64 }

// at returns the wall clock's time, of two readings that belong together.
func (s *steadyWall) at(now, wall int64) int64 {
	ahead := s.ahead.Load()
	if by := wall - now - ahead; by < -1 || by > 1 {
		ahead = wall - now
		s.ahead.Store(ahead)
	}
	return now + ahead
}
