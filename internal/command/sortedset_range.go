package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func sortedSetRangeCommands() []*Spec {
	ranged := func(name, since, summary, syntax string, fixed zrangeOptions) *Spec {
		return &Spec{Name: name, Arity: -4, Flags: ReadOnly, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: since, Complexity: "O(log(N)+M) with N members and M of them returned", Summary: summary,
			Syntax: syntax, Action: ActionRead, Run: func(c *Call) { runZRange(c, fixed) }}
	}
	remove := func(name, since, summary, syntax string, kind rangeKind) *Spec {
		return &Spec{Name: name, Arity: 4, Flags: Write, Categories: CatSortedSet, Keys: oneKey(KeyRW | KeyDelete),
			Group: "sorted-set", Since: since, Complexity: "O(log(N)*M) with N members and M of them erased", Summary: summary,
			Syntax: syntax, Action: ActionDelete, Run: func(c *Call) { runZRemRange(c, kind) }}
	}
	return []*Spec{
		ranged("ZRANGE", "1.2.0", "Returns the members in a range of ranks, scores or names.",
			"key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", zrangeOptions{}),
		ranged("ZREVRANGE", "1.2.0", "Returns the members in a range of ranks counted from the highest score.",
			"key start stop [WITHSCORES]", zrangeOptions{kind: byRank, reverse: true, fixed: true}),
		ranged("ZRANGEBYSCORE", "1.0.5", "Returns the members in a range of scores.",
			"key min max [WITHSCORES] [LIMIT offset count]", zrangeOptions{kind: byScore, fixed: true}),
		ranged("ZREVRANGEBYSCORE", "2.2.0", "Returns the members in a range of scores, from the highest.",
			"key max min [WITHSCORES] [LIMIT offset count]", zrangeOptions{kind: byScore, reverse: true, fixed: true}),
		ranged("ZRANGEBYLEX", "2.8.9", "Returns the members in a range of names, where all scores are equal.",
			"key min max [LIMIT offset count]", zrangeOptions{kind: byLex, fixed: true}),
		ranged("ZREVRANGEBYLEX", "2.8.9", "Returns the members in a range of names from the last, where all scores are equal.",
			"key max min [LIMIT offset count]", zrangeOptions{kind: byLex, reverse: true, fixed: true}),
		{Name: "ZRANGESTORE", Arity: -5, Flags: Write | DenyOOM, Categories: CatSortedSet, Keys: []KeySpec{
			{Begin: 1, Step: 1, Flags: KeyOW | KeyUpdate}, {Begin: 2, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "sorted-set", Since: "6.2.0", Complexity: "O(log(N)+M) with N members and M of them stored", Summary: "Stores a range of a sorted set under another key, within one tenant; the deadline is no later.",
			Syntax: "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]", Effect: EffectDerive, Action: ActionWrite, Run: runZRangeStore},
		remove("ZREMRANGEBYRANK", "2.0.0", "Erases the members in a range of ranks.", "key start stop", byRank),
		remove("ZREMRANGEBYSCORE", "1.2.0", "Erases the members in a range of scores.", "key min max", byScore),
		remove("ZREMRANGEBYLEX", "2.8.9", "Erases the members in a range of names, where all scores are equal.", "key min max", byLex),
	}
}

// zrangeOptions are the options of ZRANGE and of its older forms, whose names say some of them.
type zrangeOptions struct {
	kind       rangeKind // 0: not said
	reverse    bool
	fixed      bool // the name says kind and direction
	store      bool
	withScores bool
	offset     int64
	limit      int64 // negative: none
}

const (
	msgLimitNeedsBy  = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
	msgScoresWithLex = "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
)

// read takes the options behind the range, or answers Redis's error.
func (o *zrangeOptions) read(c *Call, args [][]byte, at int) (ok bool) {
	o.limit = -1
	for i := at; i < len(args); i++ {
		switch a := args[i]; {
		case !o.store && word(a, "WITHSCORES"):
			o.withScores = true
		case word(a, "LIMIT") && i+2 < len(args):
			if o.offset, ok = c.intArg(i + 1); !ok {
				return false
			}
			if o.limit, ok = c.intArg(i + 2); !ok {
				return false
			}
			i += 2
		case !o.fixed && !o.reverse && word(a, "REV"):
			o.reverse = true
		case o.kind == 0 && word(a, "BYLEX"):
			o.kind = byLex
		case o.kind == 0 && word(a, "BYSCORE"):
			o.kind = byScore
		default:
			c.Error(resp.MsgSyntax)
			return false
		}
	}
	if o.kind == 0 {
		o.kind = byRank
	}
	switch {
	case o.limit != -1 && o.kind == byRank: // "LIMIT 0 -1" passes, as in Redis
		c.Error(msgLimitNeedsBy)
	case o.withScores && o.kind == byLex:
		c.Error(msgScoresWithLex)
	default:
		return true
	}
	return false
}

// zrangeCall reads the range and the options of a call whose source is the argument at an index.
func (c *Call) zrangeCall(o *zrangeOptions, source int) (r zrange, ok bool) {
	if !o.read(c, c.Args, source+3) {
		return r, false
	}
	low, top := source+1, source+2
	if o.reverse && o.kind != byRank {
		low, top = top, low
	}
	return c.rangeBounds(o.kind, low, top)
}

// walk returns the members of the range in the order that was asked for: the walk and how many of its members count.
func (o *zrangeOptions) walk(z *sortedSet, r zrange) (engine.ZSetIter, int) {
	if o.kind == byScore && !o.reverse && o.offset == 0 && o.limit >= 0 && o.limit <= fewMembers {
		s := engine.ScoreRange{Low: r.low.score, LowOpen: r.low.open, Top: r.top.score, TopOpen: r.top.open}
		if it, n, ok := z.FirstByScore(s, int(o.limit)); ok {
			return it, n
		}
	}
	first, all := r.ranks(z)
	skip, n := int64(0), int64(all)
	if o.kind != byRank {
		if skip = o.offset; skip < 0 {
			skip = n // as in Redis
		}
		if n = max(n-skip, 0); o.limit >= 0 {
			n = min(n, o.limit)
		}
	}
	switch {
	case n == 0:
		return engine.ZSetIter{}, 0
	case !o.reverse:
		first += int(skip)
	case o.kind == byRank: // ranks were counted from the other end
		first = z.Len() - 1 - first
	default:
		first += all - 1 - int(skip)
	}
	return z.Iter(first, o.reverse), int(n)
}

// fewMembers is how many members are counted one by one faster than by the ranks of the ends of their range.
const fewMembers = 100

func runZRange(c *Call, o zrangeOptions) {
	r, ok := c.zrangeCall(&o, 1)
	if !ok {
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	it, n := o.walk(&z, r)
	c.members(&it, n, o.withScores)
}

func runZRangeStore(c *Call) {
	o := zrangeOptions{store: true}
	r, ok := c.zrangeCall(&o, 2)
	if !ok {
		return
	}
	z, ok := c.zset(1)
	if !ok {
		return
	}
	b := c.Tx.BuildZSet(&c.Keys[0])
	defer b.Discard()
	it, n := o.walk(&z, r)
	defer it.Close()
	for i := 0; i < n && it.Next(); i++ {
		b.Add(it.Member(), it.Score())
	}
	c.storeZSet(b, z.Entry())
}

// storeZSet makes what was built the value of the first key, with a deadline derived from the sources, and answers with
// its size; nothing makes the key hold nothing.
func (c *Call) storeZSet(b *engine.ZSetBuilder, sources ...engine.Entry) {
	n := b.Len()
	if n == 0 {
		c.Delete(0)
		c.Out.Int(0)
		return
	}
	m, ok := c.derive(0, Ask{}, sources...)
	if !ok {
		return
	}
	b.Store(m)
	c.Tell(0, Stored)
	c.Out.Int(int64(n))
}

func runZRemRange(c *Call, kind rangeKind) {
	r, ok := c.rangeBounds(kind, 2, 3)
	if !ok {
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	first, n := r.ranks(&z)
	z.RemoveRanks(first, n)
	c.deletedIf(n > 0)
	c.Out.Int(int64(n))
}

func runZCount(c *Call, kind rangeKind) {
	r, ok := c.rangeBounds(kind, 2, 3)
	if !ok {
		return
	}
	z, ok := c.zset(0)
	if !ok {
		return
	}
	_, n := r.ranks(&z)
	c.Out.Int(int64(n))
}
