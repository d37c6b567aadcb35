package engine

import "slices"

// Intersect calls f for every member that all sets have, until f says stop. f must not change the sets.
func Intersect(sets []SetValue, f func(member []byte) bool) {
	smallest := 0
	for i := range sets {
		if sets[i].Len() < sets[smallest].Len() {
			smallest = i
		}
	}
	others := slices.Delete(slices.Clone(sets), smallest, smallest+1)
	sets[smallest].Each(func(member []byte) bool {
		for i := range others {
			if !others[i].Contains(member) {
				return true
			}
		}
		return f(member)
	})
}

// Subtract calls f for every member of the first set that no other has, until f says stop. f must not change the sets.
func Subtract(sets []SetValue, f func(member []byte) bool) {
	sets[0].Each(func(member []byte) bool {
		for i := range sets[1:] {
			if sets[1+i].Contains(member) {
				return true
			}
		}
		return f(member)
	})
}

// SetBuilder gathers members that are not yet anybody's set, in the memory of the shard of the key that they are for.
// Every SetBuilder ends with Store or Discard, inside the same Tx.
type SetBuilder struct {
	tx    *Tx
	key   *Key
	sh    *shard
	table table
}

// BuildSet begins to gather the members of a set for a key. The key's present value is untouched until Store.
func (tx *Tx) BuildSet(k *Key) *SetBuilder {
	return &SetBuilder{tx: tx, key: k, sh: tx.shard(k)}
}

func (b *SetBuilder) members() dict { return dict{sh: b.sh, table: &b.table} }

// Add puts a member in, and reports whether it is new.
func (b *SetBuilder) Add(member []byte) bool {
	b.sh.chargeKey(b.key)
	d := b.members()
	tag := d.tag(member)
	if d.find(tag, member) != 0 {
		return false
	}
	d.add(tag, member, 0)
	return true
}

// Len returns how many members there are.
func (b *SetBuilder) Len() int { return b.members().len() }

// Each calls f for every member until f says stop.
func (b *SetBuilder) Each(f func(member []byte) bool) {
	d := b.members()
	d.each(func(r ref) bool { return f(d.member(r)) })
}

// Discard erases the members.
func (b *SetBuilder) Discard() {
	b.sh.chargeKey(b.key)
	var cursor ref
	d := b.members()
	d.drain(&cursor, drainAll, d.end)
}

// Store makes the members the value of the key, whatever it was before; without members the key is erased and the set
// absent.
func (b *SetBuilder) Store(m Meta) SetValue {
	defer b.Discard()
	s := SetValue{tx: b.tx, key: b.key}
	if old := b.tx.live(b.key); old.e != nil {
		old.sh.destroy(old.ref, old.e)
	}
	if b.Len() == 0 {
		return s
	}
	if b.Len() <= maxIntegers { // it may have a smaller form
		s.Create(m)
		b.Each(func(member []byte) bool { s.Add(member); return true })
		return s
	}
	s.x = b.tx.create(b.key, m, Set, rootLen(len(b.key.Name), setRootBytes))
	s.x.e.encoding = hashed
	*(*setRoot)(s.x.e.root()) = setRoot{table: b.table}
	b.table = table{}
	return s
}
