package engine

import "math/bits"

// MakeRoom evicts until a write of about need bytes by tenant t stays under the tenant's quota and the process's limit.
// It returns ErrQuota or ErrNoMemory when there is nothing more to evict. Where the Tx holds shards it must hold every one.
func (tx *Tx) MakeRoom(t TenantID, need int64) error {
	s := tx.store
	tx.settleHeld()
	a := s.account(t)
	if limit := a.quota.Load(); limit > 0 {
		if need > limit || !tx.evictUntil(t, func() bool { return a.used.Load()+need <= limit }) {
			return ErrQuota
		}
	}
	if limit := s.maxMemory.Load(); limit > 0 {
		for s.used.Load()+need > limit {
			// The tenant that takes most gives first.
			largest, before := s.largest(), s.used.Load()
			evicted, last := 0, before
			tx.evictUntil(largest, func() bool {
				used := s.used.Load()
				if used < last { // most shards have nothing when there are few entries: looking at them is no eviction
					evicted++
				}
				last = used
				return evicted >= evictionsInARow || used+need <= limit
			})
			if s.used.Load() >= before {
				return ErrNoMemory
			}
		}
	}
	return nil
}

// evictionsInARow is how many entries one tenant gives before it is looked again who takes most.
const evictionsInARow = 16

func (s *Store) largest() TenantID {
	var most int64 = -1
	var t TenantID
	for i, a := range *s.accounts.Load() {
		if used := a.used.Load(); used > most {
			most, t = used, TenantID(i)
		}
	}
	return t
}

// evictUntil evicts entries of a tenant, one shard after the other, until done says so; false when nothing is left.
func (tx *Tx) evictUntil(t TenantID, done func() bool) bool {
	for empty := 0; !done(); {
		sh := tx.enter(int(tx.store.hand.Add(1) % shardCount))
		sh.charge(t, 0)
		// What was evicted before and is not yet erased comes first: it is room already paid for.
		evicted := sh.digGraves(reapBudget) || sh.evict(t, tx.sink)
		tx.leave(sh)
		if evicted {
			empty = 0
		} else if empty++; empty > shardCount {
			return false
		}
	}
	return true
}

// settleHeld brings the accounts up to date with what was stored under locks that are still held.
func (tx *Tx) settleHeld() {
	for set := tx.held; set != 0; set &= set - 1 {
		tx.store.shards[bits.TrailingZeros64(set)].settle()
	}
}
