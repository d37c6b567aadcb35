// Package engine is the embedded store: entries of several tenants in memory that Lethe owns, each with a deadline after
// which it cannot be read and its bytes are overwritten. It knows no protocol, no policy and no clock: callers pass the
// deadlines that policy granted and the present instant, in milliseconds of one clock that never goes back.
//
// The invariants: every entry has a deadline; memory that held a key or a value is overwritten before it is used for
// anything else; what one tenant stores is reached, counted and evicted only under that tenant's TenantID.
//
// The command handlers call it through Tx, the reaper through Reap.
package engine

import (
	"errors"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// Errors that a caller may branch on.
var (
	ErrNoMemory = errors.New("no memory left under the limit of the process")
	ErrQuota    = errors.New("no memory left under the quota of the tenant")
)

const (
	shardBits  = 6
	shardCount = 1 << shardBits
)

// Options are the limits of a Store.
type Options struct {
	MaxMemory   int64 // bytes of all entries; 0: no limit
	TenantQuota int64 // bytes of one tenant's entries unless SetQuota says otherwise; 0: no limit
	Categories  int   // how many categories there are; Meta.Category is below it
	OneShard    bool  // all entries are in one shard: a store of one goroutine, whose few entries stay in the processor's caches
}

// Store holds entries. Its methods may be called concurrently.
type Store struct {
	shards     [shardCount]shard
	seed       maphash.Seed
	hashed     uint64 // the bits of hashes that count
	used       atomic.Int64
	maxMemory  atomic.Int64
	quota      int64
	accounts   atomic.Pointer[[]*account]
	growing    sync.Mutex // held while accounts is replaced
	categories int
	hand       atomic.Uint32 // the shard that evicts next
	rest       atomic.Int64  // the tick until which nobody reaps; 0: somebody looks at each
	sooner     chan struct{} // somebody has to, before that
	perBlock   atomic.Int32  // entries of a stream's block; 0: as it comes
}

// account is what the store knows of one tenant as a whole.
type account struct {
	used      atomic.Int64
	entries   atomic.Int64
	evictions atomic.Int64
	quota     atomic.Int64
	cells     []cell // by category
}

// cell is what one category of one tenant takes.
type cell struct{ used, entries atomic.Int64 }

func (a *account) cell(category uint16) *cell { return &a.cells[min(int(category), len(a.cells)-1)] }

// New returns an empty store.
func New(o Options) *Store {
	s := &Store{seed: maphash.MakeSeed(), hashed: math.MaxUint64, quota: o.TenantQuota, categories: max(o.Categories, 1), sooner: make(chan struct{}, 1)}
	if o.OneShard {
		s.hashed >>= shardBits // the shard is what the highest bits say
	}
	s.maxMemory.Store(o.MaxMemory)
	s.accounts.Store(&[]*account{})
	for i := range s.shards {
		s.shards[i].arena = newArena()
		s.shards[i].store = s
	}
	return s
}

// SetStreamBlock bounds how many entries a block of a stream may have, below what it comes with: approximate trimming takes
// out whole blocks. 0 is the bound that it comes with. Blocks that there are stay as they are.
func (s *Store) SetStreamBlock(entries int) {
	s.perBlock.Store(int32(min(max(entries, 0), streamBlockEntries)))
}

// StreamBlock is how many entries a block of a stream may have.
func (s *Store) StreamBlock() int {
	if n := s.perBlock.Load(); n > 0 {
		return int(n)
	}
	return streamBlockEntries
}

// Close overwrites and returns all memory. Nothing may use the store afterwards.
func (s *Store) Close() {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.lock()
		sh.arena.close()
		sh.wheel, sh.spaces, sh.graves = wheel{}, nil, 0
		sh.mu.Unlock()
	}
}

func (s *Store) account(t TenantID) *account {
	if accounts := *s.accounts.Load(); int(t) < len(accounts) {
		return accounts[t]
	}
	s.growing.Lock()
	defer s.growing.Unlock()
	accounts := append([]*account(nil), *s.accounts.Load()...)
	for int(t) >= len(accounts) {
		a := &account{cells: make([]cell, s.categories)}
		a.quota.Store(s.quota)
		accounts = append(accounts, a)
	}
	s.accounts.Store(&accounts)
	return accounts[t]
}

// Key names an entry; make one with Store.Key.
type Key struct {
	Name     []byte
	Tenant   TenantID
	Category uint16 // whose account pays for what is stored; the Meta of a write names the same
	hash     uint64
}

// Key returns the identity of an entry. The name is not copied; it must stay as it is while the Key is used.
func (s *Store) Key(t TenantID, category uint16, name []byte) Key {
	return Key{Name: name, Tenant: t, Category: category, hash: s.hash(t, name)}
}

func (s *Store) hash(t TenantID, name []byte) uint64 {
	// The same name in two tenants may well fall into one shard: their indexes are apart.
	_ = t
	return maphash.Bytes(s.seed, name) & s.hashed
}

func (k *Key) shard() int  { return int(k.hash >> (64 - shardBits)) }
func (k *Key) tag() uint32 { return uint32(k.hash >> (32 - shardBits)) }

func (s *Store) tagOf(t TenantID, name []byte) uint32 {
	return uint32(s.hash(t, name) >> (32 - shardBits))
}

// memberHash hashes the members of collections.
func (s *Store) memberHash(b []byte) uint32 { return uint32(maphash.Bytes(s.seed, b)) }

// SetQuota sets the bytes that one tenant's entries may take; 0: no limit.
func (s *Store) SetQuota(t TenantID, bytes int64) { s.account(t).quota.Store(bytes) }

// SetMaxMemory sets the bytes that all entries may take; 0: no limit.
func (s *Store) SetMaxMemory(bytes int64) { s.maxMemory.Store(bytes) }

// Usage is what a tenant, or the whole store, takes.
type Usage struct {
	Entries   int64
	Bytes     int64
	Limit     int64 // 0: none
	Evictions int64
}

// Usage returns what one tenant takes.
func (s *Store) Usage(t TenantID) Usage {
	a := s.account(t)
	return Usage{Entries: a.entries.Load(), Bytes: a.used.Load(), Limit: a.quota.Load(), Evictions: a.evictions.Load()}
}

// Total returns what all tenants take together.
func (s *Store) Total() Usage {
	u := Usage{Bytes: s.used.Load(), Limit: s.maxMemory.Load()}
	for _, a := range *s.accounts.Load() {
		u.Entries += a.entries.Load()
		u.Evictions += a.evictions.Load()
	}
	return u
}

// CategoryUsage returns what one category of a tenant takes; only Entries and Bytes are set.
func (s *Store) CategoryUsage(t TenantID, category uint16) Usage {
	c := s.account(t).cell(category)
	return Usage{Entries: c.entries.Load(), Bytes: c.used.Load()}
}

// Mapped returns the bytes that the store's memory takes from the operating system. It takes no lock: a command inside of a
// transaction or a script asks too, and every shard is held for it then.
func (s *Store) Mapped() int64 {
	var n int64
	for i := range s.shards {
		n += s.shards[i].arena.mapped.Load()
	}
	return n
}

// random returns a number below n, for choices that no one needs to be unable to guess.
func random(n uint64) uint64 { return rand.Uint64N(n) }

// IsNoMemory reports whether a recovered panic of a Tx means that the operating system gave no more memory. The command
// may have had a part of its effect; the store is sound.
func IsNoMemory(p any) bool { return p == any(errNoMemory) }
