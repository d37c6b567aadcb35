package engine

import "unsafe"

// A lookup waits for memory three times: for the slot of the index, for the entry, and for the end of its value. A command
// by itself can do nothing about that. Of a pipeline the keys are known before the first command runs, so their lines can
// be on the way from memory all at once: Prefetch asks for them, in two passes because the second one needs what the first
// has fetched, and the commands then find them in the cache.

// prefetchAtOnce is how many keys are asked for at once: about what a core can have on the way.
const prefetchAtOnce = 16

// prefetchValue is how many bytes of an entry are asked for; of longer ones the processor's own prefetching brings the
// rest while the beginning is copied.
const prefetchValue = 640

// Prefetch brings what lookups of the keys will touch closer to the processor. It changes nothing and promises nothing.
// It must not be called between Lock and Unlock.
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
	sh.mu.Lock()
	if sp := sh.space(k.Tenant); sp != nil {
		sp.index.prefetch(sh.arena, k.tag())
	}
	sh.mu.Unlock()
}

func (tx *Tx) prefetchEntry(k *Key) {
	sh := tx.shard(k)
	sh.mu.Lock()
	if sp := sh.space(k.Tenant); sp != nil {
		if p := sp.index.probe(sh.arena, k.tag()); p.next() {
			sh.prefetchBlock(p.found, prefetchValue)
		}
	}
	sh.mu.Unlock()
}

// prefetch asks for the slot where probing for a tag starts.
func (t *table) prefetch(a *arena, tag uint32) {
	if t.depth > 0 {
		s := a.pointer(t.segmentFor(a, tag))
		prefetch(unsafe.Add(s, segmentHead+int(tag&(1<<segmentBits-1))*int(unsafe.Sizeof(slot{}))))
	}
}

// prefetchBlock asks for the first n bytes of a block, if there is one.
func (sh *shard) prefetchBlock(r ref, n int) {
	if r == 0 {
		return
	}
	block := sh.arena.pointer(r)
	for at := 0; at < n; at += cacheLine {
		prefetch(unsafe.Add(block, at))
	}
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

const cacheLine = 64
