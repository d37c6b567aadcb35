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
	if sp := sh.space(k.Tenant); sp != nil && sp.index.depth > 0 {
		s := sh.arena.pointer(sp.index.segmentFor(sh.arena, k.tag()))
		prefetch(unsafe.Add(s, segmentHead+int(k.tag()&(1<<segmentBits-1))*int(unsafe.Sizeof(slot{}))))
	}
	sh.mu.Unlock()
}

func (tx *Tx) prefetchEntry(k *Key) {
	sh := tx.shard(k)
	sh.mu.Lock()
	if sp := sh.space(k.Tenant); sp != nil {
		if p := sp.index.probe(sh.arena, k.tag()); p.next() {
			block := sh.arena.pointer(p.found)
			for at := 0; at < prefetchValue; at += cacheLine {
				prefetch(unsafe.Add(block, at))
			}
		}
	}
	sh.mu.Unlock()
}

const cacheLine = 64
