package gateway

import "time"

// NoteSlow makes the command that ran last one that took long, and one that was measured.
func (w *Worker) NoteSlow(took time.Duration) {
	w.noteSlow(took, nil)
	w.noteLatency(w.countedFor(w.session.home), took, 64)
}
