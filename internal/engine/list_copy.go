package engine

// copyList makes a list for a key that has none, with the elements of another entry's list.
func (tx *Tx) copyList(k *Key, m Meta, src Entry) Entry {
	from, to := ListValue{tx: tx, x: src}, ListValue{tx: tx, key: k}
	to.Create(m)
	for it := from.Iter(0, false); it.Next(); {
		to.Push(false, it.Element())
	}
	return to.x
}
