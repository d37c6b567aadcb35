package gateway

import (
	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
)

// foreign is a key that a command made out of data, and that was placed last.
type foreign struct {
	name  []byte
	place placement
}

// Foreign places a key that the running command made out of data, and checks it as if it stood among its arguments to be
// read. The command holds every shard.
func (s *Session) Foreign(c *command.Call, name []byte) (engine.Key, bool) {
	w := s.worker
	tenant, m := s.placeName(name)
	w.foreign = foreign{name, placement{tenant: tenant, category: m.Category, subject: m.Subject}}
	allowed := tenant != nil && m.Source != policy.Conflict && !(m.Category.PHI && tenant.Name == GlobalTenant) &&
		s.user.Permissions().WithKey(w.paths, name, identity.Read) != 0 && !s.g.revoked(&w.foreign.place, name, c.Now)
	if !allowed {
		w.recordForeign(audit.Denied)
		return engine.Key{}, false
	}
	return s.g.Store.Key(tenant.ID, m.Category.ID, name), true
}

// FoundForeign records what the key held that Foreign placed last.
func (s *Session) FoundForeign(_ *command.Call, o command.Outcome) {
	s.worker.recordForeign(outcomes[o])
}

func (w *Worker) recordForeign(o audit.Outcome) {
	p := &w.foreign.place
	r := audit.Record{At: w.call.WallNow, Actor: w.session.actor, Command: w.call.Spec.RecordName(), Action: audit.Read, Outcome: o,
		Key: w.foreign.name, Category: p.category.Name}
	switch {
	case p.tenant != nil:
		r.Tenant, r.Subject = p.tenant.Name, p.subject
		w.tally.count(p.tenant.ID, p.category.ID, o)
	case w.session.home != nil:
		r.Tenant = w.session.home.Name
	}
	if recorded(p.category, o, w.call.Spec) {
		w.add(&r)
	}
}
