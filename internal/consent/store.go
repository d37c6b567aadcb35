package consent

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Clock tells the two times of Lethe: Now is in milliseconds and never goes back, Wall is Unix milliseconds.
type Clock interface {
	Now() int64
	Wall() int64
}

// State is what may be done with entries of a subject. The zero State allows everything.
type State uint8

// The states.
const (
	Clear   State = iota
	Fenced        // may be read, but not written: a revocation ended a short time ago
	Revoked       // may be neither
)

// Store says of a subject whether its entries may be read and written. Its methods may be called concurrently.
type Store struct {
	clock    Clock
	fence    atomic.Int64 // milliseconds
	tenants  maphash.Seed
	subjects maphash.Seed

	mu    sync.Mutex // held while the table is changed
	table table
	last  map[uint64]latest
}

// latest is when a subject was revoked and restored last, in Unix milliseconds. Changes of several gateways arrive in any
// order, and the later decision stands.
type latest struct{ revoked, restored int64 }

// NewStore returns a store without revocations. fence is for how long after the end of a revocation writes are refused: at
// least as long as any value can be on its way into the cache (docs/design/0006-consent.md).
func NewStore(clock Clock, fence time.Duration) *Store {
	s := &Store{clock: clock, tenants: maphash.MakeSeed(), subjects: maphash.MakeSeed(), last: map[uint64]latest{}}
	s.fence.Store(fence.Milliseconds())
	return s
}

// Lengthen makes the fence of revocations that end from now on as long as d, if it is shorter.
func (s *Store) Lengthen(d time.Duration) {
	for old := s.fence.Load(); old < d.Milliseconds() && !s.fence.CompareAndSwap(old, d.Milliseconds()); old = s.fence.Load() {
	}
}

// Fence is how long the fence of a revocation is that ends now.
func (s *Store) Fence() time.Duration { return time.Duration(s.fence.Load()) * time.Millisecond }

// Any reports whether there is anything to ask about: one atomic load.
func (s *Store) Any() bool { return s.table.slots.Load() != nil }

// State says what may be done with entries of a subject at an instant of the clock's Now. It allocates nothing and keeps
// nothing.
func (s *Store) State(tenant string, subject []byte, now int64) State {
	slots := s.table.slots.Load()
	if slots == nil {
		return Clear
	}
	return stateAt(*slots, s.hash(tenant, subject), now)
}

// Live reports whether a revocation of the subject is in force now.
func (s *Store) Live(tenant string, subject []byte) bool {
	return s.State(tenant, subject, s.clock.Now()) == Revoked
}

// Fenced reports whether a revocation of the subject has ended so short a time ago that its fence stands.
func (s *Store) Fenced(tenant string, subject []byte) bool {
	return s.State(tenant, subject, s.clock.Now()) == Fenced
}

func stateAt(slots []slot, hash uint64, now int64) State {
	at := find(slots, hash)
	switch {
	case at == nil || at.writes.Load() <= now:
		return Clear
	case at.reads.Load() <= now:
		return Fenced
	default:
		return Revoked
	}
}

// hash is keyed anew by every process. Two subjects with one hash, a chance of one in 2^64 for a pair, would share a
// refusal: the error is on the safe side.
func (s *Store) hash(tenant string, subject []byte) uint64 {
	h := maphash.String(s.tenants, tenant) ^ bits.RotateLeft64(maphash.Bytes(s.subjects, subject), 32)
	return max(h, 1) // 0 is a free slot
}

// Apply puts a change in force. Of several revocations of a subject the one that lasts longest counts; a restoration ends
// all that were made before it, in whatever order they come, and of the same instant the one that comes later stands. A
// change that lies in the past has the effect that is left of it; one that is applied twice has no other effect.
func (s *Store) Apply(c *Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, wall := s.clock.Now(), s.clock.Wall()
	hash := s.hash(c.Tenant, bytesOf(c.Subject))
	if s.overtaken(hash, c) {
		return
	}
	var reads, writes int64
	known := false
	if slots := s.table.slots.Load(); slots != nil {
		if at := find(*slots, hash); at != nil {
			reads, writes, known = at.reads.Load(), at.writes.Load(), true
		}
	}
	if c.Action == Restore {
		// The fence begins where reading is allowed again. The clock's own now is the latest that this can be.
		reads, writes = 0, max(later(min(now, now+c.Since-wall), s.fence.Load()), s.fenceOfEnded(reads, writes, now))
	} else {
		end := int64(math.MaxInt64)
		if c.Until != 0 {
			end = now + c.Until - wall
		}
		reads = max(reads, end)
		writes = max(writes, later(end, s.fence.Load()))
	}
	if known || writes > now {
		s.table.set(hash, reads, writes, now)
	}
}

// overtaken notes when a change was made, and reports whether a later one has taken its effect away.
func (s *Store) overtaken(hash uint64, c *Change) bool {
	l := s.last[hash]
	was := l
	if c.Action == Restore {
		l.restored = max(l.restored, c.Since)
	} else {
		l.revoked = max(l.revoked, c.Since)
	}
	s.last[hash] = l
	return c.Action == Restore && c.Since < was.revoked || c.Action != Restore && c.Since < was.restored
}

// fenceOfEnded is the fence that a revocation had which ended by itself before the restoration; it is not shortened.
func (s *Store) fenceOfEnded(reads, writes, now int64) int64 {
	if reads <= now {
		return writes
	}
	return 0
}

// Prune forgets what is over. It is called now and then.
func (s *Store) Prune() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table.prune(s.clock.Now())
	slots := s.table.slots.Load()
	for hash := range s.last {
		if slots == nil || find(*slots, hash) == nil {
			delete(s.last, hash)
		}
	}
}

// later is at+by without overflow.
func later(at, by int64) int64 {
	if at > math.MaxInt64-by {
		return math.MaxInt64
	}
	return at + by
}

// bytesOf is the string's own memory, for reading only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
