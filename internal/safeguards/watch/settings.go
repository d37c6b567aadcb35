package watch

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// Settings say what is enforced, and how far. Zero means the default that is named; no time of grace can be zero.
type Settings struct {
	Rules  []string      // whose failure is enforced: Enforceable()
	Grace  time.Duration // from when a failure is first seen until quarantine: 72 h, at least 1 h
	Delete bool          // go on to the second phase
	Hold   time.Duration // from quarantine until deletion: 7 days, at least 24 h
	// NewWithin deletes caches that fail and are younger than this, without grace and snapshot, as they have no data yet: off.
	NewWithin time.Duration
	Budget    Budget
	KMSKey    string // for the snapshots before deletion
}

// Budget bounds how many caches are quarantined or deleted. Each zero is the default that is named.
type Budget struct {
	PerRun, PerDay               int     // 3 and 10 caches
	PercentPerRun, PercentPerDay float64 // 2 and 5 percent of all caches that are known, rounded down
}

// Enforceable are the rules that can be enforced: what fails them is unfit for PHI as a whole, and quarantine helps.
func Enforceable() []string {
	return []string{"ENC-REST-01", "ENC-TLS-01", "AUTH-01", "VER-01", "VER-02", "NET-01"}
}

const (
	leastGrace = time.Hour
	leastHold  = 24 * time.Hour
	day        = 24 * time.Hour
)

// Complete fills in the defaults and tells what makes no sense.
func (s *Settings) Complete() error {
	if s.Rules == nil {
		s.Rules = Enforceable()
	}
	for _, r := range s.Rules {
		if !slices.Contains(Enforceable(), r) {
			return fmt.Errorf("cannot enforce %s: these can be: %v", r, Enforceable())
		}
	}
	s.Grace = orDefault(s.Grace, 3*day)
	s.Hold = orDefault(s.Hold, 7*day)
	b := &s.Budget
	b.PerRun, b.PerDay = orDefault(b.PerRun, 3), orDefault(b.PerDay, 10)
	b.PercentPerRun, b.PercentPerDay = orDefault(b.PercentPerRun, 2), orDefault(b.PercentPerDay, 5)
	switch {
	case s.Grace < leastGrace:
		return fmt.Errorf("cannot enforce with a grace under %v", leastGrace)
	case s.Hold < leastHold:
		return fmt.Errorf("cannot delete after less than %v of quarantine", leastHold)
	case s.NewWithin < 0 || s.NewWithin > day:
		return errors.New("cannot take a cache for new after more than 24 hours")
	case b.PerRun < 0 || b.PerDay < 0 || b.PercentPerRun < 0 || b.PercentPerDay < 0 || b.PercentPerRun > 100 || b.PercentPerDay > 100:
		return errors.New("cannot use a budget outside 0 to 100 percent")
	}
	return nil
}

func orDefault[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}

// remedySettings are those with which remedy does an action, and nothing else, for the enforced rules.
func (s *Settings) remedySettings(a remedy.Action) remedy.Settings {
	out := remedy.Settings{Actions: map[string]remedy.Action{}, KMSKey: s.KMSKey, CreationWindow: s.NewWithin}
	for _, rule := range s.Rules {
		if slices.Contains(remedy.Allowed(rule), a) {
			out.Actions[rule] = a
		}
	}
	if err := out.Complete(); err != nil {
		panic("BUG: watch's settings are none of remedy's: " + err.Error())
	}
	return out
}

// room says why the budget has no room for one more, empty if it has. known is how many caches there are.
func (b *Budget) room(known, inRun, inDay int) string {
	switch {
	case known == 0:
		return "no-population"
	case inRun >= b.PerRun:
		return "budget-run"
	case inDay >= b.PerDay:
		return "budget-day"
	case float64(inRun+1) > b.PercentPerRun*float64(known)/100:
		return "budget-run-percent"
	case float64(inDay+1) > b.PercentPerDay*float64(known)/100:
		return "budget-day-percent"
	default:
		return ""
	}
}
