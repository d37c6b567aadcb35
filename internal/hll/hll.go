// Package hll counts distinct elements approximately, in Redis's own format, so that values move between Redis and Lethe
// byte for byte and both estimate the same number.
//
// A sketch is 16,384 registers behind a head of 16 bytes: the letters HYLL, the form (dense or sparse), three zeros, and
// the number that was estimated last, little-endian, whose highest bit says that it is out of date. Dense sketches have six
// bits for each register; sparse ones are runs of equal registers (sparse.go). What a client wrote as a string is taken
// for a sketch if it looks like one, so every function here takes any bytes and answers ErrCorrupt rather than read
// beyond them.
//
// It is for the handlers of the PF commands. It knows neither keys nor replies and keeps nothing.
package hll

import (
	"encoding/binary"
	"errors"
)

const (
	registerBits = 14
	// Registers is how many registers a sketch has.
	Registers = 1 << registerBits

	headBytes  = 16
	formAt     = 4
	cachedAt   = 8
	stale      = 1 << 63 // in the cached number
	denseForm  = 0
	sparseForm = 1

	widthBits = 6 // of a register in the dense form
	// denseBytes is the length of every dense sketch.
	denseBytes = headBytes + Registers*widthBits/8

	// sparseLimit is the length that a sparse sketch may have before it becomes dense: Redis's hll-sparse-max-bytes.
	sparseLimit = 3000
)

// ErrCorrupt says that a sparse sketch does not describe all registers and no others.
var ErrCorrupt = errors.New("the sketch is corrupt")

// Value is the memory of one sketch. Resize gives it another length, keeping what both lengths have; slices from before
// are not valid after it.
type Value interface {
	Bytes() []byte
	Resize(n int) []byte
}

// Valid reports whether a string looks like a sketch. The functions of this package want strings that do.
func Valid(b []byte) bool {
	if len(b) < headBytes || string(b[:formAt]) != "HYLL" {
		return false
	}
	return b[formAt] == sparseForm || b[formAt] == denseForm && len(b) == denseBytes
}

// IsDense reports whether a sketch has the dense form.
func IsDense(b []byte) bool { return b[formAt] == denseForm }

// EmptyBytes is the length of a sketch of nothing.
const EmptyBytes = headBytes + 2

// PutEmpty writes a sketch of nothing into b, which is EmptyBytes long.
func PutEmpty(b []byte) {
	clear(b)
	copy(b, "HYLL")
	b[formAt] = sparseForm
	putZeros(b[headBytes:], Registers)
}

// Cached returns the number that was estimated last; false when the sketch has changed since.
func Cached(b []byte) (uint64, bool) {
	n := binary.LittleEndian.Uint64(b[cachedAt:])
	return n, n&stale == 0
}

// SetCached keeps an estimate in the sketch.
func SetCached(b []byte, n uint64) { binary.LittleEndian.PutUint64(b[cachedAt:], n) }

// Invalidate says that the estimate in the sketch is out of date.
func Invalidate(b []byte) { b[cachedAt+7] |= stale >> 56 }

// Add adds an element and reports whether a register changed. The cached number is left to the caller.
func Add(v Value, element []byte) (changed bool, err error) {
	register, rank := place(element)
	return set(v, register, rank)
}

// set raises a register to a rank and reports whether it was below.
func set(v Value, register int, rank uint8) (changed bool, err error) {
	if b := v.Bytes(); IsDense(b) {
		return setDense(b[headBytes:], register, rank), nil
	}
	return setSparse(v, register, rank)
}
