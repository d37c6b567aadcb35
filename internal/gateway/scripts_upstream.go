package gateway

import (
	"slices"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// A script in front of an upstream is a transaction of one call: its keys are loaded, it runs in this gateway on what was loaded,
// each of its commands through the whole list, and one step upstream writes what has become of the entries. Nobody waits for it
// but its own loop. Where another gateway, or another loop, was faster, it runs again, and nothing of the time before may be seen
// outside: the round's records and messages are taken back to where they were (rewind), what its keys were done to is told when
// the step has succeeded, and its counts are added up once.

// runsScript reports whether a command runs a script or a function.
func runsScript(s *command.Spec) bool { return s.Group == "scripting" && len(s.Keys) > 0 }

// mayWrite reports whether a command writes, or runs a script that may.
func mayWrite(s *command.Spec) bool {
	return s.IsWrite() || runsScript(s) && s.Flags&command.ReadOnly == 0
}

// scriptIntended reports whether a script's call has records beside those of its commands: in front of an upstream it has said
// which entries it may write, so what became of them is on record too, whether its commands have named them or not. So is a call
// that was refused for what is sealed.
func (w *Worker) scriptIntended() bool {
	return w.job != nil && (mayWrite(w.call.Spec) || w.job.undone)
}

// refusesScript refuses a script one of whose keys is sealed, before anything runs.
func (j *job) refusesScript() bool {
	for i := range j.placed {
		if j.placed[i].category.Seal != policy.SealOff {
			j.undone = true
			j.fail(upstream.Refusal(j.call.Spec.RecordName()))
			return true
		}
	}
	return false
}

// runsScript runs the script of a command that is no part of a transaction.
func (j *job) runsScript() {
	c, v := &j.call, j.wave
	j.prepare()
	if !v.commitIntents([]*job{j}) {
		c.Error(msgAudit) // the whole round is answered so
		return
	}
	tasks := []*upstream.Task{&j.task}
	back := v.rewind()
	ran, problem := false, ""
	if !v.guard([]*job{j}, func() { ran, problem = v.x.Transaction(tasks, nil, back.begin) }) || !ran {
		back.toStart()
		j.undone = true
	}
	if problem != "" {
		j.fail(problem)
	}
	v.scripted.leave()
	if j.task.Withdrawn {
		j.refused = "consent"
	}
	if j.undone {
		return
	}
	failpoint.Here(failpoint.TransactionEnded)
	if c.Notices != 0 {
		j.sendNotes()
	}
	j.tellTracking()
	j.tellWaiting()
}

// runWithin runs a command that a script calls.
func (j *job) runWithin() {
	if len(j.call.Keys) == 0 {
		j.runHandler()
		return
	}
	defer j.recoverHandler()
	j.prepare()
	j.wave.x.Within(&j.task)
	if j.task.Withdrawn {
		j.refused = "consent"
	}
	if j.call.Notices != 0 {
		j.sendNotes()
	}
	if j.call.Spec.Flags&command.ReadOnly != 0 {
		j.outer.job.read = true
	}
}

// rewind is where a round was before a transaction.
type rewind struct {
	v       *wave
	batch   audit.Mark
	outbox  int
	started time.Time // the first time; zero: not yet
}

func (v *wave) rewind() *rewind {
	return &rewind{v: v, batch: v.w.batch.Mark(), outbox: len(v.w.outbox.items)}
}

// begin is for upstream.Executor.Transaction: it takes back what an earlier time has led to. Scripts may run as often as it takes,
// but not for longer than one may.
func (b *rewind) begin() bool {
	if b.started.IsZero() {
		b.started = time.Now()
		return true
	}
	b.toStart()
	return time.Since(b.started) < script.DefaultLimits().Wall
}

// toStart takes the round's records and messages back.
func (b *rewind) toStart() {
	b.v.w.batch.Back(b.batch)
	b.v.w.outbox.back(b.outbox)
	b.v.scripted.uncount()
}

// scripted is the job of the commands that scripts call, one after another.
type scripted struct{ j *job }

// forScript returns the worker for the commands of a script, writing to out.
func (w *Worker) forScript(out *resp.Writer) *Worker {
	if w.job == nil {
		return w.inside(out)
	}
	x := &w.job.wave.scripted
	if x.j == nil {
		x.j = newJob(w.job.wave, &w.job.wave.own.kept)
	}
	j := x.j
	w.job.stored = 0
	j.outer, j.Out, j.call.Out = w, out, out
	j.call.Now, j.call.WallNow, j.call.Tx = w.call.Now, w.call.WallNow, w.call.Tx
	return &j.Worker
}

// uncount forgets what the commands have counted.
func (x *scripted) uncount() {
	if x.j == nil {
		return
	}
	x.j.tally.commands, x.j.tally.counts = 0, x.j.tally.counts[:0]
	clear(x.j.usage.counts)
	x.j.usage.counts = x.j.usage.counts[:0]
}

// leave adds up what the commands have counted, and lets go of the last one.
func (x *scripted) leave() {
	if j := x.j; j != nil {
		j.addUp()
		j.letGo()
	}
}

// abreast are the scripts that run in front of an upstream.
type abreast struct {
	mu  sync.Mutex
	all []*running // in the order in which they began
}

// enterScript makes a script known while it runs.
func (w *Worker) enterScript(r *running) (leave func()) {
	x := &w.g.scripts
	if w.job == nil {
		x.current.Store(r)
		return func() { x.current.Store(nil) }
	}
	x.several.mu.Lock()
	x.several.all = append(x.several.all, r)
	x.several.mu.Unlock()
	return func() {
		x.several.mu.Lock()
		defer x.several.mu.Unlock()
		x.several.all = slices.DeleteFunc(x.several.all, func(one *running) bool { return one == r })
	}
}

// first is the first that is wanted; nil if there is none.
func (a *abreast) first(wanted func(*running) bool) *running {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.IndexFunc(a.all, wanted); i >= 0 {
		return a.all[i]
	}
	return nil
}
