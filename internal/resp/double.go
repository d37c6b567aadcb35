package resp

import (
	"math"
	"math/big"
	"strconv"
)

// maxDouble is room for the text of any double: sign, 17 digits, point, exponent.
const maxDouble = 32

// Double writes a floating point number; in RESP2 a bulk string. The text is that of [AppendDouble].
func (w *Writer) Double(f float64) {
	if !w.resp3 {
		w.BulkDouble(f)
		return
	}
	buf := AppendDouble(append(w.room(maxDouble+3), ','), f)
	w.buf = append(buf, '\r', '\n')
}

// BulkDouble writes a floating point number as a bulk string in both versions of the protocol.
func (w *Writer) BulkDouble(f float64) {
	var text [maxDouble]byte
	w.Bulk(AppendDouble(text[:0], f))
}

// AppendDouble appends f as Redis 7.0 writes scores: C's "%.17g", which is 0.10000000000000001 for 0.1; and inf, -inf,
// nan. Redis 7.2 and later write the shortest text that reads as the same double, 0.1; a client gets the same number from
// either.
func AppendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	// Whole numbers of up to 15 digits read the same and are most scores; -0 is not one of them.
	if n := int64(f); n != 0 && n > -1e15 && n < 1e15 && float64(n) == f {
		return strconv.AppendInt(dst, n, 10)
	}
	return strconv.AppendFloat(dst, f, 'g', 17, 64)
}

// humanDecimals is the number of decimals of "%.17Lf", with which Redis writes INCRBYFLOAT's and HINCRBYFLOAT's results.
const humanDecimals = 17

// AppendHuman appends f as a decimal without exponent: the shortest text that reads as f, at most 17 decimals, no zeros
// at the end. f must be finite.
func AppendHuman(dst []byte, f float64) []byte {
	at := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for i := at; i < len(dst); i++ {
		if dst[i] == '.' && len(dst)-i-1 > humanDecimals {
			dst = strconv.AppendFloat(dst[:at], f, 'f', humanDecimals, 64)
			break
		}
	}
	return trimHuman(dst, at)
}

// AppendHumanBig is AppendHuman for the arithmetic of INCRBYFLOAT as Redis does it, in x86's 80-bit long double: with
// operands and sum of precision 64, rounded to nearest even, 0.1 and 0.2 make 0.3, not 0.30000000000000004. f must be
// finite.
func AppendHumanBig(dst []byte, f *big.Float) []byte {
	at := len(dst)
	return trimHuman(f.Append(dst, 'f', humanDecimals), at)
}

// trimHuman drops zeros at the end of the decimals in dst[at:], and the sign of a zero.
func trimHuman(dst []byte, at int) []byte {
	point := at
	for point < len(dst) && dst[point] != '.' {
		point++
	}
	if point < len(dst) {
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
		if dst[len(dst)-1] == '.' {
			dst = dst[:len(dst)-1]
		}
	}
	if string(dst[at:]) == "-0" {
		return append(dst[:at], '0')
	}
	return dst
}
