package engine

import "math/bits"

// age is a length of time since an entry was born, in 16 bits: tenths of seconds up to 204 s, and beyond that twelve
// significant bits, so that it is wrong by 1/4096 of itself at most. It never wraps around: ten years fit. What is larger still
// stands for a time before the birth, in seconds up to three days: a restored entry may not have been used for longer than it is
// here.
type age uint16

const (
	ageUnit     = 100 // milliseconds
	ageMantissa = 11  // bits; the highest bit of what is not small is left out

	beforeBirth   age = 24 << ageMantissa // an age of a hundred years
	beforeUnit        = 1000              // milliseconds
	longestBefore     = 1<<(ageMantissa+7) - 1
)

func ageOf(milliseconds int64) age {
	return min(shortened(uint64(max(milliseconds, 0))/ageUnit), beforeBirth-1)
}

func ageBefore(milliseconds int64) age {
	return beforeBirth + shortened(uint64(min(milliseconds/beforeUnit, longestBefore)))
}

// shortened is a number with its first twelve bits.
func shortened(n uint64) age {
	if n < 1<<ageMantissa {
		return age(n)
	}
	shift := bits.Len64(n) - ageMantissa - 1
	return age((shift+1)<<ageMantissa | int(n>>shift)&(1<<ageMantissa-1))
}

// milliseconds is the age, negative before the birth.
func (a age) milliseconds() int64 {
	if a >= beforeBirth {
		return -(a - beforeBirth).number() * beforeUnit
	}
	return a.number() * ageUnit
}

// number is what shortened had, but for the bits that it leaves out.
func (a age) number() int64 {
	n := int64(a & (1<<ageMantissa - 1))
	if shift := a >> ageMantissa; shift > 0 {
		n = (n | 1<<ageMantissa) << (shift - 1)
	}
	return n
}

// used notes that the entry is used now. What has not changed is not written: many readers share the line.
func (e *entry) used(now int64) {
	if a := ageOf(now - e.bornAt()); a != e.lastUse {
		e.lastUse = a
		e.flags &^= restored
	}
}

// SetIdle notes that an entry that was just made was not used for so many milliseconds elsewhere. Three days count at most.
func (e Entry) SetIdle(milliseconds int64) { e.e.lastUse = ageBefore(milliseconds) }

// SetFrequency notes that an entry that was just made was used elsewhere as often as Redis's counter says, from 0 to 255, which
// begins with 5 and grows with the logarithm of the uses. It stands where the last use does, as in Redis, until there is one.
func (e Entry) SetFrequency(counter uint8) {
	const unused = 5
	e.e.lastUse = beforeBirth + age(counter)
	e.e.flags |= restored
	e.e.heat = e.e.heat&^heatMask | uint8(min(max(int(counter)-unused, 0), maxHeat))
}

// Frequency is how often the entry was read lately, at most 3, or what SetFrequency was told where it was not used since.
func (e Entry) Frequency() int {
	if e.e.flags&restored != 0 {
		return int(e.e.lastUse - beforeBirth)
	}
	return int(e.e.heat & heatMask)
}

// IdleMillis is how long ago the entry was last read or written, to a tenth of a second or 1/4096 of its age.
func (e Entry) IdleMillis(now int64) int64 {
	if e.e.flags&restored != 0 {
		return max(0, now-e.e.bornAt())
	}
	return max(0, now-e.e.bornAt()-e.e.lastUse.milliseconds())
}
