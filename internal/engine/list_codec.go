package engine

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
)

// Lists and small sorted sets keep their elements packed: one after the other in a run of bytes, each as short as it
// can be and followed by its own length, so that a run can be walked from both ends.
//
// An element is one item (lists) or two (sorted sets: the member and its score), then the length of these items, seven
// bits a byte, to be read from the right: a byte's high bit says that there is another one to its left.
//
// An item's first byte says what it is:
//
//	00..3f  text of so many bytes
//	40..4f  text, its length in the low 4 bits and the next byte
//	50..6f  integer from -4096 to 4095, in the low 5 bits and the next byte
//	70      text, its length in the next 4 bytes
//	72..78  integer in the next 2 to 8 bytes
//	79, 7a  floating point number in the next 4 or 8 bytes
//	80..ff  integer from 0 to 127
//
// Text that is the decimal form of an integer is kept as that integer. Every text and every number has one encoding
// only, so two items are equal when their bytes are.
const (
	itemText6   = 0x00
	itemText12  = 0x40
	itemInt13   = 0x50
	itemText32  = 0x70
	itemInt     = 0x70 // plus the number of bytes, 2 to 8
	itemFloat32 = 0x79
	itemFloat64 = 0x7a
	itemInt7    = 0x80
)

// intText is where the text of an item that is kept as an integer is written.
type intText [maxDigits]byte

// item is a value on its way into a run: its first bytes, and what follows them. body is the caller's.
type item struct {
	body []byte
	head [9]byte
	n    uint8 // bytes of head
}

// len is the number of bytes that the item takes.
func (x *item) len() int { return int(x.n) + len(x.body) }

// put writes the item at the start of dst and returns how many bytes it took.
func (x *item) put(dst []byte) int {
	n := copy(dst, x.head[:x.n])
	return n + copy(dst[n:], x.body)
}

// at reports whether data, which is not empty, begins with this item.
func (x *item) at(data []byte) bool {
	if data[0] != x.head[0] || len(data) < x.len() {
		return false
	}
	return bytes.Equal(data[:x.n], x.head[:x.n]) && bytes.Equal(data[x.n:x.len()], x.body)
}

// clear forgets what the item held.
func (x *item) clear() { *x = item{} }

func textItem(b []byte) item {
	if v, ok := parseInteger(b); ok {
		return intItem(v)
	}
	x := item{body: b}
	switch n := len(b); {
	case n < 1<<6:
		x.head[0], x.n = itemText6|byte(n), 1
	case n < 1<<12:
		x.head[0], x.head[1], x.n = itemText12|byte(n>>8), byte(n), 2
	default:
		x.head[0], x.n = itemText32, 5
		binary.LittleEndian.PutUint32(x.head[1:], uint32(n))
	}
	return x
}

func intItem(v int64) item {
	var x item
	switch {
	case v >= 0 && v < 1<<7:
		x.head[0], x.n = itemInt7|byte(v), 1
	case v >= -1<<12 && v < 1<<12:
		u := uint16(v) & (1<<13 - 1)
		x.head[0], x.head[1], x.n = itemInt13+byte(u>>8), byte(u), 2
	default:
		width := intWidth(v)
		x.head[0] = itemInt + byte(width)
		binary.LittleEndian.PutUint64(x.head[1:], uint64(v))
		clear(x.head[1+width:])
		x.n = uint8(1 + width)
	}
	return x
}

// intWidth is the number of bytes of a two's complement number, at least 2.
func intWidth(v int64) int {
	return max(2, bits.Len64(uint64(v^v>>63))/8+1)
}

// scoreItem encodes a score. Negative zero becomes zero, as it does in Redis's packed sorted sets.
func scoreItem(f float64) item {
	if v := int64(f); f > -1<<53 && f < 1<<53 && float64(v) == f {
		return intItem(v)
	}
	var x item
	if short := float32(f); float64(short) == f {
		x.head[0], x.n = itemFloat32, 5
		binary.LittleEndian.PutUint32(x.head[1:], math.Float32bits(short))
		return x
	}
	x.head[0], x.n = itemFloat64, 9
	binary.LittleEndian.PutUint64(x.head[1:], math.Float64bits(f))
	return x
}

// itemLen is the length of the item that data begins with.
func itemLen(data []byte) int {
	switch c := data[0]; {
	case c >= itemInt7:
		return 1
	case c < itemText12:
		return 1 + int(c)
	case c < itemInt13:
		return 2 + int(c&0x0f)<<8 + int(data[1])
	case c < itemText32:
		return 2
	case c == itemText32:
		return 5 + int(binary.LittleEndian.Uint32(data[1:]))
	case c == itemFloat32:
		return 5
	case c == itemFloat64:
		return 9
	default:
		return 1 + int(c-itemInt)
	}
}

// itemText returns the text of the item that data begins with: a part of data, or, of an integer, a part of scratch.
func itemText(data []byte, scratch *intText) []byte {
	switch c := data[0]; {
	case c < itemText12:
		return data[1 : 1+int(c)]
	case c < itemInt13:
		return data[2 : 2+int(c&0x0f)<<8+int(data[1])]
	case c == itemText32:
		return data[5 : 5+int(binary.LittleEndian.Uint32(data[1:]))]
	default:
		return formatInt(scratch, itemInteger(data))
	}
}

// formatInt writes v into the end of scratch. strconv.AppendInt would make scratch leave the caller's stack.
func formatInt(scratch *intText, v int64) []byte {
	u := uint64(v)
	if v < 0 {
		u = -u
	}
	at := len(scratch)
	for {
		at--
		scratch[at] = '0' + byte(u%10)
		if u /= 10; u == 0 {
			break
		}
	}
	if v < 0 {
		at--
		scratch[at] = '-'
	}
	return scratch[at:]
}

// itemInteger returns the number that data begins with, an item of one of the integer kinds.
func itemInteger(data []byte) int64 {
	c := data[0]
	if c >= itemInt7 {
		return int64(c &^ itemInt7)
	}
	if c < itemText32 {
		u := uint64(c-itemInt13)<<8 | uint64(data[1])
		return int64(u<<51) >> 51
	}
	width := int(c - itemInt)
	var b [8]byte
	copy(b[:], data[1:1+width])
	shift := 64 - 8*width
	return int64(binary.LittleEndian.Uint64(b[:])<<shift) >> shift
}

// itemScore returns the score that data begins with.
func itemScore(data []byte) float64 {
	switch data[0] {
	case itemFloat32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(data[1:])))
	case itemFloat64:
		return math.Float64frombits(binary.LittleEndian.Uint64(data[1:]))
	default:
		return float64(itemInteger(data))
	}
}

// backLen is the number of bytes that an element's length takes.
func backLen(n int) int { return max(1, (bits.Len(uint(n))+6)/7) }

// withBack is the length of an element whose items take n bytes.
func withBack(n int) int {
	if n < 1<<7 {
		return n + 1
	}
	return n + backLen(n)
}

// putBack writes an element's length to the start of dst.
func putBack(dst []byte, n int) {
	for i := backLen(n) - 1; i >= 0; i-- {
		dst[i] = byte(n&0x7f) | 0x80
		n >>= 7
	}
	dst[0] &^= 0x80
}

// lastElement returns where the last element of a run that is not empty starts.
func lastElement(run []byte) int {
	at, n, shift := len(run)-1, 0, 0
	for ; run[at]&0x80 != 0; at-- {
		n |= int(run[at]&0x7f) << shift
		shift += 7
	}
	n |= int(run[at]) << shift
	return at - n
}
