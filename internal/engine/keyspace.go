package engine

// Scan calls f for about count live entries of a tenant, and returns the cursor to go on from: 0 at the end. It keeps
// SCAN's promise: what is there from the first call to the last is seen at least once. f runs under a shard's lock and
// must not call the store. Cursors are below 1<<40; one that no call returned is harmless.
func (tx *Tx) Scan(t TenantID, cursor uint64, count int, f func(Entry)) uint64 {
	from := uint32(cursor)
	for i := int(cursor >> 32 & (shardCount - 1)); i < shardCount; i, from = i+1, 0 {
		sh := tx.enter(i)
		next, more := uint32(0), false
		if sp := sh.space(t); sp != nil {
			next, more = sp.index.scan(sh.arena, from, count, func(r ref) {
				count--
				if e := sh.at(r); !e.dead(tx.now) {
					f(Entry{sh, r, e})
				}
			})
		}
		tx.leave(sh)
		if more {
			return uint64(i)<<32 | uint64(next)
		}
		if count <= 0 && i+1 < shardCount {
			return uint64(i+1) << 32
		}
	}
	return 0
}

// Each calls f for every live entry of a tenant until it says stop. f runs under a shard's lock.
func (tx *Tx) Each(t TenantID, f func(Entry) bool) {
	for i := range shardCount {
		if !tx.eachIn(i, t, f) {
			return
		}
	}
}

func (tx *Tx) eachIn(i int, t TenantID, f func(Entry) bool) bool {
	sh := tx.enter(i)
	defer tx.leave(sh)
	sp := sh.space(t)
	if sp == nil {
		return true
	}
	more := true
	sp.index.each(sh.arena, func(_ uint32, r ref) bool {
		if e := sh.at(r); !e.dead(tx.now) {
			more = f(Entry{sh, r, e})
		}
		return more
	})
	return more
}

// Key returns the entry's key, in the store's own memory.
func (e Entry) Key() []byte { return e.e.key() }

// Random calls f with a live entry of a tenant chosen by chance, and reports whether there was one. f runs under a
// shard's lock.
func (tx *Tx) Random(t TenantID, f func(Entry)) bool {
	entries := tx.store.account(t).entries.Load()
	for tries := 0; tries < 1000 && entries > 0; tries++ {
		// A shard is chosen by the share of the tenant's entries that it holds, so that each entry has the same chance.
		at := int64(random(uint64(entries)))
		for i := range shardCount {
			sh := tx.enter(i)
			sp := sh.space(t)
			if sp == nil || at >= int64(sp.index.count) {
				if sp != nil {
					at -= int64(sp.index.count)
				}
				tx.leave(sh)
				continue
			}
			_, r := sp.index.random(sh.arena, random)
			e := sh.at(r)
			live := !e.dead(tx.now)
			if live {
				f(Entry{sh, r, e})
			}
			tx.leave(sh)
			if live {
				return true
			}
			break
		}
		entries = tx.store.account(t).entries.Load()
	}
	return false
}

// Flush erases all entries of a tenant. removed is called with each live entry, under a shard's lock, before it goes.
func (tx *Tx) Flush(t TenantID, removed func(Entry)) {
	for i := range shardCount {
		for more := true; more; {
			sh := tx.enter(i)
			more = sh.flushSome(t, tx.now, removed)
			tx.leave(sh)
		}
	}
}

// flushSome erases one segment's worth of a tenant's entries; false when there are none left.
func (sh *shard) flushSome(t TenantID, now int64, removed func(Entry)) bool {
	sp := sh.space(t)
	if sp == nil || sp.index.count == 0 {
		return false
	}
	var refs []ref
	slots, _ := sp.index.segmentFrom(sh.arena, 0)
	for _, x := range slots {
		if x.ref != 0 {
			refs = append(refs, x.ref)
		}
	}
	if len(refs) == 0 { // the first segments may be empty while later ones are not
		sp.index.each(sh.arena, func(_ uint32, r ref) bool {
			refs = append(refs, r)
			return len(refs) < 1<<segmentBits
		})
	}
	for _, r := range refs {
		e := sh.at(r)
		if !e.dead(now) {
			removed(Entry{sh, r, e})
		}
		sh.destroy(r, e)
	}
	return true
}
