package gateway

import (
	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/resp"
)

// A command may run others: EXEC those that were queued, a script those that it calls, a write those that waited for it.
// They pass the whole list in a worker of their own, which shares the outer one's locks, instant, records and messages:
// one commit makes all of them known, and only then is anything answered or delivered.

// inside returns the worker for commands inside of this one's, writing to out.
func (w *Worker) inside(out *resp.Writer) *Worker {
	if w.inner == nil {
		in := &Worker{g: w.g, made: w.made, tx: w.tx, outer: w, recall: w.recall}
		in.call.Tx = w.tx
		in.call.Expiry = (*expiry)(in)
		in.usage.numbers, in.usage.all = make([]uint32, w.g.Table.Len()), &w.g.timeAll
		w.inner = in
	}
	in := w.inner
	in.Out, in.call.Out = out, out
	in.call.Now, in.call.WallNow = w.call.Now, w.call.WallNow
	return in
}

// root is the worker whose round this is.
func (w *Worker) root() *Worker {
	for w.outer != nil {
		w = w.outer
	}
	if w.job != nil {
		return w.job.wave.w
	}
	return w
}

// add puts a record into the round's batch.
func (w *Worker) add(r *audit.Record) { w.root().batch.Add(r) }

// runInside runs a command that another one runs, for the same connection. It may not wait.
func (w *Worker) runInside(s *Session, args [][]byte) { w.runNested(s, args, false) }

// runForScript is runInside for a script.
func (w *Worker) runForScript(s *Session, args [][]byte) { w.runNested(s, args, true) }

func (w *Worker) runNested(s *Session, args [][]byte, script bool) {
	from := w.Out.Len()
	w.start(s, args)
	w.call.NoWait, w.call.Script = true, script
	w.pass()
	w.end(from)
}
