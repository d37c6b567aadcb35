package identity

import (
	"net/netip"
	"sync"
	"time"
)

// Guard makes guessing slow. It counts failures for each address, and for each user from each address, and after some of
// them lets nobody try again from there for a time that doubles up to a lock.
//
// What others do can lock nobody out: a user whom many addresses fail to be stays reachable from addresses that have
// been that user before, and an address from which many fail stays usable for users who have come from it before. From
// elsewhere a user under attack can be tried a few times a second, so a new machine gets in while the attack lasts.
//
// Who keeps trying meanwhile is not even given a handshake (see Welcome): that is what a flood of wrong tokens costs most.
//
// What it remembers is bounded; under a flood it forgets what is oldest. Safe for concurrent use; its lock is a leaf.
type Guard struct {
	mu      sync.Mutex
	pairs   map[pair]*record
	sources map[netip.Addr]*record
	users   map[string]*attack
	doors   turn // handshakes of strangers who insist, from everywhere
}

type pair struct {
	user   string
	source netip.Addr
}

// record is what is known of a pair or an address.
type record struct {
	failures  int
	until     time.Time // no try before
	lastAt    time.Time
	succeeded bool
	insisted  int       // of an address: tries that were refused without a look, since its last success
	away      time.Time // of an address: no handshake before
	doors     turn      // of an address that has succeeded: handshakes while it insists
}

// attack counts the failures of one user from everywhere, and the tries that were let through meanwhile.
type attack struct {
	failures, tries turn
	until           time.Time // the user is under attack until then
}

// turn counts within one second.
type turn struct {
	second int64
	n      int
}

// add counts one more and returns how many there are in now's second.
func (t *turn) add(now time.Time) int {
	if second := now.Unix(); t.second != second {
		*t = turn{second: second}
	}
	t.n++
	return t.n
}

const (
	pairFree      = 4  // failures without a delay, for typing errors
	sourceFree    = 20 // an address may stand for a whole cluster
	firstDelay    = 250 * time.Millisecond
	longestDelay  = 15 * time.Minute // the lock
	forgetAfter   = time.Hour
	attackAt      = 20 // failures of one user in a second
	attackLasts   = time.Minute
	strangerTries = 5  // a second, of addresses that were never the user before, while it is under attack
	insistFree    = 20 // tries that are refused without a look before an address gets no handshake
	firstAway     = time.Second
	longestAway   = time.Minute
	knownDoors    = 50 // handshakes a second of one address that insists, where somebody has succeeded from it
	strangerDoors = 20 // handshakes a second of all other addresses that insist, together
	maxRemembered = 1 << 16
)

// NewGuard returns a guard that remembers nothing.
func NewGuard() *Guard {
	return &Guard{pairs: map[pair]*record{}, sources: map[netip.Addr]*record{}, users: map[string]*attack{}}
}

// Admit says whether a credential of the user may be looked at now; false is a refusal without a look.
func (g *Guard) Admit(user string, source netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	source = block(source)
	if g.mayTry(user, source, now) {
		return true
	}
	remembered(g.sources, source, now).insist(now)
	return false
}

func (g *Guard) mayTry(user string, source netip.Addr, now time.Time) bool {
	p := g.pairs[pair{user, source}]
	if p != nil && now.Before(p.until) {
		return false
	}
	if p != nil && p.succeeded {
		return true
	}
	if s := g.sources[source]; s != nil && now.Before(s.until) {
		return false
	}
	a := g.users[user]
	return a == nil || !now.Before(a.until) || a.tries.add(now) <= strangerTries
}

// Welcome says whether a new connection from an address is worth a handshake. It is, except while the address insists on
// trying what is refused without a look. Even then some get through, so that nobody is locked out by a neighbour behind the
// same address: many where somebody has succeeded from it, a few of all others together.
func (g *Guard) Welcome(source netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[block(source)]
	switch {
	case s == nil || !now.Before(s.away):
		return true
	case s.succeeded:
		return s.doors.add(now) <= knownDoors
	default:
		return g.doors.add(now) <= strangerDoors
	}
}

// Succeeded notes a good credential: the pair and the address are known from then on, the pair is free of delays, and the
// address gets handshakes again.
func (g *Guard) Succeeded(user string, source netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	source = block(source)
	p := remembered(g.pairs, pair{user, source}, now)
	p.failures, p.until, p.lastAt, p.succeeded = 0, time.Time{}, now, true
	s := remembered(g.sources, source, now)
	s.insisted, s.away, s.lastAt, s.succeeded = 0, time.Time{}, now, true
}

// Failed notes a wrong credential. It reports whether the pair or the address is locked from this failure on, so that a
// lock is recorded once.
func (g *Guard) Failed(user string, source netip.Addr, now time.Time) (locked bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	source = block(source)
	locked = remembered(g.pairs, pair{user, source}, now).fail(pairFree, now)
	locked = remembered(g.sources, source, now).fail(sourceFree, now) || locked
	a := g.users[user]
	if a == nil {
		if len(g.users) >= maxRemembered {
			clear(g.users)
		}
		a = &attack{}
		g.users[user] = a
	}
	if a.failures.add(now) >= attackAt {
		a.until = now.Add(attackLasts)
	}
	return locked
}

// fail counts a failure and sets the delay; true when it has just become the longest.
func (r *record) fail(free int, now time.Time) (locked bool) {
	if now.Sub(r.lastAt) > forgetAfter {
		r.failures = 0
	}
	r.failures++
	r.lastAt = now
	over := r.failures - free
	if over <= 0 {
		return false
	}
	delay := longestDelay
	if over <= 12 {
		delay = min(firstDelay<<(over-1), longestDelay)
	}
	r.until = now.Add(delay)
	return delay == longestDelay && over <= 13
}

// insist counts a try that was refused without a look.
func (r *record) insist(now time.Time) {
	if now.Sub(r.lastAt) > forgetAfter {
		r.insisted = 0
	}
	r.insisted++
	r.lastAt = now
	if over := r.insisted - insistFree; over > 0 {
		r.away = now.Add(min(firstAway<<min(over-1, 10), longestAway))
	}
}

// block is what one peer can easily have many addresses of: an IPv6 /64 counts as one.
func block(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// remembered finds a record or makes one. When there are too many, those that mean nothing any more go, and if that is
// not enough, all that have not succeeded: an attacker with that many addresses has not been slowed by them anyway.
func remembered[K comparable](all map[K]*record, key K, now time.Time) *record {
	r := all[key]
	if r != nil {
		return r
	}
	if len(all) >= maxRemembered {
		for k, old := range all {
			if !old.succeeded && !now.Before(old.until) && !now.Before(old.away) || now.Sub(old.lastAt) > forgetAfter {
				delete(all, k)
			}
		}
	}
	if len(all) >= maxRemembered {
		for k, old := range all {
			if !old.succeeded {
				delete(all, k)
			}
		}
	}
	if len(all) >= maxRemembered {
		clear(all)
	}
	r = &record{}
	all[key] = r
	return r
}
