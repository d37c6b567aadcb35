package policy

import "math"

// Bound is what an entry passes on to entries that are derived from it: when it expires, and the latest deadline that it
// could ever have been given. The zero value has expired, and so has everything derived from it.
type Bound struct {
	ExpiresAt, LastAt int64
}

// Bound returns what an entry of category c with the given times passes on.
func (c *Category) Bound(t Times) Bound {
	return Bound{ExpiresAt: t.ExpiresAt, LastAt: c.lastAt(t.BornAt)}
}

// And returns what an entry inherits that is derived from both.
func (b Bound) And(other Bound) Bound {
	return Bound{ExpiresAt: min(b.ExpiresAt, other.ExpiresAt), LastAt: min(b.LastAt, other.LastAt)}
}

// Derive gives the times of an entry of category c that is made from others: RENAME, COPY, SUNIONSTORE, LMOVE, BITOP and
// their like. from is the Bound of every source, joined by And. A destination that keeps a part of its old content
// (LMOVE, SMOVE, PFMERGE into an existing key) is a source as well.
//
// The deadline is no later than the earliest of any source, nor than now + ceiling. The birth is chosen so that a later
// EXPIRE cannot undo this: it is the instant from which the category's own limit (birth + ceiling, or birth + max_age)
// ends where the earliest limit of the sources does, and never later than now. Within one category that is simply the
// earliest birth of the sources. Across categories it makes a chain of derivations harmless: only a whole write moves the
// limit away, so PHI that was renamed to a reference key and back has the limit that it had.
//
// AskNone and AskKeep inherit the sources' deadline; the verdict is Clamped if AskKeep lost a part of it. With Refused the
// times are zero; with Expired they end now.
func (c *Category) Derive(now int64, ask Ask, from Bound) (Times, Verdict) {
	bornAt := min(now, minus(from.LastAt, c.life()))
	limit := min(c.limit(now, bornAt), from.LastAt)
	if ask.Kind == AskAt || ask.Kind == AskPersist {
		limit = min(limit, from.ExpiresAt)
	}
	at, verdict := c.settle(now, ask, limit, min(limit, from.ExpiresAt), from.ExpiresAt)
	switch {
	case verdict == Refused:
		return Times{}, Refused
	case at <= now:
		return Times{BornAt: bornAt, ExpiresAt: now}, Expired
	}
	return Times{BornAt: bornAt, ExpiresAt: at}, verdict
}

// minus takes d, which is not negative, from at and stops at the end of int64.
func minus(at, d int64) int64 {
	if at < math.MinInt64+d {
		return math.MinInt64
	}
	return at - d
}
