package engine

import "unsafe"

// A lookup waits for memory three times: for the slot of the index, for the entry, and for the end of its value. A command
// by itself can do nothing about that. Of a pipeline the keys are known before the first command runs, so their lines can
// be on the way from memory all at once: Prefetch asks for them, in two passes because the second one needs what the first
// has fetched, and the commands then find them in the cache. Fetch does the same for a command that has many keys.

// prefetchAtOnce is how many keys are asked for at once: about what a core can have on the way.
const prefetchAtOnce = 16

// prefetchValue is how many bytes of an entry are asked for; of longer ones the processor's own prefetching brings the
// rest while the beginning is copied.
const prefetchValue = 640

// Prefetch brings what lookups of the keys will touch closer to the processor. It changes nothing and promises nothing:
// shards that others have locked are passed over, since waiting for them would cost more than it saves. It must not be
// called between Lock and Unlock.
func (tx *Tx) Prefetch(keys []Key) {
	for len(keys) > 0 {
		n := min(len(keys), prefetchAtOnce)
		for i := range keys[:n] {
			tx.prefetchSlot(&keys[i])
		}
		for i := range keys[:n] {
			tx.prefetchEntry(&keys[i])
		}
		keys = keys[n:]
	}
}

func (tx *Tx) prefetchSlot(k *Key) {
	sh := tx.shard(k)
	if !sh.mu.TryLock() {
		return
	}
	if sp := sh.space(k.Tenant); sp != nil {
		sp.index.prefetch(sh.arena, k.tag())
	}
	sh.mu.Unlock()
}

func (tx *Tx) prefetchEntry(k *Key) {
	sh := tx.shard(k)
	if !sh.mu.TryLock() {
		return
	}
	sh.prefetchBlock(sh.likely(k), prefetchValue)
	sh.mu.Unlock()
}

// likely is the first entry with the tag of a key, which it most likely is; 0 where there is none. Who looks for the key then
// begins with it.
func (sh *shard) likely(k *Key) ref {
	if sp := sh.space(k.Tenant); sp != nil {
		if p := sp.index.probe(sh.arena, k.tag()); p.next() {
			sh.last, sh.lastHash = p.found, k.hash
			return p.found
		}
	}
	return 0
}

// prefetchFew is how many keys of one command are too few to gain from Fetch.
const prefetchFew = 4

// Fetch is Prefetch for the keys of one command that has many, between Lock and Unlock. With changes it asks for what new
// deadlines will touch as well: the entries beside each in its slot of the timing wheel.
func (tx *Tx) Fetch(keys []Key, changes bool) {
	if len(keys) < prefetchFew {
		return
	}
	var found [prefetchAtOnce]ref
	for len(keys) > 0 {
		n := min(len(keys), prefetchAtOnce)
		for i := range keys[:n] {
			k := &keys[i]
			if sh := tx.shard(k); sh.space(k.Tenant) != nil {
				sh.space(k.Tenant).index.prefetch(sh.arena, k.tag())
			}
		}
		for i := range keys[:n] {
			sh := tx.shard(&keys[i])
			found[i] = sh.likely(&keys[i])
			sh.prefetchBlock(found[i], 2*cacheLine)
		}
		for i, r := range found[:n] {
			if r != 0 {
				tx.shard(&keys[i]).prefetchRest(r, changes)
			}
		}
		keys = keys[n:]
	}
}

// prefetchRest asks for what an entry's head, which is there by now, tells of: the rest of its block, and its neighbours.
func (sh *shard) prefetchRest(r ref, neighbours bool) {
	e := sh.at(r)
	if rest := min(e.blockLen(), prefetchValue) - 2*cacheLine; rest > 0 {
		PrefetchBytes(unsafe.Add(unsafe.Pointer(e), 2*cacheLine), uintptr(rest))
	}
	if neighbours {
		sh.prefetchBlock(e.timerPrev, cacheLine)
		sh.prefetchBlock(e.timerNext, cacheLine)
	}
}

// prefetch asks for the slot where probing for a tag starts.
func (t *table) prefetch(a *arena, tag uint32) {
	if t.depth > 0 {
		s := a.pointer(t.segmentFor(a, tag))
		PrefetchBytes(unsafe.Add(s, segmentHead+int(tag&(1<<segmentBits-1))*int(unsafe.Sizeof(slot{}))), unsafe.Sizeof(slot{}))
	}
}

// prefetchBlock asks for the first n bytes of a block, if there is one.
func (sh *shard) prefetchBlock(r ref, n int) {
	if r == 0 {
		return
	}
	PrefetchBytes(sh.arena.pointer(r), uintptr(n))
}

// prefetchNext asks for the entry behind e in its slot of the timing wheel, with its key: it is the next to expire.
func (sh *shard) prefetchNext(e *entry) { sh.prefetchBlock(e.timerNext, 2*cacheLine) }

// prefetchRemoval asks for what taking e out of the index and the eviction queue, and overwriting it, will touch.
func (sh *shard) prefetchRemoval(e *entry) {
	t := e.tenant()
	sh.spaces[t].index.prefetch(sh.arena, sh.store.tagOf(t, e.key()))
	sh.prefetchBlock(e.queueNext, cacheLine)
	sh.prefetchBlock(e.queuePrev, cacheLine)
}

// PrefetchBytes asks for the cache lines of n bytes, one at least, without waiting for them, for tables of others that are looked
// through in the same way. Nothing is read, and there need not be anything.
func PrefetchBytes(p unsafe.Pointer, n uintptr) { prefetchLines(p, int((n+cacheLine-1)/cacheLine)) }

const cacheLine = 64
