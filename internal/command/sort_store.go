package command

// store makes the values of elements a list, whatever the destination was. All are read before anything is written: the
// destination may be what is sorted, or one of the keys that GET reads.
func (s *sorting) store(elements []sortElement) {
	c := s.c
	if len(elements) == 0 {
		c.storeNothing(s.into)
		return
	}
	var text heldText
	defer text.clear()
	values := make([]span, 0, len(elements)*max(len(s.gets), 1))
	for i := range elements {
		if !s.each(&elements[i], func(value []byte) { values = append(values, text.add(value)) }) {
			c.Error(msgSortGet)
			return
		}
	}
	if !c.mayGrow(s.into, len(text.buf)) {
		return
	}
	m, ok := c.Expiry.Derive(c, s.into, Ask{}, append(s.lookup.metas, s.source.entry().Meta()))
	if !ok {
		return
	}
	c.Tx.Delete(&c.Keys[s.into])
	l, ok := c.list(s.into)
	if !ok {
		return
	}
	l.Create(m)
	for _, v := range values {
		l.Push(false, text.at(v))
	}
	c.Tell(s.into, Stored)
	c.Out.Int(int64(len(values)))
}
