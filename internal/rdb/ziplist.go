package rdb

import "encoding/binary"

// ziplist is the block of Redis before 7.0: its length, where its last element stands, the number of elements, the
// elements, an end byte. Before each element stands how long the one before it is.
type ziplist struct {
	rest     []byte
	count    int // as the head has it; unknownCount: not told
	seen     int
	previous int // what the element before takes
	bad      bool
}

const (
	ziplistHead    = 4 + 4 + 2
	longPrevious   = 0xfe // the length of the element before follows in four bytes
	leastImmediate = 0xf1 // 0
	mostImmediate  = 0xfd // 12
)

func newZiplist(block []byte) *ziplist {
	if len(block) < ziplistHead+1 || binary.LittleEndian.Uint32(block) != uint32(len(block)) || block[len(block)-1] != packEnd {
		return &ziplist{bad: true}
	}
	return &ziplist{rest: block[ziplistHead : len(block)-1], count: int(binary.LittleEndian.Uint16(block[8:]))}
}

func (p *ziplist) done() bool {
	return !p.bad && len(p.rest) == 0 && (p.count == unknownCount || p.count == p.seen)
}

func (p *ziplist) next(r *reader) ([]byte, bool) {
	if p.bad || len(p.rest) == 0 {
		return nil, false
	}
	head := p.previousLen()
	var e []byte
	size := 0
	if head > 0 && head < len(p.rest) {
		e, size = p.element(r, p.rest[head:])
	}
	if size == 0 {
		p.bad = true
		return nil, false
	}
	p.previous = head + size
	p.rest = p.rest[p.previous:]
	p.seen++
	return e, true
}

// previousLen checks the length of the element before and returns how many bytes it takes; 0 where it is wrong.
func (p *ziplist) previousLen() int {
	if p.rest[0] < longPrevious {
		if int(p.rest[0]) == p.previous {
			return 1
		}
		return 0
	}
	if p.rest[0] == longPrevious && len(p.rest) >= 5 && binary.LittleEndian.Uint32(p.rest[1:]) == uint32(p.previous) {
		return 5
	}
	return 0
}

// element reads an element behind the length of the one before; size 0 where it is none.
func (p *ziplist) element(r *reader, b []byte) (e []byte, size int) {
	head, place := b[0], p.seen%places
	switch {
	case head < 0x40:
		return span(b, 1, int(head))
	case head < 0x80 && len(b) >= 2:
		return span(b, 2, int(head&0x3f)<<8|int(b[1]))
	case head == 0x80 && len(b) >= 5:
		return span(b, 5, int(binary.BigEndian.Uint32(b[1:])))
	case head >= leastImmediate && head <= mostImmediate:
		return r.decimal(place, int64(head-leastImmediate)), 1
	}
	width, known := map[byte]int{0xfe: 1, 0xc0: 2, 0xf0: 3, 0xd0: 4, 0xe0: 8}[head]
	if !known || len(b) <= width {
		return nil, 0
	}
	return r.decimal(place, signed(b[1:1+width])), 1 + width
}

// zipmap is the block of small hashes before Redis 2.6: the number of fields, then fields and values, an end byte. Behind
// the length of a value stands how many bytes behind it are free.
type zipmap struct {
	rest  []byte
	count int // of fields; longPrevious and above: not told
	seen  int // of fields and values
	bad   bool
}

func newZipmap(block []byte) *zipmap {
	if len(block) < 2 || block[len(block)-1] != packEnd {
		return &zipmap{bad: true}
	}
	return &zipmap{rest: block[1 : len(block)-1], count: int(block[0])}
}

func (p *zipmap) done() bool {
	return !p.bad && len(p.rest) == 0 && (p.count >= longPrevious || 2*p.count == p.seen)
}

func (p *zipmap) next(*reader) ([]byte, bool) {
	if p.bad || len(p.rest) == 0 {
		return nil, false
	}
	n, head, free := int(p.rest[0]), 1, 0
	if n == longPrevious && len(p.rest) >= 5 {
		n, head = int(binary.LittleEndian.Uint32(p.rest[1:])), 5
	} else if n >= longPrevious {
		p.bad = true
		return nil, false
	}
	if p.seen%2 == 1 {
		if head == len(p.rest) {
			p.bad = true
			return nil, false
		}
		free = int(p.rest[head])
		head++
	}
	e, size := span(p.rest, head, n)
	if size == 0 || free > len(p.rest)-size {
		p.bad = true
		return nil, false
	}
	p.rest = p.rest[size+free:]
	p.seen++
	return e, true
}
