package command

import "github.com/lethe-cache/lethe/internal/resp"

// rangeKind says what the two ends of a range are.
type rangeKind uint8

const (
	byRank rangeKind = iota + 1
	byScore
	byLex
)

// zrange is a range of a sorted set, by whatever it was asked for. A range of scores or of members is two bounds, and a
// bound is the number of members before it; so every range becomes one of ranks.
type zrange struct {
	kind     rangeKind
	low, top zbound // byScore, byLex
	start    int64  // byRank, and the next
	stop     int64
}

// zbound is one end of a range of scores or of members.
type zbound struct {
	score  float64
	member []byte
	end    lexEnd
	open   bool // the end itself is not in the range
}

// lexEnd is "-" or "+" in a range of members.
type lexEnd int8

const (
	lowestMember  lexEnd = -1
	highestMember lexEnd = 1
)

// rangeBounds reads the two ends of a range, or answers Redis's error. low is the index of the lower end.
func (c *Call) rangeBounds(kind rangeKind, low, top int) (r zrange, ok bool) {
	r.kind = kind
	switch kind {
	case byScore:
		if !r.low.readScore(c.Args[low]) || !r.top.readScore(c.Args[top]) {
			c.Error(resp.MsgMinMaxNotFloat)
			return r, false
		}
	case byLex:
		if !r.low.readMember(c.Args[low]) || !r.top.readMember(c.Args[top]) {
			c.Error(resp.MsgMinMaxNotLex)
			return r, false
		}
	default:
		r.start, r.stop, ok = c.rangeArgs(low)
		return r, ok
	}
	return r, true
}

// readScore reads "1.5" or "(1.5".
func (b *zbound) readScore(arg []byte) (ok bool) {
	if len(arg) > 0 && arg[0] == '(' {
		b.open = true
		arg = arg[1:]
	}
	b.score, ok = parseLimit(arg)
	return ok
}

// readMember reads "-", "+", "[member" or "(member".
func (b *zbound) readMember(arg []byte) bool {
	switch {
	case len(arg) == 0:
		return false
	case arg[0] == '(' || arg[0] == '[':
		b.open, b.member = arg[0] == '(', arg[1:]
	case string(arg) == "-":
		b.end = lowestMember
	case string(arg) == "+":
		b.end = highestMember
	default:
		return false
	}
	return true
}

// before returns how many members are before an end of a range; inclusive says that those that equal it are.
func (b *zbound) before(z *sortedSet, kind rangeKind, inclusive bool) int {
	switch {
	case kind == byScore:
		return z.RankOfScore(b.score, inclusive)
	case b.end == lowestMember:
		return 0
	case b.end == highestMember:
		return z.Len()
	default:
		return z.RankOfMember(b.member, inclusive)
	}
}

// ranks returns the first rank of the range and the number of its members.
func (r *zrange) ranks(z *sortedSet) (first, n int) {
	if r.kind == byRank {
		return indexRange(r.start, r.stop, z.Len())
	}
	first = r.low.before(z, r.kind, r.low.open)
	return first, max(r.top.before(z, r.kind, !r.top.open)-first, 0)
}
