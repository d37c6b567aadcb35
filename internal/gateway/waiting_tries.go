package gateway

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// A command that waits in front of an upstream runs in the loop of its connection, as a job of the round that is there then:
// the whole list of steps each time, so that it is refused as soon as its user, the policy, a consent or contact with the other
// gateways would have it refused. What it was about to do is on record before it runs first, what became of it when it ends.

// comesToWait puts a command that may wait into the lines of its keys, and reports whether it runs in this round. Until its
// answer is there its connection is not read: what comes behind it would be answered first.
func (j *job) comesToWait() bool {
	x, s, c := &j.g.interest.waiters, j.session, &j.call
	if j.wave.behindOthers(j) {
		j.wave.runParked() // what was written before this command is theirs
	}
	one := &waiter{s: s, front: &inFront{}, gone: c.Spec.Group == "stream", place: -1, kept: s.keptWait}
	s.keptWait = kept{}
	one.args = one.kept.add(c.Args)
	s.waiter = one
	j.g.interest.n.Add(1)
	j.next.Block = true
	if !x.comes(one, c.Keys) {
		j.queued = true // its loop runs it when it is its turn
		return false
	}
	j.waiter, one.front.running = one, true
	return true
}

// behindOthers reports whether somebody waits for a key of the command while others of the round have not run.
func (v *wave) behindOthers(j *job) bool {
	if len(v.parked) == 0 {
		return false
	}
	for i := range j.call.Keys {
		if k := &j.call.Keys[i]; j.g.interest.waiters.wanted(k.Tenant, k.Name, false) {
			return true
		}
	}
	return false
}

// tryAll runs commands whose turn it is, each in its own loop.
func tryAll(up []*waiter) {
	for _, one := range up {
		one.s.link.Do(func(w *Worker) {
			if w != nil && one.s.waiter == one && !one.front.running {
				w.wave.try(one, false)
			}
		})
	}
}

// tryToEnd ends the waiting of a command in its own loop. If it runs just then, what comes of that decides.
func (one *waiter) tryToEnd() {
	one.s.link.Do(func(w *Worker) {
		if w == nil || one.s.waiter != one || one.front.running {
			return
		}
		if one.s.g.interest.waiters.ends(one) == timeIsUp {
			w.wave.try(one, true)
			return
		}
		w.wave.giveUp(one.s, one.args, msgUnblocked)
		one.goesOn(false)
	})
}

// try runs a command again; if it is the last time it answers what it finds.
func (v *wave) try(one *waiter, last bool) {
	j := v.take(one.s, one.args)
	j.call.Retry, j.call.NoWait, j.call.State = one.front.timed, last, one.state
	j.waiter, one.front.running, one.front.empty, one.front.last = one, true, false, last
	j.pass()
	if !j.parked { // it is refused
		j.conclude()
	}
}

// take begins a job for a command that comes again. It was counted when it came, and does not make its connection look busy.
func (v *wave) take(s *Session, args [][]byte) *job {
	j := v.own.take(v, nil)
	from, active := j.kept.bytes, s.about.active.Load()
	j.start(s, j.kept.add(args))
	s.about.active.Store(active)
	j.tally.commands--
	v.bytes += j.kept.bytes - from
	return j
}

// giveUp ends a command that has found nothing with an error, and records that nothing came of it.
func (v *wave) giveUp(s *Session, args [][]byte, text string) *job {
	j := v.take(s, args)
	if j.lookUp() && j.extractKeys() && j.placeKeys() {
		j.call.Error(text)
	}
	j.end(0)
	j.addUp()
	return j
}

// unanswered reports whether a command that may wait has found nothing, and waits. That of a connection that has closed
// meanwhile has failed.
func (j *job) unanswered() bool {
	one := j.waiter
	if one == nil || !one.front.empty || j.Out.Len() > 0 {
		return false
	}
	if j.session.waiter == one {
		return true
	}
	j.call.Failed = true
	return false
}

// setAside takes back the error of a command that has changed nothing for a reason that passes. Somebody else was faster: it runs
// again. The upstream is away: it waits, as it waits for an element, if it has waited already; one that has just come is told, as
// any other command is. When its time is up it is answered that there is nothing.
func (j *job) setAside() {
	one, why := j.waiter, j.task.Undone
	switch {
	case one == nil || j.session.waiter != one || why == 0:
	case one.front.last:
		j.Out.Truncate(0)
		j.Out.NullArray()
		j.call.Failed = false
		for i := range j.call.Told {
			j.call.Told[i] = command.Miss
		}
	case why == upstream.Outrun || one.front.ran:
		j.Out.Truncate(0)
		j.call.Failed, one.front.empty = false, true
	}
}

// touchPatience is for how long a command waits on, in milliseconds, while the other gateways are not heard although the upstream
// is there: after an outage that takes a moment.
const touchPatience = 3000

// waitForTouch has a command that has waited wait on where it was refused for the lack of contact with the other gateways: as long
// as the upstream is away, by way of which they are heard, and for a moment longer.
func (j *job) waitForTouch() {
	if j.waiter == nil {
		return
	}
	f := j.waiter.front
	switch now := j.call.Now; {
	case f.last:
	case !j.g.upstream.Health().Serves:
		f.untouched = 0
	case f.untouched == 0:
		f.untouched = now
	case now-f.untouched >= touchPatience:
		return
	}
	j.task.Undone = upstream.Away
}

// wait has the keys of a command followed that has found nothing, from what it has read. What comes meanwhile makes it run
// again.
func (j *job) wait() {
	one, x := j.waiter, &j.g.interest.waiters
	if j.task.Undone != 0 {
		one.front.running = false
		if x.stays(one, nil, nil, j.task.Undone == upstream.Outrun) != goesOn {
			one.tryToEnd()
		}
		return
	}
	one.state, one.front.untouched = j.call.State, 0
	for i := range j.call.Keys {
		k := &j.call.Keys[i]
		if j.g.upstream.Await(k.Tenant, k.Name, &j.task, i) == upstream.FollowedAnew {
			heard{j.g}.Changed(k.Tenant, k.Name) // others had read something else
		}
	}
	one.front.running = false
	if x.stays(one, j.call.Keys, j.task.Held, false) != goesOn {
		one.tryToEnd()
	}
}

// answeredWaiter lets the connection of a command that has its answer go on.
func (j *job) answeredWaiter() {
	if j.waiter != nil && j.session.waiter == j.waiter {
		found := func(told command.Outcome) bool {
			return told != command.Untold && told != command.Miss && told != command.Unchanged
		}
		j.waiter.goesOn(j.call.Failed || slices.ContainsFunc(j.call.Told, found))
	}
}

// goesOn ends the waiting of a connection, in its own loop. more says that there may be more than it has taken.
func (one *waiter) goesOn(more bool) {
	one.s.g.interest.waiters.leaves(one, more)
	one.end()
	one.s.link.Do(func(*Worker) {}) // behind the answer the connection is read again
}

// closeWaiting ends a command whose connection has closed. What is on its way to the upstream takes its element along, as in
// Redis where a connection breaks before it has the reply; what has not been sent is not.
func (s *Session) closeWaiting(one *waiter) {
	s.g.interest.waiters.leaves(one, true)
	v := s.worker.root().wave
	switch j := v.unpark(one); {
	case j != nil:
		j.fail(msgClosed)
		j.end(0)
		j.addUp()
		j.Out.Reset() // which nobody reads
	case one.front.intended && !one.front.running:
		v.giveUp(s, one.args, msgClosed).Out.Reset()
	}
	one.end()
}

const msgClosed = "ERR the connection has closed"

// failWaiting lets those go on who wait, or are set aside, and whose commands were answered with an error as the round's records could not be committed.
func (v *wave) failWaiting() {
	for _, j := range v.own.all[:v.own.used] {
		j.answeredWaiter()
		j.answeredAside()
	}
}
