package hll

import "encoding/binary"

// The dense form: registers of six bits, the first in the lowest bits of the first byte. Four registers fill three bytes.

const registerMask = 1<<widthBits - 1

// setDense raises a register and reports whether it was below. body is what follows the head.
func setDense(body []byte, register int, rank uint8) bool {
	group := body[register/4*3:][:3]
	shift := register % 4 * widthBits
	word := uint32(group[0]) | uint32(group[1])<<8 | uint32(group[2])<<16
	if rank <= uint8(word>>shift)&registerMask {
		return false
	}
	word = word&^(registerMask<<shift) | uint32(rank)<<shift
	group[0], group[1], group[2] = byte(word), byte(word>>8), byte(word>>16)
	return true
}

// eachDense calls f with the registers, sixteen at a time, as two words of eight bytes: a register in each byte.
func eachDense(body []byte, f func(first int, low, high uint64)) {
	for i := 0; i < Registers; i += 16 {
		group := body[i/16*12:][:12]
		low := binary.LittleEndian.Uint64(group)
		high := uint64(binary.LittleEndian.Uint32(group[8:]))<<16 | low>>48
		f(i, spread(low), spread(high))
	}
}

// spread puts eight fields of six bits, in the lowest 48, into a byte each.
func spread(x uint64) uint64 {
	x = x&0x0000_0000_00ff_ffff | x&0x0000_ffff_ff00_0000<<8
	x = x&0x0000_0fff_0000_0fff | x&0x00ff_f000_00ff_f000<<4
	return x&0x003f_003f_003f_003f | x&0x0fc0_0fc0_0fc0_0fc0<<2
}

// putDense writes registers of a byte each in the dense form.
func putDense(body []byte, registers *[Registers]uint8) {
	for i := 0; i < Registers; i += 4 {
		r := registers[i:][:4]
		word := uint32(r[0]) | uint32(r[1])<<6 | uint32(r[2])<<12 | uint32(r[3])<<18
		group := body[i/4*3:][:3]
		group[0], group[1], group[2] = byte(word), byte(word>>8), byte(word>>16)
	}
}

// ToDense gives a sketch the dense form.
func ToDense(v Value) error {
	b := v.Bytes()
	if IsDense(b) {
		return nil
	}
	var u Union
	defer u.Clear()
	if err := u.Merge(b); err != nil {
		return err
	}
	u.becomeDense(v)
	return nil
}
