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
	for _, t := range s.tenants {
		n := 0
		s.g.Store.Flush(t.ID, w.call.Now, func(e engine.Entry) {
			n++
			w.tally.count(t.ID, e.Meta().Category, audit.Deleted)
		})
		total += n
		w.batch.Add(&audit.Record{
			At: w.call.WallNow, Actor: s.actor, Command: w.call.Spec.RecordName(), Action: audit.Delete, Outcome: audit.Deleted,
			Tenant: t.Name, Detail: "entries=" + strconv.Itoa(n),
		})
	}
	return total
}
