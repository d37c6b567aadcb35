package geohash

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// precision of the numbers that results are checked against, in bits.
const precision = 200

func number(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

// series sums terms that each follow from the one before, until they do not count.
func series(first *big.Float, next func(term *big.Float, n int64)) *big.Float {
	sum, term := number(0), first
	for n := int64(1); term.Sign() != 0 && (sum.Sign() == 0 || term.MantExp(nil) > sum.MantExp(nil)-precision); n++ {
		sum.Add(sum, term)
		next(term, n)
	}
	return sum
}

// bigSinCos is sine and cosine by their series.
func bigSinCos(x *big.Float) (s, c *big.Float) {
	square := number(0).Mul(x, x)
	powers := func(first *big.Float, from int64) *big.Float {
		return series(first, func(term *big.Float, n int64) {
			term.Mul(term, square)
			term.Quo(term, number(float64(-(2*n-1+from)*(2*n+from))))
		})
	}
	return powers(number(0).Set(x), 1), powers(number(1), 0)
}

// bigAsin is the root of sin(y) = x, by Newton's method.
func bigAsin(x float64) *big.Float {
	y := number(math.Asin(x))
	for range 4 {
		s, c := bigSinCos(y)
		y.Add(y, s.Quo(s.Sub(number(x), s), c))
	}
	return y
}

func nearest(x *big.Float) float64 {
	f, _ := x.Float64()
	return f
}

// TestNearestDouble compares with results of 200 bits: nearly all have to be the nearest double, and the others the next.
func TestNearestDouble(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	f := func(name string, most float64, got func(float64) float64, want func(float64) *big.Float) {
		t.Helper()
		const tries = 1500
		wrong := 0
		for i := range tries {
			x := rng.Float64() * most
			if i%2 == 1 {
				x *= math.Pow(10, -10*rng.Float64())
			}
			g, w := got(x), nearest(want(x))
			if math.Abs(g-w) > 1.01*math.Abs(w-math.Nextafter(w, 0)) {
				t.Errorf("%s(%v) = %v, want %v", name, x, g, w)
			}
			if g != w {
				wrong++
			}
		}
		if wrong > 1 {
			t.Errorf("%s is not the nearest double %d times in %d", name, wrong, tries)
		}
	}
	f("sin", math.Pi, sin, func(x float64) *big.Float { s, _ := bigSinCos(number(x)); return s })
	f("cos", math.Pi/2, cos, func(x float64) *big.Float { _, c := bigSinCos(number(x)); return c })
	f("asin", 1, asin, bigAsin)
}

func TestTrigEdges(t *testing.T) {
	t.Parallel()
	f := func(got, want float64) {
		t.Helper()
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	f(sin(0), 0)
	f(sin(math.Pi), 1.2246467991473532e-16)
	f(sin(-math.Pi), -1.2246467991473532e-16)
	f(sin(math.Pi/2), 1)
	f(cos(0), 1)
	f(cos(math.Pi/2), 6.123233995736766e-17)
	f(asin(0), 0)
	f(asin(1), math.Pi/2)
	f(asin(1+1e-15), math.NaN())
	f(asin(1e-300), 1e-300)
}
