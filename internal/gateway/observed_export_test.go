package gateway

import (
	"math"
	"time"
)

// NoteAll makes whatever is timed take long enough to be an event.
func (g *Gateway) NoteAll() {
	all := *g.slowness.Load()
	all.late = 0
	g.slowness.Store(&all)
}

// NoteSaid has no command noted for the time that it really takes, which is long now and then on a busy machine: what NoteSlow says
// took long, and nothing else.
func (g *Gateway) NoteSaid() {
	said := *g.slowness.Load()
	said.after, said.late = math.MaxInt64, math.MaxInt64
	g.slowness.Store(&said)
}

// NoteSlow makes the command that ran last one that took long, and one that was measured.
func (w *Worker) NoteSlow(took time.Duration) {
	said := w.g.slowness.Load()
	usual := *said
	usual.after, usual.late = slowAfter, slowAfter
	w.g.slowness.Store(&usual)
	w.noteSlow(took, nil)
	w.g.slowness.Store(said)
	w.noteLatency(w.countedFor(w.session.home), took, 64)
}
