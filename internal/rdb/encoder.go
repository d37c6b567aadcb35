package rdb

import (
	"encoding/binary"
	"math"
)

// Encoder writes one payload. Begin or BeginTimed comes first, then as many parts as it was told, then Payload; Clear ends
// its use. It is not safe for concurrent use.
type Encoder struct {
	buf     []byte
	version uint16
	first   int64 // the earliest deadline of a timed hash
	stream  streamEncoder
}

// NewEncoder returns an encoder with room for about size bytes.
func NewEncoder(size int) *Encoder { return &Encoder{buf: make([]byte, 0, size+footerBytes+16)} }

// types are those that are written: the plainest, which every Redis reads.
var types = [...]byte{String: typeString, List: typeList, Set: typeSet, SortedSet: typeSortedSet, Hash: typeHash}

// Begin begins a value of n parts; a string has one.
func (e *Encoder) Begin(kind Kind, n int) {
	e.version = versionWritten
	e.room(16)
	e.buf = append(e.buf, types[kind])
	if kind != String {
		e.length(uint64(n))
	}
}

// BeginTimed begins a hash of n fields some of which have deadlines; first is the earliest, in Unix milliseconds.
func (e *Encoder) BeginTimed(n int, first int64) {
	e.version, e.first = versionTimed, first
	e.room(24)
	e.buf = binary.LittleEndian.AppendUint64(append(e.buf, typeHashTimed), uint64(first))
	e.length(uint64(n))
}

// Element writes the string itself, an element of a list or a member of a set. b is copied.
func (e *Encoder) Element(b []byte) { e.text(b) }

// Member writes a member of a sorted set.
func (e *Encoder) Member(member []byte, score float64) {
	e.text(member)
	e.room(8)
	e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(score))
}

// Field writes a field of a hash and its value.
func (e *Encoder) Field(field, value []byte) {
	e.text(field)
	e.text(value)
}

// TimedField writes a field of a hash that BeginTimed began; expiresAt is in Unix milliseconds, 0 for none.
func (e *Encoder) TimedField(field, value []byte, expiresAt int64) {
	e.room(16)
	if expiresAt == 0 {
		e.length(0)
	} else {
		e.length(uint64(expiresAt-e.first) + 1)
	}
	e.Field(field, value)
}

// Payload adds the version and the checksum and returns the whole, once. It belongs to the encoder until Clear.
func (e *Encoder) Payload() []byte {
	e.room(footerBytes)
	e.buf = binary.LittleEndian.AppendUint16(e.buf, e.version)
	e.buf = binary.LittleEndian.AppendUint64(e.buf, checksum(e.buf))
	return e.buf
}

// Clear overwrites what was written. The encoder must not be used afterwards.
func (e *Encoder) Clear() {
	for _, b := range [][]byte{e.buf, e.stream.names, e.stream.run, e.stream.entry.names, e.stream.entry.values, e.stream.entry.pairs} {
		clear(b[:cap(b)])
	}
}

// room makes room for n more bytes.
func (e *Encoder) room(n int) { e.buf = reserve(e.buf, n) }

// maxLengthBytes is what a length takes at most.
const maxLengthBytes = 9

// length writes a length; there is room for it.
func (e *Encoder) length(n uint64) {
	switch {
	case n < 1<<6:
		e.buf = append(e.buf, byte(n))
	case n < 1<<14:
		e.buf = append(e.buf, length14<<6|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		e.buf = binary.BigEndian.AppendUint32(append(e.buf, wide32), uint32(n))
	default:
		e.buf = binary.BigEndian.AppendUint64(append(e.buf, wide64), n)
	}
}

// text writes a string: as an integer where it is the text of one, which is shorter.
func (e *Encoder) text(b []byte) {
	e.room(len(b) + maxLengthBytes)
	if n, ok := shortInteger(b); ok {
		e.integer(n)
		return
	}
	e.length(uint64(len(b)))
	e.buf = append(e.buf, b...)
}

func (e *Encoder) integer(n int64) {
	form := byte(lengthNone << 6)
	switch {
	case n == int64(int8(n)):
		e.buf = append(e.buf, form|stringInt8, byte(n))
	case n == int64(int16(n)):
		e.buf = binary.LittleEndian.AppendUint16(append(e.buf, form|stringInt16), uint16(n))
	default:
		e.buf = binary.LittleEndian.AppendUint32(append(e.buf, form|stringInt32), uint32(n))
	}
}

// shortInteger returns the integer of 32 bits that b is the text of: just as it would be written, without a sign before
// zero and without zeros before other digits.
func shortInteger(b []byte) (int64, bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > len("2147483648") || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	n := int64(0)
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + int64(d-'0')
	}
	if len(digits) < len(b) {
		n = -n
	}
	return n, n == int64(int32(n))
}
