package gateway

import "time"

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
