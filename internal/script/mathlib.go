package script

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

func modulo(a, b float64) float64 { return a - math.Floor(a/b)*b }

func power(a, b float64) float64 { return math.Pow(a, b) }

func mathFunctions() map[string]lua.LGFunction {
	one := func(f func(float64) float64) lua.LGFunction {
		return func(L *lua.LState) int { return push(L, lua.LNumber(f(checkNumber(L, 1)))) }
	}
	two := func(f func(a, b float64) float64) lua.LGFunction {
		return func(L *lua.LState) int { return push(L, lua.LNumber(f(checkNumber(L, 1), checkNumber(L, 2)))) }
	}
	return map[string]lua.LGFunction{
		"abs": one(math.Abs), "acos": one(math.Acos), "asin": one(math.Asin), "atan": one(math.Atan), "atan2": two(math.Atan2),
		"ceil": one(math.Ceil), "cos": one(math.Cos), "cosh": one(math.Cosh), "exp": one(math.Exp), "floor": one(math.Floor),
		"fmod": two(math.Mod), "mod": two(math.Mod), "log": one(math.Log), "log10": one(math.Log10), "pow": two(power),
		"sin": one(math.Sin), "sinh": one(math.Sinh), "sqrt": one(math.Sqrt), "tan": one(math.Tan), "tanh": one(math.Tanh),
		"deg": one(func(f float64) float64 { return f / (math.Pi / 180) }),
		"rad": one(func(f float64) float64 { return f * (math.Pi / 180) }),
		"max": mathExtreme(func(a, b float64) bool { return b > a }),
		"min": mathExtreme(func(a, b float64) bool { return b < a }), "frexp": mathFrexp, "ldexp": mathLdexp, "modf": mathModf,
		"random": mathRandom, "randomseed": mathRandomSeed,
	}
}

func mathNames() map[string]lua.LValue {
	return map[string]lua.LValue{"pi": lua.LNumber(math.Pi), "huge": lua.LNumber(math.Inf(1))}
}

func mathExtreme(better func(a, b float64) bool) lua.LGFunction {
	return func(L *lua.LState) int {
		best := checkNumber(L, 1)
		for i := 2; i <= L.GetTop(); i++ {
			if f := checkNumber(L, i); better(best, f) {
				best = f
			}
		}
		return push(L, lua.LNumber(best))
	}
}

func mathFrexp(L *lua.LState) int {
	fraction, exponent := math.Frexp(checkNumber(L, 1))
	L.Push(lua.LNumber(fraction))
	L.Push(lua.LNumber(exponent))
	return 2
}

func mathLdexp(L *lua.LState) int {
	return push(L, lua.LNumber(math.Ldexp(checkNumber(L, 1), checkInt(L, 2))))
}

func mathModf(L *lua.LState) int {
	f := checkNumber(L, 1)
	whole, fraction := math.Modf(f)
	if math.IsInf(f, 0) {
		whole, fraction = f, math.Copysign(0, f)
	}
	L.Push(lua.LNumber(whole))
	L.Push(lua.LNumber(fraction))
	return 2
}

// rand48 is the generator of POSIX's lrand48, which Redis gives to scripts so that a seed has the same numbers everywhere.
type rand48 uint64

func (r *rand48) seed(n int32) { *r = rand48(uint64(uint32(n))<<16 | 0x330e) }

// next is 31 bits.
func (r *rand48) next() int32 {
	*r = (*r*0x5deece66d + 0xb) & (1<<48 - 1)
	return int32(*r >> 17)
}

func mathRandom(L *lua.LState) int {
	m := at(L)
	r := float64(m.random.next()%math.MaxInt32) / math.MaxInt32
	switch L.GetTop() {
	case 0:
		return push(L, lua.LNumber(r))
	case 1:
		upper := checkInt(L, 1)
		if upper < 1 {
			badArgument(L, 1, "interval is empty")
		}
		return push(L, lua.LNumber(math.Floor(r*float64(upper))+1))
	case 2:
		lower, upper := checkInt(L, 1), checkInt(L, 2)
		if lower > upper {
			badArgument(L, 2, "interval is empty")
		}
		return push(L, lua.LNumber(math.Floor(r*float64(int32(upper-lower+1)))+float64(lower)))
	}
	throw(L, "wrong number of arguments")
	return 0
}

func mathRandomSeed(L *lua.LState) int {
	at(L).random.seed(int32(checkInt(L, 1)))
	return 0
}
