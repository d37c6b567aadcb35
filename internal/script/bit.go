package script

import (
	"math/bits"

	lua "github.com/yuin/gopher-lua"
)

// bitFunctions are LuaBitOp's: operations on the low 32 bits of numbers, with signed results.
func bitFunctions() map[string]lua.LGFunction {
	fold := func(op func(a, b uint32) uint32) lua.LGFunction {
		return func(L *lua.LState) int {
			b := bitArgument(L, 1)
			for i := L.GetTop(); i > 1; i-- {
				b = op(b, bitArgument(L, i))
			}
			return pushBits(L, b)
		}
	}
	shift := func(op func(b uint32, n int) uint32) lua.LGFunction {
		return func(L *lua.LState) int { return pushBits(L, op(bitArgument(L, 1), int(bitArgument(L, 2)&31))) }
	}
	return map[string]lua.LGFunction{
		"tobit":   func(L *lua.LState) int { return pushBits(L, bitArgument(L, 1)) },
		"bnot":    func(L *lua.LState) int { return pushBits(L, ^bitArgument(L, 1)) },
		"bswap":   func(L *lua.LState) int { return pushBits(L, bits.ReverseBytes32(bitArgument(L, 1))) },
		"band":    fold(func(a, b uint32) uint32 { return a & b }),
		"bor":     fold(func(a, b uint32) uint32 { return a | b }),
		"bxor":    fold(func(a, b uint32) uint32 { return a ^ b }),
		"lshift":  shift(func(b uint32, n int) uint32 { return b << n }),
		"rshift":  shift(func(b uint32, n int) uint32 { return b >> n }),
		"arshift": shift(func(b uint32, n int) uint32 { return uint32(int32(b) >> n) }),
		"rol":     shift(func(b uint32, n int) uint32 { return bits.RotateLeft32(b, n) }),
		"ror":     shift(func(b uint32, n int) uint32 { return bits.RotateLeft32(b, -n) }),
		"tohex":   bitToHex,
	}
}

// bitArgument rounds a number to its low 32 bits. The constant shifts the integer into the low bits of the mantissa.
func bitArgument(L *lua.LState, n int) uint32 {
	f, ok := toNumber(L.Get(n))
	if !ok {
		badType(L, n, "number")
	}
	return lowBits(f)
}

func pushBits(L *lua.LState, b uint32) int { return push(L, lua.LNumber(int32(b))) }

func bitToHex(L *lua.LState) int {
	b, n, digits := bitArgument(L, 1), int32(8), "0123456789abcdef"
	if L.GetTop() >= 2 {
		n = int32(bitArgument(L, 2))
	}
	if n < 0 {
		n, digits = -n, "0123456789ABCDEF"
	}
	if n > 8 || n < 0 {
		n = 8
	}
	var out [8]byte
	for i := int(n) - 1; i >= 0; i-- {
		out[i] = digits[b&15]
		b >>= 4
	}
	return push(L, at(L).string(L, out[:n]))
}
