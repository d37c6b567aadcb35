package gateway

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Client-side caching in front of an upstream. An entry that a client reads may be changed by any gateway, by its deadline, or
// by whoever types at the upstream, so it is followed there from what was read (upstream.Backend.Follow). What this gateway's
// own clients change is told at once, and what other gateways' do is told to those that track by prefix (tracking_abroad.go),
// since they want to hear of entries that nobody has read.

// mayTrack reports whether what the connection reads next is tracked for it; by prefix everything is.
func (s *Session) mayTrack() bool {
	t := s.tracks
	return t != nil && (t.Broadcast || !(t.OptIn && !t.caching || t.OptOut && t.caching))
}

// quit ends the tracking of entries that a NOLOOP connection is about to write: the upstream may tell of the change before its
// own answer is here, and does not say whose it was.
func (j *job) quit() {
	t := j.session.tracks
	if t == nil || !t.NoLoop || !j.call.Spec.IsWrite() {
		return
	}
	x := &j.g.interest.tracking
	x.mu.Lock()
	defer x.mu.Unlock()
	j.quitted = j.quitted[:0]
	for i := range j.call.Keys {
		j.quitted = append(j.quitted, x.quit(t, j.placed[i].tenant.ID, j.call.Keys[i].Name))
	}
}

// quit takes one connection away from a key, and reports whether it may have had a copy.
func (x *tracking) quit(t *tracks, tenant engine.TenantID, name []byte) bool {
	k := x.keys.find(tenant, name)
	if k == nil {
		return false
	}
	for i := range k.value {
		if k.value[i].of != t {
			continue
		}
		k.value[i] = k.value[len(k.value)-1]
		k.value = k.value[:len(k.value)-1]
		x.count(tenant, 0, -1)
		if len(k.value) == 0 {
			x.remove(k, 0)
		}
		return true
	}
	return false
}

// tellTracking passes on what a command did upstream, when it has ended.
func (j *job) tellTracking() {
	x, c, o := &j.g.interest.tracking, &j.call, &j.root().outbox
	here := x.n.Load() > 0
	if !here && !x.abroad.any.Load() {
		return
	}
	for i := range c.Told {
		switch t := j.session.tracks; {
		case c.Told[i] == command.Stored || c.Told[i] == command.Deleted:
			j.g.changedHere(o, j.placed[i].tenant, c.Keys[i].Name, j.session)
		case j.task.Doubtful && c.Spec.IsWrite():
			j.g.changedHere(o, j.placed[i].tenant, c.Keys[i].Name, nil)
		case t != nil && i < len(j.quitted) && j.quitted[i]: // it has a copy that is not followed any more
			o.invalidation(t, newMessage("invalidate", c.Keys[i].Name))
		}
	}
	if here && (c.Spec.Flags&command.ReadOnly != 0 || j.read) && !c.Failed {
		j.follow()
	}
}

// changedHere tells who tracks a key, at this gateway and by prefix at the others, that it is not what it was.
func (g *Gateway) changedHere(o *outbox, t *Tenant, name []byte, by *Session) {
	o.invalidate(&g.interest.tracking, t.ID, name, by)
	g.relayInvalidation(t, name)
}

// follow has the entries that were read followed for those who track them: the connection, and all that track by a prefix of
// theirs, whose copies may come by way of any connection.
func (j *job) follow() {
	mine := j.session.tracks
	if !j.tracked {
		mine = nil
	}
	if mine == nil && j.g.interest.tracking.broad.Load() == 0 {
		return
	}
	for i := range j.call.Keys {
		name := j.call.Keys[i].Name
		if j.placed[i].category.PHI {
			if mine != nil {
				j.root().outbox.invalidation(mine, newMessage("invalidate", name))
			}
			continue
		}
		j.followKey(mine, j.placed[i].tenant.ID, i)
	}
}

func (j *job) followKey(mine *tracks, t engine.TenantID, i int) {
	x, o, name := &j.g.interest.tracking, &j.root().outbox, j.call.Keys[i].Name
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []*tracks
	if mine != nil && !mine.Broadcast {
		all = append(all, mine)
	}
	for _, one := range x.wide[t] {
		if _, matches := one.prefixOf(name); matches {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return
	}
	switch j.g.upstream.Follow(t, name, &j.task, i) { // with the lock, so that what it tells comes later
	case upstream.NotFollowed:
		for _, one := range all {
			o.invalidation(one, newMessage("invalidate", name))
		}
		return
	case upstream.FollowedAnew:
		if k := x.keys.find(t, name); k != nil {
			x.forget(o, k, nil)
		}
		j.g.interest.waiters.signal(t, name)
	}
	key := engine.Key{Tenant: t, Name: name}
	for _, one := range all {
		x.addLocked(o, one, &key)
	}
}

// prefixOf returns the prefix by which a broadcasting connection tracks a key.
func (t *tracks) prefixOf(name []byte) (prefix string, matches bool) {
	for _, p := range t.Prefixes {
		if bytes.HasPrefix(name, []byte(p)) {
			return p, true
		}
	}
	return "", len(t.Prefixes) == 0
}

// heard is what the upstream tells the gateway of entries that are followed.
type heard struct{ g *Gateway }

// UpstreamHearer returns who is to be told of entries that are followed.
func (g *Gateway) UpstreamHearer() upstream.Hearer { return heard{g} }

// Changed tells who has a copy of an entry to forget it, and who waits for it to look.
func (h heard) Changed(t engine.TenantID, key []byte) {
	x := &h.g.interest.tracking
	var o outbox
	x.mu.Lock()
	if k := x.keys.find(t, key); k != nil {
		x.forget(&o, k, nil)
		o.send(true) // with the lock: a write of this gateway that finds nobody to tell is answered after this
	}
	x.mu.Unlock()
	h.g.interest.waiters.signal(t, key)
}

// Lost tells who has copies of such entries to forget everything, and who waits for one to look.
func (h heard) Lost(all []upstream.Kept) {
	x := &h.g.interest.tracking
	var o outbox
	x.mu.Lock()
	told := map[*tracks]bool{}
	for _, one := range all {
		k := x.keys.find(one.Tenant, one.Key)
		if k == nil {
			continue
		}
		for _, t := range k.value {
			if !told[t.of] {
				told[t.of] = true
				o.invalidation(t.of, newMessage("invalidate"))
			}
		}
		x.remove(k, len(k.value))
	}
	o.send(true)
	x.mu.Unlock()
	for _, one := range all {
		h.g.interest.waiters.signal(one.Tenant, one.Key)
	}
}
