package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

// field returns the value of one field of the first key's hash, and notes a hit or a miss of that field; ok is false when
// the error is answered.
func (c *Call) field(field []byte) (value []byte, there, ok bool) {
	h, ok := c.hash(0)
	if !ok {
		return nil, false, false
	}
	value, there = h.Get(field)
	c.seen(0, there)
	return value, there, true
}

func runHGet(c *Call) {
	switch value, there, ok := c.field(c.Args[2]); {
	case !ok:
	case there:
		c.Out.Bulk(value)
	default:
		c.Out.Null()
	}
}

func runHStrlen(c *Call) {
	if value, _, ok := c.field(c.Args[2]); ok {
		c.Out.Int(int64(len(value)))
	}
}

func runHExists(c *Call) {
	if _, there, ok := c.field(c.Args[2]); ok {
		c.Out.Int(one(there))
	}
}

// one is 1 for true and 0 for false.
func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func runHMGet(c *Call) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	hit := false
	for _, field := range c.Args[2:] {
		value, there := h.Get(field)
		hit = hit || there
		c.bulkOrNull(value, there)
	}
	c.seen(0, hit)
}

func (c *Call) bulkOrNull(value []byte, there bool) {
	if there {
		c.Out.Bulk(value)
	} else {
		c.Out.Null()
	}
}

func runHGetAll(c *Call) {
	if h, ok := c.hash(0); ok {
		c.Out.Map(h.Len())
		h.Each(func(field, value []byte) bool {
			c.Out.Bulk(field)
			c.Out.Bulk(value)
			return true
		})
	}
}

func runHKeys(c *Call) {
	if h, ok := c.hash(0); ok {
		c.Out.Array(h.Len())
		h.Each(func(field, _ []byte) bool { c.Out.Bulk(field); return true })
	}
}

func runHVals(c *Call) {
	if h, ok := c.hash(0); ok {
		c.Out.Array(h.Len())
		h.Each(func(_, value []byte) bool { c.Out.Bulk(value); return true })
	}
}

func runHLen(c *Call) {
	if h, ok := c.hash(0); ok {
		c.Out.Int(int64(h.Len()))
	}
}

func runHScan(c *Call) {
	cursor, ok := c.cursorArg(c.Args[2])
	if !ok {
		return
	}
	h, ok := c.hash(0)
	if !ok {
		return
	}
	if !h.Exists() { // before the options are looked at, as in Redis
		c.emptyScan()
		return
	}
	o, ok := c.scanOptions(c.Args[3:], false, true)
	if !ok {
		return
	}
	c.answerScan(func(add func([]byte)) uint64 {
		return h.Scan(cursor, o.count, func(field, value []byte) {
			if o.pattern != nil && !glob.Match(o.pattern, field) {
				return
			}
			if add(field); !o.noValue {
				add(value)
			}
		})
	})
}

// emptyScan answers a scan of what is not there.
func (c *Call) emptyScan() {
	c.Out.Array(2)
	c.Out.BulkInt(0)
	c.Out.Array(0)
}

// answerScan answers one call of a scan over a collection. scan adds what it meets, and returns the next cursor, which the
// reply begins with; so the elements wait in a writer of their own, which is cleared.
func (c *Call) answerScan(scan func(add func([]byte)) uint64) {
	found := c.keyList()
	next := scan(found.add)
	c.Out.Array(2)
	c.Out.BulkUint(next)
	found.answer(c)
}

func runHRandField(c *Call) {
	if len(c.Args) == 2 {
		c.randomField()
		return
	}
	n, ok := c.randomCount(c.Args[2])
	if !ok {
		return
	}
	withValues := len(c.Args) == 4 && word(c.Args[3], "WITHVALUES")
	if len(c.Args) > 3 && !withValues {
		c.Error(resp.MsgSyntax)
		return
	}
	if withValues && (n < -maxWithValues || n > maxWithValues) {
		c.Error(msgCountRange)
		return
	}
	if !c.boundRepeats(n) {
		return
	}
	h, ok := c.hash(0)
	if !ok {
		return
	}
	c.randomFields(&h, n, withValues)
}

func (c *Call) randomField() {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	if !h.Exists() {
		c.Out.Null()
		return
	}
	h.Random(1, func(field, _ []byte) bool { c.Out.Bulk(field); return true })
}

func (c *Call) randomFields(h *engine.HashValue, n int64, withValues bool) {
	pairs := withValues && c.Out.RESP3()
	answered, length := 0, c.Out.DeferredArray()
	add := func(field, value []byte) bool {
		if pairs {
			c.Out.Array(2)
		}
		c.Out.Bulk(field)
		answered++
		if withValues {
			c.Out.Bulk(value)
			if !pairs {
				answered++
			}
		}
		return true
	}
	if n < 0 {
		h.Random(int(-n), add)
	} else {
		h.Sample(int(min(n, int64(h.Len()))), add)
	}
	c.Out.SetArrayLen(length, answered)
}
