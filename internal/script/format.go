package script

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// conversion is one "%..." of string.format.
type conversion struct {
	minus, plus, space, alternate, zero bool
	width, precision                    int // precision is -1 when there is none
	verb                                byte
}

func stringFormat(L *lua.LState) int {
	format := checkString(L, 1)
	out := at(L).buffer(L)
	arg := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.writeByte(format[i])
			continue
		}
		i++
		if i < len(format) && format[i] == '%' {
			out.writeByte('%')
			continue
		}
		c, next := parseConversion(L, format, i)
		i = next
		arg++
		if arg > L.GetTop() {
			badArgument(L, arg, "no value")
		}
		c.write(L, &out, arg)
	}
	return push(L, out.done())
}

// parseConversion reads what follows a percent sign, and returns the index of the verb.
func parseConversion(L *lua.LState, format string, i int) (conversion, int) {
	c := conversion{precision: -1}
	begin := i
	for ; i < len(format) && c.flag(format[i]); i++ {
	}
	if i-begin > 5 {
		throw(L, "invalid format (repeated flags)")
	}
	width, i := twoDigits(format, i)
	c.width = max(width, 0)
	if i < len(format) && format[i] == '.' {
		c.precision, i = twoDigits(format, i+1)
		c.precision = max(c.precision, 0)
	}
	if i < len(format) && '0' <= format[i] && format[i] <= '9' {
		throw(L, "invalid format (width or precision too long)")
	}
	if i < len(format) {
		c.verb = format[i]
	}
	return c, i
}

func (c *conversion) flag(b byte) bool {
	switch b {
	case '-':
		c.minus = true
	case '+':
		c.plus = true
	case ' ':
		c.space = true
	case '#':
		c.alternate = true
	case '0':
		c.zero = true
	default:
		return false
	}
	return true
}

// twoDigits reads a number of at most two digits, -1 when there is none.
func twoDigits(s string, i int) (int, int) {
	n := -1
	for end := i + 2; i < len(s) && i < end && '0' <= s[i] && s[i] <= '9'; i++ {
		n = max(n, 0)*10 + int(s[i]-'0')
	}
	return n, i
}

func (c conversion) write(L *lua.LState, out *buffer, arg int) {
	var digits [512]byte
	switch c.verb {
	case 'c':
		// C's printf ends its result at a zero byte, here and in %s.
		if b := byte(checkInt(L, arg)); b != 0 {
			c.pad(out, "", []byte{b}, false)
		}
	case 'd', 'i':
		n := toInteger(checkNumber(L, arg))
		b := strconv.AppendUint(digits[:0], magnitude(n), 10)
		c.integer(out, c.sign(n < 0), b)
	case 'o', 'u', 'x', 'X':
		c.unsigned(out, unsignedOf(checkNumber(L, arg)))
	case 'e', 'E', 'f', 'g', 'G':
		c.float(out, checkNumber(L, arg))
	case 'q':
		quote(out, checkString(L, arg))
	case 's':
		s := checkString(L, arg)
		if c.precision < 0 && len(s) >= 100 {
			// Too long to be formatted: Lua keeps it as it is.
			out.writeString(s)
			return
		}
		if zero := strings.IndexByte(s, 0); zero >= 0 {
			s = s[:zero]
		}
		if c.precision >= 0 && c.precision < len(s) {
			s = s[:c.precision]
		}
		c.pad(out, "", []byte(s), false)
	default:
		throw(L, "invalid option '%%%c' to 'format'", c.verb)
	}
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// unsignedOf converts as a C compiler for amd64 does, negative numbers included.
func unsignedOf(f float64) uint64 {
	if f >= 1<<63 && f < 1<<64 {
		return uint64(f)
	}
	return uint64(toInteger(f))
}

func (c conversion) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case c.plus:
		return "+"
	case c.space:
		return " "
	}
	return ""
}

func (c conversion) unsigned(out *buffer, n uint64) {
	prefix, base := "", 10
	switch c.verb {
	case 'o':
		base = 8
	case 'x', 'X':
		base = 16
		if c.alternate && n != 0 {
			prefix = "0" + string(c.verb)
		}
	}
	b := strconv.AppendUint(nil, n, base)
	if c.verb == 'X' {
		for i := range b {
			if b[i] >= 'a' {
				b[i] -= 'a' - 'A'
			}
		}
	}
	if c.verb == 'o' && c.alternate && b[0] != '0' {
		b = append([]byte{'0'}, b...)
	}
	c.integer(out, prefix, b)
}

// integer writes digits with the precision of integers: at least so many digits, none for a zero.
func (c conversion) integer(out *buffer, prefix string, b []byte) {
	if c.precision == 0 && len(b) == 1 && b[0] == '0' {
		b = nil
	}
	for len(b) < c.precision {
		b = append([]byte{'0'}, b...)
	}
	c.pad(out, prefix, b, c.zero && c.precision < 0)
}

func (c conversion) float(out *buffer, f float64) {
	negative := math.Signbit(f)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		name := "inf"
		if math.IsNaN(f) {
			name = "nan"
		}
		if c.verb < 'a' {
			name = map[string]string{"inf": "INF", "nan": "NAN"}[name]
		}
		c.pad(out, c.sign(negative), []byte(name), false)
		return
	}
	precision := c.precision
	if precision < 0 {
		precision = 6
	}
	f = math.Abs(f)
	var b []byte
	switch c.verb {
	case 'f', 'e', 'E':
		b = strconv.AppendFloat(nil, f, c.verb, precision, 64)
		if c.alternate && precision == 0 && c.verb == 'f' {
			b = append(b, '.')
		}
	default:
		if f == 0 {
			b = []byte{'0'}
		} else {
			b = appendGeneral(nil, f, precision, c.alternate)
		}
		if c.verb == 'G' {
			for i := range b {
				if b[i] == 'e' {
					b[i] = 'E'
				}
			}
		}
	}
	c.pad(out, c.sign(negative), b, c.zero)
}

// pad writes a prefix and a body in the conversion's width.
func (c conversion) pad(out *buffer, prefix string, body []byte, zeros bool) {
	fill := c.width - len(prefix) - len(body)
	if !c.minus && !zeros {
		out.repeat(' ', fill)
	}
	out.writeString(prefix)
	if !c.minus && zeros {
		out.repeat('0', fill)
	}
	out.write(body)
	if c.minus {
		out.repeat(' ', fill)
	}
}

func (b *buffer) repeat(c byte, n int) {
	for range n {
		b.writeByte(c)
	}
}

// quote writes a string so that Lua reads it back.
func quote(out *buffer, s string) {
	out.writeByte('"')
	for _, c := range []byte(s) {
		switch c {
		case '"', '\\', '\n':
			out.writeByte('\\')
			out.writeByte(c)
		case '\r':
			out.writeString("\\r")
		case 0:
			out.writeString("\\000")
		default:
			out.writeByte(c)
		}
	}
	out.writeByte('"')
}
