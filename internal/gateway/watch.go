package gateway

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

// watch is one key that one connection watches.
type watch struct {
	s       *Session
	at      *named[[]*watch]
	existed bool // there was an entry when the watching began
}

// watches are all watched keys.
type watches struct {
	n    atomic.Int64
	mu   sync.Mutex
	keys names[[]*watch]
}

// maxWatched is how many keys a connection may watch.
const maxWatched = 100_000

// Watch makes the next Exec fail when one of the call's keys changes before. It runs under the keys' locks.
func (s *Session) Watch(c *command.Call) {
	if s.touched.Load() {
		return // the next Exec fails already
	}
	x := &s.g.interest.watches
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range c.Keys {
		k := x.keys.add(c.Keys[i].Tenant, c.Keys[i].Name)
		if len(s.watching) >= maxWatched || slices.ContainsFunc(k.value, func(w *watch) bool { return w.s == s }) {
			continue
		}
		w := &watch{s: s, at: k, existed: c.Peek(i).Exists()}
		k.value = append(k.value, w)
		s.watching = append(s.watching, w)
		x.n.Add(1)
		s.g.interest.n.Add(1)
	}
}

// Unwatch forgets what is watched.
func (s *Session) Unwatch() {
	s.touched.Store(false)
	s.unwatchUpstream()
	if len(s.watching) == 0 {
		return
	}
	x := &s.g.interest.watches
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range s.watching {
		w.at.value = slices.DeleteFunc(w.at.value, func(other *watch) bool { return other == w })
		if len(w.at.value) == 0 {
			x.keys.remove(w.at)
		}
		x.n.Add(-1)
		s.g.interest.n.Add(-1)
	}
	clear(s.watching)
	s.watching = s.watching[:0]
}

// touch fails the next Exec of all who watch a key.
func (x *watches) touch(t engine.TenantID, name []byte) { x.fail(t, name, false) }

// touchGone is touch for a key that nobody changed: its entry's time was up. Whoever began to watch when it was up already
// sees no change in that.
func (x *watches) touchGone(t engine.TenantID, name []byte) { x.fail(t, name, true) }

func (x *watches) fail(t engine.TenantID, name []byte, gone bool) {
	if x.n.Load() == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.keys.find(t, name); k != nil {
		for _, w := range k.value {
			if w.existed || !gone {
				w.s.touched.Store(true)
			}
		}
	}
}

// watchedChanged reports whether a watched key is not what it was. One whose deadline has passed has changed, whether it
// was erased yet or not. The keys' shards are held.
func (s *Session) watchedChanged() bool {
	if s.touched.Load() {
		return true
	}
	for _, w := range s.watching {
		k := s.g.Store.Key(w.at.tenant, 0, w.at.name)
		if w.existed && !s.worker.tx.Peek(&k).Exists() {
			return true
		}
	}
	return false
}
