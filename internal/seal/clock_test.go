package seal_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/lethe-cache/lethe/internal/seal"
)

// set is a reading of clocks of which the wall clock was set by so many seconds, and the monotonic one was not: package time cannot
// make one.
func set(t time.Time, seconds int64) time.Time {
	type reading struct {
		wall uint64
		ext  int64
		loc  *time.Location
	}
	(*reading)(unsafe.Pointer(&t)).wall += uint64(seconds) << 30
	return t
}

// Whatever is done to the wall clock, what is to end in five minutes does so within five minutes.
func TestSettingTheClockLengthensNothing(t *testing.T) {
	t.Parallel()
	const hour = 3600
	began, passed, ahead := time.Now(), time.Duration(0), int64(0)
	if x := set(began, hour); x.Sub(began) != 0 || x.Unix()-began.Unix() != hour {
		t.Fatal("package time keeps its readings otherwise")
	}
	c := seal.Clock{Wall: func() time.Time { return set(began.Add(passed), ahead) }}
	f := func(seconds int64) {
		t.Helper()
		before := c.Now()
		ahead += seconds
		for range 300 {
			passed += time.Second
			c.Now()
		}
		if got := c.Now() - before; got < 300_000-1 {
			t.Errorf("of 300 s since the clock was set by %d s it sees %d ms", seconds, got)
		}
	}
	for _, seconds := range []int64{0, hour, -hour, -hour, 60, -60, 3 * hour, -hour, -hour} {
		f(seconds)
	}
}
