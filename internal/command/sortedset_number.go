package command

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Scores, weights and ends of ranges are read as C's strtod reads them, since that is what Redis does. It knows hexadecimal
// numbers without an exponent, which strconv does not.

var errNotNumber = errors.New("not a number")

// parseScore reads a score, an increment or a weight: infinities are allowed, what is too large or too small is not.
func parseScore(b []byte) (float64, bool) {
	if n, ok := smallScore(b); ok {
		return n, true
	}
	f, err := parseDouble(b)
	if err != nil || math.IsNaN(f) || (f == 0 && hasDigits(b)) {
		return 0, false
	}
	return f, true
}

// smallScore reads what most scores are, digits alone, so few that a float64 is exact.
func smallScore(b []byte) (float64, bool) {
	if len(b) > 15 {
		return 0, false
	}
	n, ok := ParseDigits(b)
	return float64(n), ok
}

// parseLimit reads an end of a range with less care, as Redis does: nothing is 0, leading spaces are passed over, what is
// too large is infinite and what is too small is 0.
func parseLimit(b []byte) (float64, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if n, ok := smallScore(b); ok {
		return n, true
	}
	f, err := parseDouble(bytes.TrimLeft(b, " \t\n\v\f\r"))
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return f, !math.IsNaN(f)
}

func parseDouble(b []byte) (float64, error) {
	if len(b) == 0 || len(b) > maxNumberBytes || resp.NumberLength(b) != len(b) {
		return 0, errNotNumber
	}
	if isHex(b) && !bytes.ContainsAny(b, "pP") {
		return strconv.ParseFloat(string(b)+"p0", 64)
	}
	return strconv.ParseFloat(string(b), 64)
}

func isHex(b []byte) bool {
	if b[0] == '+' || b[0] == '-' {
		b = b[1:]
	}
	return len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x'
}

// hasDigits reports whether a number has digits other than 0 before its exponent: if its value is 0, it was too small.
func hasDigits(b []byte) bool {
	digits, exponent := "123456789", "eE"
	if isHex(b) {
		digits, exponent = "123456789abcdefABCDEF", "pP"
	}
	if i := bytes.IndexAny(b, exponent); i >= 0 {
		b = b[:i]
	}
	return bytes.ContainsAny(b, digits)
}
