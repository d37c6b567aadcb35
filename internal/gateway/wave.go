package gateway

import (
	"runtime/debug"
	"slices"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// wave is the round of a loop in front of an upstream. A loop must not wait for the upstream once for each command, so those
// that need it are parked and go out together when the round ends: first the records of what is intended are committed, then
// all of them run, and what became of them is recorded like anything else.
//
// The order is kept where a client can see it: replies are given in the order of the jobs, the executor runs one
// connection's commands one after another, and a command of a connection that does not wait for the upstream, but whose
// effect or whose reading might be seen, makes what is parked run first.
type wave struct {
	w        *Worker
	x        Executor
	own      jobs // of the round, in the order of the replies
	inside   jobs // of the transaction that runs
	scripted scripted
	parked   []*job
	running  bool // what is parked
	tasks    []*upstream.Task
	bytes    int // of the round's arguments
	touch    touch
	refused  error // of a commit in the middle of the round: everything of the round is answered with it
}

// touch is what a round knows of whether the other gateways are heard.
type touch uint8

const (
	untried touch = iota
	inTouch
	outOfTouch
)

// mayServe reports whether the command's entries may be served: those with PHI only while the other gateways are heard.
func (v *wave) mayServe(j *job) bool {
	for i := range j.placed {
		if j.placed[i].category.PHI {
			return v.hears()
		}
	}
	return true
}

func (v *wave) hears() bool {
	if v.touch == untried {
		v.touch = outOfTouch
		if v.w.g.upstream.InTouch() {
			v.touch = inTouch
		}
	}
	return v.touch == inTouch
}

// checkTouch answers what was served of PHI with an error when contact with the others was lost meanwhile: the upstream may
// have taken its time, or this process was stopped.
func (v *wave) checkTouch(running []*job) {
	if v.touch != inTouch || v.w.g.upstream.InTouch() {
		return
	}
	v.touch = outOfTouch
	for _, j := range running {
		if !v.mayServe(j) && !j.unanswered() {
			j.losesTouch()
		}
	}
}

// losesTouch answers a command that has run. What it may have changed stays, and nobody is told that it did not.
func (j *job) losesTouch() {
	if !mayWrite(j.call.Spec) || j.task.Undone != 0 {
		j.fail(msgOutOfTouch)
		return
	}
	j.fail(msgTouchLost)
	j.task.Doubtful = true
}

const (
	maxWave      = 256     // jobs of a round
	maxWaveBytes = 1 << 20 // of their arguments
	waveChunk    = 1 << 18 // how much of that has memory that is used again
)

func newWave(w *Worker) *wave {
	return &wave{w: w, x: w.g.upstream.NewExecutor(), own: jobs{kept: kept{chunk: waveChunk}}}
}

// run is Run in front of an upstream.
func (v *wave) run(s *Session, args [][]byte) (next Next) {
	if s.aside != nil {
		return Next{Postpone: true}
	}
	j := v.own.take(v, nil)
	s.lastJob = j
	from := j.kept.bytes
	j.start(s, j.kept.add(args))
	v.bytes += j.kept.bytes - from
	defer j.recoverStep(0, true, &next)
	j.pass()
	if !j.parked && s.parked > 0 && (s.replies.off || s.replies.skip > 0) {
		v.runParked() // which replies are dropped depends on the order in which commands end
	}
	j.end(0)
	j.addUp()
	v.w.call.Spec = j.call.Spec
	if j.next.Postpone {
		v.own.used-- // it comes again
		return j.next
	}
	j.next.Job = j.parked || j.Out.Len() > 0
	return j.next
}

// park makes a job wait for the end of the round.
func (v *wave) park(j *job) {
	j.park()
	j.session.parked++
	v.parked = append(v.parked, j)
}

// unpark takes back the job of a command that waits, if it is parked and does not run yet; nil if it is not.
func (v *wave) unpark(one *waiter) *job {
	i := slices.IndexFunc(v.parked, func(j *job) bool { return j.waiter == one })
	if i < 0 || v.running {
		return nil
	}
	j := v.parked[i]
	v.parked = slices.Delete(v.parked, i, i+1)
	j.session.parked--
	j.queued, j.parked = false, false
	return j
}

// runParked runs what is parked.
func (v *wave) runParked() {
	if len(v.parked) == 0 {
		return
	}
	running := v.parked
	firstTheAside(running)
	v.running = true
	defer func() { v.running = false }()
	if v.commitIntents(running) {
		v.tasks = v.tasks[:0]
		for _, j := range running {
			j.quit()
			j.task.Returns = j.mayComeAgain()
			v.tasks = append(v.tasks, &j.task)
		}
		v.guard(running, func() { v.x.Batch(v.tasks) })
		clear(v.tasks)
		v.checkTouch(running)
	}
	for i, j := range running {
		j.session.parked = 0
		if v.refused == nil {
			j.ended()
		}
		running[i] = nil
	}
	v.parked = running[:0]
}

// commitIntents commits the records of what is about to happen. Without them nothing runs.
func (v *wave) commitIntents(running []*job) bool {
	if v.refused != nil {
		return false
	}
	before := v.w.batch.Len()
	for _, j := range running {
		j.intend()
	}
	if v.w.batch.Len() > before {
		v.refused = v.w.g.Audit.Commit(&v.w.batch)
		failpoint.Here(failpoint.WriteIntended)
	}
	return v.refused == nil
}

// guard calls the executor. Where that fails, the commands on their way are answered with an error and their connections
// end, and the executor is replaced: nobody knows what it was doing.
func (v *wave) guard(running []*job, f func()) (ok bool) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		ok = false
		v.x.Close()
		v.x = v.w.g.upstream.NewExecutor()
		text, closing := "ERR internal error; see the server's log", true
		if engine.IsNoMemory(p) {
			text, closing = resp.MsgOOM, false
		} else {
			v.w.g.Stats.panics.Add(1)
			v.w.g.Log.Error("a call of the upstream failed; the connections are closed", "panic", describePanic(p), "stack", string(debug.Stack()))
		}
		for _, j := range running {
			j.fail(text)
			j.next.Close = j.next.Close || closing
		}
	}()
	f()
	failpoint.Here(failpoint.WriteAnswered)
	return true
}

// close ends the executor.
func (v *wave) close() { v.x.Close() }

// Jobs is how many commands of the round have replies of their own, in the order in which they were given to Run; 0 without
// an upstream.
func (w *Worker) Jobs() int {
	if w.wave == nil {
		return 0
	}
	return w.wave.own.used
}

// Full reports whether the round should end before other commands are run.
func (w *Worker) Full() bool {
	return w.wave != nil && (w.wave.own.used >= maxWave || w.wave.bytes >= maxWaveBytes)
}

// Gather appends the replies of some of the round's jobs to Out, after Commit, and reports whether the connection is to be
// closed behind them.
func (w *Worker) Gather(from, to int) (closing bool) {
	for _, j := range w.wave.own.all[from:to] {
		w.Out.Raw(j.Out.Bytes())
		closing = closing || j.next.Close
	}
	return closing
}

// Forget clears what is known of the round's keys and what its jobs held. The loop calls it when their replies are sent.
func (w *Worker) Forget() {
	w.recall.forget()
	if w.wave != nil {
		w.wave.own.forget()
		w.wave.bytes, w.wave.refused, w.wave.touch = 0, nil, untried
	}
}

// Close gives back what the worker holds of the upstream. It must not be used any more.
func (w *Worker) Close() {
	if w.wave != nil {
		w.wave.close()
	}
}
