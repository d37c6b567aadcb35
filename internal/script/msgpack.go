package script

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// maxPackNesting is where cmsgpack cuts nested tables off; a table at that depth becomes nil.
const maxPackNesting = 16

func msgpackFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"pack": msgpackPack, "unpack": msgpackUnpack, "unpack_one": msgpackUnpackOne, "unpack_limit": msgpackUnpackLimit,
	}
}

func msgpackNames() map[string]lua.LValue {
	return map[string]lua.LValue{"_NAME": lua.LString("cmsgpack"), "_VERSION": lua.LString("lua-cmsgpack 0.4.0"),
		"_COPYRIGHT": lua.LString(""), "_DESCRIPTION": lua.LString("MessagePack for Lua")}
}

// packer writes MessagePack as lua-cmsgpack 0.4 does.
type packer struct{ buffer }

func msgpackPack(L *lua.LState) int {
	if L.GetTop() == 0 {
		badArgument(L, 0, "MessagePack pack needs input.")
	}
	p := packer{at(L).buffer(L)}
	for i := 1; i <= L.GetTop(); i++ {
		p.value(L.Get(i), 0)
	}
	return push(L, p.done())
}

func (p *packer) value(v lua.LValue, depth int) {
	p.m.work(p.l, 1)
	switch v := v.(type) {
	case lua.LString:
		p.header(len(v), 0xa0, 31, 0xd9, 0xda, 0xdb)
		p.writeString(string(v))
	case lua.LBool:
		if v {
			p.writeByte(0xc3)
		} else {
			p.writeByte(0xc2)
		}
	case lua.LNumber:
		p.number(float64(v))
	case *lua.LTable:
		if depth == maxPackNesting {
			p.writeByte(0xc0)
			return
		}
		p.table(v, depth)
	default:
		p.writeByte(0xc0)
	}
}

// header writes the length of a string, array or map in the shortest form: in the byte fix itself up to a limit, behind
// the byte of 8 bits (0 when there is none), of 16 and of 32.
func (p *packer) header(n int, fix byte, most int, bits8, bits16, bits32 byte) {
	switch {
	case n <= most:
		p.writeByte(fix | byte(n))
	case n <= math.MaxUint8 && bits8 != 0:
		p.write([]byte{bits8, byte(n)})
	case n <= math.MaxUint16:
		p.write(binary.BigEndian.AppendUint16([]byte{bits16}, uint16(n)))
	default:
		p.write(binary.BigEndian.AppendUint32([]byte{bits32}, uint32(n)))
	}
}

func (p *packer) number(f float64) {
	switch {
	case f >= -1<<63 && f < 1<<63 && f == math.Trunc(f):
		p.integer(int64(f))
	case f == float64(float32(f)):
		p.write(binary.BigEndian.AppendUint32([]byte{0xca}, math.Float32bits(float32(f))))
	default:
		p.write(binary.BigEndian.AppendUint64([]byte{0xcb}, math.Float64bits(f)))
	}
}

func (p *packer) integer(n int64) {
	switch {
	case -32 <= n && n <= 127:
		p.writeByte(byte(n))
	case 0 <= n && n <= math.MaxUint8:
		p.write([]byte{0xcc, byte(n)})
	case 0 <= n && n <= math.MaxUint16:
		p.write(binary.BigEndian.AppendUint16([]byte{0xcd}, uint16(n)))
	case 0 <= n && n <= math.MaxUint32:
		p.write(binary.BigEndian.AppendUint32([]byte{0xce}, uint32(n)))
	case 0 <= n:
		p.write(binary.BigEndian.AppendUint64([]byte{0xcf}, uint64(n)))
	case n >= math.MinInt8:
		p.write([]byte{0xd0, byte(n)})
	case n >= math.MinInt16:
		p.write(binary.BigEndian.AppendUint16([]byte{0xd1}, uint16(n)))
	case n >= math.MinInt32:
		p.write(binary.BigEndian.AppendUint32([]byte{0xd2}, uint32(n)))
	default:
		p.write(binary.BigEndian.AppendUint64([]byte{0xd3}, uint64(n)))
	}
}

func (p *packer) table(t *lua.LTable, depth int) {
	fields, array := p.shape(t)
	if array {
		n := t.Len()
		p.header(n, 0x90, 15, 0, 0xdc, 0xdd)
		for i := 1; i <= n; i++ {
			p.value(t.RawGetInt(i), depth+1)
		}
		return
	}
	p.header(fields, 0x80, 15, 0, 0xde, 0xdf)
	for k, v := p.m.step(p.l, t, lua.LNil); k != lua.LNil; k, v = p.m.step(p.l, t, k) {
		p.value(k, depth+1)
		p.value(v, depth+1)
	}
}

// shape counts the fields of a table, and reports whether their keys are 1 to that number.
func (p *packer) shape(t *lua.LTable) (fields int, array bool) {
	array, highest := true, 0.0
	for k, _ := p.m.step(p.l, t, lua.LNil); k != lua.LNil; k, _ = p.m.step(p.l, t, k) {
		fields++
		f, ok := k.(lua.LNumber)
		if !ok || f <= 0 || f > math.MaxInt32 || float64(f) != math.Trunc(float64(f)) {
			array = false
		}
		highest = max(highest, float64(f))
	}
	return fields, array && int(highest) == fields
}
