package engine

// copyZSet makes a sorted set for a key that has none, with the members of another entry's sorted set.
func (tx *Tx) copyZSet(k *Key, m Meta, src Entry) Entry {
	from, to := ZSetValue{tx: tx, x: src}, ZSetValue{tx: tx, key: k}
	to.Create(m)
	for it := from.Iter(0, false); it.Next(); {
		to.Add(it.Member(), it.Score())
	}
	return to.x
}
