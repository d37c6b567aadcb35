package engine

import "math/bits"

// Tx is exclusive access to the shards of one command's keys. One goroutine uses it, again and again:
//
//	tx.Begin(now, sink)
//	tx.Lock(keys)
//	... read and change entries of these keys ...
//	tx.Unlock()
//
// Byte slices that it returns are the store's own memory: they may be read until Unlock or until the entry is changed.
// Slices that it is given are copied.
type Tx struct {
	store  *Store
	now    int64
	sink   Sink
	locked uint64 // shards, a bit each
	held   uint64 // shards that stay locked from Hold to Release
	used   uint64 // of them those that a key was looked up in
}

// NewTx returns a Tx for one goroutine.
func (s *Store) NewTx() *Tx { return &Tx{store: s} }

// Begin sets the instant at which the next commands run and who is told of removals.
func (tx *Tx) Begin(now int64, sink Sink) { tx.now, tx.sink = now, sink }

// Now is the instant at which the command runs, in milliseconds of the store's clock.
func (tx *Tx) Now() int64 { return tx.now }

// Store is the store that the Tx belongs to.
func (tx *Tx) Store() *Store { return tx.store }

// Lock locks the shards of the keys, in ascending order, which keeps two commands from waiting for each other.
//
// Between Hold and Release the shards are locked already, and Lock and Unlock change nothing.
func (tx *Tx) Lock(keys []Key) {
	if tx.held != 0 {
		return
	}
	var set uint64
	for i := range keys {
		set |= 1 << keys[i].shard()
	}
	tx.locked = set
	for ; set != 0; set &= set - 1 {
		tx.store.shards[bits.TrailingZeros64(set)].lock()
	}
}

// Unlock ends the exclusive access.
func (tx *Tx) Unlock() {
	for set := tx.locked; set != 0; set &= set - 1 {
		sh := &tx.store.shards[bits.TrailingZeros64(set)]
		sh.settle()
		sh.mu.Unlock()
	}
	tx.locked = 0
}

// Entry is a live entry inside a Tx. It is valid until Unlock or until its key is written.
type Entry struct {
	sh  *shard
	ref ref
	e   *entry
}

// Exists reports whether there is an entry.
func (e Entry) Exists() bool { return e.e != nil }

// Kind returns the type of the value; the zero Kind when there is no entry.
func (e Entry) Kind() Kind {
	if e.e == nil {
		return 0
	}
	return e.e.kind
}

// Meta returns the entry's times and category.
func (e Entry) Meta() Meta { return e.e.meta() }

// String returns the value of a string entry, or nil when there is no entry.
func (e Entry) String() []byte {
	if e.e == nil {
		return nil
	}
	return e.e.value()
}

// Bytes is the memory that the entry's own block takes, padding included.
func (e Entry) Bytes() int { return blockBytes(e.e.blockLen()) }

func (tx *Tx) shard(k *Key) *shard {
	i := k.shard()
	tx.used |= 1 << i
	return &tx.store.shards[i]
}

// Peek returns the entry of a key if its deadline has not passed, without counting a read.
func (tx *Tx) Peek(k *Key) Entry {
	sh := tx.shard(k)
	if r, e := sh.find(k); e != nil && !e.dead(tx.now) {
		return Entry{sh, r, e}
	}
	return Entry{}
}

// Get returns the entry of a key if its deadline has not passed, and counts a read.
func (tx *Tx) Get(k *Key) Entry {
	e := tx.Peek(k)
	if e.e != nil {
		e.e.touch(tx.now)
	}
	return e
}

// Held reports whether there is an entry of a key in memory, its deadline passed or not. It is for tests of erasure: what
// it tells is nobody's business.
func (tx *Tx) Held(k *Key) bool {
	_, e := tx.shard(k).find(k)
	return e != nil
}

// live returns a key's live entry; one whose deadline has passed is told to the sink and erased first.
func (tx *Tx) live(k *Key) Entry {
	sh := tx.shard(k)
	sh.chargeKey(k)
	r, e := sh.find(k)
	if e == nil {
		return Entry{}
	}
	if e.dead(tx.now) {
		tx.sink.Removed(removal(e, Expired))
		sh.destroy(r, e)
		return Entry{}
	}
	return Entry{sh, r, e}
}

// SetString makes the value of a key the given string, whatever it was before.
func (tx *Tx) SetString(k *Key, m Meta, value []byte) Entry {
	x := tx.live(k)
	if x.e != nil && x.e.kind == String {
		if len(value) != int(x.e.valLen) {
			x.ref, x.e = x.sh.grow(x.ref, x.e, len(value))
		}
		copy(x.e.value(), value)
		x.sh.setMeta(x.ref, x.e, m)
		x.e.touch(tx.now)
		return x
	}
	if x.e != nil {
		x.sh.destroy(x.ref, x.e)
	}
	x = tx.create(k, m, String, len(value))
	copy(x.e.value(), value)
	return x
}

// NewString makes a string entry of length zero bytes for a key that has no live entry.
func (tx *Tx) NewString(k *Key, m Meta, length int) Entry {
	tx.live(k) // one whose deadline has passed makes way
	return tx.create(k, m, String, length)
}

// create makes and links an entry for a key that has none.
func (tx *Tx) create(k *Key, m Meta, kind Kind, valLen int) Entry {
	sh := tx.shard(k)
	sh.chargeKey(k)
	r, e := sh.create(k, m, kind, valLen)
	sh.link(k, r, e)
	e.used(tx.now) // its birth may be another entry's
	return Entry{sh, r, e}
}

// Resize changes the length of a string entry; bytes that it gains are zero. The entry that it returns replaces e.
func (tx *Tx) Resize(e Entry, length int) Entry {
	e.ref, e.e = e.sh.grow(e.ref, e.e, length)
	return e
}

// SetMeta gives an entry other times and another category.
func (tx *Tx) SetMeta(e Entry, m Meta) { e.sh.setMeta(e.ref, e.e, m) }

// Delete erases the entry of a key and reports whether there was a live one.
func (tx *Tx) Delete(k *Key) bool {
	x := tx.live(k)
	if x.e == nil {
		return false
	}
	x.sh.destroy(x.ref, x.e)
	return true
}

// Copy makes the value of a key a copy of another entry's, which may lie in another shard that the Tx holds. src must not
// be the key's own entry.
func (tx *Tx) Copy(k *Key, m Meta, src Entry) Entry {
	if src.Kind() == String {
		return tx.SetString(k, m, src.String())
	}
	if old := tx.live(k); old.e != nil {
		old.sh.destroy(old.ref, old.e)
	}
	return tx.copyCollection(k, m, src)
}
