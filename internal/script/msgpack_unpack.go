package script

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// unpacker reads MessagePack as lua-cmsgpack 0.4 does.
type unpacker struct {
	m     *machine
	l     *lua.LState
	data  string // what is left
	depth int
}

// maxUnpackNesting bounds the recursion. Each level takes a byte at least.
const maxUnpackNesting = 1 << 14

func msgpackUnpack(L *lua.LState) int { return unpackSome(L, 0, 0) }

func msgpackUnpackOne(L *lua.LState) int { return unpackSome(L, 1, optInteger(L, 2, 0)) }

func msgpackUnpackLimit(L *lua.LState) int {
	return unpackSome(L, checkInteger(L, 2), optInteger(L, 3, 0))
}

// unpackSome reads up to limit values from an offset on, and returns them behind the offset of the next; with neither
// limit nor offset it returns all values alone.
func unpackSome(L *lua.LState, limit, offset int64) int {
	s := checkString(L, 1)
	if offset < 0 || limit < 0 {
		throw(L, "Invalid request to unpack with offset of %d and limit of %d.", int32(offset), len(s))
	}
	if offset > int64(len(s)) {
		throw(L, "Start offset %d greater than input length %d.", int32(offset), len(s))
	}
	all := limit == 0 && offset == 0
	if all {
		limit = math.MaxInt32
	}
	u := &unpacker{m: at(L), l: L, data: s[offset:]}
	var values []lua.LValue
	for u.data != "" && int64(len(values)) < limit {
		if len(values) >= maxResults {
			throw(L, "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)")
		}
		values = append(values, u.value())
	}
	if all {
		for _, v := range values {
			L.Push(v)
		}
		return len(values)
	}
	next := lua.LNumber(-1)
	if u.data != "" {
		next = lua.LNumber(len(s) - len(u.data))
	}
	return pushAll(L, next, values)
}

// take returns the next n bytes.
func (u *unpacker) take(n int) string {
	if n > len(u.data) {
		throw(u.l, "Missing bytes in input.")
	}
	b := u.data[:n]
	u.data = u.data[n:]
	return b
}

// uint reads a big-endian number of n bytes.
func (u *unpacker) uint(n int) uint64 {
	var b [8]byte
	copy(b[8-n:], u.take(n))
	return binary.BigEndian.Uint64(b[:])
}

func (u *unpacker) value() lua.LValue {
	u.m.work(u.l, 1)
	u.depth++
	defer func() { u.depth-- }()
	if u.depth > maxUnpackNesting {
		throw(u.l, "too many nested values")
	}
	switch c := u.take(1)[0]; {
	case c < 0x80:
		return lua.LNumber(c)
	case c >= 0xe0:
		return lua.LNumber(int8(c))
	case c >= 0xc0:
		return u.tagged(c)
	case c >= 0xa0:
		return lua.LString(u.take(int(c & 0x1f)))
	case c >= 0x90:
		return u.array(uint64(c & 0xf))
	default:
		return u.hash(uint64(c & 0xf))
	}
}

func (u *unpacker) tagged(c byte) lua.LValue {
	switch c {
	case 0xc0:
		return lua.LNil
	case 0xc2:
		return lua.LFalse
	case 0xc3:
		return lua.LTrue
	case 0xca:
		return lua.LNumber(math.Float32frombits(uint32(u.uint(4))))
	case 0xcb:
		return lua.LNumber(math.Float64frombits(u.uint(8)))
	case 0xcc, 0xcd, 0xce:
		return lua.LNumber(u.uint(1 << (c - 0xcc)))
	case 0xd0:
		return lua.LNumber(int8(u.uint(1)))
	case 0xd1:
		return lua.LNumber(int16(u.uint(2)))
	case 0xd2:
		return lua.LNumber(int32(u.uint(4)))
	case 0xcf, 0xd3:
		// Lua 5.1's integers are signed.
		return lua.LNumber(int64(u.uint(8)))
	case 0xd9, 0xda, 0xdb:
		return lua.LString(u.take(int(u.uint(1 << (c - 0xd9)))))
	case 0xdc, 0xdd:
		return u.array(u.uint(2 << (c - 0xdc)))
	case 0xde, 0xdf:
		return u.hash(u.uint(2 << (c - 0xde)))
	}
	throw(u.l, "Bad data format in input.")
	return nil
}

func (u *unpacker) array(n uint64) lua.LValue {
	t := u.m.newTable(u.l, 0, 0)
	for i := uint64(1); i <= n; i++ {
		setField(u.l, t, lua.LNumber(i), u.value())
	}
	return t
}

func (u *unpacker) hash(n uint64) lua.LValue {
	t := u.m.newTable(u.l, 0, 0)
	for range n {
		k := u.value()
		setField(u.l, t, k, u.value())
	}
	return t
}
