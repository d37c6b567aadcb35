package rdb

import "encoding/binary"

// elements are the strings that a small collection holds side by side in one block. A block is walked with next until it
// returns false; done tells whether it was sound to its end.
type elements interface {
	// next returns an element; it is valid until next has been called places times more.
	next(r *reader) ([]byte, bool)
	done() bool
}

const packEnd = 0xff

// listpack is Redis's block since 7.0: a head with its length and the number of elements, the elements, an end byte. Behind
// each element stands how long it is, to be read backwards.
type listpack struct {
	rest  []byte
	count int // as the head has it; unknownCount: not told
	seen  int
	bad   bool
}

const (
	listpackHead = 4 + 2
	unknownCount = 1<<16 - 1
)

func newListpack(block []byte) *listpack {
	if len(block) < listpackHead+1 || binary.LittleEndian.Uint32(block) != uint32(len(block)) || block[len(block)-1] != packEnd {
		return &listpack{bad: true}
	}
	return &listpack{rest: block[listpackHead : len(block)-1], count: int(binary.LittleEndian.Uint16(block[4:]))}
}

func (p *listpack) done() bool {
	return !p.bad && len(p.rest) == 0 && (p.count == unknownCount || p.count == p.seen)
}

func (p *listpack) next(r *reader) ([]byte, bool) {
	if p.bad || len(p.rest) == 0 {
		return nil, false
	}
	e, size := p.element(r)
	if size > 0 {
		size += listpackBack(p.rest, size)
	}
	if size <= 0 || size > len(p.rest) {
		p.bad = true
		return nil, false
	}
	p.rest = p.rest[size:]
	p.seen++
	return e, true
}

// element reads the element at the front; size is what it takes without its length, 0 when it is none.
func (p *listpack) element(r *reader) (e []byte, size int) {
	b, head := p.rest, p.rest[0]
	place := p.seen % places
	switch {
	case head < 0x80: // 7 bits, unsigned
		return r.decimal(place, int64(head)), 1
	case head < 0xc0: // a string of 6 bits of length
		return span(b, 1, int(head&0x3f))
	case head < 0xe0 && len(b) >= 2: // 13 bits, signed
		n := int64(head&0x1f)<<8 | int64(b[1])
		return r.decimal(place, n<<51>>51), 2
	case head >= 0xe0 && head < 0xf0 && len(b) >= 2: // a string of 12 bits of length
		return span(b, 2, int(head&0xf)<<8|int(b[1]))
	case head == 0xf0 && len(b) >= 5: // a string of 32 bits of length
		return span(b, 5, int(binary.LittleEndian.Uint32(b[1:])))
	case head >= 0xf1 && head <= 0xf4: // 16, 24, 32 or 64 bits, signed
		width := [...]int{2, 3, 4, 8}[head-0xf1]
		if len(b) > width {
			return r.decimal(place, signed(b[1:1+width])), 1 + width
		}
	}
	return nil, 0
}

// span is a string of n bytes behind a head; size 0 where it does not fit.
func span(b []byte, head, n int) (s []byte, size int) {
	if n > len(b)-head {
		return nil, 0
	}
	return b[head : head+n : head+n], head + n
}

// signed reads a little-endian integer in two's complement, of up to eight bytes.
func signed(b []byte) int64 {
	var wide [8]byte
	copy(wide[8-len(b):], b)
	return int64(binary.LittleEndian.Uint64(wide[:])) >> (8 * (8 - len(b)))
}

// listpackBack checks the length behind an element of n bytes and returns how many bytes that length takes; -n where it is
// another one. It has seven bits in each byte, the highest first, all but the first with the upper bit set.
func listpackBack(run []byte, n int) int {
	size := 1
	for v := n >> 7; v > 0; v >>= 7 {
		size++
	}
	if n+size > len(run) {
		return -n
	}
	back, v := run[n:n+size], n
	for i := size - 1; i >= 0; i-- {
		want := byte(v & 0x7f)
		if i > 0 {
			want |= 0x80
		}
		if back[i] != want {
			return -n
		}
		v >>= 7
	}
	return size
}

// atNumber reports whether the next element is a number.
func (p *listpack) atNumber() bool {
	if len(p.rest) == 0 {
		return false
	}
	h := p.rest[0]
	return h < 0x80 || h >= 0xc0 && h < 0xe0 || h > 0xf0
}

// appendNumber appends a number to a run of elements.
func appendNumber(run []byte, n int64) []byte {
	at := len(run)
	switch {
	case n >= 0 && n < 1<<7:
		run = append(run, byte(n))
	case n >= -1<<12 && n < 1<<12:
		run = append(run, 0xc0|byte(n>>8)&0x1f, byte(n))
	default:
		run = append(run, 0xf4)
		run = binary.LittleEndian.AppendUint64(run, uint64(n))
	}
	return appendBack(run, len(run)-at)
}

// appendString appends a string to a run of elements.
func appendString(run, s []byte) []byte {
	at := len(run)
	switch n := len(s); {
	case n < 1<<6:
		run = append(run, 0x80|byte(n))
	case n < 1<<12:
		run = append(run, 0xe0|byte(n>>8), byte(n))
	default:
		run = binary.LittleEndian.AppendUint32(append(run, 0xf0), uint32(n))
	}
	run = append(run, s...)
	return appendBack(run, len(run)-at)
}

// longestHead is what an element takes beside its bytes, at most.
const longestHead = 5 + 5

// appendBack appends the length of the element before, to be read backwards.
func appendBack(run []byte, n int) []byte {
	shift := 0
	for n>>shift >= 1<<7 {
		shift += 7
	}
	run = append(run, byte(n>>shift))
	for shift > 0 {
		shift -= 7
		run = append(run, byte(n>>shift)&0x7f|0x80)
	}
	return run
}
