package policy_test

import (
	"math"
	"testing"

	"github.com/lethe-cache/lethe/internal/policy"
	"pgregory.net/rapid"
)

// model is what an entry may never exceed, kept apart from the times that the policy gives it: the end of the life that
// began with each whole write that any part of the value stems from.
type model struct {
	entry
	lastAt int64
}

func lifeEnd(c *policy.Category, bornAt int64) int64 {
	if c.Expiry == policy.Idle {
		return bornAt + c.MaxAge.Milliseconds()
	}
	return bornAt + c.Ceiling.Milliseconds()
}

func drawAsk(t *rapid.T, now int64) policy.Ask {
	return policy.Ask{
		Kind: policy.AskKind(rapid.IntRange(0, 3).Draw(t, "kind")),
		At: rapid.OneOf(rapid.Int64(), rapid.Int64Range(now-1000, now+1000), rapid.Int64Range(now, now+20*3600*1000)).
			Draw(t, "at"),
	}
}

// Whatever is done in whatever order, no entry outlives the whole writes that its value stems from.
func TestNoSequenceExceedsTheLimits(t *testing.T) {
	t.Parallel()
	categories := policy.Default().Categories()
	rapid.Check(t, func(t *rapid.T) {
		now := rapid.Int64Range(0, 1<<40).Draw(t, "start")
		entries := make(map[string]model)
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 100_000), rapid.Int64Range(0, 4_000_000)).Draw(t, "wait")
			for name, e := range entries {
				if e.times.ExpiresAt <= now {
					delete(entries, name)
				}
			}
			name, ask := names.Draw(t, "name"), drawAsk(t, now)
			old, exists := entries[name]
			next := model{entry: entry{category: rapid.SampledFrom(categories).Draw(t, "category")}}
			var verdict policy.Verdict
			switch rapid.IntRange(0, 2).Draw(t, "operation") {
			case 0:
				next.times, verdict = next.category.Write(now, ask, old.times, exists)
				next.lastAt = lifeEnd(next.category, now)
			case 1:
				if !exists {
					continue
				}
				next = old
				next.times, verdict = old.category.Change(now, ask, old.times)
			case 2:
				sources := rapid.SliceOfN(names, 1, 3).Draw(t, "sources")
				bound, lastAt := policy.Bound{ExpiresAt: math.MaxInt64, LastAt: math.MaxInt64}, lifeEnd(next.category, now)
				for _, source := range sources {
					s := entries[source]
					if s.category == nil {
						bound = bound.And(policy.Bound{})
						continue
					}
					bound, lastAt = bound.And(s.category.Bound(s.times)), min(lastAt, s.lastAt)
				}
				next.times, verdict = next.category.Derive(now, ask, bound)
				next.lastAt = lastAt
				if verdict != policy.Refused && verdict != policy.Expired && next.times.ExpiresAt > bound.ExpiresAt {
					t.Fatalf("derived %+v outlives its sources %+v", next.times, bound)
				}
			}
			checkStep(t, now, next, verdict)
			switch verdict {
			case policy.Granted, policy.Clamped:
				entries[name] = next
			case policy.Expired:
				delete(entries, name)
			}
		}
	})
}

func checkStep(t *rapid.T, now int64, e model, verdict policy.Verdict) {
	switch verdict {
	case policy.Granted, policy.Clamped:
		switch at := e.times.ExpiresAt; {
		case at <= now:
			t.Fatalf("%s at %d, although that has passed at %d", verdict, at, now)
		case at > now+e.category.Ceiling.Milliseconds():
			t.Fatalf("%s expires at %d, more than its ceiling after %d", e.category.Name, at, now)
		case at > e.lastAt:
			t.Fatalf("%s expires at %d, after %d, where its life ends", e.category.Name, at, e.lastAt)
		}
	case policy.Expired:
		if e.times.ExpiresAt > now {
			t.Fatalf("expired, but its times end at %d, after %d", e.times.ExpiresAt, now)
		}
	case policy.Refused:
	default:
		t.Fatalf("verdict %d", verdict)
	}
}

// No numbers make the arithmetic go wrong, not even those that a clock never shows.
func TestAnyNumbersAreSafe(t *testing.T) {
	t.Parallel()
	categories := policy.Default().Categories()
	edge := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{
		math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}))
	rapid.Check(t, func(t *rapid.T) {
		c := *rapid.SampledFrom(categories).Draw(t, "category")
		c.OnExcess = policy.Excess(rapid.IntRange(0, 2).Draw(t, "excess"))
		now := edge.Draw(t, "now")
		ask := policy.Ask{Kind: policy.AskKind(rapid.IntRange(0, 5).Draw(t, "kind")), At: edge.Draw(t, "at")}
		old := policy.Times{BornAt: edge.Draw(t, "born"), ExpiresAt: edge.Draw(t, "expires")}
		bound := policy.Bound{ExpiresAt: edge.Draw(t, "bound"), LastAt: edge.Draw(t, "last")}
		check := func(times policy.Times, verdict policy.Verdict) {
			t.Helper()
			if ask.Kind > policy.AskPersist && verdict != policy.Refused && verdict != policy.Expired {
				t.Fatalf("an unknown kind of ask was %s", verdict)
			}
			if verdict == policy.Refused {
				return
			}
			// Written without a sum, which could overflow.
			if over := times.ExpiresAt - c.Ceiling.Milliseconds(); times.ExpiresAt > now && over > now && over < times.ExpiresAt {
				t.Fatalf("expires at %d, more than the ceiling after %d", times.ExpiresAt, now)
			}
		}
		check(c.Write(now, ask, old, rapid.Bool().Draw(t, "exists")))
		check(c.Change(now, ask, old))
		check(c.Derive(now, ask, bound))
	})
}

// What was never set has expired, and a category that was never set allows nothing.
func TestZeroValuesAllowNothing(t *testing.T) {
	t.Parallel()
	f := func(_ policy.Times, got policy.Verdict) {
		t.Helper()
		if got != policy.Expired && got != policy.Refused {
			t.Errorf("got %s, want expired or refused", got)
		}
	}
	var zero policy.Category
	phi := policy.Default().Category("phi")
	for _, kind := range []policy.AskKind{policy.AskNone, policy.AskAt, policy.AskKeep, policy.AskPersist} {
		ask := policy.Ask{Kind: kind, At: 1000}
		f(zero.Write(1, ask, policy.Times{}, false))
		f(zero.Change(1, ask, policy.Times{BornAt: 1, ExpiresAt: 1000}))
		f(zero.Derive(1, ask, policy.Bound{ExpiresAt: 1000, LastAt: 1000}))
		f(phi.Derive(1, ask, policy.Bound{}))
	}
	f(phi.Change(1, policy.Ask{}, policy.Times{}))
	f(phi.Change(1, policy.Ask{Kind: policy.AskKeep}, policy.Times{}))
}
