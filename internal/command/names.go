package command

import "encoding/binary"

// nameIndex finds the commands whose names fit into a word of eight bytes, which are those that are sent often, without the
// hash of a string: a pipeline of small commands spends a noticeable part of its time on their names.
type nameIndex [1 << nameBits]nameSlot

// nameBits leaves three places of four empty: 16 KiB for some 200 names.
const nameBits = 10

type nameSlot struct {
	word uint64
	spec *Spec // nil: the place is empty
}

// place is where probing for a word begins. The factor is 2^64 divided by the golden ratio, as Knuth has it.
func (x *nameIndex) place(word uint64) uint64 { return word * 0x9e3779b97f4a7c15 >> (64 - nameBits) }

// add puts a command into the index if its name is short enough.
func (x *nameIndex) add(s *Spec) {
	word, ok := nameWord([]byte(s.upper))
	if !ok {
		return
	}
	at := x.place(word)
	for x[at].spec != nil {
		at = (at + 1) % uint64(len(x))
	}
	x[at] = nameSlot{word, s}
}

// find returns the command with a name in any case; nil where the index has none.
func (x *nameIndex) find(name []byte) *Spec {
	word, ok := nameWord(name)
	if !ok {
		return nil
	}
	for at := x.place(word); x[at].spec != nil; at = (at + 1) % uint64(len(x)) {
		if x[at].word == word && len(x[at].spec.upper) == len(name) { // a zero byte at the end makes no other word
			return x[at].spec
		}
	}
	return nil
}

// nameWord is a name of one to eight bytes in upper case, as one number; false for names of any other length.
func nameWord(name []byte) (uint64, bool) {
	n := len(name)
	switch {
	case n >= 4 && n <= 8: // the two halves overlap in bytes that are the same
		low, high := binary.LittleEndian.Uint32(name), binary.LittleEndian.Uint32(name[n-4:])
		return upperWord(uint64(low) | uint64(high)<<(8*(n-4))), true
	case n == 3:
		return upperWord(uint64(name[0]) | uint64(name[1])<<8 | uint64(name[2])<<16), true
	case n == 2:
		return upperWord(uint64(name[0]) | uint64(name[1])<<8), true
	case n == 1:
		return upperWord(uint64(name[0])), true
	default:
		return 0, false
	}
}

// upperWord turns the letters a to z in the eight bytes of a word into capitals, all at once: a byte's high bit tells in
// turn that it is at least an a, that it is above a z, and that it is no ASCII.
func upperWord(w uint64) uint64 {
	const each = 0x0101010101010101
	low := w & (0x7f * each)
	letters := (low + (0x80-'a')*each) &^ (low + (0x7f-'z')*each) &^ w & (0x80 * each)
	return w ^ letters>>2
}
