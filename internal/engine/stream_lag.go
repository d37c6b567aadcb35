package engine

// How far a group has read is known only as long as nothing was deleted in front of it, because entries are counted when
// they are added and when they are delivered, not by their places. The rules are those of Redis 7.0.

// Advance notes that an entry was delivered to the group: the entry is behind all that were.
func (g StreamGroup) Advance(id StreamID) {
	h, s := g.head(), g.stream()
	switch {
	case h.read != UnknownRead && !s.deletedFrom(id):
		h.read++
	case s.added > 0:
		h.read = s.readUpTo(id)
	}
	h.last = id
}

// Lag returns how many entries are still to be delivered; false when nobody can tell.
func (g StreamGroup) Lag() (int64, bool) {
	h, s := g.head(), g.stream()
	if s.added == 0 {
		return 0, true
	}
	read := h.read
	if read == UnknownRead || s.deletedFrom(h.last) {
		read = s.readUpTo(h.last)
	}
	if read == UnknownRead {
		return 0, false
	}
	return int64(s.added) - read, true
}

// deletedFrom reports whether an entry from an id on may have been deleted.
func (r *streamRoot) deletedFrom(id StreamID) bool {
	return r.length > 0 && !r.deleted.IsZero() && !r.deleted.Before(r.first) && !r.deleted.Before(id)
}

// readUpTo returns how many entries were added up to an id, or UnknownRead: it is known at either end of the stream only.
func (r *streamRoot) readUpTo(id StreamID) int64 {
	last := id.Compare(r.last)
	switch {
	case r.added == 0:
		return 0
	case r.length == 0 && last <= 0, last == 0:
		return int64(r.added)
	case last > 0:
		return UnknownRead
	}
	if !r.deleted.IsZero() && !r.deleted.Before(r.first) {
		return UnknownRead
	}
	switch first := id.Compare(r.first); {
	case first < 0:
		return int64(r.added - r.length)
	case first == 0:
		return int64(r.added-r.length) + 1
	default:
		return UnknownRead
	}
}
