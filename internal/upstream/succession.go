package upstream

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Succession has the entries of gateways that have gone end as their own would have had them: recorded, and deleted at their
// deadlines. One of those who stay takes them over: it walks over the upstream once, finds what was sealed with data keys that
// the one that has gone had drawn, and puts it into its own queue.
//
// Gone is who was silent for 5 s. One that was only stopped is told what was taken from it when it is heard again; its queue
// rests for a moment after a stop, so that it knows before it records. What ended before the walk came to it has no record.
//
// Run uses it in one goroutine; Tell and Heard may be called by any.
type Succession struct {
	b        *Backend
	peers    Peers
	category func(name []byte) string

	others map[uint64]*kin
	due    map[uint64]bool // gone: their entries are to be taken over
	again  int64           // when that is tried again

	mu      sync.Mutex
	heirs   map[uint64]uint64   // who has told that it took over whose entries
	taken   map[uint64]*estates // what this gateway took over, by whose it was
	telling []estate
	orphans []uint64 // processes of before, of which nobody else knows
}

// Orphans makes the entries due of processes that ended before this one began, where no other process is there that has them
// already. Only what survives a restart can be taken over from them.
func (s *Succession) Orphans(origins []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orphans = append(s.orphans, origins...)
}

// Peers are the other processes in front of the upstream, by numbers that each draws when it starts: *seal.Peers.
type Peers interface {
	// ID is this process's own.
	ID() uint64
	// Heard returns those that were heard within so many milliseconds.
	Heard(within int64) []uint64
	// InTouch returns since when this process hears the others without a break, in Unix milliseconds; 0 when it does not.
	InTouch() int64
}

// kin is what is known of another process.
type kin struct {
	first, last int64 // when it was heard
	gone        bool
	retell      int // how often it is still to be told what was taken from it
}

const (
	lookEvery   = 250 * time.Millisecond
	heardMillis = 1_000 // within which each process is heard, four times a second
	// silentMillis is after how much silence a process is gone.
	silentMillis = 5_000
	// settledMillis is for how long two processes must have known each other before one relies on the other to take over.
	settledMillis = 2_000
	// retells is how often, with each look, a process that is heard again is told: it may not know the teller yet.
	retells     = 3
	tryAgain    = 1_000
	forgetAfter = 600_000 // milliseconds: who has gone, and what was taken over
	maxHeirs    = 1 << 12
)

// NewSuccession returns what takes entries over for a backend. category says in which category a name is; it keeps nothing
// of it, and may be called concurrently with everything.
func (b *Backend) NewSuccession(p Peers, category func(name []byte) string) *Succession {
	return &Succession{b: b, peers: p, category: category, others: map[uint64]*kin{}, due: map[uint64]bool{},
		heirs: map[uint64]uint64{}, taken: map[uint64]*estates{}}
}

// inherited counts what this process has taken over.
type inherited struct{ entries, expired atomic.Uint64 }

// Inherited says how many entries of gateways that have gone this process has taken over since it started, and how many of those it
// has had recorded as expired: none that was written or deleted meanwhile, or that another gateway has taken over as well.
func (s *Succession) Inherited() (entries, expired uint64) {
	return s.b.inherited.entries.Load(), s.b.inherited.expired.Load()
}

// Run looks for gateways that have gone, and takes their entries over, until ctx ends.
func (s *Succession) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.look(ctx, s.b.clock.Now())
		}
	}
}

func (s *Succession) look(ctx context.Context, now int64) {
	for _, id := range s.peers.Heard(heardMillis) {
		s.hears(id, now)
	}
	s.forget(now)
	// Who hears nobody is itself the one who is cut off, and who has just come back has not heard everybody yet.
	if since := s.peers.InTouch(); since == 0 || now-since < silentMillis {
		return
	}
	s.mu.Lock()
	for _, id := range s.orphans {
		s.due[id] = true
	}
	s.orphans = nil
	s.mu.Unlock()
	for id, k := range s.others {
		if k.gone || now-k.last < silentMillis {
			continue
		}
		k.gone = true
		if s.isHeir(k, now) {
			s.inherit(id)
		}
	}
	if len(s.due) == 0 || now < s.again {
		return
	}
	if s.takeOver(ctx) != nil {
		s.again = now + tryAgain // the upstream does not answer; what ends meanwhile has no record
		return
	}
	clear(s.due)
}

// hears notes that a process is there.
func (s *Succession) hears(id uint64, now int64) {
	k := s.others[id]
	switch {
	case k == nil:
		k = &kin{first: now}
		s.others[id] = k
	case k.gone:
		k.gone, k.retell = false, retells
		delete(s.due, id)
	}
	k.last = now
	if k.retell > 0 {
		k.retell--
		s.retell(id)
	}
}

// isHeir reports whether this process takes over from one that has gone: it has the lowest number of those who are there, and
// were there long enough before to know of it.
func (s *Succession) isHeir(gone *kin, now int64) bool {
	self := s.peers.ID()
	for id, k := range s.others {
		if id < self && now-k.last <= heardMillis && k.first+settledMillis <= gone.last {
			return false
		}
	}
	return true
}

// inherit makes the entries of a process that has gone due, those with them that it had taken over itself, and those of whose
// heir nobody has heard.
func (s *Succession) inherit(from uint64) {
	s.due[from] = true
	s.mu.Lock()
	defer s.mu.Unlock()
	for origin, heir := range s.heirs {
		if heir == from {
			s.due[origin] = true
		}
	}
	for id, k := range s.others {
		if _, known := s.heirs[id]; k.gone && !known && s.taken[id] == nil {
			s.due[id] = true
		}
	}
}

// forget drops what nobody will ask for any more.
func (s *Succession) forget(now int64) {
	maps.DeleteFunc(s.others, func(_ uint64, k *kin) bool { return k.gone && now-k.last > forgetAfter })
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.taken, func(_ uint64, e *estates) bool { return now-e.at > forgetAfter })
}

// origins are those whose entries are to be taken over, without those that are heard again.
func (s *Succession) origins() map[uint64]bool {
	for _, id := range s.peers.Heard(heardMillis) {
		delete(s.due, id)
	}
	return s.due
}
