package gateway

import (
	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/identity"
)

// UserWatch notices users who may not come in any more, and has the other gateways keep them out as well. It is for one
// goroutine.
type UserWatch struct {
	g          *Gateway
	generation uint64
	enabled    map[string]bool
}

// WatchUsers begins to watch: who is enabled now counts from now on.
func (g *Gateway) WatchUsers() *UserWatch {
	w := &UserWatch{g: g}
	w.look()
	return w
}

// look notes who is enabled, and returns who was and is no longer.
func (w *UserWatch) look() (ended []string) {
	w.generation = w.g.Directory.Generation()
	enabled := map[string]bool{}
	for _, u := range w.g.Directory.Users() {
		if u.Enabled {
			enabled[u.Name] = true
		}
	}
	for name := range w.enabled {
		if !enabled[name] {
			ended = append(ended, name)
		}
	}
	w.enabled = enabled
	return ended
}

// disabledUsers are users who were disabled or removed at another gateway.
type disabledUsers struct {
	Users []string `json:"users"`
}

// Tell tells the other gateways who was disabled or removed here since the last call.
func (w *UserWatch) Tell() {
	if w.g.Directory.Generation() == w.generation {
		return
	}
	if ended := w.look(); len(ended) > 0 {
		w.g.tell(newsUsers, encodeNews(&disabledUsers{Users: ended}))
	}
}

// disable keeps users out here whom another gateway keeps out, and ends their connections. Nobody is let in on a word from
// elsewhere: to enable a user again is done at each gateway.
func (g *Gateway) disable(d *disabledUsers) {
	var batch audit.Batch
	err := g.Directory.Update(func(draft *identity.Draft) error {
		for _, name := range d.Users {
			u, ok := g.Directory.Lookup(name)
			if !ok || !u.Enabled {
				continue
			}
			if err := draft.Enable(name, false); err != nil {
				return err
			}
			batch.Add(&audit.Record{At: g.Clock.Wall(), Actor: g.system, Action: audit.Admin, Outcome: audit.OK, Detail: "user=" + name + " disabled=elsewhere"})
		}
		return nil
	})
	if err != nil {
		g.Log.Error("a user who was disabled at another gateway cannot be disabled here", "error", err)
		return
	}
	g.EndSessions()
	if batch.Len() > 0 {
		if err := g.Audit.Commit(&batch); err != nil {
			g.Log.Error("the audit log cannot be written; commands are refused until it can", "error", err)
		}
	}
}

// anyEnabled reports whether there is anything to do.
func (g *Gateway) anyEnabled(names []string) bool {
	for _, name := range names {
		if u, ok := g.Directory.Lookup(name); ok && u.Enabled {
			return true
		}
	}
	return false
}
