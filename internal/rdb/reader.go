package rdb

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
)

// reader takes a value apart from left to right. The first mistake is final: bad is set, and from then on everything is
// empty, so that loops have to look at bad and nothing else does.
type reader struct {
	rest []byte
	bad  bool

	// A part that does not stand in the value as it is lies here until the next part with the same place is read: a field
	// and its value are there together.
	digits   [places][20]byte
	unpacked [places][]byte
	grown    uint64 // bytes of all strings that were compressed
}

// places are enough for three elements of a block, or for a block, the names of two groups and those of two consumers.
const places = 5

// clear overwrites what the reader held of the value.
func (r *reader) clear() {
	r.digits = [places][20]byte{}
	for i := range r.unpacked {
		clear(r.unpacked[i][:cap(r.unpacked[i])])
	}
}

func (r *reader) fail() []byte {
	r.bad, r.rest = true, nil
	return nil
}

// take returns the next n bytes.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) || r.bad {
		return r.fail()
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// number is an unsigned integer of so many bytes, little endian.
func (r *reader) number(bytes int) uint64 {
	var n [8]byte
	copy(n[:], r.take(uint64(bytes)))
	return binary.LittleEndian.Uint64(n[:])
}

// The kinds of a length: the two upper bits of its first byte, and what that byte may be beyond them.
const (
	length6    = 0
	length14   = 1
	lengthWide = 2
	lengthNone = 3 // no length: the lower bits tell how a string is written

	wide32 = 0x80
	wide64 = 0x81

	stringInt8       = 0
	stringInt16      = 1
	stringInt32      = 2
	stringCompressed = 3
)

// lengthOrForm reads a length, or, with isForm, how a string is written.
func (r *reader) lengthOrForm() (n uint64, isForm bool) {
	b := r.byte()
	switch b >> 6 {
	case length6:
		return uint64(b & 0x3f), false
	case length14:
		return uint64(b&0x3f)<<8 | uint64(r.byte()), false
	case lengthNone:
		return uint64(b & 0x3f), true
	}
	switch b {
	case wide32:
		if b := r.take(4); b != nil {
			return uint64(binary.BigEndian.Uint32(b)), false
		}
	case wide64:
		if b := r.take(8); b != nil {
			return binary.BigEndian.Uint64(b), false
		}
	default:
		r.fail()
	}
	return 0, false
}

// length reads a length.
func (r *reader) length() uint64 {
	n, isForm := r.lengthOrForm()
	if isForm {
		r.fail()
		return 0
	}
	return n
}

// text reads a string. It is valid until another one is read to the same place.
func (r *reader) text(place int) []byte {
	n, isForm := r.lengthOrForm()
	if !isForm {
		return r.take(n)
	}
	switch n {
	case stringInt8:
		return r.decimal(place, int64(int8(r.number(1))))
	case stringInt16:
		return r.decimal(place, int64(int16(r.number(2))))
	case stringInt32:
		return r.decimal(place, int64(int32(r.number(4))))
	case stringCompressed:
		return r.compressed(place)
	}
	return r.fail()
}

// decimal writes an integer as the string that it stands for.
func (r *reader) decimal(place int, n int64) []byte {
	return strconv.AppendInt(r.digits[place][:0], n, 10)
}

// compressed reads a string that LZF made shorter.
func (r *reader) compressed(place int) []byte {
	packedLen, length := r.length(), r.length()
	packed := r.take(packedLen)
	r.grown += length
	if r.bad || length == 0 || length > maxString || length > uint64(len(packed))*lzfMostFold || r.grown > maxGrown {
		return r.fail()
	}
	buf := r.room(place, int(length))
	if !lzfUnpack(buf, packed) {
		return r.fail()
	}
	return buf
}

// room is memory for a string of n bytes. What is too short is overwritten before it is left to the collector.
func (r *reader) room(place, n int) []byte {
	buf := r.unpacked[place]
	if cap(buf) < n {
		clear(buf[:cap(buf)])
		buf = make([]byte, n)
		r.unpacked[place] = buf
	}
	return buf[:n]
}

// binaryScore reads a score of eight bytes.
func (r *reader) binaryScore() float64 { return math.Float64frombits(r.number(8)) }

// The first byte of a score that is written as text is its length, or one of these.
const (
	scoreNaN         = 253
	scoreInfinity    = 254
	scoreMinInfinity = 255
)

// textScore reads a score as Redis wrote it before version 8.
func (r *reader) textScore() float64 {
	switch n := r.byte(); n {
	case scoreNaN:
		r.fail()
	case scoreInfinity:
		return math.Inf(1)
	case scoreMinInfinity:
		return math.Inf(-1)
	default:
		return r.parseScore(r.take(uint64(n)))
	}
	return 0
}

// parseScore reads a score's text.
func (r *reader) parseScore(text []byte) float64 {
	if len(text) > 255 {
		r.fail()
		return 0
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // beyond the range is infinity, as in Redis
		r.fail()
	}
	return f
}
