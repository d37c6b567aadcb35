package engine

import "unsafe"

// A hash is packed while it is small: its value part begins with the number of fields, the fields and their values follow.
// A larger one is a table of field blocks (hash_fields.go), and while it has few fields the table comes with their order
// (hash_order.go). Some fields may have deadlines of their own
// (hash_deadlines.go); a hash without any pays nothing for that.

// HashValue is the hash of one key inside a Tx: absent, or live and with at least one live field. Fields whose own
// deadline has passed are not there for any of its methods. It is valid until Unlock or until its key is written by other
// means. Slices that its methods hand out are the store's memory, valid until the hash is changed or Unlock; slices that
// they are given are copied and must not be memory of the same hash.
type HashValue struct {
	tx      *Tx
	key     *Key
	x       Entry
	lagging bool // some fields' deadlines have passed and their bytes are still to be erased
}

// HashAt returns the hash of a key, and counts a read. It fails with ErrWrongKind if the key holds something else.
func (tx *Tx) HashAt(k *Key) (HashValue, error) {
	h := HashValue{tx: tx, key: k, x: tx.live(k)}
	if h.x.e == nil {
		return h, nil
	}
	if h.x.e.kind != Hash {
		return h, ErrWrongKind
	}
	h.x.e.touch(tx.now)
	if h.x.e.flags&fieldDeadlines != 0 && h.x.e.earliest() <= tx.now {
		h.eraseDue()
	}
	return h, nil
}

// Exists reports whether there is a hash.
func (h *HashValue) Exists() bool { return h.x.e != nil }

// Entry returns the hash's entry; its Exists tells whether there is one.
func (h *HashValue) Entry() Entry { return h.x }

// Create makes an absent hash. The caller sets a field next: there are no empty hashes.
func (h *HashValue) Create(m Meta) {
	h.x = h.tx.create(h.key, m, Hash, 1)
	h.x.e.encoding = packed
}

// Len returns the number of fields.
func (h *HashValue) Len() int {
	switch {
	case h.x.e == nil:
		return 0
	case h.x.e.encoding == hashed:
		f := h.fields()
		n := f.dict.len()
		if h.lagging {
			n -= f.heap().countDue(h.tx.now)
		}
		return n
	default:
		return int(h.x.e.value()[h.x.packedHead()])
	}
}

// Get returns the value of a field; false when there is none.
func (h *HashValue) Get(field []byte) ([]byte, bool) {
	if h.x.e == nil {
		return nil, false
	}
	if h.x.e.encoding == hashed {
		f := h.fields()
		_, r := h.find(f, field)
		if r == 0 {
			return nil, false
		}
		return f.at(r).value, true
	}
	p := h.x.pairs()
	found := p.find(field)
	return p.value, found
}

// Set gives a field a value, takes away its deadline, and reports whether the field is new. The hash must exist.
func (h *HashValue) Set(field, value []byte) bool { return h.set(field, value, false) }

// Update gives a field a value and leaves its deadline, if it has one. It reports whether the field is new.
func (h *HashValue) Update(field, value []byte) bool { return h.set(field, value, true) }

func (h *HashValue) set(field, value []byte, keepDeadline bool) bool {
	h.x.sh.chargeKey(h.key)
	if h.x.e.encoding != hashed {
		if packable(field) && packable(value) {
			if added, ok := h.setPacked(field, value, keepDeadline); ok {
				return added
			}
		}
		h.unpack()
	}
	f := h.fields()
	tag, r := h.find(f, field)
	if r == 0 {
		f.add(tag, field, value)
		return true
	}
	v := f.at(r)
	cleared := v.timed && !keepDeadline
	v.timed = v.timed && keepDeadline
	f.write(tag, r, v, value)
	if cleared {
		f.heap().remove(v.place)
		h.settleDeadlines()
	}
	return false
}

// Delete erases a field and reports whether it was there. A hash that loses its last field is erased and absent.
func (h *HashValue) Delete(field []byte) bool {
	if h.x.e == nil {
		return false
	}
	h.x.sh.chargeKey(h.key)
	if h.x.e.encoding == hashed {
		f := h.fields()
		tag, r := h.find(f, field)
		if r == 0 {
			return false
		}
		f.remove(tag, r)
	} else {
		p := h.x.pairs()
		if !p.find(field) {
			return false
		}
		h.x.cutPacked(&p)
	}
	if h.Len() == 0 {
		h.destroy()
	} else {
		h.settleDeadlines()
	}
	return true
}

// Erase erases the whole hash, if there is one.
func (h *HashValue) Erase() {
	if h.x.e != nil {
		h.destroy()
	}
}

func (h *HashValue) destroy() {
	h.x.sh.destroy(h.x.ref, h.x.e)
	h.x, h.lagging = Entry{}, false
}

// Each calls f for every field and its value until f says stop. f must not change the hash.
func (h *HashValue) Each(f func(field, value []byte) bool) {
	if h.x.e == nil {
		return
	}
	if h.x.e.encoding != hashed {
		for p := h.x.pairs(); p.next(); {
			if !f(p.field, p.value) {
				return
			}
		}
		return
	}
	fields := h.fields()
	fields.each(func(r ref) bool {
		v := fields.at(r)
		return h.due(fields, v) || f(fields.dict.member(r), v.value)
	})
}

// Scan calls f for about count fields from a cursor on and returns the cursor to go on from: 0 at the end. A packed hash
// is seen whole in one call. f must not change the hash.
func (h *HashValue) Scan(cursor uint64, count int, f func(field, value []byte)) uint64 {
	if h.x.e == nil || h.x.e.encoding != hashed {
		h.Each(func(field, value []byte) bool { f(field, value); return true })
		return 0
	}
	fields := h.fields()
	return fields.dict.scan(cursor, count, func(r ref) {
		if v := fields.at(r); !h.due(fields, v) {
			f(fields.dict.member(r), v.value)
		}
	})
}

// fields is the handle of a large hash's table. It is valid until the entry's block moves.
func (h *HashValue) fields() fields { return h.x.sh.fieldsOf(h.x.e) }

func (sh *shard) fieldsOf(e *entry) fields {
	root := (*hashRoot)(e.root())
	return fields{dict: dict{sh: sh, table: &root.table}, root: root}
}

// find looks a field up in a large hash. One whose deadline has passed is erased and not found.
func (h *HashValue) find(f fields, field []byte) (tag uint32, r ref) {
	tag = f.dict.tag(field)
	r = f.dict.find(tag, field)
	if r != 0 && h.due(f, f.at(r)) {
		f.remove(tag, r)
		r = 0
	}
	return tag, r
}

func (h *HashValue) due(f fields, v fieldBlock) bool {
	return h.lagging && v.timed && f.heap().at(v.place) <= h.tx.now
}

// freeHash is freeValue for hashes.
func (sh *shard) freeHash(e *entry, budget int) bool {
	if e.encoding != hashed {
		return true
	}
	f := sh.fieldsOf(e)
	f.root.order.release(sh.arena)
	if budget = f.heap().drain(budget); budget <= 0 {
		return false
	}
	// An unlinked entry needs its timer's links no more: one of them keeps the place.
	return f.dict.drain(&e.timerNext, budget, func(r ref) int { return f.at(r).size }) > 0
}

const hashRootBytes = int(unsafe.Sizeof(hashRoot{}))
