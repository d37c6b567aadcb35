package upstream

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// Accounts are those of all tenants: what this gateway counts itself, and what the others have told. They may be used
// concurrently.
//
// Ten times a second each gateway tells what has changed, and twice a second everything, by when it ends. So what is told again
// replaces what was told before and may be lost, and of a gateway that is there no more, what has not ended yet still counts:
// those who stay tell it to whoever comes.
type Accounts struct {
	ledger *ledger
	self   uint64 // this process, among those in front of the upstream

	naming sync.RWMutex // held while byName is looked at
	byName map[string]*Account

	mu     sync.Mutex // one beat, or report, at a time
	others map[uint64]*report
	beats  int
	newsAt int64  // when a process was heard for the first time
	times  uint32 // during which claims were told
}

// report is what a process has told last.
type report struct {
	tick    int64 // its clock then; Unix milliseconds
	heardAt int64
	held    map[string]*ending
}

// ending is what one tenant's entries are that a process counts, by when they end.
type ending struct {
	tick   int64
	bySlot map[int64]Held // by deadline >> sliceShift
	later  Held
	until  int64
}

const (
	fullBeat      = 5      // how often everything is told: in each so many-th beat
	goneMillis    = 2_000  // a process that tells nothing for longer is there no more
	welcomeMillis = 5_000  // for how long those are told of who are there no more, when somebody came
	restMillis    = 60_000 // a process of which nothing is left is forgotten after it

	reportBytes = 64 << 10 // of one message, about
	claimsBeat  = 256 << 10
	maxOthers   = 1 << 12 // processes
)

func newAccounts(l *ledger) *Accounts {
	return &Accounts{ledger: l, self: rand.Uint64(), byName: map[string]*Account{}, others: map[uint64]*report{}}
}

// Accounts are the tenants'.
func (b *Backend) Accounts() *Accounts { return b.accounts }

// Of returns the account of a tenant, which is made with a quota in bytes where there is none yet; 0: no quota.
func (x *Accounts) Of(tenant string, limit int64) *Account {
	x.naming.RLock()
	a := x.byName[tenant]
	x.naming.RUnlock()
	if a != nil {
		return a
	}
	x.naming.Lock()
	defer x.naming.Unlock()
	if a = x.byName[tenant]; a == nil {
		a = &Account{name: tenant, limit: limit}
		x.byName[tenant] = a
	}
	return a
}

func (x *Accounts) all() []*Account {
	x.naming.RLock()
	defer x.naming.RUnlock()
	return slices.Collect(maps.Values(x.byName))
}

// Beat adds up what the gateways have told and gives what is to be told to them: reports for Heard and claims for Claimed there.
// It is called ten times a second, with the time in Unix milliseconds.
func (x *Accounts) Beat(now int64) (reports [][]byte, claims []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.beats++
	full := x.beats%fullBeat == 0
	var w reportWriter
	w.begin(x.self, now)
	others := x.forget(now)
	for _, a := range x.all() {
		a.since.Store(0) // what is written while this goes on may be counted twice until the next beat, or not
		changed := a.changed.Swap(false)
		if changed || a.last == nil {
			a.last = a.ending(x.ledger, now)
		}
		all := a.last.left(now)
		for _, r := range x.others {
			if e := r.held[a.name]; e != nil {
				all.add(e.left(now))
			}
		}
		a.settle(all)
		a.nextClaims(others, &x.times)
		if changed || full && !a.last.empty() {
			w.add(a.name, a.last)
		}
	}
	if full || len(w.body) > len(w.head) { // one that says nothing tells that there is somebody
		w.end()
	}
	if full && now-x.newsAt < welcomeMillis {
		x.tellGone(&w, now)
	}
	return w.done, x.ledger.takeClaims(nil, claimsBeat)
}

// forget drops processes of which nothing is left, and reports whether any other is there.
func (x *Accounts) forget(now int64) (others bool) {
	for id, r := range x.others {
		if now-r.heardAt <= goneMillis {
			others = true
			continue
		}
		maps.DeleteFunc(r.held, func(_ string, e *ending) bool { return e.left(now) == Held{} })
		if len(r.held) == 0 && now-r.heardAt > restMillis {
			delete(x.others, id)
		}
	}
	return others
}

// tellGone tells what those have left who are there no more.
func (x *Accounts) tellGone(w *reportWriter, now int64) {
	for id, r := range x.others {
		if now-r.heardAt <= goneMillis || len(r.held) == 0 {
			continue
		}
		w.begin(id, r.tick)
		for name, e := range r.held {
			w.add(name, e)
		}
		w.end()
	}
}

// Heard takes a report of another gateway. What is no report is dropped.
func (x *Accounts) Heard(body []byte, now int64) {
	id, tick, held, ok := readReport(body)
	if !ok || id == x.self {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.others[id]
	if r == nil {
		if len(x.others) >= maxOthers {
			return
		}
		r = &report{held: map[string]*ending{}}
		x.others[id] = r
		x.newsAt = now
	}
	if tick > r.tick { // what is told of one that is gone is no sign of its life
		r.tick, r.heardAt = tick, now
	}
	for name, e := range held {
		if old := r.held[name]; old == nil || old.tick <= e.tick {
			r.held[name] = e
		}
	}
}

// Claimed takes the claims of another gateway.
func (x *Accounts) Claimed(body []byte) { x.ledger.claimed(body) }

// ending is the own part of an account.
func (a *Account) ending(l *ledger, now int64) *ending {
	e := &ending{tick: now, bySlot: map[int64]Held{}}
	first := now >> sliceShift
	for i := range l.parts {
		l.parts[i].mu.Lock()
		p := &a.own[i]
		for s := range int64(horizon) {
			at := first + (s-first%horizon+horizon)%horizon // the slice that has this place now
			if p.slices[s] != (Held{}) {
				h := e.bySlot[at]
				h.add(p.slices[s])
				e.bySlot[at] = h
			}
		}
		e.later.add(p.slices[later])
		e.until = max(e.until, p.until)
		l.parts[i].mu.Unlock()
	}
	return e
}

func (e *ending) empty() bool { return len(e.bySlot) == 0 && e.later == Held{} }

// left is what has not ended at an instant. The slice that is ending counts as a whole.
func (e *ending) left(now int64) (h Held) {
	for at, x := range e.bySlot {
		if (at+1)<<sliceShift > now {
			h.add(x)
		}
	}
	if e.until > now {
		h.add(e.later)
	}
	return h
}
