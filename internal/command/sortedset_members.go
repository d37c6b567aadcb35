package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// zaddOptions are the options of ZADD.
type zaddOptions struct{ nx, xx, gt, lt, ch, incr bool }

const (
	msgZAddXXandNX = "ERR XX and NX options at the same time are not compatible"
	msgZAddGTLTNX  = "ERR GT, LT, and/or NX options at the same time are not compatible"
	msgZAddIncr    = "ERR INCR option supports a single increment-element pair"
)

// read takes the options that stand before the scores and returns the index of the first score.
func (o *zaddOptions) read(args [][]byte) int {
	for i := 2; i < len(args); i++ {
		switch a := args[i]; {
		case word(a, "NX"):
			o.nx = true
		case word(a, "XX"):
			o.xx = true
		case word(a, "CH"):
			o.ch = true
		case word(a, "INCR"):
			o.incr = true
		case word(a, "GT"):
			o.gt = true
		case word(a, "LT"):
			o.lt = true
		default:
			return i
		}
	}
	return len(args)
}

// problem says what is wrong with the options and the number of scores and members behind them.
func (o *zaddOptions) problem(pairs int) string {
	switch {
	case pairs == 0 || pairs%2 != 0:
		return resp.MsgSyntax
	case o.nx && o.xx:
		return msgZAddXXandNX
	case (o.gt && o.nx) || (o.lt && o.nx) || (o.gt && o.lt):
		return msgZAddGTLTNX
	case o.incr && pairs > 2:
		return msgZAddIncr
	default:
		return ""
	}
}

func runZAdd(c *Call, o zaddOptions) {
	pairs := c.Args[o.read(c.Args):]
	if problem := o.problem(len(pairs)); problem != "" {
		c.Error(problem)
		return
	}
	for i := 0; i < len(pairs); i += 2 { // nothing is changed unless all scores are numbers
		if _, ok := parseScore(pairs[i]); !ok {
			c.Error(resp.MsgNotFloat)
			return
		}
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	if !z.Exists() && !o.xx {
		m, ok := c.Expiry.Whole(c, 0, Ask{}, engine.Entry{})
		if !ok {
			return
		}
		z.Create(m)
	}
	if o.incr {
		c.increment(&z, o, pairs)
		return
	}
	total, changes := int64(0), int64(0)
	for i := 0; i < len(pairs) && z.Exists(); i += 2 {
		score, _ := parseScore(pairs[i])
		if o.conditional() {
			if old, had := z.Score(pairs[i+1]); !o.allow(had, old, score) {
				continue
			}
		}
		added, changed := z.Add(pairs[i+1], score)
		total += one(added)
		changes += one(changed)
	}
	c.storedIf(changes > 0)
	if o.ch {
		total = changes
	}
	c.Out.Int(total)
}

// conditional reports whether it depends on a member's score whether it is changed.
func (o *zaddOptions) conditional() bool { return o.nx || o.xx || o.gt || o.lt }

// allow reports whether the options let a member have a score: had says whether it has one now.
func (o *zaddOptions) allow(had bool, old, score float64) bool {
	if !had {
		return !o.xx
	}
	return !o.nx && (!o.lt || score < old) && (!o.gt || score > old)
}

func (c *Call) storedIf(changed bool) {
	if changed {
		c.Tell(0, Stored)
	} else {
		c.Tell(0, Unchanged)
	}
}

// increment is ZADD INCR. A sum that is not a number (of infinities) is refused, so no score ever is.
func (c *Call) increment(z *sortedSet, o zaddOptions, pair [][]byte) {
	score, _ := parseScore(pair[0])
	old, had := z.Score(pair[1])
	if had && !o.nx {
		score += old
	}
	if math.IsNaN(score) {
		c.Tell(0, Unchanged)
		c.Error(resp.MsgScoreNaN)
		return
	}
	allowed := o.allow(had, old, score)
	if allowed && (!had || score != old) {
		z.Add(pair[1], score)
	}
	c.storedIf(allowed)
	if allowed {
		c.Out.Double(score)
	} else {
		c.Out.Null()
	}
}

func runZRem(c *Call) {
	z, ok := c.zset(0)
	if !ok {
		return
	}
	n := int64(0)
	for _, member := range c.Args[2:] {
		n += one(z.Remove(member))
	}
	c.deletedIf(n > 0)
	c.Out.Int(n)
}

func (c *Call) deletedIf(removed bool) {
	if removed {
		c.Tell(0, Deleted)
	} else {
		c.Tell(0, Miss)
	}
}

func runZCard(c *Call) {
	if z, ok := c.zset(0); ok {
		c.Out.Int(int64(z.Len()))
	}
}

func runZScore(c *Call) {
	if z, ok := c.zset(0); ok {
		c.scoreOrNull(&z, c.Args[2])
	}
}

func runZMScore(c *Call) {
	z, ok := c.zset(0)
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		c.scoreOrNull(&z, member)
	}
}

func (c *Call) scoreOrNull(z *sortedSet, member []byte) {
	if score, ok := z.Score(member); ok {
		c.Out.Double(score)
	} else {
		c.Out.Null()
	}
}

func runZRank(c *Call, fromTop bool) {
	if len(c.Args) > 4 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return
	}
	withScore := len(c.Args) == 4
	if withScore && !word(c.Args[3], "WITHSCORE") {
		c.Error(resp.MsgSyntax)
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	rank, score, ok := z.Rank(c.Args[2])
	if fromTop {
		rank = z.Len() - 1 - rank
	}
	switch {
	case ok && withScore:
		c.Out.Array(2)
		c.Out.Int(int64(rank))
		c.Out.Double(score)
	case ok:
		c.Out.Int(int64(rank))
	case withScore:
		c.Out.NullArray()
	default:
		c.Out.Null()
	}
}
