package engine

// ZSetBuilder gathers members and scores that are not yet anybody's sorted set (the result of ZUNION and its like), in the
// memory of the shard of the key that they are for. Every ZSetBuilder ends with Store or Discard, inside the same Tx.
type ZSetBuilder struct {
	tx   *Tx
	key  *Key
	sh   *shard
	root zsetRoot
}

// BuildZSet begins to gather the members of a sorted set for a key. The key's present value is untouched until Store.
func (tx *Tx) BuildZSet(k *Key) *ZSetBuilder {
	return &ZSetBuilder{tx: tx, key: k, sh: tx.shard(k)}
}

func (b *ZSetBuilder) ranking() ranking {
	b.sh.chargeKey(b.key)
	return ranking{b.sh, &b.root}
}

// Len returns the number of members.
func (b *ZSetBuilder) Len() int { return b.ranking().len() }

// Score returns a member's score; false when it is no member.
func (b *ZSetBuilder) Score(member []byte) (float64, bool) { return b.ranking().score(member) }

// Add gives a member a score, which must not be NaN.
func (b *ZSetBuilder) Add(member []byte, score float64) { b.ranking().add(member, score) }

// Iter walks over the members in order.
func (b *ZSetBuilder) Iter() ZSetIter {
	it := ZSetIter{left: b.Len()}
	if it.left > 0 {
		it.walkTree(b.ranking(), 0)
	}
	return it
}

// Discard erases what was gathered.
func (b *ZSetBuilder) Discard() { b.ranking().drain(drainAll) }

// Store makes the members the value of the key, whatever it was before; without members the key is erased and the sorted
// set absent. It is packed if it is small enough.
func (b *ZSetBuilder) Store(m Meta) ZSetValue {
	defer b.Discard()
	z := ZSetValue{tx: b.tx, key: b.key}
	if old := b.tx.live(b.key); old.e != nil {
		old.sh.destroy(old.ref, old.e)
	}
	if b.Len() == 0 {
		return z
	}
	z.Create(m)
	if b.packable() {
		for it := b.Iter(); it.Next(); {
			z.insertPacked(it.Member(), it.Score())
		}
		return z
	}
	z.becomeRanked(&b.root)
	b.root = zsetRoot{}
	return z
}

// becomeRanked gives a packed sorted set, whose members go, the root of a ranked one.
func (z *ZSetValue) becomeRanked(root *zsetRoot) {
	z.x.toRoot(zsetRootBytes)
	z.x.e.encoding = ranked
	*z.ranking().root = *root
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
