package gateway

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// execUpstream runs what was queued in front of an upstream: every command passes the list first, those with keys then run
// as one step upstream, and the others follow, so that nothing of a transaction that does not run has had an effect.
func (s *Session) execUpstream(c *command.Call, t *transaction, exec *job) {
	v := exec.wave
	defer v.inside.forget()
	var parked []*job
	var tasks []*upstream.Task
	for i := range t.calls {
		j := v.inside.take(v, &exec.Worker)
		j.start(s, t.calls[i].args)
		j.call.NoWait = true
		j.pass()
		if j.parked {
			parked, tasks = append(parked, j), append(tasks, &j.task)
		}
	}
	s.worker = &exec.Worker
	if !v.commitIntents(parked) {
		c.Error(msgAudit) // the whole round is answered so
		return
	}
	for _, j := range parked {
		j.quit()
	}
	if len(tasks) == 0 && len(s.watched) > 0 {
		tasks = append(tasks, v.looksOn(s, exec))
	}
	ran, problem := false, ""
	back := v.rewind()
	if !v.guard(append(parked, exec), func() { ran, problem = v.x.Transaction(tasks, s.watched, back.begin) }) {
		ran, problem = false, ""
		back.toStart()
		v.scripted.leave()
		v.endInside(nil, false)
		return
	}
	if !ran {
		back.toStart()
	}
	v.scripted.leave()
	switch {
	case ran:
		v.checkTouch(parked)
		v.endInside(c, exec.announce(c, t))
		failpoint.Here(failpoint.TransactionEnded)
		s.worker = &exec.Worker
		return
	case problem != "":
		c.Error(problem)
	default:
		c.Out.NullArray()
	}
	for _, j := range parked {
		j.call.Failed = true // the intent was recorded, so is that nothing came of it
	}
	v.endInside(nil, false)
}

// looksOn returns a task that does nothing to the first watched entry: a transaction without one would not look at what is
// watched. It is no command of the client's, so it is neither counted nor recorded.
func (v *wave) looksOn(s *Session, exec *job) *upstream.Task {
	j := newJob(v, &v.inside.kept)
	j.outer = &exec.Worker
	c := &j.call
	c.Now, c.WallNow, c.Conn = exec.call.Now, exec.call.WallNow, s
	j.session = s
	c.Args = [][]byte{[]byte("EXISTS"), s.watchedName}
	c.Spec, _ = v.w.g.Table.Lookup(c.Args)
	j.extractKeys()
	j.placeKeys()
	j.park()
	return &j.task
}

// endInside ends the commands of a transaction that ran, with their replies behind one another in the reply of c, or of one
// that did not, where c is nil; skipping is what announce said.
func (v *wave) endInside(c *command.Call, skipping bool) {
	for _, j := range v.inside.all[:v.inside.used] {
		switch {
		case j.later && c == nil:
			continue // it was never run
		case j.later:
			j.session.worker = &j.Worker
			j.runHandler()
			v.scripted.leave()
		case j.parked && c == nil && !mayWrite(j.call.Spec):
			continue
		}
		j.ended()
		if c != nil && (!j.session.replies.muted(skipping) || j.call.Pushes()) {
			c.Out.Raw(j.Out.Bytes())
		}
	}
}
