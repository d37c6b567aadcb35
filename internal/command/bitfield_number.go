package command

import "encoding/binary"

// bitNumber is the place and the form of an integer in a bitmap: the most significant bit first, negative numbers in
// two's complement. The width is 1 to 64 bits, 63 without a sign, so that an int64 holds every value.
type bitNumber struct {
	offset int64 // of the first bit
	width  int
	signed bool
}

// overflow says what becomes of a result that is out of a number's range.
type overflow uint8

const (
	wrap     overflow = iota // its lowest bits
	saturate                 // the nearest number in the range
	fail                     // nothing: the number stays
)

// read returns the number; bits behind the end of the bitmap are zero.
func (n bitNumber) read(p []byte) int64 {
	var near [9]byte // a number touches nine bytes at most
	defer clear(near[:])
	copy(near[:], tailOf(p, int(n.offset/8)))
	shift := n.offset % 8
	v := binary.BigEndian.Uint64(near[:])<<shift | uint64(near[8])>>(8-shift)
	if n.signed {
		return int64(v) >> (64 - n.width)
	}
	return int64(v >> (64 - n.width))
}

// write puts the lowest bits of v in the number's place. The bitmap is long enough.
func (n bitNumber) write(p []byte, v int64) {
	at, end := n.offset, n.offset+int64(n.width)
	for left := n.width; left > 0; {
		room := 8 - int(at%8)      // bits of this byte from here on
		take := min(room, left)    // of which the number has these,
		below := uint(room - take) // above so many that are not its own
		mask := byte(1<<take-1) << below
		left -= take
		b := &p[at/8]
		*b = *b&^mask | byte(v>>left)<<below&mask
		at = end - int64(left)
	}
}

// bounds are the least and the greatest number.
func (n bitNumber) bounds() (least, greatest int64) {
	if n.signed {
		greatest = int64(1<<(n.width-1) - 1)
		return -greatest - 1, greatest
	}
	return 0, int64(1<<n.width - 1)
}

// add returns base + by in the number's range; false when it is out of it and that has to fail. base may be out of range
// itself where by is 0.
func (n bitNumber) add(base, by int64, mode overflow) (int64, bool) {
	least, greatest := n.bounds()
	over := base > greatest || by > 0 && base > greatest-by
	under := base < least || by < 0 && (n.width < 64 || base < 0) && by < least-base
	if !n.signed && base < 0 { // Redis takes it for a very large number
		over, under = true, false
	}
	switch {
	case !over && !under:
		return base + by, true
	case mode == fail:
		return 0, false
	case mode == saturate && over:
		return greatest, true
	case mode == saturate:
		return least, true
	}
	sum := uint64(base+by) << (64 - n.width) // wraps where it passes 64 bits
	if n.signed {
		return int64(sum) >> (64 - n.width), true
	}
	return int64(sum >> (64 - n.width)), true
}
