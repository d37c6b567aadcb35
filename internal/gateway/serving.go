package gateway

import (
	"bytes"
	"slices"

	"github.com/lethe-cache/lethe/internal/engine"
)

// ready are keys that changed while somebody waited for them, in the order of the changes.
type ready []readyKey

type readyKey struct {
	tenant engine.TenantID
	name   []byte
}

// add copies the name: the arguments of a transaction are erased before its effects are looked at.
func (r *ready) add(t engine.TenantID, name []byte) {
	*r = append(*r, readyKey{t, bytes.Clone(name)})
}

// serveWaiters answers those who waited for what the command changed, in the order in which they came, before any other
// command of this worker. Serving one may change keys that others wait for: they are served too.
func (w *Worker) serveWaiters() {
	if len(w.ready) == 0 {
		return
	}
	w.tx.Hold(engine.EveryShard)
	defer w.tx.Release()
	for i := 0; i < len(w.ready); i++ {
		w.serveKey(w.ready[i])
		clear(w.ready[i].name)
	}
	clear(w.ready)
	w.ready = w.ready[:0]
}

func (w *Worker) serveKey(k readyKey) {
	tried := map[*waiter]bool{}
	waiting := &w.g.interest.waiters
	for x := waiting.next(k.tenant, k.name, tried); x != nil; x = waiting.next(k.tenant, k.name, tried) {
		tried[x] = true
		switch answered, state := w.try(x); {
		case !answered:
			waiting.release(x, state)
		default:
			waiting.take(x)
		}
	}
}

// try runs the command of one that waits. When it is answered, the answer is in the outbox.
func (w *Worker) try(x *waiter) (answered bool, state any) {
	if x.s.stale(w.g.Directory.Generation(), w.call.WallNow) {
		// The users have changed: its own loop looks the user up again.
		w.outbox.items = append(w.outbox.items, delivery{waiter: x, again: true})
		return true, nil
	}
	in := w.inside(w.aside)
	mine, before := w.session, len(w.outbox.items)
	in.start(x.s, x.args)
	in.call.Retry, in.call.State, in.retrying, in.waits = true, x.state, true, false
	in.pass()
	in.retrying = false
	waits := in.waits
	state = in.stateKept
	in.end(0)
	w.session = mine
	if waits {
		w.aside.Reset()
		return false, state
	}
	answer := append([]byte(nil), w.aside.Bytes()...)
	w.aside.Reset()
	// The answer comes before what the command itself has to tell the connection, as it does where nobody waited.
	w.outbox.items = slices.Insert(w.outbox.items, before, delivery{waiter: x, answer: answer})
	return true, nil
}
