package gateway

import (
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Stats counts what the gateway does. Workers count into their own tally and add it up once a round.
type Stats struct {
	commands        atomic.Uint64
	unauthenticated atomic.Uint64
	authFailures    atomic.Uint64
	panics          atomic.Uint64
	alarms          [upstream.Alarms]atomic.Uint64
	reapLate        atomic.Int64 // milliseconds, the worst since it was last read
	categories      int

	cells   atomic.Pointer[[]*CellStats] // by tenant and category
	growing sync.Mutex                   // held while cells is replaced

	Latency Latency
}

// CellStats counts for one category of one tenant.
type CellStats struct {
	outcomes [audit.Intended + 1]atomic.Uint64
}

// Outcome returns how many commands ended so on an entry of the tenant and category.
func (c *CellStats) Outcome(o audit.Outcome) uint64 { return c.outcomes[o].Load() }

func newStats(categories int) *Stats {
	s := &Stats{categories: categories}
	s.cells.Store(&[]*CellStats{})
	return s
}

// Cell returns the counts of one category of one tenant.
func (s *Stats) Cell(t engine.TenantID, category uint16) *CellStats {
	i := int(t)*s.categories + int(category)
	if cells := *s.cells.Load(); i < len(cells) {
		return cells[i]
	}
	s.growing.Lock()
	defer s.growing.Unlock()
	cells := append([]*CellStats(nil), *s.cells.Load()...)
	for i >= len(cells) {
		cells = append(cells, &CellStats{})
	}
	s.cells.Store(&cells)
	return cells[i]
}

func (s *Stats) removed(r engine.Removal) {
	o := audit.Expired
	switch r.Reason {
	case engine.Evicted:
		o = audit.Evicted
	case engine.FieldsExpired:
		return // the entry lives on
	}
	s.Cell(r.Tenant, r.Category).outcomes[o].Add(1)
}

// Sum adds up an outcome over a set of tenants, and over all categories.
func (s *Stats) Sum(tenants []engine.TenantID, o audit.Outcome) uint64 {
	var n uint64
	for _, t := range tenants {
		for c := range s.categories {
			n += s.Cell(t, uint16(c)).Outcome(o)
		}
	}
	return n
}

// Commands is how many commands were taken.
func (s *Stats) Commands() uint64 { return s.commands.Load() }

// AuthFailures is how many credentials were refused.
func (s *Stats) AuthFailures() uint64 { return s.authFailures.Load() }

// Unauthenticated is how many commands of nobody were refused.
func (s *Stats) Unauthenticated() uint64 { return s.unauthenticated.Load() }

// Panics is how many handlers failed.
func (s *Stats) Panics() uint64 { return s.panics.Load() }

// Alarms is how often an upstream answered so, which no honest one does.
func (s *Stats) Alarms(a upstream.Alarm) uint64 { return s.alarms[a].Load() }

// WorstLateness returns by how many milliseconds the latest erasure since the last call came after its deadline.
func (s *Stats) WorstLateness() int64 { return s.reapLate.Swap(0) }

// tally is one worker's counts of one round.
type tally struct {
	commands uint64
	counts   []tallied
}

type tallied struct {
	tenant   engine.TenantID
	category uint16
	outcome  audit.Outcome
	n        uint64
}

// count adds one; a round has few combinations, and those of neighbouring commands are mostly the same.
func (t *tally) count(tenant engine.TenantID, category uint16, o audit.Outcome) {
	for i := len(t.counts) - 1; i >= 0; i-- {
		if c := &t.counts[i]; c.tenant == tenant && c.category == category && c.outcome == o {
			c.n++
			return
		}
	}
	t.counts = append(t.counts, tallied{tenant, category, o, 1})
}

func (t *tally) flush(s *Stats) {
	s.commands.Add(t.commands)
	t.commands = 0
	for _, c := range t.counts {
		s.Cell(c.tenant, c.category).outcomes[c.outcome].Add(c.n)
	}
	t.counts = t.counts[:0]
}
