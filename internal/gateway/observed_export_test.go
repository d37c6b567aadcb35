package gateway

import "time"

// NoteAll makes whatever is timed take long enough to be an event.
func (g *Gateway) NoteAll() {
	all := *g.slowness.Load()
	all.late = 0
	g.slowness.Store(&all)
}

// NoteSlow makes the command that ran last one that took long, and one that was measured.
func (w *Worker) NoteSlow(took time.Duration) {
	w.noteSlow(took, nil)
	w.noteLatency(w.countedFor(w.session.home), took, 64)
}
