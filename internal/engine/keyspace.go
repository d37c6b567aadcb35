package engine

// Scan calls f for about count live entries of a tenant, and returns the cursor to go on from: 0 at the end. It keeps
// SCAN's promise: what is there from the first call to the last is seen at least once. f runs under a shard's lock and
// must not call the store. Cursors are below 1<<40; one that no call returned is harmless.
func (s *Store) Scan(t TenantID, now int64, cursor uint64, count int, f func(Entry)) uint64 {
	from := uint32(cursor)
	for i := int(cursor >> 32 & (shardCount - 1)); i < shardCount; i, from = i+1, 0 {
		sh := &s.shards[i]
		sh.mu.Lock()
		next, more := uint32(0), false
		if sp := sh.space(t); sp != nil {
			next, more = sp.index.scan(sh.arena, from, count, func(r ref) {
				count--
				if e := sh.at(r); !e.dead(now) {
					f(Entry{sh, r, e})
				}
			})
		}
		sh.mu.Unlock()
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
func (s *Store) Each(t TenantID, now int64, f func(Entry) bool) {
	for i := range s.shards {
		if !s.eachIn(&s.shards[i], t, now, f) {
			return
		}
	}
}

func (s *Store) eachIn(sh *shard, t TenantID, now int64, f func(Entry) bool) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sp := sh.space(t)
	if sp == nil {
		return true
	}
	more := true
	sp.index.each(sh.arena, func(_ uint32, r ref) bool {
		if e := sh.at(r); !e.dead(now) {
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
func (s *Store) Random(t TenantID, now int64, f func(Entry)) bool {
	entries := s.account(t).entries.Load()
	for tries := 0; tries < 1000 && entries > 0; tries++ {
		// A shard is chosen by the share of the tenant's entries that it holds, so that each entry has the same chance.
		at := int64(random(uint64(entries)))
		for i := range s.shards {
			sh := &s.shards[i]
			sh.mu.Lock()
			sp := sh.space(t)
			if sp == nil || at >= int64(sp.index.count) {
				if sp != nil {
					at -= int64(sp.index.count)
				}
				sh.mu.Unlock()
				continue
			}
			_, r := sp.index.random(sh.arena, random)
			e := sh.at(r)
			live := !e.dead(now)
			if live {
				f(Entry{sh, r, e})
			}
			sh.mu.Unlock()
			if live {
				return true
			}
			break
		}
		entries = s.account(t).entries.Load()
	}
	return false
}

// Flush erases all entries of a tenant. removed is called with each live entry, under a shard's lock, before it goes.
func (s *Store) Flush(t TenantID, now int64, removed func(Entry)) {
	for i := range s.shards {
		sh := &s.shards[i]
		for more := true; more; {
			sh.mu.Lock()
			more = sh.flushSome(t, now, removed)
			sh.settle()
			sh.mu.Unlock()
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
