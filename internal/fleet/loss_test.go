package fleet_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

// A change that the bus has lost is there a moment later: a state tells of it, and it is asked for at once. What is lost once
// more costs as much again.
func TestALostChangeComesSoon(t *testing.T) {
	t.Parallel()
	const shared, wanted = 4, 5
	f := func(within time.Duration, lost map[byte]int) {
		t.Helper()
		in(t, func(t *testing.T, w *world) {
			a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
			pass(second)
			w.loses(func(_, _ *gateway, kind byte) bool { lost[kind]--; return lost[kind] >= 0 })
			began := time.Now()
			a.shelf.put(1)
			for b.shelf.has("a") != 1 {
				if pass(5 * time.Millisecond); time.Since(began) > 2*second {
					t.Fatalf("the change did not come; lost were %v", lost)
				}
			}
			if d := time.Since(began); d > within {
				t.Errorf("in force after %v, want %v", d, within)
			}
			w.serves(true, a, b)
		})
	}
	f(10*time.Millisecond, map[byte]int{})
	f(120*time.Millisecond, map[byte]int{shared: 1})
	f(450*time.Millisecond, map[byte]int{shared: 2})
	f(450*time.Millisecond, map[byte]int{shared: 1, wanted: 1})
}

// A gateway that hears of a change late has less time to get it: a second after the change it has it, or serves no PHI.
func TestWhoHearsLateHasLessTime(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(second)
		var kinds atomic.Int32 // of messages that pass, and lower ones
		w.loses(func(_, to *gateway, kind byte) bool { return to == b && int32(kind) > kinds.Load() })
		a.shelf.put(1)
		pass(700 * time.Millisecond)
		w.serves(true, b) // as if the other one had ended
		kinds.Store(1)    // states only
		pass(290 * time.Millisecond)
		w.serves(false, b)
		w.loses(nil)
		pass(second)
		w.serves(true, a, b)
	})
}

// Whatever is lost, of what another gateway has changed a second ago nobody lacks anything and serves, where two must hear each
// other.
func TestNobodyServesWithoutAChangeOfASecondAgo(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 2, nil), w.plug("b", 2, nil)
		pass(second)
		w.loses(func(_, _ *gateway, _ byte) bool { return rand.IntN(100) < 60 })
		type change struct {
			at     time.Time
			number uint64
		}
		var all []change
		served, made := 0, uint64(0)
		for i := range 6000 {
			if i%30 == 0 {
				made++
				a.shelf.put(1)
				all = append(all, change{time.Now(), made})
			}
			pass(10 * time.Millisecond)
			if !b.Serves() {
				continue
			}
			served++
			for len(all) > 0 && b.shelf.has("a") >= all[0].number {
				all = all[1:]
			}
			if len(all) > 0 && time.Since(all[0].at) > second {
				t.Fatalf("it serves %v after a change that it lacks", time.Since(all[0].at))
			}
		}
		t.Logf("b served in %d of 6000 looks", served)
		if served < 600 {
			t.Errorf("it served in %d of 6000 looks only", served)
		}
	})
}
