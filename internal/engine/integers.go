package engine

import (
	"encoding/binary"
	"math"
)

// A small set whose members are all integers is kept as numbers: one byte with their width, then the numbers in ascending
// order, each in that many bytes. It is what Redis calls an intset, and takes as much memory.

const (
	maxIntegers = 512 // set-max-intset-entries of Redis 7.2
	narrowest   = 2   // bytes of a number
)

// integerRun is the value part of a set of integers.
type integerRun []byte

func (x *Entry) integers() integerRun { return x.e.value() }

func (v integerRun) width() int { return int(v[0]) }
func (v integerRun) len() int   { return (len(v) - 1) / v.width() }

func (v integerRun) at(i int) int64 {
	switch b := v[1+i*v.width():]; v.width() {
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}

func (v integerRun) put(i int, n int64) {
	switch b := v[1+i*v.width():]; v.width() {
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(n))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(n))
	default:
		binary.LittleEndian.PutUint64(b, uint64(n))
	}
}

// find returns where a number is, or where it would be.
func (v integerRun) find(n int64) (int, bool) {
	low, high := 0, v.len()
	for low < high {
		mid := (low + high) / 2
		switch at := v.at(mid); {
		case at == n:
			return mid, true
		case at < n:
			low = mid + 1
		default:
			high = mid
		}
	}
	return low, false
}

func widthOf(n int64) int {
	switch {
	case n >= math.MinInt16 && n <= math.MaxInt16:
		return 2
	case n >= math.MinInt32 && n <= math.MaxInt32:
		return 4
	default:
		return 8
	}
}

// insertInteger puts a number at its place in a set of integers, all of which become wider when it asks for that.
func (x *Entry) insertInteger(i int, n int64) {
	if width := widthOf(n); width > x.integers().width() {
		x.widenIntegers(width)
	}
	width := x.integers().width()
	x.splice(1+i*width, 0, width)
	x.integers().put(i, n)
}

func (x *Entry) widenIntegers(width int) {
	count, narrow := x.integers().len(), x.integers().width()
	x.ref, x.e = x.sh.grow(x.ref, x.e, 1+count*width)
	wide := x.integers()
	for i := count - 1; i >= 0; i-- { // from the end, where the wider numbers overwrite only what was moved already
		wide[0] = byte(narrow)
		n := wide.at(i)
		wide[0] = byte(width)
		wide.put(i, n)
	}
	wide[0] = byte(width)
}

func (x *Entry) removeInteger(i int) {
	width := x.integers().width()
	x.splice(1+i*width, width, 0)
}

func (s *SetValue) eachInteger(f func(member []byte) bool) {
	text := newDigits(s.x.sh.arena)
	defer text.free()
	v := s.x.integers()
	for i := range v.len() {
		if !f(text.of(v.at(i))) {
			return
		}
	}
}

// parseInteger reads a member that is written as Redis writes an integer: no plus, no leading zeros, no spaces.
func parseInteger(s []byte) (int64, bool) {
	digits, negative := s, false
	if len(s) > 1 && s[0] == '-' {
		digits, negative = s[1:], true
	}
	if len(digits) == 0 || len(digits) > 19 || (digits[0] == '0' && len(s) > 1) {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n <= math.MaxInt64
}

// digits writes integers as text into a block of the arena, so that members of a set of integers are, as text too, only
// in memory that is overwritten when it is given back.
type digits struct {
	arena *arena
	block ref
}

const maxDigits = 20 // of an int64, with its sign

func newDigits(a *arena) digits { return digits{a, a.alloc(maxDigits)} }

func (d digits) free() { d.arena.free(d.block, maxDigits) }

// of returns the text of n; it holds until the next call.
func (d digits) of(n int64) []byte {
	b := d.arena.bytes(d.block, maxDigits)
	at := len(b)
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	for {
		at--
		b[at] = byte('0' + u%10)
		if u /= 10; u == 0 {
			break
		}
	}
	if n < 0 {
		at--
		b[at] = '-'
	}
	return b[at:]
}
