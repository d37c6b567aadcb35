package engine

import "encoding/binary"

// A packed hash is, in the entry's value part, one byte with the number of fields, then for each a packed field name and
// a packed value; when it is timed, a third packed string follows: the field's deadline in eight bytes, or nothing. The
// value part of a timed one begins, at the aligned root, with the earliest deadline.

const deadlineBytes = 8

// packedHead is where the count of a packed collection lies in the value part.
func (x *Entry) packedHead() int {
	if x.e.encoding == packedTimed {
		return rootLen(int(x.e.keyLen), deadlineBytes)
	}
	return 0
}

// pairs walks over the fields of a packed hash.
type pairs struct {
	run      []byte
	timed    bool
	field    []byte
	value    []byte
	deadline int64 // noDeadline where the field has none
	at, end  int   // the field's place in the run, and the place behind it
	valueAt  int
	timeAt   int
}

func (x *Entry) pairs() pairs {
	return pairs{run: x.e.value()[x.packedHead()+1:], timed: x.e.encoding == packedTimed}
}

func (p *pairs) next() bool {
	if p.end == len(p.run) {
		p.field, p.value = nil, nil
		return false
	}
	p.at = p.end
	p.field, p.valueAt = unpack(p.run, p.at)
	p.value, p.timeAt = unpack(p.run, p.valueAt)
	p.end, p.deadline = p.timeAt, noDeadline
	if p.timed {
		var at []byte
		if at, p.end = unpack(p.run, p.timeAt); len(at) > 0 {
			p.deadline = int64(binary.LittleEndian.Uint64(at))
		}
	}
	return true
}

// find walks on to a field; false when it is not there. It steps over lengths alone, and looks closer only where the field
// could be.
func (p *pairs) find(field []byte) bool {
	run := p.run
	for at := p.end; at < len(run); {
		value := at + 1 + int(run[at])
		behind := value + 1 + int(run[value])
		if p.timed {
			behind += 1 + int(run[behind])
		}
		if packedIs(run[at:value], field) {
			p.end = at
			return p.next()
		}
		at = behind
	}
	p.end = len(run)
	return p.next()
}

// setPacked is set for a packed hash; ok is false when the field is new and the hash has as many as it may.
func (h *HashValue) setPacked(field, value []byte, keepDeadline bool) (added, ok bool) {
	p := h.x.pairs()
	head := h.x.packedHead()
	if !p.find(field) {
		return true, h.addPacked(head, field, value)
	}
	cut := p.timeAt - p.valueAt
	h.x.splice(head+1+p.valueAt, cut, packedLen(value))
	pack(h.x.e.value(), head+1+p.valueAt, value)
	if p.deadline != noDeadline && !keepDeadline {
		h.setPackedDeadline(field, noDeadline)
		h.settleDeadlines()
	}
	return false, true
}

func (h *HashValue) addPacked(head int, field, value []byte) bool {
	if h.x.e.value()[head] == maxPacked {
		return false
	}
	gain := packedLen(field) + packedLen(value)
	if h.x.e.encoding == packedTimed {
		gain++
	}
	at := int(h.x.e.valLen)
	h.x.splice(at, 0, gain)
	run := h.x.e.value()
	at = pack(run, pack(run, at, field), value)
	if at < len(run) {
		run[at] = 0
	}
	run[head]++
	return true
}

// cutPacked erases the field that a walk stands at.
func (x *Entry) cutPacked(p *pairs) {
	head := x.packedHead()
	x.splice(head+1+p.at, p.end-p.at, 0)
	x.e.value()[head]--
}

// setPackedDeadline gives a field of a packed hash a deadline, or none. The caller settles the earliest.
func (h *HashValue) setPackedDeadline(field []byte, deadline int64) {
	if h.x.e.encoding == packed {
		h.makeTimed()
	}
	p := h.x.pairs()
	if !p.find(field) {
		panic("BUG: deadline for a field that is not there")
	}
	at := h.x.packedHead() + 1 + p.timeAt
	if deadline == noDeadline {
		h.x.splice(at, p.end-p.timeAt, 1)
		h.x.e.value()[at] = 0
		return
	}
	h.x.splice(at, p.end-p.timeAt, 1+deadlineBytes)
	var b [deadlineBytes]byte
	binary.LittleEndian.PutUint64(b[:], uint64(deadline))
	pack(h.x.e.value(), at, b[:])
}

// makeTimed gives a packed hash the layout in which fields may have deadlines.
func (h *HashValue) makeTimed() {
	head := rootLen(int(h.x.e.keyLen), deadlineBytes)
	h.x.splice(0, 0, head)
	clear(h.x.e.value()[:head])
	h.x.e.encoding = packedTimed
	for p := h.x.pairs(); p.end < len(p.run); {
		_, at := unpack(p.run, p.end)
		_, at = unpack(p.run, at)
		h.x.splice(head+1+at, 0, 1)
		h.x.e.value()[head+1+at] = 0
		p.run, p.end = h.x.pairs().run, at+1
	}
}
