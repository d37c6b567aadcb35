package geohash

import "math"

// Distances are answered with 17 digits and stored as scores, so the last bit of sin, cos and asin shows. Package math is
// off by that bit every few calls; C libraries almost never are. Here they are computed as the sum of two doubles, some 65
// bits, and rounded once, which gives the nearest double but for one argument in some ten thousand.

// twofold is the number high + low, low being less than half the last bit of high.
type twofold struct{ high, low float64 }

// sum adds two doubles without an error.
func sum(a, b float64) twofold {
	s := a + b
	t := s - a
	return twofold{s, (a - (s - t)) + (b - t)}
}

// fast is sum where the first is the larger one.
func fast(a, b float64) twofold {
	s := a + b
	return twofold{s, b - (s - a)}
}

// product multiplies two doubles without an error.
func product(a, b float64) twofold {
	p := float64(a * b)
	return twofold{p, math.FMA(a, b, -p)}
}

func (x twofold) add(y twofold) twofold {
	s := sum(x.high, y.high)
	return fast(s.high, s.low+(x.low+y.low))
}

func (x twofold) times(y twofold) twofold {
	p := product(x.high, y.high)
	return fast(p.high, p.low+float64(float64(x.high*y.low)+float64(x.low*y.high)))
}

func (x twofold) negative() twofold { return twofold{-x.high, -x.low} }

func (x twofold) value() float64 { return x.high + x.low }

// An eighth of pi, in three parts; the first has 33 bits, so that small multiples of it are exact.
const (
	eighth0 = 0.3926990816835314
	eighth1 = 1.519275126626548e-11
	eighth2 = 8.803899662958e-28
)

// eighths are the sines of 0 to 4 eighths of pi.
var eighths = [5]twofold{
	{0, 0},
	{0.3826834323650898, -1.0050772696461588e-17},
	{0.7071067811865476, -4.833646656726457e-17},
	{0.9238795325112867, 1.7645047084336677e-17},
	{1, 0},
}

// reduce returns x, which is at most 4 either way, as n eighths of pi and a rest of half an eighth at most.
func reduce(x float64) (n int, rest twofold) {
	if math.Abs(x) < math.Pi/16 {
		return 0, twofold{x, 0}
	}
	k := math.RoundToEven(x / (math.Pi / 8))
	r := twofold{x - float64(k*eighth0), 0}
	return int(k), r.add(product(k, -eighth1)).add(twofold{-k * eighth2, 0})
}

// turned returns the sine of n eighths of pi and a rest.
func turned(n int, rest twofold) twofold {
	switch n & 15 {
	case 0:
		return sinNear(rest)
	case 4:
		return cosNear(rest)
	default:
		return eighthSin(n).times(cosNear(rest)).add(eighthSin(n + 4).times(sinNear(rest)))
	}
}

// eighthSin returns the sine of n eighths of pi.
func eighthSin(n int) twofold {
	n &= 15
	negative := n >= 8
	if n &= 7; n > 4 {
		n = 8 - n
	}
	if negative {
		return eighths[n].negative()
	}
	return eighths[n]
}

// sinNear and cosNear return the sine and the cosine of r, which is at most a sixteenth of pi either way, by their series.
// The first terms are twofold; the others are so small that a double is enough.

func sinNear(r twofold) twofold {
	square := r.times(r)
	x := square.high
	tail := x * x * (1.0/120 - x*(1.0/5040-x*(1.0/362880-x*(1.0/39916800-x/6227020800))))
	sixth := twofold{-0.16666666666666666, -9.25185853854297e-18}
	return r.add(r.times(square.times(sixth).add(twofold{tail, 0})))
}

func cosNear(r twofold) twofold {
	square := r.times(r)
	x := square.high
	tail := x * x * (1.0/24 - x*(1.0/720-x*(1.0/40320-x*(1.0/3628800-x*(1.0/479001600-x/87178291200)))))
	return twofold{1, 0}.add(twofold{-square.high / 2, -square.low / 2}.add(twofold{tail, 0}))
}

// small is an angle below which the series' first term is exact and the others together so much smaller that doubles are
// enough for them: some 200 km half-way round the Earth, which most searches stay within.
const small = 1.0 / 32

// sinRest is sin(x) - x for a small x.
func sinRest(x float64) float64 {
	q := x * x
	return x * q * (-1.0/6 + q*(1.0/120-q*(1.0/5040-q/362880)))
}

// cosRest is cos(x) - 1 for a small x.
func cosRest(x float64) float64 {
	q := x * x
	return q * (-1.0/2 + q*(1.0/24-q*(1.0/720-q*(1.0/40320-q/3628800))))
}

// sin returns the sine of x, which is at most 4 either way.
func sin(x float64) float64 {
	if math.Abs(x) < small {
		return x + sinRest(x)
	}
	return turned(reduce(x)).value()
}

// cos returns the cosine of x, which is at most 4 either way.
func cos(x float64) float64 {
	n, rest := reduce(x)
	return turned(n+4, rest).value()
}

// asin returns the angle whose sine x is: NaN above 1. x is not negative.
func asin(x float64) float64 {
	switch {
	case !(x <= 1):
		return math.NaN()
	case x == 1:
		return math.Pi / 2
	case x < small:
		return x + asinRest(x)
	}
	y := math.Asin(x)
	s := turned(reduce(y))
	// One step of Newton's: y is off by a few bits of its end, and what that leaves is far below them.
	return y + ((x-s.high)-s.low)/math.Sqrt((1-x)*(1+x))
}

// asinRest is asin(x) - x for a small x.
func asinRest(x float64) float64 {
	q := x * x
	return x * q * (1.0/6 + q*(3.0/40+q*(15.0/336+q*(105.0/3456+q*(945.0/42240+q*(10395.0/599040))))))
}
