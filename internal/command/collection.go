package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/resp"
)

// What the commands of several kinds of collections share.

const (
	msgCountRange  = "ERR value is out of range"
	msgCountLimits = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"

	maxWithValues = math.MaxInt64 / 2

	// maxRepeats bounds the answer to a negative count, which has as many elements as was asked for however small the
	// collection is. Redis has no bound there, and tries to answer a count of -2^40.
	maxRepeats = 1 << 20
)

// randomCount reads the count of HRANDFIELD and its like, or answers Redis's error.
func (c *Call) randomCount(arg []byte) (int64, bool) {
	n, ok := ParseInt(arg)
	switch {
	case !ok:
		c.Error(resp.MsgNotInteger)
		return 0, false
	case n == math.MinInt64:
		c.Error(msgCountLimits)
		return 0, false
	}
	return n, true
}

// boundRepeats refuses a negative count that would fill the memory.
func (c *Call) boundRepeats(n int64) bool {
	if n < -maxRepeats {
		c.Error(msgCountRange)
		return false
	}
	return true
}

// positiveArg reads a number that is not negative, or answers problem.
func (c *Call) positiveArg(arg []byte, problem string) (int64, bool) {
	n, ok := ParseInt(arg)
	if !ok || n < 0 {
		c.Error(problem)
		return 0, false
	}
	return n, true
}
