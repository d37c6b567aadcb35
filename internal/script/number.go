package script

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Numbers are text by C's "%.14g", in Lua, and by "%.17g" where Redis turns a script's number into an argument.
const (
	shownDigits = 14
	exactDigits = 17
)

// appendNumber appends f as C's printf does with "%.<digits>g".
func appendNumber(dst []byte, f float64, digits int) []byte {
	switch {
	case math.IsNaN(f):
		if math.Signbit(f) {
			dst = append(dst, '-')
		}
		return append(dst, "nan"...)
	case math.IsInf(f, 0):
		if f < 0 {
			dst = append(dst, '-')
		}
		return append(dst, "inf"...)
	case digits >= shownDigits && f == math.Trunc(f) && math.Abs(f) < 1e14 && f != 0:
		return strconv.AppendInt(dst, int64(f), 10)
	}
	return appendGeneral(dst, f, digits, false)
}

// appendGeneral is "%.<digits>g" of a finite number; alternate keeps trailing zeros, as the flag # does. strconv's own 'g'
// chooses the exponent by other rules.
func appendGeneral(dst []byte, f float64, digits int, alternate bool) []byte {
	if digits == 0 {
		digits = 1
	}
	var buf [64]byte
	scientific := strconv.AppendFloat(buf[:0], f, 'e', digits-1, 64)
	at := len(scientific) - 1
	for scientific[at] != 'e' {
		at--
	}
	exponent, _ := strconv.Atoi(string(scientific[at+1:]))
	begin := len(dst)
	if exponent >= -4 && exponent < digits {
		dst = strconv.AppendFloat(dst, f, 'f', digits-1-exponent, 64)
		if alternate {
			return dst
		}
		return trimZeros(dst, begin)
	}
	dst = append(dst, scientific[:at]...)
	if !alternate {
		dst = trimZeros(dst, begin)
	}
	return append(dst, scientific[at:]...)
}

// trimZeros cuts the zeros after the point of the number that begins at begin, and the point when nothing is left of them.
func trimZeros(b []byte, begin int) []byte {
	point := -1
	for i := begin; i < len(b); i++ {
		if b[i] == '.' {
			point = i
		}
	}
	if point < 0 {
		return b
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}

const luaSpace = " \t\n\v\f\r"

// parseNumber reads a number by Lua 5.1's rules: what C's strtod takes, or hexadecimal, with space around.
func parseNumber(s string) (float64, bool) {
	s = strings.Trim(s, luaSpace)
	body, negative := s, false
	if body != "" && (body[0] == '-' || body[0] == '+') {
		body, negative = body[1:], body[0] == '-'
	}
	if body == "" || len(body) > 1<<10 || body[0] == '-' || body[0] == '+' {
		return 0, false
	}
	if len(body) > 2 && body[0] == '0' && body[1]|0x20 == 'x' {
		return parseHexadecimal(body, negative)
	}
	if c := body[0] | 0x20; c == 'i' || c == 'n' {
		return parseNamed(body, negative)
	}
	// strconv takes underscores, which C does not, and keeps a copy of what it does not take.
	if resp.NumberLength(body) != len(body) {
		return 0, false
	}
	f, err := strconv.ParseFloat(body, 64)
	if err != nil && !outOfRange(err) {
		return 0, false
	}
	if negative {
		f = -f
	}
	return f, true
}

// outOfRange reports whether the error of ParseFloat is one where C answers infinity or the nearest number.
func outOfRange(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}

// parseHexadecimal reads what follows an optional sign: 0x and digits, or C's hexadecimal floating point.
func parseHexadecimal(body string, negative bool) (float64, bool) {
	var f float64
	if resp.NumberLength(body) != len(body) {
		return 0, false
	}
	if n, err := strconv.ParseUint(body[2:], 16, 64); err == nil {
		f = float64(n)
	} else {
		if !strings.ContainsAny(body, "pP") {
			body += "p0"
		}
		if f, err = strconv.ParseFloat(body, 64); err != nil && !outOfRange(err) {
			return 0, false
		}
	}
	if negative {
		f = -f
	}
	return f, true
}

func parseNamed(body string, negative bool) (float64, bool) {
	switch {
	case strings.EqualFold(body, "inf"), strings.EqualFold(body, "infinity"):
		if negative {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	case strings.EqualFold(body, "nan"):
		if negative {
			return math.Copysign(math.NaN(), -1), true
		}
		return math.Copysign(math.NaN(), 1), true
	}
	return 0, false
}

// toNumber converts a value as Lua's arithmetic does: numbers, and strings that hold one.
func toNumber(v lua.LValue) (float64, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		return parseNumber(string(v))
	}
	return 0, false
}

// toInteger converts as C does on the machines that Redis runs on: towards zero, and the smallest number for what has none.
func toInteger(f float64) int64 {
	if math.IsNaN(f) || f >= 1<<63 || f < -1<<63 {
		return math.MinInt64
	}
	return int64(f)
}

// toInt is toInteger cut to the 32 bits of a C int.
func toInt(f float64) int { return int(int32(toInteger(f))) }

func trimSpace(s string) string { return strings.Trim(s, luaSpace) }

// lowBits are the low 32 bits of a number rounded to an integer: the sum has them at the end of its mantissa.
func lowBits(f float64) uint32 { return uint32(math.Float64bits(f + 6755399441055744)) }
