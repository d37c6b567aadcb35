package gateway

import (
	"strconv"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/engine"
)

// Flush erases every entry of the credential's tenants and adds a record with their number for each tenant. It is called
// by the command that runs, which must hold no locks of the store.
func (s *Session) Flush() int {
	w, total := s.worker, 0
	if w.job != nil {
		return s.flushUpstream(w.job)
	}
	for _, t := range s.tenants {
		n := 0
		w.tx.Flush(t.ID, func(e engine.Entry) {
			n++
			w.tally.count(t.ID, e.Meta().Category, audit.Deleted)
			if s.g.interest.n.Load() != 0 {
				if e.Meta().ExpiresAt > w.call.Now {
					s.g.interest.watches.touch(t.ID, e.Key())
				} else {
					s.g.interest.watches.touchGone(t.ID, e.Key())
				}
				if s.g.interest.waiters.wanted(t.ID, e.Key(), true) {
					w.root().ready.add(t.ID, e.Key())
				}
			}
		})
		total += n
		w.add(&audit.Record{
			At: w.call.WallNow, Actor: s.actor, Command: w.call.Spec.RecordName(), Action: audit.Delete, Outcome: audit.Deleted,
			Tenant: t.Name, Detail: "entries=" + strconv.Itoa(n),
		})
		w.root().outbox.invalidateAll(&s.g.interest.tracking, t.ID, s)
	}
	return total
}
