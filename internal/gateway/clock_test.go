package gateway_test

import (
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// Whichever of two neighbouring milliseconds the clocks are read in, an instant is what the client gave and comes back so, and no
// deadline is later.
func TestInstantsStay(t *testing.T) {
	const at = "1700004100000"
	for _, first := range []bool{false, true} {
		h := newHarness(t)
		f := func(ahead int64, early bool, want string) {
			t.Helper()
			h.clock.wall, h.clock.early = ahead, early
			if got := h.do("PEXPIRETIME k"); got != ":"+want+"\r\n" {
				t.Errorf("the wall clock %d ahead: %q, want %s", ahead, got, want)
			}
		}
		ahead := int64(1_699_999_000_000)
		h.clock.wall, h.clock.early = ahead, first
		h.ok("SET k v")
		h.ok("PEXPIREAT k " + at)
		if left, _ := h.left("k"); left != 1_700_004_100_000-ahead-h.clock.now {
			t.Errorf("%d ms left", left)
		}
		f(ahead, true, at)
		f(ahead, false, at)
		f(ahead+2, false, "1700004100002") // the clock was set
		f(ahead+2, true, "1700004100002")
		f(ahead-3, true, "1700004099997")
		f(ahead-3, false, "1700004099997")
	}
}

// The system's clock is never behind what its two readings say, and not a millisecond beyond it.
func TestSystemClock(t *testing.T) {
	var c gateway.SystemClock
	var readings [3]int
	ahead := c.Ahead()
	// Some milliseconds, and more where the machine runs something else meanwhile.
	for began := time.Now(); time.Since(began) < 20*time.Millisecond || readings[0] == 0 && time.Since(began) < 10*time.Second; {
		before, wall := c.Now(), c.Wall()
		if c.Now() != before {
			continue // interrupted, or at the end of a millisecond
		}
		by := ahead - (wall - before)
		if by < 0 || by > 1 {
			t.Fatalf("Ahead is %d, two readings differ by %d", ahead, ahead-by)
		}
		readings[by]++
	}
	if readings[0] == 0 {
		t.Errorf("Ahead is too large: %v", readings)
	}
}

// TIME and INFO tell microseconds: of some readings within a moment not all are whole milliseconds.
func TestMicrosecondsAreTold(t *testing.T) {
	t.Parallel()
	var c gateway.SystemClock
	for range 1000 {
		if at := c.Micros(); at%1000 != 0 && at/1000 <= c.Wall() {
			return
		}
	}
	t.Error("the wall clock has whole milliseconds only")
}
