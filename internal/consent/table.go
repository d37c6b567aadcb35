package consent

import "sync/atomic"

// table finds, by a 64-bit keyed hash, until when a subject may not be read and may not be written. Readers take no lock: a
// look-up is a load of the slots and a few neighbouring words. One writer at a time changes it, under the Store's lock.
//
// It is open addressing with linear probing, at most half full. A slot is never given to another hash while readers may
// look at it: growing and pruning make new slots and exchange them whole.
type table struct {
	slots atomic.Pointer[[]slot] // nil while there is nothing, the usual case
	used  int
}

// slot has instants of the engine's clock. Zero hash: free. Its 32 bytes lie in one line of a processor's cache.
type slot struct {
	hash   atomic.Uint64
	reads  atomic.Int64 // refused before
	writes atomic.Int64 // refused before; never earlier than reads
	_      int64
}

const leastSlots = 64

// find returns the slot of a hash, nil when there is none.
func find(slots []slot, hash uint64) *slot {
	mask := uint64(len(slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch slots[i].hash.Load() {
		case hash:
			return &slots[i]
		case 0:
			return nil
		}
	}
}

// set gives a hash its instants. A reader beside it sees the old ones, the new ones, or writing refused the longer of both.
func (t *table) set(hash uint64, reads, writes, now int64) {
	slots := t.room(now)
	mask := uint64(len(slots) - 1)
	i := hash & mask
	for h := slots[i].hash.Load(); h != hash && h != 0; h = slots[i].hash.Load() {
		i = (i + 1) & mask
	}
	s := &slots[i]
	if s.hash.Load() == 0 {
		t.used++
	}
	if writes > s.writes.Load() {
		s.writes.Store(writes)
		s.reads.Store(reads)
	} else {
		s.reads.Store(reads)
		s.writes.Store(writes)
	}
	s.hash.Store(hash)
	t.slots.Store(&slots)
}

// room returns slots that take one more hash.
func (t *table) room(now int64) []slot {
	held := t.slots.Load()
	if held == nil {
		t.used = 0
		return make([]slot, leastSlots)
	}
	if 2*(t.used+1) <= len(*held) {
		return *held
	}
	return t.copyLive(*held, now, 1)
}

// prune forgets what is over, and gives the readers' shortest way back when nothing is left.
func (t *table) prune(now int64) {
	held := t.slots.Load()
	if held == nil {
		return
	}
	live := 0
	for i := range *held {
		if (*held)[i].writes.Load() > now {
			live++
		}
	}
	switch {
	case live == 0:
		t.used = 0
		t.slots.Store(nil)
	case live < t.used/2:
		slots := t.copyLive(*held, now, 0)
		t.slots.Store(&slots)
	}
}

// copyLive makes slots of what is not over, with room for more.
func (t *table) copyLive(old []slot, now int64, more int) []slot {
	live := 0
	for i := range old {
		if old[i].writes.Load() > now {
			live++
		}
	}
	size := leastSlots
	for size < 4*(live+more) {
		size *= 2
	}
	slots := make([]slot, size)
	mask := uint64(size - 1)
	for k := range old {
		if old[k].writes.Load() <= now {
			continue
		}
		i := old[k].hash.Load() & mask
		for slots[i].hash.Load() != 0 {
			i = (i + 1) & mask
		}
		slots[i].hash.Store(old[k].hash.Load())
		slots[i].reads.Store(old[k].reads.Load())
		slots[i].writes.Store(old[k].writes.Load())
	}
	t.used = live
	return slots
}
