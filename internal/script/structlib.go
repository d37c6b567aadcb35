package script

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func structFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{"pack": structPack, "unpack": structUnpack, "size": structSize}
}

// layout reads a format of struct (Lua's struct 0.2), which says how values lie in a string.
type layout struct {
	l      *lua.LState
	format string
	at     int
	big    bool
	align  int
}

const (
	maxIntegerSize = 32
	maxAlign       = 8
)

func newLayout(L *lua.LState) *layout { return &layout{l: L, format: checkString(L, 1), align: 1} }

// next is the next option with its size; false at the end, which a zero byte is too.
func (f *layout) next() (option byte, size int, ok bool) {
	at(f.l).work(f.l, 1)
	if f.at >= len(f.format) || f.format[f.at] == 0 {
		return 0, 0, false
	}
	option = f.format[f.at]
	f.at++
	switch option {
	case 'B', 'b', 'x':
		size = 1
	case 'H', 'h':
		size = 2
	case 'L', 'l', 'T', 'd':
		size = 8
	case 'f':
		size = 4
	case 'c':
		size = f.number(1)
	case 'i', 'I':
		size = f.number(4)
		if size > maxIntegerSize {
			throw(f.l, "integral size %d is larger than limit of %d", size, maxIntegerSize)
		}
	}
	return option, size, true
}

func (f *layout) number(otherwise int) int {
	if f.at >= len(f.format) || !isDigit(f.format[f.at]) {
		return otherwise
	}
	n := 0
	for ; f.at < len(f.format) && isDigit(f.format[f.at]); f.at++ {
		digit := int(f.format[f.at] - '0')
		if n > (math.MaxInt32-digit)/10 {
			throw(f.l, "integral size overflow")
		}
		n = n*10 + digit
	}
	return n
}

// padding is how many bytes go before a value of a size at a position.
func (f *layout) padding(position int, option byte, size int) int {
	if size == 0 || option == 'c' {
		return 0
	}
	size = min(size, f.align)
	return (size - position&(size-1)) & (size - 1)
}

// control runs an option that is no value.
func (f *layout) control(option byte) {
	switch option {
	case ' ':
	case '>':
		f.big = true
	case '<':
		f.big = false
	case '!':
		n := f.number(maxAlign)
		if n <= 0 || n&(n-1) != 0 {
			throw(f.l, "alignment %d is not a power of 2", n)
		}
		f.align = n
	default:
		badArgument(f.l, 1, fmt.Sprintf("invalid format option '%c'", option))
	}
}

// order turns bytes in little-endian order into the layout's, or back.
func (f *layout) order(b []byte) []byte {
	if f.big {
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
	return b
}

func structPack(L *lua.LState) int {
	f := newLayout(L)
	out := at(L).buffer(L)
	arg := 2
	for {
		option, size, ok := f.next()
		if !ok {
			return push(L, out.done())
		}
		out.repeat(0, f.padding(len(out.b), option, size))
		switch option {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			out.write(f.order(integerBytes(checkNumber(L, arg), size)))
			arg++
		case 'x':
			out.writeByte(0)
		case 'f':
			out.write(f.order(binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(checkNumber(L, arg))))))
			arg++
		case 'd':
			out.write(f.order(binary.LittleEndian.AppendUint64(nil, math.Float64bits(checkNumber(L, arg)))))
			arg++
		case 'c', 's':
			s := checkString(L, arg)
			arg++
			if size == 0 {
				size = len(s)
			}
			if len(s) < size {
				badArgument(L, arg, "string too short")
			}
			out.writeString(s[:size])
			if option == 's' {
				out.writeByte(0)
			}
		default:
			f.control(option)
		}
	}
}

// integerBytes is the low part of an integer, in little-endian order; beyond eight bytes it is zero, whatever the sign.
func integerBytes(f float64, size int) []byte {
	n := unsignedOf(f)
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(n)
		n >>= 8
	}
	return b
}

func structUnpack(L *lua.LState) int {
	f := newLayout(L)
	data := checkString(L, 2)
	first := optInteger(L, 3, 1)
	if first <= 0 {
		badArgument(L, 3, "offset must be 1 or greater")
	}
	u := structReader{layout: f, data: data, position: int(min(first-1, math.MaxInt32*2))}
	for {
		option, size, ok := f.next()
		if !ok {
			break
		}
		u.position += f.padding(u.position, option, size)
		u.need(size)
		if len(u.values) >= maxResults {
			throw(L, "stack overflow (too many results)")
		}
		u.position += u.read(option, size)
	}
	for _, v := range u.values {
		L.Push(v)
	}
	L.Push(lua.LNumber(u.position + 1))
	return len(u.values) + 1
}

// structReader collects the values of a string by its layout.
type structReader struct {
	*layout
	data     string
	position int
	values   []lua.LValue
}

func (u *structReader) need(size int) {
	if size > len(u.data) || u.position > len(u.data)-size {
		badArgument(u.l, 2, "data string too short")
	}
}

// read reads one value, and returns how long it was.
func (u *structReader) read(option byte, size int) int {
	field := u.data[u.position : u.position+size]
	var v lua.LValue
	switch option {
	case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
		v = lua.LNumber(integerOf(u.order([]byte(field)), 'a' <= option))
	case 'x':
		return size
	case 'f':
		v = lua.LNumber(math.Float32frombits(binary.LittleEndian.Uint32(u.order([]byte(field)))))
	case 'd':
		v = lua.LNumber(math.Float64frombits(binary.LittleEndian.Uint64(u.order([]byte(field)))))
	case 'c':
		if size == 0 {
			size = u.lengthBefore()
			field = u.data[u.position : u.position+size]
		}
		v = lua.LString(field)
	case 's':
		end := strings.IndexByte(u.data[u.position:], 0)
		if end < 0 {
			throw(u.l, "unfinished string in data")
		}
		v, size = lua.LString(u.data[u.position:u.position+end]), end+1
	default:
		u.control(option)
		return size
	}
	u.values = append(u.values, v)
	return size
}

// lengthBefore is the length of a string of option c0: the value before it, which it takes.
func (u *structReader) lengthBefore() int {
	last := len(u.values) - 1
	if last < 0 {
		throw(u.l, "format 'c0' needs a previous size")
	}
	f, ok := toNumber(u.values[last])
	if !ok {
		throw(u.l, "format 'c0' needs a previous size")
	}
	u.values = u.values[:last]
	size := toInteger(f)
	if size < 0 || size > int64(len(u.data)) {
		badArgument(u.l, 2, "data string too short")
	}
	u.need(int(size))
	return int(size)
}

// integerOf is the integer of bytes in little-endian order.
func integerOf(b []byte, signed bool) float64 {
	var n uint64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	if !signed {
		return float64(n)
	}
	if shift := 64 - 8*len(b); shift > 0 && len(b) > 0 {
		n = uint64(int64(n<<shift) >> shift)
	}
	return float64(int64(n))
}

func structSize(L *lua.LState) int {
	f := newLayout(L)
	position := 0
	for {
		option, size, ok := f.next()
		if !ok {
			return push(L, lua.LNumber(position))
		}
		position += f.padding(position, option, size)
		switch {
		case option == 's':
			badArgument(L, 1, "option 's' has no fixed size")
		case option == 'c' && size == 0:
			badArgument(L, 1, "option 'c0' has no fixed size")
		case !isAlpha(option) && !isDigit(option):
			f.control(option)
		}
		position += size
	}
}
