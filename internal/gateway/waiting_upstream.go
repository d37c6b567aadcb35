package gateway

import (
	"bytes"
	"container/heap"
	"slices"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

// Waiting in front of an upstream: who waits for which key, and whose turn it is. A blocking command runs there as its plain
// form does, and where that finds nothing it runs again whenever one of its keys may have changed: what clients of this gateway
// write is known at once, of what others write the upstream tells (Upstream.Await), and once a second whoever is first at a key
// looks whatever was told.
//
// A command is in the line of each of its keys before it runs for the first time, so no change comes between what it reads and
// its waiting. It runs when nobody before it in any of them does or is about to: who came first is served first, and of many
// who wait for one key as many run as there are elements, and one that finds none.

// inFront is how far a waiter in front of an upstream is. What is not said to be its loop's is guarded by the registry's lock.
type inFront struct {
	timed   bool // it is known until when it waits. Only its loop knows that, too
	due     bool // it is to run, when it is its turn
	changed bool // a key may have changed while it ran
	ran     bool // at least once: the connection waits. Its loop writes it, with the lock
	ending  ending

	// Its loop's:
	running   bool  // in this round
	empty     bool  // the handler has found nothing
	intended  bool  // what it is about to do is on record
	last      bool  // its time is up: it answers what it finds
	untouched int64 // since when, on the engine's clock, the other gateways were not heard when it ran; 0: they were
}

// ending is how a waiter's time is to end when nothing comes.
type ending uint8

const (
	goesOn    ending = iota
	timeIsUp         // as when it is over
	unblocked        // with an error, by CLIENT UNBLOCK
)

// lookEvery is how often somebody looks at each key that is waited for, in milliseconds. It bounds what it costs that the
// upstream did not tell of a change.
const lookEvery = 1000

// line is one key with those who wait for it, in the order in which they came.
type line = named[[]*waiter]

// foundNothing is the handler's word; milliseconds is how long the command waits, 0 for ever.
func (one *waiter) foundNothing(now, milliseconds int64) {
	one.front.empty = true
	if !one.front.timed && milliseconds > 0 {
		one.until = now + milliseconds
	}
	one.front.timed = true
}

// comes puts a command into the lines of its keys, and reports whether it is its turn already.
func (x *waiters) comes(one *waiter, keys []engine.Key) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.addLocked(one, keys)
	one.front.due = true
	return x.turn(one)
}

// turn gives a command its turn if it is due and nobody before it is.
func (x *waiters) turn(one *waiter) bool {
	if !one.front.due || one.tried {
		return false
	}
	for _, k := range one.keys {
		for _, w := range k.value {
			if w == one {
				break
			}
			if w.tried || w.front.due {
				return false
			}
		}
	}
	one.front.due, one.tried = false, true
	return true
}

// turns gives their turn to those in some lines whose it is.
func (x *waiters) turns(lines ...*line) (up []*waiter) {
	for _, k := range lines {
		i := slices.IndexFunc(k.value, func(w *waiter) bool { return w.tried || w.front.due })
		if i >= 0 && x.turn(k.value[i]) {
			up = append(up, k.value[i])
		}
	}
	return up
}

// wake makes a command run, once more if it runs.
func (one *waiter) wake() {
	if one.tried {
		one.front.changed = true
	} else {
		one.front.due = true
	}
}

// signal tells the first who waits for a key that it may have changed. It may be called by any goroutine.
func (x *waiters) signal(t engine.TenantID, name []byte) {
	if x.n.Load() == 0 {
		return
	}
	x.mu.Lock()
	var up []*waiter
	if k := x.keys.find(t, name); k != nil {
		k.value[0].wake()
		up = x.turns(k)
	}
	x.mu.Unlock()
	tryAll(up)
}

// lookAgain tells the first at each key to look, once in a while, unless the upstream does not answer anyway. The reaper calls it.
func (x *waiters) lookAgain(now int64, answers func() bool) {
	if x.n.Load() == 0 || !answers() {
		return
	}
	x.mu.Lock()
	var up []*waiter
	if now-x.looked >= lookEvery {
		x.looked = now
		x.keys.each(func(k *line) bool {
			if first := k.value[0]; first.front.ran {
				first.wake()
				up = append(up, x.turns(k)...)
			}
			return true
		})
	}
	x.mu.Unlock()
	tryAll(up)
}

// leaves takes a command that is answered, or whose connection has closed, out of its lines. Where there may be more than it
// has taken, or something came that it has not looked at, whoever is first in them now looks.
func (x *waiters) leaves(one *waiter, more bool) {
	x.mu.Lock()
	lines := one.keys
	var up []*waiter
	if x.takeLocked(one) {
		for _, k := range lines {
			if len(k.value) > 0 && (more || one.front.changed) {
				k.value[0].wake()
			}
		}
		up = x.turns(lines...)
	}
	free := x.free()
	x.mu.Unlock()
	tryAll(up)
	letGo(free, false)
}

// stays keeps a command in its lines that has found nothing. held says of each of its keys whether there was something that it
// does not wait for: then the next in that line may want it. outrun says that it does not know what there is, and runs again
// at once. It returns how the waiting is to end, if it is.
func (x *waiters) stays(one *waiter, keys []engine.Key, held func(i int) bool, outrun bool) ending {
	x.mu.Lock()
	f := one.front
	f.ran = true
	one.s.about.waits.Store(true)
	if one.until > 0 && one.place < 0 && f.ending == goesOn {
		heap.Push(&x.times, one)
		if one.place == 0 {
			one.s.g.Store.Stir()
		}
	}
	one.tried = false
	f.due, f.changed = f.changed || outrun, false
	for i := range keys {
		if !held(i) {
			continue
		}
		if k := x.keys.find(keys[i].Tenant, keys[i].Name); k != nil {
			if next := slices.Index(k.value, one) + 1; next > 0 && next < len(k.value) {
				k.value[next].wake()
			}
		}
	}
	up, ends, free := x.turns(one.keys...), f.ending, x.free()
	x.mu.Unlock()
	tryAll(up)
	letGo(free, false)
	return ends
}

// unblock ends the waiting of a connection as CLIENT UNBLOCK says, and reports whether it waited.
func (x *waiters) unblock(one *waiter, withError bool) bool {
	x.mu.Lock()
	f := one.front
	waits := f.ran && f.ending == goesOn && !one.taken
	if waits && withError {
		f.ending = unblocked
	} else if waits {
		f.ending = timeIsUp
	}
	x.mu.Unlock()
	if waits {
		one.tryToEnd()
	}
	return waits
}

// ends is how the waiting of a command is to end, which runs now if it has to. It waits for no turn.
func (x *waiters) ends(one *waiter) ending {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := one.front
	f.changed = f.changed || f.due || one.tried // it was told to look, and may not want what there is
	f.due, one.tried = false, true
	return f.ending
}

// mayWait reports whether a command waits where it finds nothing, and for keys. What reads streams does with BLOCK only.
func (j *job) mayWait() bool {
	c := &j.call
	return c.Spec.Flags&command.Blocking != 0 && !c.NoWait && j.session.link != nil && j.waiter == nil &&
		(c.Spec.Group != "stream" || slices.ContainsFunc(c.Args, func(a []byte) bool { return bytes.EqualFold(a, []byte("BLOCK")) }))
}

// tellWaiting tells those who wait for what the command has changed. They run when it has ended, in their own loops.
func (j *job) tellWaiting() {
	x, c := &j.g.interest.waiters, &j.call
	if x.n.Load() == 0 {
		return
	}
	for i, told := range c.Told {
		t, name := c.Keys[i].Tenant, c.Keys[i].Name
		if told == command.Stored || told == command.Deleted && x.wanted(t, name, true) || j.task.Doubtful && c.Spec.IsWrite() {
			x.signal(t, name)
		}
	}
}
