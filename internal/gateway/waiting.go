package gateway

import (
	"container/heap"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

// waiter is a connection that waits for a change of one of its command's keys, or, where it has none, for its time to be
// over. Whoever takes it, under the registry's lock, answers it: the worker that changed a key, the reaper when its time
// is up, or its own loop when the connection closes. In front of an upstream only its own loop answers it, and front says
// how far it is: see waiting_upstream.go.
type waiter struct {
	s     *Session
	kept  kept
	args  [][]byte
	keys  []*named[[]*waiter]
	gone  bool  // it wants to know of a key that is deleted, too
	until int64 // on the engine's clock; 0: it waits for ever
	state any
	place int // in the heap of times; -1: not there
	taken bool
	tried bool // a worker is trying to answer it
	front *inFront
}

// waiters are all that wait, by key in the order in which they came.
type waiters struct {
	n       atomic.Int64
	mu      sync.Mutex
	keys    names[[]*waiter]
	keyless []*waiter // WAIT's, which no change of a key answers
	times   waiterHeap
	looked  int64  // in front of an upstream: when those that wait were last told to look
	held    []held // in front of an upstream: who would take what others are about to get
}

// Block makes the connection wait. It is called under the locks of the call's keys, so that no change is missed.
func (s *Session) Block(c *command.Call, milliseconds int64) bool {
	if s.waiter != nil && s.waiter.front != nil {
		s.waiter.foundNothing(c.Now, milliseconds)
		return true
	}
	if s.g.upstream != nil && len(c.Keys) > 0 {
		return false // its connection has closed in this round
	}
	w := s.worker
	if w.retrying {
		w.waits, w.stateKept = true, c.State
		return true
	}
	if s.link == nil {
		return false
	}
	x := &waiter{s: s, gone: c.Spec.Group == "stream", state: c.State, place: -1}
	x.args = x.kept.add(c.Args)
	if milliseconds > 0 {
		x.until = c.Now + milliseconds
	}
	s.waiter = x
	s.g.interest.n.Add(1)
	s.g.interest.waiters.add(x, c.Keys)
	w.waits = true
	return true
}

// Waiting reports whether the connection waits for an answer; its next requests are not looked at meanwhile. Only the
// connection's own loop may ask.
func (s *Session) Waiting() bool { return s.waiter != nil || s.aside != nil || s.paused || s.held }

func (x *waiters) add(one *waiter, keys []engine.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.addLocked(one, keys)
	one.s.about.waits.Store(true)
}

func (x *waiters) addLocked(one *waiter, keys []engine.Key) {
	x.n.Add(1)
	for i := range keys {
		k := x.keys.add(keys[i].Tenant, keys[i].Name)
		if slices.Contains(one.keys, k) {
			continue // BLPOP k k 0
		}
		k.value = append(k.value, one)
		one.keys = append(one.keys, k)
	}
	if len(keys) == 0 {
		x.keyless = append(x.keyless, one)
	}
	if one.until > 0 {
		heap.Push(&x.times, one)
		if one.place == 0 {
			one.s.g.Store.Stir()
		}
	}
}

// nextDue is when the reaper has to look at those who wait, if that is before an instant.
func (x *waiters) nextDue(before int64) int64 {
	if x.n.Load() == 0 {
		return before
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.held {
		before = min(before, x.held[i].until)
	}
	if len(x.times) > 0 {
		before = min(before, x.times[0].until)
	}
	if x.looked > 0 {
		before = min(before, x.looked+lookEvery)
	}
	return before
}

// take makes the caller the one who answers; false means that another one does.
func (x *waiters) take(one *waiter) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.takeLocked(one)
}

func (x *waiters) takeLocked(one *waiter) bool {
	if one.taken {
		return false
	}
	one.taken = true
	x.n.Add(-1)
	one.s.about.waits.Store(false)
	for _, k := range one.keys {
		k.value = slices.DeleteFunc(k.value, func(w *waiter) bool { return w == one })
		if len(k.value) == 0 {
			x.keys.remove(k)
		}
	}
	if len(one.keys) == 0 {
		x.keyless = slices.DeleteFunc(x.keyless, func(w *waiter) bool { return w == one })
	}
	one.keys = nil
	if one.place >= 0 {
		heap.Remove(&x.times, one.place)
	}
	one.s.g.interest.n.Add(-1)
	return true
}

// wanted reports whether somebody waits for a change of a key.
func (x *waiters) wanted(t engine.TenantID, name []byte, deleted bool) bool {
	if x.n.Load() == 0 {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	k := x.keys.find(t, name)
	return k != nil && (!deleted || slices.ContainsFunc(k.value, func(w *waiter) bool { return w.gone }))
}

// next returns the first that waits for a key and was not tried yet in this pass, and marks it as being tried.
func (x *waiters) next(t engine.TenantID, name []byte, tried map[*waiter]bool) *waiter {
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.keys.find(t, name); k != nil {
		for _, w := range k.value {
			if !tried[w] && !w.tried {
				w.tried = true
				return w
			}
		}
	}
	return nil
}

// release ends a try that gave no answer.
func (x *waiters) release(one *waiter, state any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	one.tried, one.state = false, state
	if one.taken { // its connection has closed meanwhile
		one.kept.erase()
	}
}

// due takes those whose time is up.
func (x *waiters) due(now int64) (up []*waiter) {
	if x.n.Load() == 0 {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.times) > 0 && x.times[0].until <= now {
		one := x.times[0]
		switch {
		case one.front != nil:
			heap.Remove(&x.times, 0)
			if one.front.ending == goesOn {
				one.front.ending = timeIsUp
			}
		case one.tried:
			return up // it is being answered; the next tick sees what came of it
		default:
			x.takeLocked(one)
		}
		up = append(up, one)
	}
	return up
}

// finish sends the reply of a waiter that was taken, and lets its connection go on. answer is overwritten.
func (x *waiter) finish(answer []byte) {
	x.s.link.Do(func(w *Worker) {
		if w != nil {
			w.Out.Raw(answer)
		}
		clear(answer)
		x.end()
	})
}

// end forgets the request, in the connection's own loop.
func (x *waiter) end() {
	x.kept.erase()
	x.args = nil
	if x.front != nil { // it may come again and again
		x.s.keptWait, x.kept = x.kept, kept{}
	}
	if x.s.waiter == x {
		x.s.waiter = nil
	}
}

// again runs the command of a waiter that was taken in its own loop once more; it may not wait any longer.
func (x *waiter) again() {
	x.s.link.Do(func(w *Worker) {
		if w != nil {
			from := w.Out.Len()
			w.start(x.s, x.args)
			w.call.Retry, w.call.NoWait, w.call.State = true, true, x.state
			w.pass()
			w.end(from)
		}
		x.end()
	})
}

// wakeWaiters answers those whose time is up. The reaper calls it.
func (g *Gateway) wakeWaiters(now int64) {
	for _, x := range g.interest.waiters.due(now) {
		if x.front != nil {
			x.tryToEnd()
		} else {
			x.again()
		}
	}
	if g.upstream != nil {
		g.interest.waiters.freeLate(now)
		g.interest.waiters.lookAgain(now, func() bool { return g.upstream.Health().Serves })
	}
}

// abandon forgets the waiter of a connection that closes.
func (x *waiters) abandon(one *waiter) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.takeLocked(one) && !one.tried {
		one.kept.erase()
	}
}

// Unblock ends the waiting of a connection that the caller may know of: as when its time is up, or with an error.
func (g *Gateway) Unblock(caller command.Conn, id uint64, withError bool) bool {
	found := false
	g.visible(caller, func(s *Session) {
		if s.about.id != id {
			return
		}
		switch x := g.interest.waiters.of(s); {
		case x == nil:
		case x.front != nil:
			found = g.interest.waiters.unblock(x, withError)
		case g.interest.waiters.take(x):
			found = true
			if withError {
				x.finish([]byte("-" + msgUnblocked + "\r\n"))
			} else {
				x.again()
			}
		}
	})
	return found
}

const msgUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK"

// of finds the waiter of a session.
func (x *waiters) of(s *Session) (found *waiter) {
	x.mu.Lock()
	defer x.mu.Unlock()
	look := func(among []*waiter) bool {
		for _, w := range among {
			if w.s == s && (!w.tried || w.front != nil) {
				found = w
			}
		}
		return found == nil
	}
	if look(x.keyless) {
		x.keys.each(func(k *named[[]*waiter]) bool { return look(k.value) })
	}
	return found
}

// waiterHeap orders waiters by the end of their time.
type waiterHeap []*waiter

func (h waiterHeap) Len() int           { return len(h) }
func (h waiterHeap) Less(i, j int) bool { return h[i].until < h[j].until }
func (h waiterHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is for container/heap.
func (h *waiterHeap) Push(w any) {
	w.(*waiter).place = len(*h)
	*h = append(*h, w.(*waiter))
}

// Pop is for container/heap.
func (h *waiterHeap) Pop() any {
	last := len(*h) - 1
	w := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	w.place = -1
	return w
}
