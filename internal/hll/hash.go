package hll

import (
	"encoding/binary"
	"math/bits"
)

// The hash is MurmurHash2 of 64 bits (variant A) with the seed that Redis uses: sketches that were made with different
// hashes cannot be merged.
const (
	hashSeed       = 0xadc83b19
	hashMultiplier = 0xc6a4a7935bd1e995
	hashShift      = 47
)

func hash(b []byte) uint64 {
	h := hashSeed ^ uint64(len(b))*hashMultiplier
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * hashMultiplier
		k ^= k >> hashShift
		h = (h ^ k*hashMultiplier) * hashMultiplier
	}
	if len(b) > 0 {
		var k uint64
		for i, c := range b {
			k |= uint64(c) << (8 * i)
		}
		h = (h ^ k) * hashMultiplier
	}
	h = (h ^ h>>hashShift) * hashMultiplier
	return h ^ h>>hashShift
}

// place returns the register of an element and its rank there: how many zeros the rest of its hash begins with, and one.
func place(element []byte) (register int, rank uint8) {
	h := hash(element)
	rest := h>>registerBits | 1<<(64-registerBits) // ends the run of zeros
	return int(h & (Registers - 1)), uint8(bits.TrailingZeros64(rest)) + 1
}
