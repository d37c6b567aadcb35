package gateway

import (
	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// job is one command of a loop in front of an upstream: it passes the whole list in a worker of its own, because it ends
// only when the round does. It shares the round's records and messages, and has a copy of its arguments, for the read buffer
// is cleared before.
type job struct {
	Worker
	wave   *wave
	kept   *kept // of the round or the transaction
	task   upstream.Task
	places []upstream.Place
	parked bool // it waits for the upstream
	later  bool // it is part of a transaction, and needs nothing of the upstream

	waiter  *waiter // of a command that waits where it finds nothing; nil: it does not
	aside   *aside  // of a command that comes again after others were faster; nil: it does not
	tracked bool    // what it reads is tracked for its connection
	undone  bool    // it was to run a script, and nothing came of it
	read    bool    // its script has read
	stored  int64   // what the commands of its script may have stored, in bytes
	quitted []bool  // of each key that it may write, whether its connection has a copy that is not followed any more
}

// jobs are jobs that are used again; the first used ones are in use. Their arguments lie one behind the other.
type jobs struct {
	all  []*job
	used int
	kept kept
}

// take returns a job for a command of the wave's loop; outer is the worker of the EXEC that it is part of, nil for none.
func (p *jobs) take(v *wave, outer *Worker) *job {
	if p.used == len(p.all) {
		p.all = append(p.all, newJob(v, &p.kept))
	}
	j := p.all[p.used]
	p.used++
	root := v.w
	j.outer, j.parked, j.later, j.waiter, j.aside, j.tracked, j.quitted = outer, false, false, nil, nil, false, j.quitted[:0]
	j.undone, j.read = false, false
	j.call.Now, j.call.WallNow, j.call.Tx = root.call.Now, root.call.WallNow, root.tx
	return j
}

func newJob(v *wave, k *kept) *job {
	j := &job{wave: v, kept: k, Worker: Worker{g: v.w.g, tx: v.w.tx, Out: resp.NewWriter(0)}}
	j.job = j
	j.call.Out = j.Out
	j.call.Expiry = (*expiry)(&j.Worker)
	// The counts by command only choose which calls are timed, so the round's jobs count together.
	j.usage.numbers, j.usage.all = v.w.usage.numbers, &v.w.g.timeAll
	return j
}

// forget clears what the jobs held and gives them back.
func (p *jobs) forget() {
	for _, j := range p.all[:p.used] {
		j.Out.Reset()
		j.letGo()
	}
	p.kept.erase()
	p.used = 0
}

// letGo clears what a job knows of its command.
func (j *job) letGo() {
	j.call.Reset()
	clear(j.placed)
	clear(j.places)
	j.task.Call, j.task.Keys, j.task.Withdrawn, j.task.Doubtful, j.task.Undone = nil, nil, false, false, 0
	j.session, j.outer, j.waiter, j.aside = nil, nil, nil, nil
}

// park makes the command wait for the upstream.
func (j *job) park() {
	j.prepare()
	j.queued, j.parked = true, true
}

// prepare makes the command a task for the executor.
func (j *job) prepare() {
	j.places = j.places[:0]
	for i := range j.placed {
		j.places = append(j.places, placeOf(&j.placed[i]))
		if j.session.tracks != nil {
			j.places[i].Replica = false // which may be behind what is followed
		}
	}
	j.tracked = j.session.mayTrack()
	j.task.Call, j.task.Keys, j.task.Session = &j.call, j.places, j.session.ID()
	j.call.Notices = 0
	if len(j.placed) > 0 {
		j.call.Notices = j.placed[0].tenant.noticeClasses()
	}
	if j.call.Notices&command.NoticeExpired != 0 {
		j.call.Notices |= command.NoticeGeneric // the other gateways must know what they need not tell of at its deadline
	}
}

// ended ends a command that was set aside, and adds what it has counted to the round.
func (j *job) ended() {
	j.queued = false
	if j.task.Withdrawn {
		j.refused = "consent"
	}
	if j.parked && j.call.Notices != 0 {
		j.task.Notify()
		j.sendNotes()
	}
	if j.parked {
		j.tellTracking()
		j.tellWaiting()
	}
	j.conclude()
}

// conclude records and counts what became of a command, or has its connection wait on, or sets it aside.
func (j *job) conclude() {
	j.setAside()
	again := j.comesAgain()
	j.waits = again || j.unanswered()
	j.Worker.end(0)
	j.addUp()
	switch {
	case again:
	case j.waits:
		j.wait()
	default:
		j.answeredWaiter()
		j.answeredAside()
	}
}

// addUp moves counts to the loop's worker, which adds them up for everybody once a round.
func (j *job) addUp() {
	to := j.wave.w
	to.tally.commands += j.tally.commands
	for _, c := range j.tally.counts {
		for range c.n {
			to.tally.count(c.tenant, c.category, c.outcome)
		}
	}
	j.tally.commands, j.tally.counts = 0, j.tally.counts[:0]
	for _, c := range j.usage.counts {
		sum := to.usage.count(c.of, c.id)
		sum.calls += c.calls
		sum.failed += c.failed
		sum.rejected += c.rejected
		sum.timed += c.timed
		sum.nanos += c.nanos
	}
	clear(j.usage.counts)
	j.usage.counts = j.usage.counts[:0]
}

// intend adds a record for each entry that the command may change: an upstream keeps what is written whatever becomes of
// this process, so what was about to happen must be known before it does.
func (j *job) intend() {
	c := &j.call
	if !mayWrite(c.Spec) || j.aside != nil || j.waiter != nil && j.waiter.front.intended {
		return
	}
	if j.waiter != nil {
		j.waiter.front.intended = true
	}
	r := audit.Record{At: c.WallNow, Actor: j.session.actor, Command: c.Spec.RecordName(), Action: actions[c.Spec.Action], Outcome: audit.Intended}
	for i := range j.placed {
		p, ref := &j.placed[i], c.Refs[i]
		if writes(ref.Flags) && recorded(p.category, audit.Intended, c.Spec) {
			r.Tenant, r.Category, r.Key, r.Subject = p.tenant.Name, p.category.Name, c.Args[ref.Arg], p.subject
			j.add(&r)
		}
	}
}

// fail answers an error instead of whatever was answered.
func (j *job) fail(text string) {
	j.Out.Truncate(0)
	for i := range j.call.Told {
		j.call.Told[i] = command.Untold
	}
	j.call.Error(text)
}
