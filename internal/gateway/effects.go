package gateway

import (
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

// interest counts those who want to know when entries change: watched keys, waiting and tracking connections. While it is
// zero, which is the usual case, a command pays one load for all of them.
type interest struct {
	n        atomic.Int64
	watches  watches
	waiters  waiters
	tracking tracking
}

func (i *interest) init() {
	i.watches.keys = newNames[[]*watch]()
	i.waiters.keys = newNames[[]*waiter]()
	i.tracking.keys = newNames[[]tracker]()
	i.tracking.abroad.init()
}

// tell passes on what the command did, while the locks of its keys are held.
func (w *Worker) tell() {
	c := &w.call
	for i := range c.Told {
		if c.Told[i] != command.Stored && c.Told[i] != command.Deleted {
			continue
		}
		k := &c.Keys[i]
		w.changed(k.Tenant, k.Name, w.session)
		if w.g.interest.waiters.wanted(k.Tenant, k.Name, c.Told[i] == command.Deleted) {
			w.root().ready.add(k.Tenant, k.Name)
		}
	}
	if c.Spec.Flags&command.ReadOnly != 0 && c.Spec.Categories&command.CatScripting == 0 {
		w.track()
		if w.outer != nil && w.outer.inScript {
			w.outer.track() // a script has read, so what came of it depends on the keys that it declared
		}
	}
}

// changed tells those who watch or track a key that it is not what it was. by is the session that changed it, nil when it
// went by itself.
func (w *Worker) changed(t engine.TenantID, name []byte, by *Session) {
	w.g.interest.watches.touch(t, name)
	w.root().outbox.invalidate(&w.g.interest.tracking, t, name, by)
}

// removed tells of an entry that went by itself; gone gets its key when somebody waits who wants to know.
func (g *Gateway) removed(o *outbox, gone *ready, r engine.Removal) {
	if g.interest.n.Load() != 0 {
		g.interest.watches.touchGone(r.Tenant, r.Key)
		o.invalidate(&g.interest.tracking, r.Tenant, r.Key, nil)
		if g.interest.waiters.wanted(r.Tenant, r.Key, true) {
			gone.add(r.Tenant, r.Key)
		}
	}
	switch r.Reason {
	case engine.Expired:
		g.notice(o, r.Tenant, command.NoticeExpired, "expired", r.Key)
	case engine.Evicted:
		g.notice(o, r.Tenant, command.NoticeEvicted, "evicted", r.Key)
	}
}
