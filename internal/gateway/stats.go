package gateway

import (
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/engine"
)

// Stats counts what the gateway does. Workers count into their own tally and add it up once a round.
type Stats struct {
	commands        atomic.Uint64
	unauthenticated atomic.Uint64
	authFailures    atomic.Uint64
	panics          atomic.Uint64
	categories      []CategoryStats
	reapLate        atomic.Int64 // milliseconds, the worst since it was last read
}

// CategoryStats counts for one category.
type CategoryStats struct {
	Outcomes             [audit.Intended + 1]atomic.Uint64 // by audit.Outcome
	Expirations, Evicted atomic.Uint64
}

func newStats(categories int) *Stats {
	return &Stats{categories: make([]CategoryStats, categories)}
}

func (s *Stats) removed(category uint16, why engine.Reason) {
	if why == engine.Evicted {
		s.categories[category].Evicted.Add(1)
	} else {
		s.categories[category].Expirations.Add(1)
	}
}

// Commands is how many commands were taken.
func (s *Stats) Commands() uint64 { return s.commands.Load() }

// AuthFailures is how many credentials were refused.
func (s *Stats) AuthFailures() uint64 { return s.authFailures.Load() }

// Unauthenticated is how many commands of nobody were refused.
func (s *Stats) Unauthenticated() uint64 { return s.unauthenticated.Load() }

// Panics is how many handlers failed.
func (s *Stats) Panics() uint64 { return s.panics.Load() }

// Category returns the counts of a category by number.
func (s *Stats) Category(id int) *CategoryStats { return &s.categories[id] }

// WorstLateness returns by how many milliseconds the latest erasure since the last call came after its deadline.
func (s *Stats) WorstLateness() int64 { return s.reapLate.Swap(0) }

// tally is one worker's counts of one round.
type tally struct {
	counts  [][audit.Intended + 1]uint32
	touched []uint16
}

func (t *tally) init(categories int) { t.counts = make([][audit.Intended + 1]uint32, categories) }

func (t *tally) count(category uint16, o audit.Outcome) {
	t.counts[category][o]++
	if n := len(t.touched); n == 0 || t.touched[n-1] != category {
		t.touched = append(t.touched, category)
	}
}

func (t *tally) flush(s *Stats) {
	for _, category := range t.touched {
		for o := range t.counts[category] {
			if n := t.counts[category][o]; n != 0 {
				s.categories[category].Outcomes[o].Add(uint64(n))
				t.counts[category][o] = 0
			}
		}
	}
	t.touched = t.touched[:0]
}
