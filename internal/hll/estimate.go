package hll

import "math"

// histogram counts the registers by their rank, in four parts, so that an increment does not wait for the one before it
// where many registers are equal.
type histogram [4][1 << widthBits]int32

// addWord counts eight registers, a byte each.
func (h *histogram) addWord(w uint64) {
	if w == 0 {
		h[0][0] += 8
		return
	}
	h[0][w&registerMask]++
	h[1][w>>8&registerMask]++
	h[2][w>>16&registerMask]++
	h[3][w>>24&registerMask]++
	h[0][w>>32&registerMask]++
	h[1][w>>40&registerMask]++
	h[2][w>>48&registerMask]++
	h[3][w>>56&registerMask]++
}

func (h *histogram) at(rank int) float64 {
	return float64(h[0][rank] + h[1][rank] + h[2][rank] + h[3][rank])
}

// Count estimates how many distinct elements a sketch saw, whatever it has cached.
func Count(b []byte) (uint64, error) {
	var h histogram
	if IsDense(b) {
		eachDense(b[headBytes:], func(_ int, low, high uint64) {
			h.addWord(low)
			h.addWord(high)
		})
		return h.estimate(), nil
	}
	registers := 0
	for runs := (sparse{body: b[headBytes:]}); runs.next(); {
		if registers += runs.length; registers > Registers {
			return 0, ErrCorrupt
		}
		h[0][runs.rank] += int32(runs.length)
	}
	if registers != Registers {
		return 0, ErrCorrupt
	}
	return h.estimate(), nil
}

// estimate is the improved raw estimator of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches",
// arXiv:1702.01284, algorithm 6: it needs neither a correction for small numbers nor tables. The conversions in it and
// below keep every product a rounded double, on machines that can multiply and add at once too.
func (h *histogram) estimate() uint64 {
	const (
		m          = float64(Registers)
		greatest   = 64 - registerBits // the highest rank but one
		halfPerLn2 = 0.721347520444481703680
	)
	z := float64(m * tau((m-h.at(greatest+1))/m))
	for rank := greatest; rank >= 1; rank-- {
		z = (z + h.at(rank)) * 0.5
	}
	z += float64(m * sigma(h.at(0)/m))
	return uint64(math.Round(halfPerLn2 * m * m / z))
}

// sigma is x + x^2 + 2x^4 + 4x^8 + ...
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for before := -1.0; before != z; {
		x *= x
		before = z
		z += float64(x * y)
		y += y
	}
	return z
}

// tau is (1 - x - (1-x^(1/2))^2/2 - (1-x^(1/4))^2/4 - ...) / 3.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for before := -1.0; before != z; {
		x = math.Sqrt(x)
		before = z
		y *= 0.5
		z -= float64((1 - x) * (1 - x) * y)
	}
	return z / 3
}
