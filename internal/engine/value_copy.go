package engine

// copyCollection makes an entry for a key that has none, with a copy of another entry's collection. It returns no entry
// when nothing of the collection is left.
func (tx *Tx) copyCollection(k *Key, m Meta, src Entry) Entry {
	switch src.Kind() {
	case Hash:
		return tx.copyHash(k, m, src)
	case List:
		return tx.copyList(k, m, src)
	case Set:
		return tx.copySet(k, m, src)
	case ZSet:
		return tx.copyZSet(k, m, src)
	case Stream:
		return tx.copyStream(k, m, src)
	default:
		panic("BUG: copy of a value that is no collection")
	}
}

// copyHash copies fields and their deadlines; those that have passed are left behind.
func (tx *Tx) copyHash(k *Key, m Meta, src Entry) Entry {
	to := HashValue{tx: tx, key: k}
	to.Create(m)
	src.eachField(func(field, value []byte, deadline int64) {
		if deadline <= tx.now {
			return
		}
		to.Set(field, value)
		if deadline != noDeadline {
			to.SetDeadline(field, deadline)
		}
	})
	if to.Len() == 0 {
		to.destroy()
	}
	return to.x
}

func (x *Entry) eachField(f func(field, value []byte, deadline int64)) {
	if x.e.encoding != hashed {
		for p := x.pairs(); p.next(); {
			f(p.field, p.value, p.deadline)
		}
		return
	}
	fields := x.sh.fieldsOf(x.e)
	fields.each(func(r ref) bool {
		v, deadline := fields.at(r), int64(noDeadline)
		if v.timed {
			deadline = fields.heap().at(v.place)
		}
		f(fields.dict.member(r), v.value, deadline)
		return true
	})
}

func (tx *Tx) copySet(k *Key, m Meta, src Entry) Entry {
	from, to := SetValue{tx: tx, x: src}, SetValue{tx: tx, key: k}
	to.Create(m)
	from.Each(func(member []byte) bool { to.Add(member); return true })
	return to.x
}
