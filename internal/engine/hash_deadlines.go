package engine

import "unsafe"

// Fields may have deadlines of their own (Redis 7.4's HEXPIRE). The entry's flag fieldDeadlines says that at least one
// has, and its root begins with the earliest, so that the wheel can wait for it as it waits for the entry's own.

// dueBudget is how many due fields one step erases.
const dueBudget = 256

// Deadline returns a field's own deadline, which is never later than the entry's; timed is false when it has none.
func (h *HashValue) Deadline(field []byte) (at int64, timed, found bool) {
	if h.x.e == nil {
		return 0, false, false
	}
	at = noDeadline
	if h.x.e.encoding == hashed {
		f := h.fields()
		_, r := h.find(f, field)
		if r == 0 {
			return 0, false, false
		}
		if v := f.at(r); v.timed {
			at = f.heap().at(v.place)
		}
	} else {
		p := h.x.pairs()
		if !p.find(field) {
			return 0, false, false
		}
		at = p.deadline
	}
	if at == noDeadline {
		return 0, false, true
	}
	return min(at, h.x.e.expiresAt()), true, true
}

// SetDeadline gives a field that is there a deadline, at most the entry's own. One that has passed erases the field at
// once, and with the last field the hash.
func (h *HashValue) SetDeadline(field []byte, at int64) {
	if at <= h.tx.now {
		h.Delete(field)
		return
	}
	h.x.sh.chargeKey(h.key)
	at = min(at, h.x.e.expiresAt())
	if h.x.e.encoding != hashed {
		h.setPackedDeadline(field, at)
	} else {
		f := h.fields()
		tag, r := h.find(f, field)
		f.setDeadline(tag, r, at)
	}
	h.x.sh.setEarliest(h.x.ref, h.x.e, h.x.earliestField())
}

// ClearDeadline takes a field's deadline away; the entry's still holds. It reports whether there was one.
func (h *HashValue) ClearDeadline(field []byte) bool {
	if _, timed, _ := h.Deadline(field); !timed {
		return false
	}
	h.x.sh.chargeKey(h.key)
	if h.x.e.encoding != hashed {
		h.setPackedDeadline(field, noDeadline)
	} else {
		f := h.fields()
		tag, r := h.find(f, field)
		f.clearDeadline(tag, r)
	}
	h.settleDeadlines()
	return true
}

// setDeadline gives a field of a large hash a deadline.
func (f fields) setDeadline(tag uint32, r ref, at int64) {
	v := f.at(r)
	if v.timed {
		f.heap().change(v.place, at)
		return
	}
	// What may fail for want of memory comes before what would be half done: a timed field without its place.
	f.heap().reserve()
	v.timed = true
	f.heap().push(at, f.write(tag, r, v, v.value))
}

// clearDeadline takes the deadline of a timed field of a large hash away.
func (f fields) clearDeadline(tag uint32, r ref) {
	v := f.at(r)
	v.timed = false
	f.write(tag, r, v, v.value)
	f.heap().remove(v.place)
}

// settleDeadlines brings the earliest deadline up to date after fields have changed or gone.
func (h *HashValue) settleDeadlines() {
	if h.x.e.flags&fieldDeadlines != 0 {
		h.x.sh.setEarliest(h.x.ref, h.x.e, h.x.earliestField())
	}
}

func (x *Entry) earliestField() int64 {
	switch x.e.encoding {
	case hashed:
		return x.sh.fieldsOf(x.e).heap().earliest()
	case packedTimed:
		earliest := int64(noDeadline)
		for p := x.pairs(); p.next(); {
			earliest = min(earliest, p.deadline)
		}
		return earliest
	default:
		return noDeadline
	}
}

// earliest is the earliest deadline of a hash's fields; only where the flag fieldDeadlines is set.
func (e *entry) earliest() int64 { return *(*int64)(unsafe.Pointer(e.root())) }

// setEarliest writes the earliest deadline of a linked hash's fields, or that there is none, and arms the entry for it.
func (sh *shard) setEarliest(r ref, e *entry, at int64) {
	flagged := e.flags&fieldDeadlines != 0
	if (!flagged && at == noDeadline) || (flagged && at == e.earliest()) {
		return
	}
	sh.wheel.disarm(sh.arena, e)
	if at == noDeadline {
		e.flags &^= fieldDeadlines
	} else {
		e.flags |= fieldDeadlines
		*(*int64)(e.root()) = at
	}
	sh.arm(r, e)
}

// eraseDue erases fields whose deadline has passed when a command meets them before the wheel does. A hash without any
// other fields has expired.
func (h *HashValue) eraseDue() {
	h.tx.sink.Removed(removal(h.x.e, FieldsExpired))
	h.lagging = h.x.eraseDueFields(h.tx.now, dueBudget)
	if h.Len() == 0 {
		h.x.expireNow(h.tx.now)
		h.tx.sink.Removed(removal(h.x.e, Expired))
		h.destroy()
	}
}

// expireFields erases fields whose deadlines have passed, of an entry that the wheel has just let go, and arms the entry
// again. It reports whether more are due: a call erases a bounded number. A hash that loses its last field gets the
// present as its deadline, and the wheel brings it back as an expired entry.
func (sh *shard) expireFields(r ref, e *entry, now int64) (more bool) {
	sh.chargeTo(e)
	sh.arm(r, e) // first, because the block may move and its neighbours in the wheel must learn of that
	if e.flags&fieldDeadlines == 0 || e.earliest() > now {
		return false
	}
	x := Entry{sh, r, e}
	more = x.eraseDueFields(now, dueBudget)
	if !more && x.noFields() {
		x.expireNow(now)
	}
	return more
}

func (x *Entry) noFields() bool {
	if x.e.encoding == hashed {
		return x.sh.fieldsOf(x.e).root.table.count == 0
	}
	return x.e.value()[x.packedHead()] == 0
}

func (x *Entry) expireNow(now int64) {
	m := x.e.meta()
	m.ExpiresAt = min(m.ExpiresAt, now)
	x.sh.setMeta(x.ref, x.e, m)
}

// eraseDueFields erases at most budget fields whose deadlines have passed; true when more of them are left.
func (x *Entry) eraseDueFields(now int64, budget int) (more bool) {
	if x.e.encoding == hashed {
		f := x.sh.fieldsOf(x.e)
		heap := f.heap()
		for ; heap.earliest() <= now && budget > 0; budget-- {
			r := heap.slot(0).field
			f.remove(f.dict.tag(f.dict.member(r)), r)
		}
		more = heap.earliest() <= now
	} else {
		for p := x.pairs(); p.next(); {
			if p.deadline <= now {
				x.cutPacked(&p)
				p.run, p.end = x.pairs().run, p.at
			}
		}
	}
	x.sh.setEarliest(x.ref, x.e, x.earliestField())
	return more
}
