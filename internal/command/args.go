package command

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/resp"
)

// word reports whether an argument is the given option, in any case.
func word(arg []byte, option string) bool {
	return len(arg) == len(option) && strings.EqualFold(string(arg), option)
}

// ParseInt reads a signed integer by Redis's strict rules: decimal digits only, no plus sign, no leading zeros, no spaces.
func ParseInt(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	digits, negative := b, false
	if b[0] == '-' {
		negative = true
		digits = b[1:]
	}
	if len(digits) == 0 || (digits[0] == '0' && len(b) > 1) {
		return 0, false
	}
	n, ok := ParseDigits(digits)
	if !ok {
		return 0, false
	}
	if negative {
		if n > 1<<63 {
			return 0, false
		}
		return -int64(n), true
	}
	return int64(n), n <= math.MaxInt64
}

// ParseDigits reads a number that is digits alone.
func ParseDigits(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		c -= '0'
		if c > 9 || n > (math.MaxUint64-uint64(c))/10 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, len(b) > 0
}

// maxNumberBytes is the longest number that is read, as in Redis: the largest double has 309 digits before the point.
const maxNumberBytes = 5 << 10

// parseFloat reads a number as Redis does: no surrounding spaces, "inf" and its forms allowed, NaN not.
func parseFloat(b []byte) (float64, bool) {
	if len(b) == 0 || len(b) > maxNumberBytes || resp.NumberLength(b) != len(b) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		// Out of range is an error in Redis only where the result is infinite; underflow gives the nearest value.
		if math.IsInf(f, 0) {
			return 0, false
		}
		if ne, ok := err.(*strconv.NumError); !ok || ne.Err != strconv.ErrRange {
			return 0, false
		}
	}
	return f, !math.IsNaN(f)
}

// addFloats appends the sum of two numbers in Redis's human form: the 64-bit mantissa of an x87 long double, 17 decimals,
// trailing zeros cut. problem is the error text: notFloat where old is no number, Redis's own for the rest.
func addFloats(dst, old, by []byte, notFloat string) (sum []byte, problem string) {
	x, ok := longDouble(old)
	if !ok {
		return nil, notFloat
	}
	y, ok := longDouble(by)
	if !ok {
		return nil, resp.MsgNotFloat
	}
	if x.IsInf() || y.IsInf() {
		return nil, resp.MsgIncrNaN
	}
	dst = x.Add(x, y).Append(dst, 'f', 17)
	dst = bytes.TrimRight(dst, "0")
	dst = bytes.TrimSuffix(dst, []byte("."))
	if string(dst) == "-0" {
		dst = dst[1:]
	}
	return dst, ""
}

func longDouble(b []byte) (*big.Float, bool) {
	f, ok := parseFloat(b)
	if !ok || math.IsInf(f, 0) {
		return new(big.Float).SetInf(f < 0), ok
	}
	x, _, err := big.ParseFloat(string(b), 0, 64, big.ToNearestEven)
	return x, err == nil
}

// intArg reads an argument as an integer, or answers Redis's error.
func (c *Call) intArg(i int) (int64, bool) {
	n, ok := ParseInt(c.Args[i])
	if !ok {
		c.Error(resp.MsgNotInteger)
	}
	return n, ok
}

// expiryUnit is how a command states a deadline: seconds or milliseconds, from now or since 1970.
type expiryUnit struct {
	seconds  bool
	absolute bool
}

// ask turns the number that a client sent into an Ask, or answers Redis's error: the number must be positive and must not
// overflow, so zero and negative ones never come to mean "no expiry".
func (c *Call) ask(arg []byte, u expiryUnit) (Ask, bool) {
	n, ok := ParseInt(arg)
	if !ok {
		c.Error(resp.MsgNotInteger)
		return Ask{}, false
	}
	if n <= 0 {
		c.Error(resp.InvalidExpireTime(c.Spec.full))
		return Ask{}, false
	}
	at, ok := c.instant(n, u)
	if !ok {
		c.Error(resp.InvalidExpireTime(c.Spec.full))
	}
	return Ask{AskAt, at}, ok
}

// instant converts a stated time to the engine's clock; false when it overflows as it would in Redis.
func (c *Call) instant(n int64, u expiryUnit) (int64, bool) {
	if u.seconds {
		if n > math.MaxInt64/1000 || n < math.MinInt64/1000 {
			return 0, false
		}
		n *= 1000
	}
	if u.absolute {
		return c.Engine(n), true
	}
	if n > math.MaxInt64-max(c.WallNow, c.Now) {
		return 0, false
	}
	return c.Now + n, true
}

// expiryOption reads EX, PX, EXAT and PXAT.
func expiryOption(arg []byte) (expiryUnit, bool) {
	switch {
	case word(arg, "EX"):
		return expiryUnit{seconds: true}, true
	case word(arg, "PX"):
		return expiryUnit{}, true
	case word(arg, "EXAT"):
		return expiryUnit{seconds: true, absolute: true}, true
	case word(arg, "PXAT"):
		return expiryUnit{absolute: true}, true
	}
	return expiryUnit{}, false
}
