package engine

import "math/bits"

// age is a length of time since an entry was born, in 16 bits: tenths of seconds up to 204 s, and beyond that twelve
// significant bits, so that it is wrong by 1/4096 of itself at most. It never wraps around: ten years fit.
type age uint16

const (
	ageUnit     = 100 // milliseconds
	ageMantissa = 11  // bits; the highest bit of what is not small is left out
)

func ageOf(milliseconds int64) age {
	n := uint64(max(milliseconds, 0)) / ageUnit
	if n < 1<<ageMantissa {
		return age(n)
	}
	shift := bits.Len64(n) - ageMantissa - 1
	return age((shift+1)<<ageMantissa | int(n>>shift)&(1<<ageMantissa-1))
}

func (a age) milliseconds() int64 {
	n := int64(a & (1<<ageMantissa - 1))
	if shift := a >> ageMantissa; shift > 0 {
		n = (n | 1<<ageMantissa) << (shift - 1)
	}
	return n * ageUnit
}

// used notes that the entry is used now. What has not changed is not written: many readers share the line.
func (e *entry) used(now int64) {
	if a := ageOf(now - e.bornAt()); a != e.lastUse {
		e.lastUse = a
	}
}

// IdleMillis is how long ago the entry was last read or written, to a tenth of a second or 1/4096 of its age.
func (e Entry) IdleMillis(now int64) int64 {
	return max(0, now-e.e.bornAt()-e.e.lastUse.milliseconds())
}
