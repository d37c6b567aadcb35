package command

import (
	"math/rand/v2"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

func runZPop(c *Call, fromTop bool) {
	if len(c.Args) > 3 {
		c.Error(resp.MsgSyntax)
		return
	}
	count, counted := int64(1), len(c.Args) == 3
	if counted {
		var ok bool
		if count, ok = c.positiveArg(c.Args[2], resp.MsgNotPositive); !ok {
			return
		}
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	n := int(min(count, int64(z.Len())))
	// Without a count the answer is one flat pair, in RESP3 too.
	nested := counted && c.Out.RESP3()
	if nested {
		c.Out.Array(n)
	} else {
		c.Out.Array(2 * n)
	}
	c.popMembers(0, &z, n, fromTop, nested)
}

// popMembers answers the n lowest or highest members, and erases them.
func (c *Call) popMembers(key int, z *sortedSet, n int, fromTop, nested bool) {
	if n == 0 {
		return
	}
	first := 0
	if fromTop {
		first = z.Len() - 1
	}
	it := z.Iter(first, fromTop)
	defer it.Close()
	for i := 0; i < n && it.Next(); i++ {
		c.scored(it.Member(), it.Score(), nested)
	}
	if fromTop {
		first = z.Len() - n
	}
	z.RemoveRanks(first, n)
	c.Tell(key, Deleted)
}

func runZMPop(c *Call) {
	at, ok := c.popManyKeysAt(1)
	if !ok {
		return
	}
	fromTop, ok := c.zsetEnd(c.Args[at])
	if !ok {
		return
	}
	count, ok := c.popCount(at + 1)
	if !ok {
		return
	}
	if !c.popFirstZSet(fromTop, count) {
		c.Out.NullArray()
	}
}

func runZRandMember(c *Call) {
	if len(c.Args) == 2 {
		c.randomMember()
		return
	}
	n, ok := c.randomCount(c.Args[2])
	if !ok {
		return
	}
	withScores := len(c.Args) == 4 && word(c.Args[3], "WITHSCORES")
	if len(c.Args) > 3 && !withScores {
		c.Error(resp.MsgSyntax)
		return
	}
	if withScores && (n < -maxWithValues || n > maxWithValues) {
		c.Error(msgCountRange)
		return
	}
	if !c.boundRepeats(n) {
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	switch {
	case !z.Exists() || n == 0:
		c.Out.Array(0)
	case n < 0:
		c.repeatedMembers(&z, int(-n), withScores)
	default:
		c.distinctMembers(&z, int(min(n, int64(z.Len()))), withScores)
	}
}

func (c *Call) randomMember() {
	z, ok := c.zset(0)
	if !ok {
		return
	}
	if !z.Exists() {
		c.Out.Null()
		return
	}
	c.memberAt(&z, rand.IntN(z.Len()), false, false)
}

// repeatedMembers answers n members, each drawn from all.
func (c *Call) repeatedMembers(z *sortedSet, n int, withScores bool) {
	nested := c.scoredArray(n, withScores)
	for range n {
		c.memberAt(z, rand.IntN(z.Len()), withScores, nested)
	}
}

// distinctMembers answers n different members, in a random order if they are few among many: these are drawn until
// there are enough different ones. Otherwise all are passed once, in order, and each is taken with the chance that
// fills the rest (Knuth, Algorithm S).
func (c *Call) distinctMembers(z *sortedSet, n int, withScores bool) {
	nested := c.scoredArray(n, withScores)
	if n < z.Len()/3 {
		drawn := make(map[int]struct{}, n)
		for len(drawn) < n {
			rank := rand.IntN(z.Len())
			if _, again := drawn[rank]; !again {
				drawn[rank] = struct{}{}
				c.memberAt(z, rank, withScores, nested)
			}
		}
		return
	}
	it := z.Iter(0, false)
	defer it.Close()
	for left := z.Len(); n > 0 && it.Next(); left-- {
		if rand.IntN(left) < n {
			c.memberOf(&it, withScores, nested)
			n--
		}
	}
}

func (c *Call) memberAt(z *sortedSet, rank int, withScores, nested bool) {
	it := z.Iter(rank, false)
	defer it.Close()
	it.Next()
	c.memberOf(&it, withScores, nested)
}

func (c *Call) memberOf(it *engine.ZSetIter, withScores, nested bool) {
	if withScores {
		c.scored(it.Member(), it.Score(), nested)
	} else {
		c.Out.Bulk(it.Member())
	}
}

func runZScan(c *Call) {
	cursor, ok := c.cursorArg(c.Args[2])
	if !ok {
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	if !z.Exists() { // before the options are looked at, as in Redis
		c.emptyScan()
		return
	}
	o, ok := c.scanOptions(c.Args[3:], false, false)
	if !ok {
		return
	}
	text := make([]byte, 0, 32) // of a score; a score may be as telling as a value
	defer func() { clear(text[:cap(text)]) }()
	c.answerScan(func(add func([]byte)) uint64 {
		return z.Scan(cursor, o.count, func(member []byte, score float64) {
			if o.pattern == nil || glob.Match(o.pattern, member) {
				add(member)
				add(resp.AppendDouble(text, score))
			}
		})
	})
}
