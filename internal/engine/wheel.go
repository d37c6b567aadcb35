package engine

import "math/bits"

// wheel orders a shard's entries by deadline: a hierarchical timing wheel (Varghese and Lauck, 1987) whose lists run
// through the entries themselves. Level 0 has a slot for each tick of 4 ms, a slot of each further level covers a whole
// turn of the level below. Arming and disarming are O(1), and an entry moves down at most once a level, in small steps.
// Bitmaps of the occupied slots let the wheel jump over empty time, so a clock that leaps costs no more than one that
// walks.
//
// An entry is on the level of the highest byte in which its tick differs from the present one. So the slot of a level
// that the present tick names is empty, unless the wheel has just come there: then its entries are due to move down.
type wheel struct {
	heads    [wheelLevels][wheelSlots]ref
	occupied [wheelLevels][wheelSlots / 64]uint64
	tick     int64 // the first tick not yet done
	armed    int
}

const (
	tickShift    = 2 // a tick is 4 ms
	wheelBits    = 8
	wheelSlots   = 1 << wheelBits
	wheelLevels  = 5 // 256^5 ticks are 139 years; later deadlines wait in the last level and are looked at again
	wheelHorizon = 1 << (wheelBits * wheelLevels)
	notArmed     = 1<<16 - 1
)

// tickOf returns the first tick that begins at or after an instant.
func tickOf(at int64) int64 { return (at + 1<<tickShift - 1) >> tickShift }

// arm puts an entry under the tick at or after the instant that it waits for.
func (w *wheel) arm(a *arena, r ref, e *entry) {
	w.insert(a, r, e, tickOf(e.armedAt()))
	w.armed++
}

func (w *wheel) insert(a *arena, r ref, e *entry, tick int64) {
	tick = min(max(tick, w.tick), w.tick|(wheelHorizon-1))
	level := 0
	if diff := uint64(tick ^ w.tick); diff != 0 {
		level = (bits.Len64(diff) - 1) / wheelBits
	}
	slot := int(tick>>(level*wheelBits)) & (wheelSlots - 1)
	head := &w.heads[level][slot]
	e.timer = uint16(level<<wheelBits | slot)
	e.timerPrev, e.timerNext = 0, *head
	if *head != 0 {
		(*entry)(a.pointer(*head)).timerPrev = r
	}
	*head = r
	w.occupied[level][slot/64] |= 1 << (slot % 64)
}

// disarm takes an entry out.
func (w *wheel) disarm(a *arena, e *entry) {
	level, slot := int(e.timer>>wheelBits), int(e.timer&(wheelSlots-1))
	if e.timerPrev != 0 {
		(*entry)(a.pointer(e.timerPrev)).timerNext = e.timerNext
	} else {
		w.heads[level][slot] = e.timerNext
		if e.timerNext == 0 {
			w.occupied[level][slot/64] &^= 1 << (slot % 64)
		}
	}
	if e.timerNext != 0 {
		(*entry)(a.pointer(e.timerNext)).timerPrev = e.timerPrev
	}
	e.timerNext, e.timerPrev = 0, 0
	e.timer = notArmed
	w.armed--
}

// moved tells the neighbours of an entry that its block is now r.
func (w *wheel) moved(a *arena, r ref, e *entry) {
	if e.timerPrev != 0 {
		(*entry)(a.pointer(e.timerPrev)).timerNext = r
	} else {
		w.heads[e.timer>>wheelBits][e.timer&(wheelSlots-1)] = r
	}
	if e.timerNext != 0 {
		(*entry)(a.pointer(e.timerNext)).timerPrev = r
	}
}

// due returns an entry whose tick has come by now, or 0. One unit of budget pays for one step: an entry moved down or a
// jump. It returns false when the budget ran out before the wheel stood at now.
func (w *wheel) due(a *arena, now int64, budget int) (ref, bool) {
	last := now >> tickShift
	for w.tick <= last {
		if budget -= w.moveDown(a, budget); budget <= 0 {
			return 0, false
		}
		if r := w.heads[0][w.tick&(wheelSlots-1)]; r != 0 {
			return r, true
		}
		w.tick = min(w.nextEvent(), last+1)
		budget--
	}
	return 0, true
}

// next returns the first tick at which there is something to do; the present one included.
func (w *wheel) next() int64 {
	for level := range wheelLevels {
		if w.heads[level][int(w.tick>>(level*wheelBits))&(wheelSlots-1)] != 0 {
			return w.tick
		}
	}
	return w.nextEvent()
}

// nextEvent returns the first tick after the present one at which a slot is occupied, on any level.
func (w *wheel) nextEvent() int64 {
	for level := range wheelLevels {
		shift := level * wheelBits
		here := int(w.tick>>shift) & (wheelSlots - 1)
		if next := w.nextOccupied(level, here+1); next < wheelSlots {
			return (w.tick>>shift + int64(next-here)) << shift
		}
	}
	return maxInstant
}

func (w *wheel) nextOccupied(level, from int) int {
	for i := from; i < wheelSlots; {
		if word := w.occupied[level][i/64] >> (i % 64); word != 0 {
			return i + bits.TrailingZeros64(word)
		}
		i = (i/64 + 1) * 64
	}
	return wheelSlots
}

// moveDown moves at most budget entries out of the slots that the present tick names on the upper levels, and returns
// how many.
func (w *wheel) moveDown(a *arena, budget int) int {
	moved := 0
	for level := wheelLevels - 1; level > 0; level-- {
		slot := int(w.tick>>(level*wheelBits)) & (wheelSlots - 1)
		for w.heads[level][slot] != 0 {
			if moved == budget {
				return moved
			}
			r := w.heads[level][slot]
			e := (*entry)(a.pointer(r))
			w.disarm(a, e)
			w.arm(a, r, e)
			moved++
		}
	}
	return moved
}
