package engine

import "unsafe"

// A set of integers is sorted integers in the entry's value part while it is small (integers.go); any other small set is
// packed: one byte with the number of members, then the members. A larger one is a table of member blocks. Sets never
// go back to a smaller form, as Redis's do not.

// setRoot is the root of a large set.
type setRoot struct {
	table table
}

// SetValue is the set of one key inside a Tx: absent, or live and with at least one member. It is valid until Unlock or
// until its key is written by other means. Members that its methods hand out may be read until the function that gets
// them returns; slices that it is given are copied and must not be memory of the same set.
type SetValue struct {
	tx  *Tx
	key *Key
	x   Entry
}

// SetAt returns the set of a key, and counts a read. It fails with ErrWrongKind if the key holds something else.
func (tx *Tx) SetAt(k *Key) (SetValue, error) {
	s := SetValue{tx: tx, key: k, x: tx.live(k)}
	if s.x.e == nil {
		return s, nil
	}
	if s.x.e.kind != Set {
		return s, ErrWrongKind
	}
	s.x.e.touch(tx.now)
	return s, nil
}

// Exists reports whether there is a set.
func (s *SetValue) Exists() bool { return s.x.e != nil }

// Entry returns the set's entry; its Exists tells whether there is one.
func (s *SetValue) Entry() Entry { return s.x }

// Create makes an absent set. The caller adds a member next: there are no empty sets.
func (s *SetValue) Create(m Meta) {
	s.x = s.tx.create(s.key, m, Set, 1)
	s.x.e.encoding = integers
	s.x.e.value()[0] = narrowest
}

// Len returns the number of members.
func (s *SetValue) Len() int {
	if s.x.e == nil {
		return 0
	}
	switch s.x.e.encoding {
	case integers:
		return s.x.integers().len()
	case packed:
		return int(s.x.e.value()[0])
	default:
		return s.members().len()
	}
}

// Contains reports whether a member is in the set.
func (s *SetValue) Contains(member []byte) bool {
	if s.x.e == nil {
		return false
	}
	switch s.x.e.encoding {
	case integers:
		n, ok := parseInteger(member)
		if ok {
			_, ok = s.x.integers().find(n)
		}
		return ok
	case packed:
		_, ok := findPacked(s.x.e.value()[1:], member)
		return ok
	default:
		d := s.members()
		return d.find(d.tag(member), member) != 0
	}
}

// Add puts a member into the set, which must exist, and reports whether it is new.
func (s *SetValue) Add(member []byte) bool {
	s.x.sh.chargeKey(s.key)
	if s.x.e.encoding == integers {
		if n, ok := parseInteger(member); ok {
			i, found := s.x.integers().find(n)
			if found {
				return false
			}
			if s.x.integers().len() < maxIntegers {
				s.x.insertInteger(i, n)
				return true
			}
		}
		s.widen(member)
	}
	if s.x.e.encoding == packed {
		if _, found := findPacked(s.x.e.value()[1:], member); found {
			return false
		}
		if s.x.e.value()[0] < maxPacked && packable(member) {
			s.addPacked(member)
			return true
		}
		s.unpack()
	}
	d := s.members()
	tag := d.tag(member)
	if d.find(tag, member) != 0 {
		return false
	}
	d.add(tag, member, 0)
	return true
}

func (s *SetValue) addPacked(member []byte) {
	at := int(s.x.e.valLen)
	s.x.splice(at, 0, packedLen(member))
	run := s.x.e.value()
	pack(run, at, member)
	run[0]++
}

// Remove erases a member and reports whether it was there. A set that loses its last member is erased and absent.
func (s *SetValue) Remove(member []byte) bool {
	if s.x.e == nil {
		return false
	}
	s.x.sh.chargeKey(s.key)
	switch s.x.e.encoding {
	case integers:
		n, ok := parseInteger(member)
		if !ok {
			return false
		}
		i, found := s.x.integers().find(n)
		if !found {
			return false
		}
		s.x.removeInteger(i)
	case packed:
		at, found := findPacked(s.x.e.value()[1:], member)
		if !found {
			return false
		}
		s.cutPacked(1 + at)
	default:
		d := s.members()
		tag := d.tag(member)
		r := d.find(tag, member)
		if r == 0 {
			return false
		}
		d.remove(tag, r, d.end(r))
	}
	s.destroyIfEmpty()
	return true
}

func (s *SetValue) cutPacked(at int) {
	_, next := unpack(s.x.e.value(), at)
	s.x.splice(at, next-at, 0)
	s.x.e.value()[0]--
}

// Erase erases the whole set, if there is one.
func (s *SetValue) Erase() {
	if s.x.e != nil {
		s.x.sh.destroy(s.x.ref, s.x.e)
		s.x = Entry{}
	}
}

func (s *SetValue) destroyIfEmpty() {
	if s.Len() == 0 {
		s.Erase()
	}
}

// Each calls f for every member until f says stop. f must not change the set.
func (s *SetValue) Each(f func(member []byte) bool) {
	if s.x.e == nil {
		return
	}
	switch s.x.e.encoding {
	case integers:
		s.eachInteger(f)
	case packed:
		run := s.x.e.value()
		for at := 1; at < len(run); {
			var member []byte
			if member, at = unpack(run, at); !f(member) {
				return
			}
		}
	default:
		d := s.members()
		d.each(func(r ref) bool { return f(d.member(r)) })
	}
}

// Scan calls f for about count members from a cursor on and returns the cursor to go on from: 0 at the end. A small set
// is seen whole in one call. f must not change the set.
func (s *SetValue) Scan(cursor uint64, count int, f func(member []byte)) uint64 {
	if s.x.e == nil || s.x.e.encoding != hashed {
		s.Each(func(member []byte) bool { f(member); return true })
		return 0
	}
	d := s.members()
	return d.scan(cursor, count, func(r ref) { f(d.member(r)) })
}

// members is the handle of a large set's table. It is valid until the entry's block moves.
func (s *SetValue) members() dict { return s.x.sh.membersOf(s.x.e) }

func (sh *shard) membersOf(e *entry) dict {
	return dict{sh: sh, table: &(*setRoot)(e.root()).table}
}

// freeSet is freeValue for sets.
func (sh *shard) freeSet(e *entry, budget int) bool {
	if e.encoding != hashed {
		return true
	}
	d := sh.membersOf(e)
	// An unlinked entry needs its timer's links no more: one of them keeps the place.
	return d.drain(&e.timerNext, budget, d.end) > 0
}

const setRootBytes = int(unsafe.Sizeof(setRoot{}))
