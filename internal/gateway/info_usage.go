package gateway

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// usage counts the commands of one tenant. INFO shows a caller the sum over its own tenants: counts of the whole process
// would tell it of others' work.
type usage struct {
	commands    []commandUsage // by number
	connections atomic.Uint64  // that logged in
	refused     [len(refusalReasons)]atomic.Uint64
	errors      sync.Map // code of an error reply: *atomic.Uint64
	codes       atomic.Int32
	rate        rate
	refusals    refusalLog
}

// commandUsage counts one command.
type commandUsage struct {
	calls, failed, rejected, timed, nanos atomic.Uint64
}

func newUsage(commands int) *usage { return &usage{commands: make([]commandUsage, commands)} }

// maxCodes is how many codes of errors are told apart: scripts may have as many of their own as they like.
const maxCodes = 128

// error counts an error reply by its code, which is Lethe's own word or stands in the text of a script.
func (u *usage) error(code []byte) {
	n, ok := u.errors.Load(string(code))
	if !ok {
		if u.codes.Add(1) > maxCodes {
			u.codes.Add(-1)
			code = errorCode(nil)
		}
		n, _ = u.errors.LoadOrStore(string(code), new(atomic.Uint64))
	}
	n.(*atomic.Uint64).Add(1)
}

// rate counts commands by the second. Counts of workers that pass into a new second at once may be lost: it is shown as
// a rough number, and never decides anything.
type rate struct {
	second        atomic.Int64
	present, last atomic.Uint64
}

func (r *rate) add(second int64, n uint64) {
	if before := r.second.Load(); before != second && r.second.CompareAndSwap(before, second) {
		last := r.present.Swap(0)
		if second != before+1 {
			last = 0
		}
		r.last.Store(last)
	}
	r.present.Add(n)
}

// perSecond is the count of the last full second.
func (r *rate) perSecond(second int64) uint64 {
	switch r.second.Load() {
	case second:
		return r.last.Load()
	case second - 1:
		return r.present.Load()
	default:
		return 0
	}
}

// Of each command, a worker times the first call and then one in timedEvery, which stands for those before it: reading the
// clock twice for each would cost a noticeable part of a command.
const timedEvery = 64

// roundUsage gathers one worker's counts of one round, so that counting a command touches no memory that others write.
type roundUsage struct {
	counts  []counted
	numbers []uint32     // calls by command, to choose those that are timed
	all     *atomic.Bool // each call is timed
	began   time.Time    // of the command that runs, where it is timed
	weight  uint64       // calls that it stands for; 0: it is not timed
}

// counted is what one command did in one round for one tenant.
type counted struct {
	of                      *usage
	id                      int
	calls, failed, rejected uint64
	timed, nanos            uint64
}

// start begins a command.
func (r *roundUsage) start(id int) {
	switch n := r.numbers[id]; {
	case n == 0, r.all.Load():
		r.weight, r.began = 1, time.Now()
	case n%timedEvery == 0:
		r.weight, r.began = timedEvery, time.Now()
	}
	r.numbers[id]++
}

// count returns the count of a command in this round. The last few are looked through; what is counted twice is added up.
func (r *roundUsage) count(u *usage, id int) *counted {
	for i := len(r.counts) - 1; i >= max(0, len(r.counts)-4); i-- {
		if c := &r.counts[i]; c.of == u && c.id == id {
			return c
		}
	}
	r.counts = append(r.counts, counted{of: u, id: id})
	return &r.counts[len(r.counts)-1]
}

func (r *roundUsage) flush(now int64) {
	for i := range r.counts {
		c := &r.counts[i]
		to := &c.of.commands[c.id]
		addSome(&to.calls, c.calls)
		addSome(&to.failed, c.failed)
		addSome(&to.rejected, c.rejected)
		addSome(&to.timed, c.timed)
		addSome(&to.nanos, c.nanos)
		c.of.rate.add(now/1000, c.calls)
	}
	clear(r.counts)
	r.counts = r.counts[:0]
}

// addSome spares a shared counter a write that would change nothing.
func addSome(to *atomic.Uint64, n uint64) {
	if n != 0 {
		to.Add(n)
	}
}

// settle ends a command: it is counted, a refusal is noted for ACL LOG, and a reply that the client does not want is
// taken back. from is where the reply begins.
func (w *Worker) settle(from int) {
	w.countCommand(from)
	if w.outer == nil && w.session.replies.drop() && !w.call.Pushes() && !w.announced {
		w.Out.Truncate(from)
	}
}

func (w *Worker) countCommand(from int) {
	home := w.session.home
	if home == nil || w.next.Wait != nil {
		return // nobody's commands are no tenant's; one that waits is counted when it ends
	}
	to := w.countedFor(home).usage
	counted, words := w.errorCounted, w.scriptsWords
	w.errorCounted, w.scriptsWords = false, false
	switch {
	case !w.call.Failed || counted:
	case words:
		to.error(errorCode(nil)) // INFO must not show what a script says
	default:
		to.error(errorCode(w.Out.Bytes()[from:]))
	}
	if w.call.Spec == nil {
		return
	}
	c := w.usage.count(to, w.call.Spec.ID())
	switch {
	case w.refused != "":
		c.rejected++
		w.noteRefusal(home)
		return
	case w.call.Failed:
		c.failed++
	}
	c.calls++
	if weight := w.usage.weight; weight != 0 {
		w.noteLatency(w.countedFor(home), time.Since(w.usage.began), weight)
		c.timed += weight
		c.nanos += weight * uint64(time.Since(w.usage.began))
	}
}

// countedFor is the tenant whose users are shown the command: that of its first key, if the credential names it, so that
// what a user of two tenants does in one is not counted in the other; otherwise the user's home.
func (w *Worker) countedFor(home *Tenant) *Tenant {
	if len(w.placed) > 0 && w.placed[0].tenant != home && slices.Contains(w.session.tenants, w.placed[0].tenant) {
		return w.placed[0].tenant
	}
	return home
}

// errorCode is the first word of an error reply.
func errorCode(reply []byte) []byte {
	if len(reply) == 0 || reply[0] != '-' {
		return []byte("ERR")
	}
	code, _, _ := bytes.Cut(reply[1:], []byte(" "))
	return code
}
