package hll

import "encoding/binary"

// Union gathers the registers of several sketches: of each register the highest. The zero Union is that of nothing.
type Union struct {
	registers [Registers]uint8
}

// Clear forgets the registers.
func (u *Union) Clear() { clear(u.registers[:]) }

// Register returns a register.
func (u *Union) Register(i int) uint8 { return u.registers[i] }

// Merge adds a sketch. After ErrCorrupt some of its registers may be in.
func (u *Union) Merge(b []byte) error {
	if IsDense(b) {
		eachDense(b[headBytes:], func(first int, low, high uint64) {
			raise(u.registers[first:][:8], low)
			raise(u.registers[first+8:][:8], high)
		})
		return nil
	}
	at := 0
	for runs := (sparse{body: b[headBytes:]}); runs.next(); {
		if runs.length > Registers-at {
			return ErrCorrupt
		}
		if runs.rank > 0 {
			for i := range u.registers[at:][:runs.length] {
				u.registers[at+i] = max(u.registers[at+i], runs.rank)
			}
		}
		at += runs.length
	}
	if at != Registers {
		return ErrCorrupt
	}
	return nil
}

// raise makes eight registers, a byte each, at least as high as the bytes of a word. Registers are below 128, so that a
// difference shows in the highest bit of its byte and never borrows from the next.
func raise(registers []uint8, word uint64) {
	const tops = 0x8080_8080_8080_8080
	have := binary.LittleEndian.Uint64(registers)
	higher := ((have | tops) - word) & tops // where have >= word
	keep := higher - higher>>7 | higher
	binary.LittleEndian.PutUint64(registers, have&keep|word&^keep)
}

// Store makes a sketch, all of whose registers the union has, the union's. With dense it gets the dense form, else the form
// that it needs. What it has as estimate is out of date then.
func (u *Union) Store(v Value, dense bool) error {
	switch {
	case dense || IsDense(v.Bytes()):
		u.becomeDense(v)
	default:
		for i, rank := range u.registers {
			if rank == 0 {
				continue
			}
			if _, err := set(v, i, rank); err != nil {
				return err
			}
		}
	}
	Invalidate(v.Bytes())
	return nil
}

func (u *Union) becomeDense(v Value) {
	b := v.Bytes()
	if len(b) != denseBytes {
		b = v.Resize(denseBytes)
	}
	b[formAt] = denseForm
	putDense(b[headBytes:], &u.registers)
}

// Count estimates how many distinct elements the sketches saw together.
func (u *Union) Count() uint64 {
	var h histogram
	for i := 0; i < Registers; i += 8 {
		h.addWord(binary.LittleEndian.Uint64(u.registers[i:]))
	}
	return h.estimate()
}
