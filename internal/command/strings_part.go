package command

import (
	"math"
	"strconv"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// part returns the entry that a partial write of a string goes to, made with length zero bytes where there is none; false
// means that an error is answered.
func (c *Call) part(key, length int) (engine.Entry, bool) {
	e := c.Tx.Peek(&c.Keys[key])
	if e.Exists() {
		if e.Kind() != engine.String {
			c.Error(resp.MsgWrongType)
			return e, false
		}
		if len(e.String()) != length {
			e = c.Tx.Resize(e, length)
		}
		c.Tell(key, Stored)
		return e, true
	}
	m, ok := c.Expiry.Whole(c, key, Ask{}, e)
	if !ok {
		return e, false
	}
	e = c.Tx.NewString(&c.Keys[key], m, length)
	c.Tell(key, Stored)
	return e, true
}

func runAppend(c *Call) {
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	had := len(old)
	if had+len(c.Args[2]) > maxStringBytes {
		c.Error(resp.MsgStringTooLong)
		return
	}
	e, ok := c.part(0, had+len(c.Args[2]))
	if !ok {
		return
	}
	copy(e.String()[had:], c.Args[2])
	c.Out.Int(int64(len(e.String())))
}

func runStrlen(c *Call) {
	if value, ok := c.GetString(0); ok {
		c.Out.Int(int64(len(value)))
	}
}

func runSetRange(c *Call) {
	offset, ok := c.intArg(2)
	if !ok {
		return
	}
	if offset < 0 {
		c.Error(resp.MsgOffsetRange)
		return
	}
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	data := c.Args[3]
	if len(data) == 0 {
		c.Tell(0, Unchanged)
		c.Out.Int(int64(len(old)))
		return
	}
	if offset > maxStringBytes || offset+int64(len(data)) > maxStringBytes {
		c.Error(resp.MsgStringTooLong)
		return
	}
	e, ok := c.part(0, max(len(old), int(offset)+len(data)))
	if !ok {
		return
	}
	copy(e.String()[offset:], data)
	c.Out.Int(int64(len(e.String())))
}

func runGetRange(c *Call) {
	start, ok := c.intArg(2)
	if !ok {
		return
	}
	end, ok := c.intArg(3)
	if !ok {
		return
	}
	value, ok := c.GetString(0)
	if !ok {
		return
	}
	n := int64(len(value))
	if start < 0 && end < 0 && start > end {
		c.Out.Bulk(nil)
		return
	}
	start, end = fromEnd(start, n), fromEnd(end, n)
	end = min(end, n-1)
	if n == 0 || start > end {
		c.Out.Bulk(nil)
		return
	}
	c.Out.Bulk(value[start : end+1])
}

// fromEnd turns an index that may count from the end into one from the start, not below 0.
func fromEnd(i, n int64) int64 {
	if i < 0 {
		i += n
	}
	return max(i, 0)
}

func runIncrBy(c *Call) {
	if n, ok := c.intArg(2); ok {
		incrBy(c, n)
	}
}

func runDecrBy(c *Call) {
	n, ok := c.intArg(2)
	if !ok {
		return
	}
	if n == math.MinInt64 {
		c.Error(resp.MsgDecrOverflow)
		return
	}
	incrBy(c, -n)
}

func incrBy(c *Call, by int64) {
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	var n int64
	if old != nil {
		if n, ok = ParseInt(old); !ok {
			c.Error(resp.MsgNotInteger)
			return
		}
	}
	if by < 0 && n < math.MinInt64-by || by > 0 && n > math.MaxInt64-by {
		c.Error(resp.MsgIncrOverflow)
		return
	}
	var text [20]byte
	if c.writePart(strconv.AppendInt(text[:0], n+by, 10)) {
		c.Out.Int(n + by)
	}
}

// writePart makes a string value what an arithmetic command computed; the deadline of an existing entry stays.
func (c *Call) writePart(value []byte) bool {
	e, ok := c.part(0, len(value))
	if ok {
		copy(e.String(), value)
	}
	return ok
}

func runIncrByFloat(c *Call) {
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	if old == nil {
		old = []byte("0")
	}
	var text [512]byte
	value, problem := addFloats(text[:0], old, c.Args[2], resp.MsgNotFloat)
	if problem != "" {
		c.Error(problem)
		return
	}
	if c.writePart(value) {
		c.Out.Bulk(value)
	}
	clear(text[:])
}
