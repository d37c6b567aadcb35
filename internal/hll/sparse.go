package hll

import "strconv"

// The sparse form: runs of equal registers, in the order of the registers.
//
//	00nnnnnn            n+1 registers (up to 64) of rank 0
//	01nnnnnn nnnnnnnn   n+1 registers (up to 16,384) of rank 0
//	1rrrrrnn            n+1 registers (up to 4) of rank r+1 (up to 32)
const (
	longZeros    = 0x40
	ranked       = 0x80
	shortestLong = 64 + 1 // registers that need two bytes
	longestRank  = 4
	highestRank  = 32
)

// sparse walks over the runs of a sparse sketch. One that is cut short is no run.
type sparse struct {
	body   []byte // what follows the head
	start  int    // of the present run
	end    int
	length int // registers
	rank   uint8
}

func (s *sparse) next() bool {
	s.start = s.end
	if s.start >= len(s.body) {
		return false
	}
	b := s.body[s.start]
	s.end, s.rank = s.start+1, 0
	switch {
	case b&ranked != 0:
		s.rank, s.length = b>>2&(highestRank-1)+1, int(b&3)+1
	case b&longZeros == 0:
		s.length = int(b) + 1
	case s.end == len(s.body):
		s.length = 0 // its second byte is missing
		return false
	default:
		s.length = int(b&^longZeros)<<8 + int(s.body[s.end]) + 1
		s.end++
	}
	return true
}

func rankByte(rank uint8, length int) byte { return ranked | (rank-1)<<2 | byte(length-1) }

// putZeros writes a run of n registers of rank 0 in two bytes.
func putZeros(b []byte, n int) {
	b[0], b[1] = longZeros|byte((n-1)>>8), byte(n-1)
}

// appendRun adds a run of n registers, none if n is 0.
func appendRun(dst []byte, rank uint8, n int) []byte {
	switch {
	case n == 0:
		return dst
	case rank > 0:
		return append(dst, rankByte(rank, n))
	case n < shortestLong:
		return append(dst, byte(n-1))
	default:
		return append(dst, longZeros|byte((n-1)>>8), byte(n-1))
	}
}

// setSparse raises a register and reports whether it was below. The run that holds it becomes up to three: what is before
// it, the register, what is behind it. Where that makes the sketch longer than it may be, or the rank is too high for the
// form, the sketch becomes dense.
func setSparse(v Value, register int, rank uint8) (changed bool, err error) {
	if rank > highestRank {
		return promote(v, register, rank)
	}
	b := v.Bytes()
	runs := sparse{body: b[headBytes:]}
	first, before := 0, 0 // the run's first register, and where the run before it starts
	for previous := 0; ; previous = runs.start {
		if !runs.next() {
			return false, ErrCorrupt
		}
		before = previous
		if register < first+runs.length {
			break
		}
		first += runs.length
	}
	if runs.rank >= rank {
		return false, nil
	}
	var room [5]byte
	split := appendRun(room[:0], runs.rank, register-first)
	split = append(split, rankByte(rank, 1))
	split = appendRun(split, runs.rank, first+runs.length-1-register)

	from, to := headBytes+runs.start, headBytes+runs.end
	longer := len(split) - (to - from)
	if longer > 0 && len(b)+longer > sparseLimit {
		return promote(v, register, rank)
	}
	b = splice(v, from, to, split)
	join(v, b, headBytes+before)
	Invalidate(v.Bytes())
	return true, nil
}

// splice puts bytes in the place of others.
func splice(v Value, from, to int, with []byte) []byte {
	b := v.Bytes()
	length, longer := len(b), len(with)-(to-from)
	if longer > 0 {
		b = v.Resize(length + longer)
	}
	copy(b[to+longer:], b[to:length])
	copy(b[from:], with)
	if longer < 0 {
		b = v.Resize(length + longer)
	}
	return b
}

// joinSteps is how many runs join looks at: as many as Redis does, so that both make the same bytes.
const joinSteps = 5

// join makes one run of neighbours of the same rank, from a run on.
func join(v Value, b []byte, at int) {
	for steps := 0; steps < joinSteps && at < len(b); steps++ {
		switch {
		case b[at]&ranked == 0:
			if at++; b[at-1]&longZeros != 0 {
				at++
			}
			continue
		case at+1 < len(b) && b[at+1]&ranked != 0 && b[at]&^3 == b[at+1]&^3:
			if n := int(b[at]&3) + int(b[at+1]&3) + 2; n <= longestRank {
				b[at+1] = b[at+1]&^3 | byte(n-1)
				b = splice(v, at, at+1, nil)
				continue
			}
		}
		at++
	}
}

// promote gives a sketch the dense form and raises a register.
func promote(v Value, register int, rank uint8) (changed bool, err error) {
	if err := ToDense(v); err != nil {
		return false, err
	}
	return setDense(v.Bytes()[headBytes:], register, rank), nil
}

// AppendRuns appends the runs of a sparse sketch as PFDEBUG DECODE shows them.
func AppendRuns(dst, b []byte) []byte {
	for runs := (sparse{body: b[headBytes:]}); runs.next(); {
		if runs.start > 0 {
			dst = append(dst, ' ')
		}
		switch {
		case runs.rank > 0:
			dst = strconv.AppendInt(append(dst, "v:"...), int64(runs.rank), 10)
			dst = append(dst, ',')
		case runs.end-runs.start == 2:
			dst = append(dst, "Z:"...)
		default:
			dst = append(dst, "z:"...)
		}
		dst = strconv.AppendInt(dst, int64(runs.length), 10)
	}
	return dst
}
