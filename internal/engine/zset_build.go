package engine

// ZSetBuilder collects the members of a sorted set that no key leads to: the result of ZUNION and its like. It lies in
// the arena of a key's shard. A builder ends with Store or Discard, before Unlock.
type ZSetBuilder struct {
	sh   *shard
	root zsetRoot
}

// BuildZSet begins a sorted set in the shard of a key, on the account of its tenant.
func (tx *Tx) BuildZSet(k *Key) ZSetBuilder {
	sh := tx.shard(k)
	sh.charge(k.Tenant)
	return ZSetBuilder{sh: sh}
}

func (b *ZSetBuilder) ranking() ranking { return ranking{b.sh, &b.root} }

// Len returns the number of members.
func (b *ZSetBuilder) Len() int { return b.ranking().len() }

// Score returns a member's score; false when it is no member.
func (b *ZSetBuilder) Score(member []byte) (float64, bool) { return b.ranking().score(member) }

// Add gives a member a score, which must not be NaN.
func (b *ZSetBuilder) Add(member []byte, score float64) { b.ranking().add(member, score) }

// Remove takes a member out, if it is one.
func (b *ZSetBuilder) Remove(member []byte) { b.ranking().remove(member) }

// Iter walks over the members in order.
func (b *ZSetBuilder) Iter() ZSetIter {
	it := ZSetIter{left: b.Len()}
	if it.left > 0 {
		it.walkTree(b.ranking(), 0)
	}
	return it
}

// Discard erases what was built.
func (b *ZSetBuilder) Discard() {
	for !b.ranking().drain(1 << 20) {
	}
}

// Store makes the value of a key, whose shard the builder lies in, what was built, whatever it was before; without
// members the key is erased. The sorted set is packed if it is small enough.
func (tx *Tx) Store(b *ZSetBuilder, k *Key, m Meta) {
	if b.sh != tx.shard(k) {
		panic("BUG: a sorted set is stored in another shard than it was built in")
	}
	if b.Len() == 0 {
		tx.Delete(k)
		return
	}
	z := tx.NewZSet(k, m)
	if b.packable() {
		for it := b.Iter(); it.Next(); {
			z.insertPacked(it.Member(), it.Score())
		}
		b.Discard()
		return
	}
	z.x.toRoot(zsetRootBytes)
	z.x.e.encoding = ranked
	*z.ranking().root = b.root
}

// packable reports whether what was built may be stored packed.
func (b *ZSetBuilder) packable() bool {
	if b.Len() > maxPacked {
		return false
	}
	for it := b.Iter(); it.Next(); {
		if !packable(it.Member()) {
			return false
		}
	}
	return true
}
