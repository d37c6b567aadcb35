package seal

import (
	"sync/atomic"
	"time"
)

// Clock tells Unix time in milliseconds, never goes back and never stands: a wall clock that is set backwards lengthens no deadline, one
// that is set forward shortens them, and where it is set back afterwards the time stays ahead of it by as much. The zero value is
// ready; it may be used concurrently.
type Clock struct {
	// Wall is the system's time; nil: time.Now.
	Wall func() time.Time

	latest atomic.Int64
	base   atomic.Pointer[instant]
}

// instant is when the clock was read first, or first after the wall clock was set forward: Go's monotonic reading goes on from there
// whatever is done to the wall clock.
type instant struct {
	wall time.Time
	unix int64
}

// Now returns the time.
func (c *Clock) Now() int64 {
	t := time.Now()
	if c.Wall != nil {
		t = c.Wall()
	}
	now := t.UnixMilli()
	base := c.base.Load()
	if base == nil {
		c.base.CompareAndSwap(nil, &instant{t, now})
		base = c.base.Load()
	}
	steady := base.unix + t.Sub(base.wall).Milliseconds()
	if now > steady+1 { // not only for its fractions
		c.base.CompareAndSwap(base, &instant{t, now})
	}
	now = max(now, steady)
	for {
		latest := c.latest.Load()
		if now <= latest {
			return latest
		}
		if c.latest.CompareAndSwap(latest, now) {
			return now
		}
	}
}

// Stamps numbers the writes of this process: a later write has a larger stamp, and the stamps of several gateways compare
// as their clocks do. It may be used concurrently.
type Stamps struct{ last atomic.Uint64 }

// stampShift leaves room for 65,536 writes in one millisecond before stamps run ahead of the clock.
const stampShift = 16

// Next returns a stamp for a write at an instant in Unix milliseconds.
func (s *Stamps) Next(now int64) uint64 {
	for {
		last := s.last.Load()
		next := max(uint64(now)<<stampShift, last+1)
		if s.last.CompareAndSwap(last, next) {
			return next
		}
	}
}

// Observe makes later stamps larger than one that another gateway gave.
func (s *Stamps) Observe(stamp uint64) {
	for {
		last := s.last.Load()
		if stamp <= last || s.last.CompareAndSwap(last, stamp) {
			return
		}
	}
}

// ObserveTime makes later stamps larger than all that a gateway gave before an instant of its own clock.
func (s *Stamps) ObserveTime(at int64) { s.Observe(uint64(at) << stampShift) }

// StampAge is how much older a stamp is than another, in milliseconds.
func StampAge(older, newer uint64) int64 { return int64(newer>>stampShift) - int64(older>>stampShift) }

// StampAfter is a stamp so many milliseconds later.
func StampAfter(stamp uint64, millis int64) uint64 { return stamp + uint64(millis)<<stampShift }
