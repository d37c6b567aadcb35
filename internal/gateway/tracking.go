package gateway

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

// tracking remembers which connections may hold copies of which entries, so that they can be told to forget them. Entries
// with PHI are never tracked: a connection that reads one while it tracks is told to forget it at once.
type tracking struct {
	n      atomic.Int64
	broad  atomic.Int64 // of those that track by prefix
	mu     sync.Mutex
	keys   names[[]tracker]
	counts map[engine.TenantID]tracked
	wide   map[engine.TenantID][]*tracks // those that track by prefix
	most   int                           // keys that are remembered; 0: maxTracked
	abroad abroad                        // in front of an upstream
}

// tracked is how much is remembered for one tenant.
type tracked struct{ keys, items int }

// tracker is a connection that read a key.
type tracker struct{ of *tracks }

// tracks is what CLIENT TRACKING chose for a connection. It does not change while it is registered.
type tracks struct {
	command.Tracking
	s      *Session
	to     *Session // who is told
	broken atomic.Bool

	caching bool // CLIENT CACHING was sent; it holds for the next command. Only the connection's own loop looks at it
}

// maxTracked bounds the keys that are remembered for all connections together.
const maxTracked = 1_000_000

// Track turns client-side caching on, with the choices of t, or off. It returns false when the connection to redirect to
// is not there.
func (s *Session) Track(t *command.Tracking) bool {
	if t == nil {
		s.stopTracking()
		return true
	}
	to := s
	if t.Redirect != 0 && t.Redirect != s.about.id {
		to = nil
		s.g.visible(s, func(other *Session) {
			if other.about.id == t.Redirect {
				to = other
			}
		})
		if to == nil {
			return false
		}
	}
	s.stopTracking()
	x := &s.g.interest.tracking
	s.tracks = &tracks{Tracking: *t, s: s, to: to}
	s.about.tracking.Store(s.tracks)
	s.g.interest.n.Add(1)
	x.register(s.tracks)
	if t.Broadcast && s.g.upstream != nil {
		s.g.tellWants()
	}
	return true
}

// register makes tracking begin.
func (x *tracking) register(t *tracks) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.n.Add(1)
	if t.Broadcast {
		x.broad.Add(1)
		for _, id := range t.s.trackable() {
			if x.wide == nil {
				x.wide = map[engine.TenantID][]*tracks{}
			}
			x.wide[id] = append(x.wide[id], t)
		}
	}
}

// trackable are the tenants whose entries the connection may read: its own, and the global one.
func (s *Session) trackable() []engine.TenantID {
	global := s.g.Tenants()[0].ID
	if slices.Contains(s.ids, global) {
		return s.ids
	}
	return append(slices.Clone(s.ids), global)
}

// Tracks returns what CLIENT TRACKING chose; nil: it is off.
func (s *Session) Tracks() *command.Tracking {
	if s.tracks == nil {
		return nil
	}
	t := s.tracks.Tracking
	t.Caching, t.Broken = s.tracks.caching, s.tracks.broken.Load()
	return &t
}

// Caching notes CLIENT CACHING for the next command.
func (s *Session) Caching() { s.tracks.caching = true }

func (s *Session) stopTracking() {
	gone := s.tracks
	if gone == nil {
		return
	}
	s.tracks = nil
	s.about.tracking.Store(nil)
	s.g.interest.n.Add(-1)
	x := &s.g.interest.tracking
	x.mu.Lock()
	defer x.mu.Unlock()
	x.n.Add(-1)
	if gone.Broadcast {
		x.broad.Add(-1)
	}
	for id, all := range x.wide {
		if x.wide[id] = slices.DeleteFunc(all, func(t *tracks) bool { return t == gone }); len(x.wide[id]) == 0 {
			delete(x.wide, id)
		}
	}
	var empty []*named[[]tracker]
	x.keys.each(func(k *named[[]tracker]) bool {
		before := len(k.value)
		k.value = slices.DeleteFunc(k.value, func(t tracker) bool { return t.of == gone })
		x.count(k.tenant, 0, len(k.value)-before)
		if len(k.value) == 0 {
			empty = append(empty, k)
		}
		return true
	})
	for _, k := range empty {
		x.remove(k, 0)
	}
}

// count notes keys, and connections that may have copies of them, which came or went.
func (x *tracking) count(t engine.TenantID, keys, items int) {
	if x.counts == nil {
		x.counts = map[engine.TenantID]tracked{}
	}
	was := x.counts[t]
	x.counts[t] = tracked{was.keys + keys, was.items + items}
}

// remove forgets a key that so many connections had copies of.
func (x *tracking) remove(k *named[[]tracker], items int) {
	x.count(k.tenant, -1, -items)
	x.keys.remove(k)
}

// total is what is remembered for some tenants, and by how many prefixes their connections track.
func (x *tracking) total(tenants []engine.TenantID) (sum tracked, prefixes int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	known := map[string]bool{}
	for _, t := range tenants {
		sum.keys += x.counts[t].keys
		sum.items += x.counts[t].items
		for _, one := range x.wide[t] {
			for _, p := range one.Prefixes {
				known[p] = true
			}
			if len(one.Prefixes) == 0 {
				known[""] = true
			}
		}
	}
	return sum, len(known)
}

// bound has at most so many keys remembered from now on.
func (x *tracking) bound(o *outbox, most int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.most = most
	for x.keys.n > x.limit() {
		x.forgetAny(o)
	}
}

func (x *tracking) limit() int {
	if x.most > 0 {
		return x.most
	}
	return maxTracked
}

func (x *tracking) forgetAny(o *outbox) {
	var victim *named[[]tracker]
	x.keys.each(func(k *named[[]tracker]) bool { victim = k; return false })
	x.forget(o, victim, nil)
}

// track remembers that the connection read the command's keys. It runs under their locks, so that no change comes between
// the reading and this.
func (w *Worker) track() {
	t := w.session.tracks
	if w.call.Failed || !w.session.mayTrack() {
		return
	}
	for i := range w.call.Keys {
		k := &w.call.Keys[i]
		switch {
		case w.placed[i].category.PHI:
			w.root().outbox.invalidation(t, newMessage("invalidate", k.Name))
		case !t.Broadcast:
			w.g.interest.tracking.add(&w.root().outbox, t, k)
		}
	}
}

func (x *tracking) add(o *outbox, t *tracks, k *engine.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.addLocked(o, t, k)
}

// addLocked is add for who holds the lock.
func (x *tracking) addLocked(o *outbox, t *tracks, k *engine.Key) {
	entry := x.keys.find(k.Tenant, k.Name)
	if entry == nil {
		if x.keys.n >= x.limit() {
			x.forgetAny(o)
		}
		entry = x.keys.add(k.Tenant, k.Name)
		x.count(k.Tenant, 1, 0)
	}
	if !slices.Contains(entry.value, tracker{t}) {
		entry.value = append(entry.value, tracker{t})
		x.count(k.Tenant, 0, 1)
	}
}

// invalidate tells who may hold a copy of a key to forget it. by changed it.
func (o *outbox) invalidate(x *tracking, t engine.TenantID, name []byte, by *Session) {
	if x.n.Load() == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.keys.find(t, name); k != nil {
		k.value = slices.DeleteFunc(k.value, func(one tracker) bool { return one.of.Broadcast }) // they are told below
		x.forget(o, k, by)
	}
	for _, t := range x.wide[t] {
		if p, matches := t.prefixOf(name); matches && !(t.NoLoop && t.s == by) {
			o.gather(t, p, name)
		}
	}
}

func (x *tracking) forget(o *outbox, k *named[[]tracker], by *Session) {
	var m *message
	for _, t := range k.value {
		if t.of.NoLoop && t.of.s == by {
			continue
		}
		if m == nil {
			m = newMessage("invalidate", k.name)
		}
		o.invalidation(t.of, m)
	}
	x.remove(k, len(k.value))
}

// invalidateAll tells everybody who tracks a tenant's entries to forget all copies.
func (o *outbox) invalidateAll(x *tracking, t engine.TenantID, by *Session) {
	if x.n.Load() == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	told := map[*tracks]bool{}
	tell := func(t *tracks) {
		if !told[t] {
			told[t] = true
			o.invalidation(t, newMessage("invalidate"))
		}
	}
	var gone []*named[[]tracker]
	x.keys.each(func(k *named[[]tracker]) bool {
		if k.tenant == t {
			for _, one := range k.value {
				tell(one.of)
			}
			gone = append(gone, k)
		}
		return true
	})
	for _, k := range gone {
		x.remove(k, len(k.value))
	}
	for _, one := range x.wide[t] {
		tell(one)
	}
}

// invalidateWide tells everybody who tracks by prefix, of whatever tenant, to forget all copies.
func (o *outbox) invalidateWide(x *tracking) {
	x.mu.Lock()
	defer x.mu.Unlock()
	told := map[*tracks]bool{}
	for _, all := range x.wide {
		for _, t := range all {
			if !told[t] {
				told[t] = true
				o.invalidation(t, newMessage("invalidate"))
			}
		}
	}
}
