package gateway_test

import (
	"testing"
	"time"
)

// A reaper has nothing to do for long where nobody waits and nothing is due, and is told when that changes.
func TestTheReaperRests(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.gateway.NewReaper()
	r.Once()
	f := func(call string, least, most time.Duration) {
		t.Helper()
		if call != "" {
			r.Rest()
			h.do(call)
			if !h.stirred() {
				t.Errorf("%s does not stir", call)
			}
		}
		if got := r.Rest(); got < least || got > most {
			t.Errorf("behind %q it rests for %v, want %v to %v", call, got, least, most)
		}
	}
	f("", 250*time.Millisecond, 250*time.Millisecond)
	f("SET TENANT001:patient:1 v PX 100", 97*time.Millisecond, 104*time.Millisecond)
	h.clock.now += 200
	r.Once()
	f("", 250*time.Millisecond, 250*time.Millisecond)
	h.session.Attach(&link{})
	f("BLPOP TENANT001:patient:list 0.05", 46*time.Millisecond, 50*time.Millisecond)
	h.clock.now += 200
	r.Once()
	f("CLIENT PAUSE 1000", 4*time.Millisecond, 4*time.Millisecond)
}

// So it is told of the time of who waits in front of an upstream, which is known when the command has run.
func TestTheReaperRestsUpstream(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	r := f.gateway.NewReaper()
	r.Once()
	if got := r.Rest(); got != 250*time.Millisecond {
		t.Errorf("with nothing to do it rests for %v", got)
	}
	f.waits("first", "BLPOP "+queue+" 0.05")
	if got := r.Rest(); !f.stirred() || got < 46*time.Millisecond || got > 50*time.Millisecond {
		t.Errorf("with somebody who waits for 50 ms it rests for %v, and may not have been told", got)
	}
}

// stirred reports whether the reaper was told that it has something to do.
func (h *harness) stirred() bool {
	select {
	case <-h.gateway.Store.Stirred():
		return true
	default:
		return false
	}
}
