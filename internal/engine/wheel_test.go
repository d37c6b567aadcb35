package engine

import (
	"math/rand/v2"
	"testing"
)

// TestWheel drives a wheel with random deadlines, re-arming, disarming and clock jumps, and checks that every entry comes
// up once, not before its deadline and not later than the first look after it.
func TestWheel(t *testing.T) {
	a := newArena()
	rng := rand.New(rand.NewPCG(7, 8))
	w := &wheel{}
	live := map[ref]bool{}
	var refs []ref
	now := int64(123456789)
	w.tick = now >> tickShift
	at := func(r ref) *entry { return (*entry)(a.pointer(r)) }
	arm := func(r ref) {
		spans := []int64{10, 1000, 300_000, 86_400_000, 40 * 365 * 86_400_000}
		at(r).setMeta(Meta{ExpiresAt: now + rng.Int64N(spans[rng.IntN(len(spans))])})
		w.arm(a, r, at(r))
	}
	for range 20000 {
		switch rng.IntN(6) {
		case 0, 1, 2:
			r := a.alloc(entryHead)
			live[r] = true
			refs = append(refs, r)
			arm(r)
		case 3:
			if len(refs) > 0 {
				r := refs[rng.IntN(len(refs))]
				w.disarm(a, at(r))
				arm(r)
			}
		default:
			jumps := []int64{1, 5, 900, 70_000, 500_000_000}
			now += rng.Int64N(jumps[rng.IntN(len(jumps))])
			for {
				r, done := w.due(a, now, 1+rng.IntN(20))
				if r == 0 && done {
					break
				}
				if r == 0 {
					continue
				}
				if at(r).expiresAt() > now {
					t.Fatalf("an entry came up %d ms early", at(r).expiresAt()-now)
				}
				w.disarm(a, at(r))
				delete(live, r)
				a.free(r, entryHead)
			}
			for r := range live {
				if late := now - at(r).expiresAt(); late >= 1<<tickShift {
					t.Fatalf("an entry is %d ms late", late)
				}
			}
			refs = refs[:0]
			for r := range live {
				refs = append(refs, r)
			}
		}
		if w.armed != len(live) {
			t.Fatalf("%d armed, want %d", w.armed, len(live))
		}
	}
}
