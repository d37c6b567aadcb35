package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func runLLen(c *Call) {
	if l, ok := c.list(0); ok {
		c.Out.Int(int64(l.Len()))
	}
}

func runLIndex(c *Call) {
	l, ok := c.list(0)
	if !ok {
		return
	}
	if !l.Exists() {
		c.Out.Null()
		return
	}
	index, ok := c.intArg(2)
	if !ok {
		return
	}
	at, ok := listIndex(index, &l)
	if !ok {
		c.Out.Null()
		return
	}
	it := l.Iter(at, false)
	it.Next()
	c.Out.Bulk(it.Element())
	it.Close()
}

// listIndex turns an index of Redis's kind into one that counts from the start; false when it is out of range.
func listIndex(index int64, l *engine.ListValue) (int, bool) {
	n := int64(l.Len())
	if index < 0 {
		index += n
	}
	return int(index), index >= 0 && index < n
}

func runLRange(c *Call) {
	start, stop, ok := c.rangeArgs(2)
	if !ok {
		return
	}
	l, ok := c.list(0)
	if !ok {
		return
	}
	first, n := indexRange(start, stop, l.Len())
	c.Out.Array(n)
	it := l.Iter(first, false)
	defer it.Close()
	for i := 0; i < n && it.Next(); i++ {
		c.Out.Bulk(it.Element())
	}
}

func runLSet(c *Call) {
	l, ok := c.list(0)
	if !ok {
		return
	}
	if !l.Exists() {
		c.Error(resp.MsgNoSuchKey)
		return
	}
	index, ok := c.intArg(2)
	if !ok {
		return
	}
	at, ok := listIndex(index, &l)
	if !ok {
		c.Error(resp.MsgIndexRange)
		return
	}
	l.Set(at, c.Args[3])
	c.Tell(0, Stored)
	c.Out.Status("OK")
}

func runLInsert(c *Call) {
	before := word(c.Args[2], "BEFORE")
	if !before && !word(c.Args[2], "AFTER") {
		c.Error(resp.MsgSyntax)
		return
	}
	l, ok := c.list(0)
	if !ok {
		return
	}
	switch {
	case !l.Exists():
		c.Out.Int(0)
	case l.InsertBeside(c.Args[3], before, c.Args[4]):
		c.Tell(0, Stored)
		c.Out.Int(int64(l.Len()))
	default:
		c.Tell(0, Unchanged)
		c.Out.Int(-1)
	}
}

func runLRem(c *Call) {
	count, ok := c.intArg(2)
	if !ok {
		return
	}
	l, ok := c.list(0)
	if !ok {
		return
	}
	removed := l.Remove(c.Args[3], int(count))
	if removed > 0 {
		c.Tell(0, Deleted)
	} else if l.Exists() {
		c.Tell(0, Unchanged)
	}
	c.Out.Int(int64(removed))
}

func runLTrim(c *Call) {
	start, stop, ok := c.rangeArgs(2)
	if !ok {
		return
	}
	l, ok := c.list(0)
	if !ok {
		return
	}
	if l.Exists() {
		first, n := indexRange(start, stop, l.Len())
		behind := l.Len() - first - n
		if n == 0 {
			first, behind = l.Len(), 0
		}
		c.Tell(0, Stored) // whoever watches the list is told, as in Redis, though it may be as it was
		if first > 0 {
			l.Drop(true, first)
			c.Tell(0, Deleted)
		}
		if behind > 0 {
			l.Drop(false, behind)
			c.Tell(0, Deleted)
		}
	}
	c.Out.Status("OK")
}

// posOptions are the options of LPOS.
type posOptions struct {
	rank    int64 // which match to begin with, from 1; negative: from the end
	count   int64 // how many matches; 0: all
	counted bool
	maxLen  int64 // how many elements to look at; 0: all
}

const (
	msgRankZero       = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
	msgMaxLenNegative = "ERR MAXLEN can't be negative"
)

func (c *Call) posOptions() (o posOptions, ok bool) {
	o.rank = 1
	for i := 3; i < len(c.Args); i += 2 {
		last := i+1 >= len(c.Args)
		switch {
		case word(c.Args[i], "RANK") && !last:
			if o.rank, ok = c.rankArg(i + 1); !ok {
				return o, false
			}
		case word(c.Args[i], "COUNT") && !last:
			if o.count, ok = c.positiveArg(c.Args[i+1], resp.MsgCountNegative); !ok {
				return o, false
			}
			o.counted = true
		case word(c.Args[i], "MAXLEN") && !last:
			if o.maxLen, ok = c.positiveArg(c.Args[i+1], msgMaxLenNegative); !ok {
				return o, false
			}
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
	}
	return o, true
}

func (c *Call) rankArg(i int) (int64, bool) {
	rank, ok := c.randomCount(c.Args[i])
	if ok && rank == 0 {
		c.Error(msgRankZero)
	}
	return rank, ok && rank != 0
}

func runLPos(c *Call) {
	o, ok := c.posOptions()
	if !ok {
		return
	}
	l, ok := c.list(0)
	if !ok {
		return
	}
	if !o.counted {
		o.count = 1
		if at, found := firstPosition(&l, c.Args[2], o); found {
			c.Out.Int(at)
		} else {
			c.Out.Null()
		}
		return
	}
	mark, n := c.Out.DeferredArray(), 0
	eachPosition(&l, c.Args[2], o, func(at int64) { c.Out.Int(at); n++ })
	c.Out.SetArrayLen(mark, n)
}

func firstPosition(l *engine.ListValue, element []byte, o posOptions) (at int64, found bool) {
	eachPosition(l, element, o, func(i int64) { at, found = i, true })
	return at, found
}

// eachPosition calls f with the indexes that LPOS answers, in the order of the search.
func eachPosition(l *engine.ListValue, element []byte, o posOptions, f func(at int64)) {
	pattern := engine.NewPattern(element)
	backwards, skip := o.rank < 0, o.rank-1
	at, step := int64(0), int64(1)
	if backwards {
		at, step, skip = int64(l.Len())-1, -1, -o.rank-1
	}
	if !l.Exists() {
		return
	}
	it := l.Iter(int(at), backwards)
	for looked := int64(0); it.Next() && (o.maxLen == 0 || looked < o.maxLen); looked++ {
		if it.Matches(&pattern) {
			if skip > 0 {
				skip--
			} else {
				f(at)
				if o.count--; o.count == 0 {
					return
				}
			}
		}
		at += step
	}
}
