package engine

// Reason says why an entry is gone without a command that asked for it.
type Reason uint8

// The reasons. The zero Reason is none.
const (
	Expired Reason = iota + 1
	Evicted
	FieldsExpired // some fields of a hash; the entry lives on
)

// Removal tells of an entry that is gone. Key is the store's own memory and may be read until the call returns.
type Removal struct {
	Key       []byte
	ExpiresAt int64
	Tenant    TenantID
	Category  uint16
	Reason    Reason
}

func removal(e *entry, why Reason) Removal {
	return Removal{Key: e.key(), ExpiresAt: e.expiresAt(), Tenant: e.tenant(), Category: e.category(), Reason: why}
}

// Sink is told of removals, under the lock of the entry's shard: it must be quick and must not call the store.
type Sink interface {
	Removed(Removal)
}

// ReapSink is a Sink that gets its removals in groups. Commit is called after each group and before its bytes are
// overwritten; a group is erased whatever Commit does with it.
type ReapSink interface {
	Sink
	Commit()
}

// Shards is how many shards there are to reap.
func (s *Store) Shards() int { return shardCount }

// Reaped is what a call of Reap did.
type Reaped struct {
	Entries int   // erased because their deadline had passed
	Late    int64 // milliseconds by which the latest of them was erased after its deadline
	More    bool  // there is more to do now
}

const (
	reapGroup  = 32
	reapBudget = 512 // steps of the wheel
)

// Due reports whether Reap has something to do in a shard. It is cheap, and looks past what is being added at this moment.
func (s *Store) Due(shard int, now int64) bool { return s.shards[shard].next.Load() <= now>>tickShift }

// Rest says that nobody reaps before an instant, and returns the first at which somebody has to: no later than that. What is due before it
// from now on stirs the reaper. 0 ends the rest.
func (s *Store) Rest(until int64) (next int64) {
	whole := until >> tickShift
	s.rest.Store(whole)
	next = whole
	for i := range s.shards { // behind the store above: what comes meanwhile is seen here, or sees that
		next = min(next, s.shards[i].next.Load())
	}
	if next == whole {
		return until
	}
	s.rest.CompareAndSwap(whole, next)
	return next << tickShift
}

// Stir wakes a reaper that rests.
func (s *Store) Stir() {
	if s.rest.Load() == 0 || s.rest.Swap(0) == 0 {
		return
	}
	select {
	case s.sooner <- struct{}{}:
	default:
	}
}

// Stirred tells a reaper that rests that it has something to do.
func (s *Store) Stirred() <-chan struct{} { return s.sooner }

// Reap erases entries of one shard whose deadline has passed, and a slice of what waits to be erased in slices. It holds
// the shard for some tens of microseconds; call it again while it says that there is more.
func (s *Store) Reap(shard int, now int64, sink ReapSink) (done Reaped) {
	sh := &s.shards[shard]
	sh.lock()
	defer sh.mu.Unlock()
	defer sh.settle()
	defer sh.plan(&done)
	if sh.digGraves(reapBudget) {
		done.More = true
	}
	var group [reapGroup]ref
	n := 0
	for n < reapGroup {
		r, stood := sh.wheel.due(sh.arena, now, reapBudget)
		if r == 0 {
			done.More = done.More || !stood
			break
		}
		e := sh.at(r)
		sh.prefetchNext(e)
		sh.wheel.disarm(sh.arena, e)
		if !e.dead(now) {
			if e.flags&fieldDeadlines != 0 && e.earliest() <= now {
				done.Late = max(done.Late, now-e.earliest())
				sink.Removed(removal(e, FieldsExpired))
				sink.Commit()
			}
			if sh.expireFields(r, e, now) {
				done.More = true
				break
			}
			continue
		}
		group[n] = r
		n++
		done.Late = max(done.Late, now-e.expiresAt())
		sink.Removed(removal(e, Expired))
		sh.prefetchRemoval(e)
	}
	if n == 0 {
		return done
	}
	sink.Commit()
	for _, r := range group[:n] {
		sh.destroy(r, sh.at(r))
	}
	done.Entries = n
	done.More = done.More || n == reapGroup
	return done
}

// plan notes when there is something to do again: at once where a large entry, which this call may have unlinked itself, waits to be
// erased.
func (sh *shard) plan(done *Reaped) {
	done.More = done.More || sh.graves != 0
	if done.More {
		sh.next.Store(0)
	} else {
		sh.next.Store(sh.wheel.next())
	}
}

// digGraves erases up to budget blocks of entries that are gone already; it reports whether some are left.
func (sh *shard) digGraves(budget int) bool {
	for sh.graves != 0 {
		r := sh.graves
		e := sh.at(r)
		sh.chargeTo(e)
		if !sh.freeValue(e, budget) {
			return true
		}
		sh.graves = e.queueNext
		sh.arena.free(r, e.blockLen())
		if budget -= buryBudget; budget <= 0 {
			return sh.graves != 0
		}
	}
	return false
}
