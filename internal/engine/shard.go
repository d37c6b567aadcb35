package engine

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// shard is one of the parts that a store's entries are spread over by hash. Everything in it is guarded by mu.
type shard struct {
	mu     sync.Mutex
	arena  *arena
	wheel  wheel
	spaces []*space     // by TenantID; nil until the tenant's first entry
	next   atomic.Int64 // the first tick at which Reap has something to do; read without mu
	graves ref          // large entries that are gone for everybody and wait to be erased in slices, linked by queueNext
	store  *Store

	owner    TenantID // whose account pays for what the arena hands out now ...
	category uint16   // ... and under which category
	settled  int64    // arena.used when the owner's account was last brought up to date

	// The entry that was found last, and the hash of its key: a command looks for its entry two or three times. 0: none is known.
	last     ref
	lastHash uint64

	_ [64]byte // shards are neighbours in memory and locked by different cores
}

// space is one tenant's entries in one shard.
type space struct {
	index       table
	small, main fifo
	ghost       ghost
}

// lockSpins is for how many pauses a shard is waited for before the scheduler is asked to: a few microseconds.
const lockSpins = 100

// lock locks mu. A command holds it for less than a microsecond, which is far less than it takes to put a thread to sleep, or than
// sync.Mutex lets pass between two looks at a lock: where all connections use one key, most of what that costs is saved.
func (sh *shard) lock() {
	for range lockSpins {
		if sh.mu.TryLock() {
			return
		}
		pause()
	}
	sh.mu.Lock()
}

// arm puts an entry into the wheel.
func (sh *shard) arm(r ref, e *entry) {
	sh.wheel.arm(sh.arena, r, e)
	if tick := tickOf(e.armedAt()); tick < sh.next.Load() {
		sh.dueAt(tick)
	}
}

// dueAt notes when Reap has something to do, and tells the reaper if it rests for longer.
func (sh *shard) dueAt(tick int64) {
	sh.next.Store(tick)
	if tick < sh.store.rest.Load() {
		sh.store.Stir()
	}
}

// charge makes a tenant, under a category, pay for what the arena hands out from here on.
func (sh *shard) charge(t TenantID, category uint16) {
	if sh.owner != t || sh.category != category {
		sh.settle()
		sh.owner, sh.category = t, category
	}
}

// chargeKey makes the tenant and the category of a key pay.
func (sh *shard) chargeKey(k *Key) { sh.charge(k.Tenant, k.Category) }

// chargeTo makes an entry's tenant and category pay.
func (sh *shard) chargeTo(e *entry) { sh.charge(e.tenant(), e.category()) }

// settle books the change of the arena's use on the owner's account.
func (sh *shard) settle() {
	if delta := sh.arena.used - sh.settled; delta != 0 {
		sh.settled = sh.arena.used
		a := sh.store.account(sh.owner)
		a.used.Add(delta)
		a.cell(sh.category).used.Add(delta)
		sh.store.used.Add(delta)
	}
}

func (sh *shard) space(t TenantID) *space {
	if int(t) < len(sh.spaces) {
		return sh.spaces[t]
	}
	return nil
}

func (sh *shard) spaceFor(t TenantID) *space {
	for int(t) >= len(sh.spaces) {
		sh.spaces = append(sh.spaces, nil)
	}
	if sh.spaces[t] == nil {
		sh.spaces[t] = &space{}
	}
	return sh.spaces[t]
}

func (sh *shard) at(r ref) *entry { return (*entry)(sh.arena.pointer(r)) }

// find returns an entry whether its deadline has passed or not.
func (sh *shard) find(k *Key) (ref, *entry) {
	if sh.last != 0 && sh.lastHash == k.hash {
		if e := sh.at(sh.last); e.tenant() == k.Tenant && bytes.Equal(e.key(), k.Name) {
			return sh.last, e
		}
	}
	sp := sh.space(k.Tenant)
	if sp == nil {
		return 0, nil
	}
	for p := sp.index.probe(sh.arena, k.tag()); p.next(); {
		e := sh.at(p.found)
		if bytes.Equal(e.key(), k.Name) {
			sh.last, sh.lastHash = p.found, k.hash
			return p.found, e
		}
	}
	return 0, nil
}

// create makes a block for an entry with valLen bytes of value, all zero, and its key; it is not yet linked anywhere.
func (sh *shard) create(k *Key, m Meta, kind Kind, valLen int) (ref, *entry) {
	r := sh.arena.alloc(entryHead + len(k.Name) + valLen)
	e := sh.at(r)
	e.keyLen, e.valLen, e.kind = uint32(len(k.Name)), uint32(valLen), kind
	e.expires = uint64(k.Tenant)
	e.setMeta(m)
	if m.Pinned {
		e.flags |= pinned
	}
	copy(e.key(), k.Name)
	return r, e
}

// link makes a created entry findable, arms its deadline and puts it into the eviction queue.
func (sh *shard) link(k *Key, r ref, e *entry) {
	sp := sh.spaceFor(k.Tenant)
	sp.index.insert(sh.arena, k.tag(), r)
	sh.arm(r, e)
	sp.admit(sh.arena, k.tag(), r, e)
	a := sh.store.account(k.Tenant)
	a.entries.Add(1)
	a.cell(e.category()).entries.Add(1)
}

// unlink takes an entry out of everything that leads to it.
func (sh *shard) unlink(r ref, e *entry) {
	sh.last = 0
	t := e.tenant()
	sp := sh.spaces[t]
	if e.armed() {
		sh.wheel.disarm(sh.arena, e)
	}
	sp.forget(sh.arena, r, e)
	sp.index.remove(sh.arena, sh.store.tagOf(t, e.key()), r)
	a := sh.store.account(t)
	a.entries.Add(-1)
	a.cell(e.category()).entries.Add(-1)
}

// destroy unlinks an entry and erases it: at once, or in slices by Reap where it is large.
func (sh *shard) destroy(r ref, e *entry) {
	sh.chargeTo(e)
	sh.unlink(r, e)
	sh.bury(r, e)
}

// bury erases an unlinked entry, or leaves it to Reap when its value is made of too many blocks for one lock's length.
func (sh *shard) bury(r ref, e *entry) {
	if sh.freeValue(e, buryBudget) {
		sh.arena.free(r, e.blockLen())
		return
	}
	e.queueNext = sh.graves
	sh.graves = r
	sh.dueAt(0)
}

const buryBudget = 256 // blocks that one command may free before the rest is left to Reap

// grow replaces an entry's block with one whose value part has valLen bytes; bytes that both have are kept. The old
// block is erased. The entry stays linked.
func (sh *shard) grow(r ref, e *entry, valLen int) (ref, *entry) {
	sh.chargeTo(e)
	if blockBytes(entryHead+int(e.keyLen)+valLen) == blockBytes(e.blockLen()) {
		if valLen < int(e.valLen) {
			clear(e.value()[valLen:])
		}
		e.valLen = uint32(valLen)
		return r, e
	}
	sh.last = 0
	nr := sh.arena.alloc(entryHead + int(e.keyLen) + valLen)
	n := sh.at(nr)
	kept := min(valLen, int(e.valLen))
	copy(sh.arena.bytes(nr, entryHead+int(e.keyLen)+kept), sh.arena.bytes(r, entryHead+int(e.keyLen)+kept))
	n.valLen = uint32(valLen)
	t := e.tenant()
	sp := sh.spaces[t]
	sh.wheel.moved(sh.arena, nr, n)
	sp.moved(sh.arena, nr, n)
	if n.flags&pinned == 0 {
		sp.queue(n).bytes += int64(blockBytes(n.blockLen()) - blockBytes(e.blockLen()))
	}
	sp.index.replace(sh.arena, sh.store.tagOf(t, e.key()), r, nr)
	sh.arena.free(r, e.blockLen())
	return nr, n
}

// setMeta gives a linked entry other times and another category.
func (sh *shard) setMeta(r ref, e *entry, m Meta) {
	if m.Category != e.category() {
		a := sh.store.account(e.tenant())
		from, to, bytes := a.cell(e.category()), a.cell(m.Category), int64(blockBytes(e.blockLen()))
		from.entries.Add(-1)
		to.entries.Add(1)
		from.used.Add(-bytes)
		to.used.Add(bytes)
	}
	rearm := tickOf(m.ExpiresAt) != tickOf(e.expiresAt()) || e.flags&fieldDeadlines != 0
	if rearm {
		sh.wheel.disarm(sh.arena, e)
	}
	e.setMeta(m)
	if rearm {
		sh.arm(r, e)
	}
}
