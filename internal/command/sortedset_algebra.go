package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// setOperation is what ZUNION, ZINTER and ZDIFF do with their sources.
type setOperation uint8

const (
	unionOf setOperation = iota + 1
	intersectionOf
	differenceOf
)

func sortedSetAlgebraCommands() []*Spec {
	const (
		unionCost = "O(N)+O(M*log(M)) with N members in all sources and M in the result"
		interCost = "O(N*K)+O(M*log(M)) with N members in the smallest of K sources and M in the result"
		diffCost  = "O(N*K)+O(M*log(M)) with N members in the first of K sources and M in the result"
		weights   = " [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]"
	)
	read := func(name, cost, summary, options string, op setOperation) *Spec {
		return &Spec{Name: name, Arity: -3, Flags: ReadOnly | MovableKeys, Categories: CatSortedSet,
			Keys:  []KeySpec{{Begin: 1, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "sorted-set", Since: "6.2.0", Complexity: cost, Summary: summary,
			Syntax: "numkeys key [key ...]" + options + " [WITHSCORES]", Action: ActionRead, Run: func(c *Call) { runCombine(c, op) }}
	}
	store := func(name, since, cost, summary, options string, op setOperation) *Spec {
		return &Spec{Name: name, Arity: -4, Flags: Write | DenyOOM | MovableKeys, Categories: CatSortedSet,
			Keys: []KeySpec{
				{Begin: 1, Step: 1, Flags: KeyOW | KeyUpdate},
				{Begin: 2, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "sorted-set", Since: since, Complexity: cost, Summary: summary,
			Syntax: "destination numkeys key [key ...]" + options, Effect: EffectDerive, Action: ActionWrite,
			Run: func(c *Call) { runCombineStore(c, op) }}
	}
	return []*Spec{
		read("ZUNION", unionCost, "Returns the members of any of several sorted sets or sets.", weights, unionOf),
		read("ZINTER", interCost, "Returns the members that several sorted sets or sets share.", weights, intersectionOf),
		read("ZDIFF", diffCost, "Returns the members of the first sorted set or set that no other one has.", "", differenceOf),
		store("ZUNIONSTORE", "2.0.0", unionCost, "Stores the members of any of several sorted sets or sets, within one tenant; the deadline is no later than theirs.", weights, unionOf),
		store("ZINTERSTORE", "2.0.0", interCost, "Stores the members that several sorted sets or sets share, within one tenant; the deadline is no later than theirs.", weights, intersectionOf),
		store("ZDIFFSTORE", "6.2.0", diffCost, "Stores the members of the first sorted set or set that no other one has, within one tenant; the deadline is no later than theirs.", "", differenceOf),
		{Name: "ZINTERCARD", Arity: -3, Flags: ReadOnly | MovableKeys, Categories: CatSortedSet,
			Keys:  []KeySpec{{Begin: 1, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "sorted-set", Since: "7.0.0", Complexity: "O(N*K) with N members in the smallest of K sources", Summary: "Counts the members that several sorted sets or sets share.",
			Syntax: "numkeys key [key ...] [LIMIT limit]", Action: ActionRead, Run: runZInterCard},
	}
}

// combineOptions are the options of ZUNION and its like.
type combineOptions struct {
	aggregate  aggregation
	withScores bool
}

// sourceCount reads the number of keys, or answers Redis's error.
func (c *Call) sourceCount(at int) (int, bool) {
	n, ok := c.intArg(at)
	switch {
	case !ok:
		return 0, false
	case n < 1:
		c.Error(resp.AtLeastOneKey(c.Spec.full))
		return 0, false
	case n > int64(len(c.Args)-at-1):
		c.Error(resp.MsgSyntax)
		return 0, false
	}
	return int(n), true
}

// scoredSources returns the sources of the keys from one on; false when one is neither a set nor a sorted set and the
// error is answered.
func (c *Call) scoredSources(first int) ([]scoredSource, bool) {
	sources := make([]scoredSource, len(c.Keys)-first)
	for i := range sources {
		s := &sources[i]
		s.weight = 1
		s.isSet = c.Tx.Peek(&c.Keys[first+i]).Kind() == engine.Set
		var ok bool
		if s.isSet {
			s.set, ok = c.set(first + i)
		} else {
			s.zset, ok = c.zset(first + i)
		}
		if !ok {
			return nil, false
		}
	}
	return sources, true
}

// combineOptions reads what stands behind the keys, or answers Redis's error. The weights go into the sources.
func (c *Call) combineOptions(at int, op setOperation, stored bool, sources []scoredSource) (o combineOptions, ok bool) {
	o.aggregate = sum
	for i := at; i < len(c.Args); {
		left := len(c.Args) - i
		switch a := c.Args[i]; {
		case op != differenceOf && left > len(sources) && word(a, "WEIGHTS"):
			if !c.weights(i+1, sources) {
				return o, false
			}
			i += 1 + len(sources)
		case op != differenceOf && left >= 2 && word(a, "AGGREGATE"):
			if o.aggregate, ok = c.aggregation(i + 1); !ok {
				return o, false
			}
			i += 2
		case !stored && word(a, "WITHSCORES"):
			o.withScores = true
			i++
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
	}
	return o, true
}

func (c *Call) weights(at int, sources []scoredSource) (ok bool) {
	for i := range sources {
		if sources[i].weight, ok = parseScore(c.Args[at+i]); !ok {
			c.Error(resp.MsgWeightNotFloat)
			return false
		}
	}
	return true
}

func (c *Call) aggregation(at int) (aggregation, bool) {
	switch a := c.Args[at]; {
	case word(a, "SUM"):
		return sum, true
	case word(a, "MIN"):
		return lesser, true
	case word(a, "MAX"):
		return greater, true
	}
	c.Error(resp.MsgSyntax)
	return nil, false
}

func runCombine(c *Call, op setOperation) {
	n, ok := c.sourceCount(1)
	if !ok {
		return
	}
	sources, ok := c.scoredSources(0)
	if !ok {
		return
	}
	o, ok := c.combineOptions(2+n, op, false, sources)
	if !ok {
		return
	}
	b := op.build(c, 0, sources, o.aggregate)
	defer b.Discard()
	it := b.Iter()
	c.members(&it, b.Len(), o.withScores)
}

func runCombineStore(c *Call, op setOperation) {
	n, ok := c.sourceCount(2)
	if !ok {
		return
	}
	sources, ok := c.scoredSources(1)
	if !ok {
		return
	}
	o, ok := c.combineOptions(3+n, op, true, sources)
	if !ok {
		return
	}
	b := op.build(c, 0, sources, o.aggregate)
	defer b.Discard()
	entries := make([]engine.Entry, len(sources))
	for i := range sources {
		entries[i] = sources[i].entry()
	}
	c.storeZSet(b, entries...)
}

func runZInterCard(c *Call) {
	n, ok := c.sourceCount(1)
	if !ok {
		return
	}
	sources, ok := c.scoredSources(0)
	if !ok {
		return
	}
	limit := int64(0)
	for i := 2 + n; i < len(c.Args); i += 2 {
		if !word(c.Args[i], "LIMIT") || i+1 >= len(c.Args) {
			c.Error(resp.MsgSyntax)
			return
		}
		if limit, ok = c.positiveArg(c.Args[i+1], resp.MsgLimitNegative); !ok {
			return
		}
	}
	count := int64(0)
	eachShared(sources, sum, func([]byte, float64) bool {
		count++
		return count != limit
	})
	c.Out.Int(count)
}
