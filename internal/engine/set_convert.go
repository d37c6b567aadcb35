package engine

// widen turns a set of integers into one that can hold the given member: packed where the limits of that allow it, else
// a table.
func (s *SetValue) widen(member []byte) {
	n := s.x.integers().len()
	if n >= maxPacked || !packable(member) {
		s.unpack()
		return
	}
	// The packed form is built in a block of its own, because the members' order of lengths is not the integers'.
	a := s.x.sh.arena
	size := 1
	text := newDigits(a)
	defer text.free()
	for i := range n {
		size += packedLen(text.of(s.x.integers().at(i)))
	}
	built := a.alloc(size)
	defer a.free(built, size)
	run := a.bytes(built, size)
	run[0] = byte(n)
	for i, at := 0, 1; i < n; i++ {
		at = pack(run, at, text.of(s.x.integers().at(i)))
	}
	s.x.ref, s.x.e = s.x.sh.grow(s.x.ref, s.x.e, size)
	copy(s.x.e.value(), run)
	s.x.e.encoding = packed
}

// unpack turns a small set into a large one.
func (s *SetValue) unpack() {
	var root setRoot
	d := dict{sh: s.x.sh, table: &root.table}
	built := false
	defer func() {
		if !built { // no memory: the set stays as it was
			var cursor ref
			d.drain(&cursor, drainAll, d.end)
		}
	}()
	s.Each(func(member []byte) bool {
		d.add(d.tag(member), member, 0)
		return true
	})
	s.x.toRoot(setRootBytes)
	*(*setRoot)(s.x.e.root()) = root
	s.x.e.encoding = hashed
	built = true
}
