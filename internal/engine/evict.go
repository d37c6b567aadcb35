package engine

// Eviction is S3-FIFO (Yang et al., SOSP 2023) for each tenant in each shard. New entries join a small queue; those that
// are read again before they reach its end move to the main queue, the others leave and only their hash is remembered,
// in the ghost. What is remembered when it comes back goes to the main queue at once. A hit changes two bits of the
// entry and moves nothing, which is what lets reads stay cheap; a scan of many keys that are read once cannot drive out
// what is read most.

// fifo is a queue of entries, linked through them; entries join at the head and leave at the tail.
type fifo struct {
	head, tail ref
	bytes      int64
}

func (q *fifo) push(a *arena, r ref, e *entry) {
	e.queuePrev, e.queueNext = 0, q.head
	if q.head != 0 {
		(*entry)(a.pointer(q.head)).queuePrev = r
	} else {
		q.tail = r
	}
	q.head = r
	q.bytes += int64(blockBytes(e.blockLen()))
}

func (q *fifo) remove(a *arena, e *entry) {
	if e.queuePrev != 0 {
		(*entry)(a.pointer(e.queuePrev)).queueNext = e.queueNext
	} else {
		q.head = e.queueNext
	}
	if e.queueNext != 0 {
		(*entry)(a.pointer(e.queueNext)).queuePrev = e.queuePrev
	} else {
		q.tail = e.queuePrev
	}
	e.queueNext, e.queuePrev = 0, 0
	q.bytes -= int64(blockBytes(e.blockLen()))
}

func (sp *space) queue(e *entry) *fifo {
	if e.heat&inMain != 0 {
		return &sp.main
	}
	return &sp.small
}

// admit queues a new entry.
func (sp *space) admit(a *arena, tag uint32, r ref, e *entry) {
	if e.flags&pinned != 0 {
		return
	}
	e.heat = 0
	if sp.ghost.take(tag) {
		e.heat = inMain
	}
	sp.queue(e).push(a, r, e)
}

func (sp *space) forget(a *arena, r ref, e *entry) {
	if e.flags&pinned == 0 {
		sp.queue(e).remove(a, e)
	}
}

// moved tells the neighbours of an entry, and its queue, that its block is now r.
func (sp *space) moved(a *arena, r ref, e *entry) {
	if e.flags&pinned != 0 {
		return
	}
	q := sp.queue(e)
	if e.queuePrev != 0 {
		(*entry)(a.pointer(e.queuePrev)).queueNext = r
	} else {
		q.head = r
	}
	if e.queueNext != 0 {
		(*entry)(a.pointer(e.queueNext)).queuePrev = r
	} else {
		q.tail = r
	}
}

// touch counts a read, and notes when it was.
func (e *entry) touch(now int64) {
	e.used(now)
	if e.heat&heatMask < maxHeat {
		e.heat++
	}
}

// victim chooses the entry to evict, or 0 where there is none. Entries that earned another round get it here; after
// patience of them the next one goes in any case, so that one eviction costs a bounded time.
func (sp *space) victim(a *arena) ref {
	const patience = 64
	for i := 0; ; i++ {
		fromSmall := sp.small.tail != 0 && (sp.main.tail == 0 || sp.small.bytes*9 >= sp.main.bytes)
		q := &sp.main
		if fromSmall {
			q = &sp.small
		}
		r := q.tail
		if r == 0 {
			return 0
		}
		e := (*entry)(a.pointer(r))
		heat := e.heat & heatMask
		if i >= patience || (fromSmall && heat < 2) || (!fromSmall && heat == 0) {
			return r
		}
		q.remove(a, e)
		if fromSmall {
			e.heat = inMain
		} else {
			e.heat = inMain | (heat - 1)
		}
		sp.main.push(a, r, e)
	}
}

// evict erases one entry of the tenant and tells the sink. It reports whether there was one.
func (sh *shard) evict(t TenantID, sink Sink) bool {
	sp := sh.space(t)
	if sp == nil {
		return false
	}
	r := sp.victim(sh.arena)
	if r == 0 {
		return false
	}
	e := sh.at(r)
	if e.heat&inMain == 0 {
		sp.ghost.put(sh.store.tagOf(t, e.key()), int(sp.index.count))
	}
	sh.store.account(t).evictions.Add(1)
	sink.Removed(removal(e, Evicted))
	sh.destroy(r, e)
	return true
}

// ghost remembers the hashes of entries that left the small queue unread: one place for each hash value's low bits, the
// newest wins. It holds no key.
type ghost struct {
	tags []uint32
}

func (g *ghost) put(tag uint32, entries int) {
	size := 256
	for size < entries {
		size *= 2
	}
	if size > len(g.tags) {
		g.tags = make([]uint32, size) // what was remembered is lost; sizes double, so this is rare
	}
	g.tags[tag&uint32(len(g.tags)-1)] = tag | 1
}

func (g *ghost) take(tag uint32) bool {
	if len(g.tags) == 0 {
		return false
	}
	place := &g.tags[tag&uint32(len(g.tags)-1)]
	if *place != tag|1 {
		return false
	}
	*place = 0
	return true
}
