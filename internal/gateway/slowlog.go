package gateway

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

// slowness says what takes long, and how much of what is noted is kept. Only Redis's own tests change it.
type slowness struct {
	after, late time.Duration // for SLOWLOG, and for LATENCY; negative: nothing does
	kept        int           // slow commands of one tenant
	refusals    int           // of one tenant, for ACL LOG
	fast        bool          // commands that Redis calls fast are timed, too
}

const (
	// slowAfter is how long a command has to take to be noted: Redis's slowlog-log-slower-than as it comes.
	slowAfter = 10 * time.Millisecond
	keptSlow  = 128 // of one tenant: Redis's slowlog-max-len
)

// observed is what took long, by tenant, for SLOWLOG and LATENCY. It is apart from what INFO counts because most tenants
// never have any. The zero value has seen nothing; it may be used concurrently, and its locks are leaves.
type observed struct {
	tenants sync.Map // engine.TenantID: *tenantObserved
	lastID  atomic.Int64
}

// tenantObserved is the part of one tenant.
type tenantObserved struct {
	slow      slowLog
	events    latencyEvents
	latencies latencies
}

// of returns the part of a tenant.
func (o *observed) of(t engine.TenantID) *tenantObserved {
	x, ok := o.tenants.Load(t)
	if !ok {
		x, _ = o.tenants.LoadOrStore(t, new(tenantObserved))
	}
	return x.(*tenantObserved)
}

// id numbers a slow command. A count would tell a tenant how many of others' stand between two of its own, so it is the
// time in microseconds, or one more than the last where that is not later.
func (o *observed) id(microseconds int64) int64 {
	for {
		last := o.lastID.Load()
		next := max(microseconds, last+1)
		if o.lastID.CompareAndSwap(last, next) {
			return next
		}
	}
}

// slowLog holds the latest slow commands of one tenant, the oldest first.
type slowLog struct {
	mu      sync.Mutex
	entries []command.SlowCommand
}

func (l *slowLog) add(s command.SlowCommand, kept int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, s)
	l.entries = slices.Delete(l.entries, 0, max(len(l.entries)-kept, 0))
}

func (l *slowLog) list() []command.SlowCommand {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

func (l *slowLog) forget(known func(user string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = slices.DeleteFunc(l.entries, func(s command.SlowCommand) bool { return known(s.Client.User) })
}

// watch begins to time the command that is about to run. Those that Redis calls fast take the same few steps whatever
// they are sent, and reading the clock twice would cost a noticeable part of them: they are left out, and so is what
// Redis keeps out of its slow log (a script's or a transaction's commands are there themselves).
//
// It returns the time since an instant of the worker's own: to ask for what has passed is one reading of a clock, where
// time.Now is two. In a round a command begins where the one before it ended, if that was timed: but for scripts, which
// are between their commands, and in front of an upstream, which is waited for.
func (w *Worker) watch() (began time.Duration) {
	flags, ended := w.call.Spec.Flags, w.ended
	w.ended = 0
	switch {
	case flags&command.SkipSlowlog != 0 || flags&command.Fast != 0 && !w.g.slowness.Load().fast:
		return unwatched
	case ended > 0 && w.outer == nil && w.g.upstream == nil:
		return ended
	}
	return time.Since(w.made)
}

// unwatched is when a command began that is not timed.
const unwatched = time.Duration(-1)

// watchAside has watched called for a command that goes on beside the loop, when it ends. Of its arguments it keeps the number
// and what is plain.
func (w *Worker) watchAside(began time.Duration) {
	if began == unwatched {
		return
	}
	words, then := w.call.Spec.SlowWords(w.call.Args), w.next.Then
	w.next.Then = func(c *command.Call) {
		then(c)
		w.watched(began, words)
	}
}

// watched ends what watch began, and notes a command that took long: with these words, or with nil as it has just run. It must
// not be called for one that waits.
func (w *Worker) watched(began time.Duration, words []string) {
	if began == unwatched {
		return
	}
	w.ended = time.Since(w.made)
	took, s := w.ended-began, w.g.slowness.Load()
	if took >= min(s.after, s.late) { // a negative one is looked at again
		w.noteSlow(took, words)
	}
}

// noteSlow notes that the command which has just run took long. Keys, values and secrets are not kept.
func (w *Worker) noteSlow(took time.Duration, words []string) {
	if words == nil {
		words = w.call.Spec.SlowWords(w.call.Args)
	}
	home := w.session.home
	if home == nil {
		return
	}
	to, s := w.g.observed.of(w.countedFor(home).ID), w.g.slowness.Load()
	wall := w.call.WallNow
	if s.after >= 0 && took >= s.after {
		to.slow.add(command.SlowCommand{
			ID: w.g.observed.id(wall * 1000), At: wall / 1000, Microseconds: took.Microseconds(),
			Words: words, Client: w.session.About(),
		}, s.kept)
	}
	if s.late >= 0 && took >= s.late {
		name := "command"
		if w.call.Spec.Flags&command.Fast != 0 {
			name = "fast-command"
		}
		to.events.add(name, command.LatencySample{At: wall / 1000, Milliseconds: took.Milliseconds()})
	}
}

// eachObserved calls f for the parts of the caller's tenants.
func (g *Gateway) eachObserved(caller command.Conn, f func(*tenantObserved)) {
	for _, t := range caller.(*Session).tenants {
		f(g.observed.of(t.ID))
	}
}

// SlowCommands returns the slow commands that the caller may know of, the newest first.
func (g *Gateway) SlowCommands(caller command.Conn) []command.SlowCommand {
	me := caller.(*Session)
	var all []command.SlowCommand
	g.eachObserved(caller, func(o *tenantObserved) {
		for _, s := range o.slow.list() {
			if me.knowsUser(s.Client.User) {
				all = append(all, s)
			}
		}
	})
	slices.SortFunc(all, func(a, b command.SlowCommand) int { return cmp.Compare(b.ID, a.ID) })
	return all
}

// ForgetSlowCommands empties that list.
func (g *Gateway) ForgetSlowCommands(caller command.Conn) {
	g.eachObserved(caller, func(o *tenantObserved) { o.slow.forget(caller.(*Session).knowsUser) })
}
