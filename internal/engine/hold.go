package engine

import "math/bits"

const everyShard = 1<<shardCount - 1

// ShardSet is a set of shards, for Hold.
type ShardSet uint64

// EveryShard is the set of all shards.
const EveryShard ShardSet = everyShard

// ShardsOf returns the shards of keys.
func ShardsOf(keys []Key) ShardSet {
	var set ShardSet
	for i := range keys {
		set |= 1 << keys[i].shard()
	}
	return set
}

// Hold locks shards for several commands that nothing may come between: until Release they run with these locks. Commands
// without keys reach every shard and need EveryShard. A Tx that holds some cannot hold more.
func (tx *Tx) Hold(set ShardSet) {
	if tx.held != 0 {
		panic("BUG: a transaction that holds shards asked for others")
	}
	tx.held, tx.used = uint64(set), 0
	for set := uint64(set); set != 0; set &= set - 1 {
		tx.store.shards[bits.TrailingZeros64(set)].lock()
	}
}

// Release ends Hold. Most of the shards that a script holds it does not use, and there is nothing to book in those.
func (tx *Tx) Release() {
	set := tx.held
	tx.held = 0
	for used := tx.used & set; used != 0; used &= used - 1 {
		tx.store.shards[bits.TrailingZeros64(used)].settle()
	}
	for ; set != 0; set &= set - 1 {
		tx.store.shards[bits.TrailingZeros64(set)].mu.Unlock()
	}
}

// Holding reports whether the Tx is between Hold and Release.
func (tx *Tx) Holding() bool { return tx.held != 0 }

// HoldsSome reports whether the Tx holds shards, but not every one: it can then evict nothing.
func (tx *Tx) HoldsSome() bool { return tx.held != 0 && tx.held != everyShard }

// enter locks one shard for a walk, unless it is held already; leave ends it.
func (tx *Tx) enter(i int) *shard {
	sh := &tx.store.shards[i]
	switch {
	case tx.held == 0:
		sh.lock()
	case tx.held&(1<<i) == 0:
		panic("BUG: a walk over the store by a transaction that holds a part of it")
	}
	return sh
}

func (tx *Tx) leave(sh *shard) {
	sh.settle()
	if tx.held == 0 {
		sh.mu.Unlock()
	}
}
