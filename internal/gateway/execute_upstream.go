package gateway

import (
	"bytes"
	"strconv"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// execute is what stands in place of running the handler in front of an upstream: what has keys is parked, what is about
// entries without naming them runs on the upstream at once, and everything else has nothing to do with it.
func (j *job) execute() {
	c, v := &j.call, j.wave
	name := c.Spec.RecordName()
	switch {
	case (name == "PUBLISH" || name == "SPUBLISH") && len(c.Args[1])+len(c.Args[2]) > MaxRelayed:
		c.Error(msgRelayed)
	case name == "CONFIG|SET" && wantsNew(c.Args):
		c.Error(msgSealedNotices)
	case !v.mayServe(j), namesUpstream[name] && !v.hears():
		c.Error(msgOutOfTouch)
		j.waitForTouch()
	case j.outer != nil:
		j.executeInside(name)
	case runsScript(c.Spec):
		v.runParked()
		if !j.refusesScript() {
			j.runsScript()
		}
	case name == "WATCH" && !j.session.InTransaction():
		v.runParked()
		j.watchUpstream()
	case name == "WATCH", len(c.Keys) == 0:
		if j.session.parked > 0 || namesUpstream[name] || name == "EXEC" {
			v.runParked()
		}
		j.runNow(name)
	case j.mayWait():
		if j.comesToWait() {
			v.park(j)
		}
	case j.letOthers():
	default:
		v.park(j)
	}
}

// executeInside is for a command of a transaction: EXEC goes on when it has all of them. One of a script runs now.
func (j *job) executeInside(name string) {
	switch {
	case namesUpstream[name]:
		j.call.Error(msgSealedInExec)
	case j.outer.inScript:
		j.runWithin()
	case runsScript(j.call.Spec) && j.refusesScript():
	case len(j.call.Keys) > 0:
		j.park()
	default:
		j.queued, j.later = true, true
	}
}

// runNow runs a command that names no entries.
func (j *job) runNow(name string) {
	c := &j.call
	if !namesUpstream[name] {
		j.runHandler()
		return
	}
	j.wave.guard([]*job{j}, func() {
		// The executor takes options in pairs; the handler has the error for what is not.
		unpaired := name == "SCAN" && len(c.Args)%2 != 0
		if unpaired || !j.wave.x.Keyspace(c, j.session.upstreamTenants()) {
			c.Spec.Run(c)
		}
	})
	if text := j.session.flushProblem; text != "" {
		j.session.flushProblem = ""
		j.fail(text)
	}
}

// runHandler runs a handler that needs nothing of the upstream.
func (j *job) runHandler() {
	defer j.recoverHandler()
	c := &j.call
	c.Notices = 0
	if reachesAll(c.Spec, c.Args) {
		j.tx.Hold(engine.EveryShard)
		defer j.tx.Release()
	}
	c.Spec.Run(c)
}

// watchUpstream remembers what the call's entries are for the next EXEC.
func (j *job) watchUpstream() {
	c, s := &j.call, j.session
	places := make([]upstream.Place, len(j.placed))
	for i := range j.placed {
		places[i] = placeOf(&j.placed[i])
	}
	if len(s.watched)+len(places) > maxWatched {
		c.Error("ERR too many keys are watched")
		return
	}
	j.wave.guard([]*job{j}, func() {
		all, problem := j.wave.x.Watch(c, places)
		if problem != "" {
			c.Error(problem)
			return
		}
		if len(s.watched) == 0 {
			s.watchedName = bytes.Clone(c.Args[c.Refs[0].Arg])
		}
		s.watched = append(s.watched, all...)
		c.Out.Status("OK")
	})
}

// unwatchUpstream forgets what is watched upstream.
func (s *Session) unwatchUpstream() {
	for i := range s.watched {
		s.watched[i].Clear()
	}
	clear(s.watched)
	clear(s.watchedName)
	s.watched = s.watched[:0]
}

const msgFlush = "UPSTREAM not every entry could be erased; try again"

// flushUpstream is Flush in front of an upstream. What is to be erased is recorded before, as the upstream keeps no account.
func (s *Session) flushUpstream(j *job) int {
	record := func(t *Tenant, o audit.Outcome, detail string) {
		j.add(&audit.Record{
			At: j.call.WallNow, Actor: s.actor, Command: j.call.Spec.RecordName(), Action: audit.Delete, Outcome: o, Tenant: t.Name, Detail: detail,
		})
	}
	v, total := j.wave, 0
	for _, t := range s.tenants {
		record(t, audit.Intended, "")
	}
	if v.refused == nil {
		v.refused = s.g.Audit.Commit(&v.w.batch)
	}
	if v.refused != nil {
		return 0
	}
	for _, t := range s.tenants {
		n, err := v.x.Flush(t.Name, func(name []byte) {
			j.tally.count(t.ID, s.g.Policy().Match(name).Category.ID, audit.Deleted)
			if t.noticeClasses()&command.NoticeExpired != 0 {
				s.g.relayNotice(&j.root().outbox, t, 0, "del", name) // of no class: nobody is told, and nothing expires later
			}
		})
		outcome := audit.Deleted
		if err != nil {
			outcome, s.flushProblem = audit.Failed, msgFlush
		}
		total += n
		record(t, outcome, "entries="+strconv.Itoa(n))
		j.root().outbox.invalidateAll(&s.g.interest.tracking, t.ID, s)
		s.g.relayFlush(t)
	}
	return total
}
