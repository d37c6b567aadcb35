package gateway

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/command"
)

// pauses are the tenants whose commands are held back, and the connections that wait for the end of it.
type pauses struct {
	until  atomic.Int64 // the latest end of any pause, on the engine's clock
	mu     sync.Mutex
	byName map[*Tenant]pause
	held   []*Session
}

type pause struct{ all, writes int64 } // until when

// Pause holds back commands of the caller's tenants until an instant, at the other gateways too. A longer pause of the same
// kind stays.
func (g *Gateway) Pause(caller command.Conn, until int64, writesOnly bool) {
	tenants := caller.(*Session).tenants
	g.pause(tenants, until, writesOnly)
	g.tell(newsPause, encodeNews(&pauseNews{Tenants: namesOf(tenants), Millis: until - g.Clock.Now(), WritesOnly: writesOnly}))
}

// pauseNews is a pause at another gateway, or the end of one.
type pauseNews struct {
	Tenants    []string `json:"tenants"`
	Millis     int64    `json:"millis,omitempty"` // from now on
	WritesOnly bool     `json:"writes,omitempty"`
	Ends       bool     `json:"ends,omitempty"`
}

func namesOf(tenants []*Tenant) (names []string) {
	for _, t := range tenants {
		names = append(names, t.Name)
	}
	return names
}

// takePause does here what was done at another gateway.
func (g *Gateway) takePause(p *pauseNews) {
	var tenants []*Tenant
	for _, name := range p.Tenants {
		if t := g.tenants.Load().byName[name]; t != nil { // otherwise nobody of this tenant was ever here
			tenants = append(tenants, t)
		}
	}
	if p.Ends {
		g.unpause(tenants)
	} else {
		g.pause(tenants, g.Clock.Now()+p.Millis, p.WritesOnly)
	}
}

func (g *Gateway) pause(tenants []*Tenant, until int64, writesOnly bool) {
	p := &g.pauses
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byName == nil {
		p.byName = map[*Tenant]pause{}
	}
	for _, t := range tenants {
		x := p.byName[t]
		if writesOnly {
			x.writes = max(x.writes, until)
		} else {
			x.all = max(x.all, until)
		}
		p.byName[t] = x
	}
	p.until.Store(max(p.until.Load(), until))
	g.Store.Stir()
}

// Unpause lets the commands of the caller's tenants go on, at the other gateways too.
func (g *Gateway) Unpause(caller command.Conn) {
	tenants := caller.(*Session).tenants
	g.unpause(tenants)
	g.tell(newsPause, encodeNews(&pauseNews{Tenants: namesOf(tenants), Ends: true}))
}

func (g *Gateway) unpause(tenants []*Tenant) {
	p := &g.pauses
	p.mu.Lock()
	for _, t := range tenants {
		delete(p.byName, t)
	}
	p.mu.Unlock()
	g.endPauses(g.Clock.Now())
}

// endPauses lets those go on whose tenants' pause is over. The reaper calls it.
func (g *Gateway) endPauses(now int64) {
	p := &g.pauses
	if p.until.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	latest := int64(0)
	for t, x := range p.byName {
		if end := max(x.all, x.writes); end > now {
			latest = max(latest, end)
		} else {
			delete(p.byName, t)
		}
	}
	p.until.Store(latest)
	p.held = slices.DeleteFunc(p.held, func(s *Session) bool {
		if s.home != nil && p.byName[s.home] != (pause{}) {
			return false
		}
		s.about.waits.Store(false)
		s.link.Do(func(*Worker) { s.paused = false })
		return true
	})
}

// forget takes away a connection that has closed.
func (p *pauses) forget(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = slices.DeleteFunc(p.held, func(other *Session) bool { return other == s })
}

// waitForPause holds a command back while its tenant is paused.
func (w *Worker) waitForPause() bool {
	p := &w.g.pauses
	if p.until.Load() <= w.call.Now || w.outer != nil || w.session.home == nil || w.session.link == nil || w.session.waiter != nil || w.session.aside != nil {
		return true // what waits for a key, or comes again, has come before the pause
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.byName[w.session.home]
	if x.all <= w.call.Now && (x.writes <= w.call.Now || !w.mayWrite()) {
		return true
	}
	w.session.paused = true
	w.session.about.waits.Store(true)
	w.next.Postpone = true
	p.held = append(p.held, w.session)
	return false
}

// mayWrite reports whether the command may change or publish anything.
func (w *Worker) mayWrite() bool {
	spec := w.call.Spec
	if t := w.session.transaction; t != nil && spec.RecordName() == "EXEC" {
		return slices.ContainsFunc(t.calls, func(q queued) bool { return w.writes(q.spec, q.args) })
	}
	return w.writes(spec, w.call.Args)
}

// scriptKinds are the commands that run scripts which may promise to write nothing.
var scriptKinds = map[string]command.ScriptKind{"EVAL": command.ScriptSource, "EVALSHA": command.ScriptSHA, "FCALL": command.ScriptFunction}

func (w *Worker) writes(spec *command.Spec, args [][]byte) bool {
	if kind, ok := scriptKinds[spec.RecordName()]; ok {
		job, err := w.g.scriptJob(&w.call, command.ScriptRun{Kind: kind, Script: args[1]})
		return err != nil || !job.readOnly
	}
	return spec.Flags&(command.Write|command.MayReplicate) != 0
}
