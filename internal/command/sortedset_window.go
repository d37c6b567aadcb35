package command

import (
	"math"
	"strconv"

	"github.com/lethe-cache/lethe/internal/engine"
)

// In front of an upstream a command may see a part of a sorted set, if that is all that it looks at. The handlers know no difference:
// they have ranks of the whole, and the part has those that stand behind the members before it.

// Beside is how many members of a sorted set stand before and behind the part that is there.
type Beside struct{ Before, Behind int }

// sortedSet is a sorted set, or a part of one, with the ranks of the whole.
type sortedSet struct {
	engine.ZSetValue
	beside Beside
}

func (z *sortedSet) Len() int { return z.beside.Before + z.ZSetValue.Len() + z.beside.Behind }

func (z *sortedSet) Rank(member []byte) (rank int, score float64, ok bool) {
	rank, score, ok = z.ZSetValue.Rank(member)
	return z.beside.Before + rank, score, ok
}

func (z *sortedSet) RankOfScore(score float64, equal bool) int {
	return z.beside.Before + z.ZSetValue.RankOfScore(score, equal)
}

func (z *sortedSet) Iter(rank int, backwards bool) engine.ZSetIter {
	return z.ZSetValue.Iter(rank-z.beside.Before, backwards)
}

func (z *sortedSet) RemoveRanks(from, n int) { z.ZSetValue.RemoveRanks(from-z.beside.Before, n) }

// SortedSetWindow is the part of each of its sorted sets that a command looks at: a range of ranks, the first members of a range
// of scores, one member, or all. All members that have the score of one of them belong to it, for their order is by name.
type SortedSetWindow struct {
	All    bool
	Member []byte // not nil: this one

	// A range of scores, as a command takes them, and all that is below it; nil: it is one of ranks.
	Min, Max, Below []byte
	Count           int64 // how many, counted from the end that comes first; negative: all

	// A range of ranks, both ends included; negative ones count from the end.
	From, To int64

	FromTop bool // ranks, or how many, are counted from the highest score
}

// maxRank bounds ranks: beyond it there is no difference, and every number below has its own float64.
const maxRank = 1 << 40

// Ranks returns a range of ranks counted from the lowest score, of a set of so many members; false when nothing is in it.
func (w *SortedSetWindow) Ranks(members int64) (first, last int64, ok bool) {
	first, last = w.From, w.To
	if first < 0 {
		first = max(first+members, 0)
	}
	if last < 0 {
		last += members
	}
	last = min(last, members-1)
	if first > last {
		return 0, 0, false
	}
	if w.FromTop {
		first, last = members-1-last, members-1-first
	}
	return first, last, true
}

// SortedSetWindowOf returns what a command looks at; false where it is nothing, because it asks for none, or because the arguments are
// an error, which the handler answers.
func SortedSetWindowOf(c *Call) (w SortedSetWindow, ok bool) {
	mark := c.Out.Len()
	w, ok = c.sortedSetWindow()
	if c.Out.Len() > mark {
		c.Out.Truncate(mark)
		c.Failed, ok = false, false
	}
	return w, ok
}

func (c *Call) sortedSetWindow() (w SortedSetWindow, ok bool) {
	args := c.Args
	switch c.Spec.Name {
	case "ZRANGE":
		return c.rangeWindow(zrangeOptions{})
	case "ZREVRANGE":
		return c.rangeWindow(zrangeOptions{kind: byRank, reverse: true, fixed: true})
	case "ZRANGEBYSCORE":
		return c.rangeWindow(zrangeOptions{kind: byScore, fixed: true})
	case "ZREVRANGEBYSCORE":
		return c.rangeWindow(zrangeOptions{kind: byScore, reverse: true, fixed: true})
	case "ZREMRANGEBYRANK":
		r, ok := c.rangeBounds(byRank, 2, 3)
		return r.window(-1, false), ok
	case "ZREMRANGEBYSCORE":
		r, ok := c.rangeBounds(byScore, 2, 3)
		return r.window(-1, false), ok
	case "ZCOUNT":
		_, ok := c.rangeBounds(byScore, 2, 3)
		return SortedSetWindow{All: true}, ok
	case "ZRANK", "ZREVRANK":
		return SortedSetWindow{Member: args[2]}, true
	case "ZPOPMIN", "ZPOPMAX":
		count := int64(1)
		if len(args) == 3 {
			count, _ = c.intArg(2)
		}
		return endWindow(count, c.Spec.Name == "ZPOPMAX")
	case "BZPOPMIN", "BZPOPMAX":
		return endWindow(1, c.Spec.Name == "BZPOPMAX")
	case "ZMPOP":
		return c.manyPopWindow(1)
	case "BZMPOP":
		return c.manyPopWindow(2)
	}
	return w, false
}

func (c *Call) rangeWindow(o zrangeOptions) (w SortedSetWindow, ok bool) {
	r, ok := c.zrangeCall(&o, 1)
	if !ok || o.kind == byLex { // which is an order of all members
		return SortedSetWindow{All: true}, ok
	}
	count := int64(-1)
	switch {
	case o.limit < 0:
	case o.offset < 0:
		count = 0
	default:
		count = min(o.offset, maxRank) + min(o.limit, maxRank)
	}
	return r.window(count, o.reverse), true
}

// window is the range as a window; count and fromTop are of one of scores, or fromTop says from where ranks count.
func (r *zrange) window(count int64, fromTop bool) SortedSetWindow {
	if r.kind == byRank {
		return SortedSetWindow{From: min(max(r.start, -maxRank), maxRank), To: min(max(r.stop, -maxRank), maxRank), FromTop: fromTop}
	}
	below := r.low
	below.open = !below.open
	return SortedSetWindow{Min: r.low.appendScore(nil), Max: r.top.appendScore(nil), Below: below.appendScore(nil), Count: count, FromTop: fromTop}
}

// appendScore writes the end of a range of scores as a command takes it.
func (b *zbound) appendScore(dst []byte) []byte {
	if b.open {
		dst = append(dst, '(')
	}
	return AppendScore(dst, b.score)
}

// AppendScore writes a score so that whoever reads it has the same.
func AppendScore(dst []byte, score float64) []byte {
	switch {
	case math.IsInf(score, 1):
		return append(dst, "+inf"...)
	case math.IsInf(score, -1):
		return append(dst, "-inf"...)
	default:
		return strconv.AppendFloat(dst, score, 'g', -1, 64)
	}
}

// endWindow is the window of who takes some members at one end.
func endWindow(count int64, fromTop bool) (w SortedSetWindow, ok bool) {
	return SortedSetWindow{To: min(count, maxRank) - 1, FromTop: fromTop}, count > 0
}

func (c *Call) manyPopWindow(first int) (w SortedSetWindow, ok bool) {
	at, ok := c.popManyKeysAt(first)
	if !ok {
		return w, false
	}
	fromTop, ok := c.zsetEnd(c.Args[at])
	if !ok {
		return w, false
	}
	count, ok := c.popCount(at + 1)
	if !ok {
		return w, false
	}
	return endWindow(count, fromTop)
}

// ScoreBounds returns the two ends of a range of scores among the arguments as commands take them; false if they are none.
func ScoreBounds(low, top []byte) (bounds [][]byte, ok bool) {
	var l, t zbound
	if !l.readScore(low) || !t.readScore(top) {
		return nil, false
	}
	return [][]byte{l.appendScore(nil), t.appendScore(nil)}, true
}
