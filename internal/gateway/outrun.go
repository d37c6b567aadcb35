package gateway

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/upstream"
)

// Where many gateways write one entry, somebody wins each time, but nobody in particular. A command that others were faster than a
// few times in a row is set aside: its round ends without it, its connection is not read meanwhile, and it passes the whole list
// again in the next round, before those that have just come, so that of a loop's commands who came first is tried first. It does
// not rest in between: whoever does is overtaken by those who come meanwhile.
//
// Only the last command of its connection can be set aside, as what comes behind it is answered behind it. Others are tried in their
// round until their time is up.

// aside is a command that comes again. It belongs to the loop of its connection.
type aside struct {
	s       *Session
	kept    kept
	args    [][]byte
	since   int64 // on the engine's clock
	job     *job  // its last
	running bool  // in this round
}

// returnsFor is for how long, in milliseconds, a command may be set aside. Then it is tried in its round, as those that cannot be.
const returnsFor = 250

// mayComeAgain reports whether a command that others are faster than may be set aside.
func (j *job) mayComeAgain() bool {
	switch {
	case j.waiter != nil:
		return true
	case j.session.link == nil || j.session.lastJob != j:
		return false
	}
	return j.aside == nil || j.call.Now < j.aside.since+returnsFor
}

// comesAgain sets a command aside that others were faster than, and reports whether it has done so.
func (j *job) comesAgain() bool {
	s, a := j.session, j.aside
	if j.waiter != nil || j.task.Undone != upstream.Outrun || !j.task.Returns || s.aside != a || s.ended {
		return false
	}
	if a == nil {
		a = &aside{s: s, since: j.call.Now}
		a.args = a.kept.add(j.call.Args)
		s.aside = a
	}
	j.Out.Truncate(0)
	j.call.Failed = false
	a.running, a.job = false, j
	s.link.Do(func(w *Worker) {
		if w != nil && s.aside == a {
			w.wave.comeAgain(a)
		}
	})
	return true
}

// comeAgain runs a command that was set aside.
func (v *wave) comeAgain(a *aside) {
	j := v.take(a.s, a.args)
	j.aside, a.running, a.s.lastJob = a, true, j
	j.pass()
	if !j.parked { // it is refused
		j.conclude()
	}
}

// firstTheAside puts those that come again before those that have just come. Of one connection there is never both.
func firstTheAside(running []*job) {
	slices.SortStableFunc(running, func(a, b *job) int {
		switch {
		case a.aside != nil && b.aside == nil:
			return -1
		case a.aside == nil && b.aside != nil:
			return 1
		default:
			return 0
		}
	})
}

// answeredAside lets the connection of a command go on that had been set aside and has its answer.
func (j *job) answeredAside() {
	if a := j.session.aside; a != nil && a.job == j || a != nil && j.aside == a {
		a.end()
		a.s.link.Do(func(*Worker) {})
	}
}

func (a *aside) end() {
	a.kept.erase()
	a.args, a.s.aside = nil, nil
}

// closeAside ends a command that is set aside and whose connection has closed. One that runs comes to its end.
func (s *Session) closeAside() {
	a := s.aside
	if a == nil {
		return
	}
	if !a.running {
		s.worker.root().wave.giveUp(s, a.args, msgClosed).Out.Reset()
	}
	a.end()
}
