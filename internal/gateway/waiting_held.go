package gateway

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/command"
)

// What comes while somebody waits is theirs, as in Redis. In front of an upstream it takes a step to give it to them, in the loop
// of their connection; a command of somebody else that would take it is held back for as long, whichever loop it comes in. It is
// not held for what other gateways do, nor in a transaction, whose commands run together.

// held is a connection whose next command comes again when nobody in a line is about to run.
type held struct {
	s     *Session
	line  *line
	until int64 // on the engine's clock
}

// holdFor is how long a command is held back at most, in milliseconds: whoever waits may wait for an upstream that takes its time.
const holdFor = 1000

// letOthers holds a command back that may take what others wait for and are about to get.
func (j *job) letOthers() bool {
	x, s, c := &j.g.interest.waiters, j.session, &j.call
	passes := s.passes
	s.passes = false
	takes := func(r command.KeyRef) bool { return r.Flags&command.KeyDelete != 0 }
	if passes || x.n.Load() == 0 || j.waiter != nil || j.aside != nil || s.link == nil || !slices.ContainsFunc(c.Refs, takes) {
		return false
	}
	if j.wave.behindOthers(j) {
		j.wave.runParked() // what was written before this command is theirs
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range c.Keys {
		if k := x.keys.find(c.Keys[i].Tenant, c.Keys[i].Name); takes(c.Refs[i]) && k != nil && busy(k) {
			x.held = append(x.held, held{s, k, c.Now + holdFor})
			j.g.Store.Stir()
			s.held, j.next.Postpone = true, true
			return true
		}
	}
	return false
}

// busy reports whether somebody in a line runs or is about to.
func busy(k *line) bool {
	return slices.ContainsFunc(k.value, func(w *waiter) bool { return w.tried || w.front.due })
}

// free returns the connections that are not held any more. The lock is held.
func (x *waiters) free() (free []*Session) {
	x.held = slices.DeleteFunc(x.held, func(h held) bool {
		if busy(h.line) {
			return false
		}
		free = append(free, h.s)
		return true
	})
	return free
}

// letGo lets connections go on that were held.
func letGo(free []*Session, passes bool) {
	for _, s := range free {
		s.link.Do(func(*Worker) { s.held, s.passes = false, passes })
	}
}

// freeLate lets those go on that have been held for too long. The reaper calls it.
func (x *waiters) freeLate(now int64) {
	if x.n.Load() == 0 {
		return // the last who waited has freed them
	}
	var free []*Session
	x.mu.Lock()
	x.held = slices.DeleteFunc(x.held, func(h held) bool {
		late := h.until <= now
		if late {
			free = append(free, h.s)
		}
		return late
	})
	x.mu.Unlock()
	letGo(free, true)
}

// unhold forgets a connection that has closed.
func (x *waiters) unhold(s *Session) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.held = slices.DeleteFunc(x.held, func(h held) bool { return h.s == s })
}
