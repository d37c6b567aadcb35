package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// The deadline of a sorted set is decided when its first member is added; later changes leave it. ZRANGESTORE, ZUNIONSTORE
// and their like derive: what they store lives no longer than any of its sources.

func sortedSetCommands() []*Spec {
	return append(append(sortedSetRangeCommands(), sortedSetAlgebraCommands()...), []*Spec{
		{Name: "ZADD", Arity: -4, Flags: Write | DenyOOM | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "sorted-set", Since: "1.2.0", Complexity: "O(M*log(N)) with M members given and N in the set", Summary: "Adds members with scores, or changes their scores; the deadline stays.",
			Syntax: "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]", Effect: EffectPart, Action: ActionWrite, Run: func(c *Call) { runZAdd(c, zaddOptions{}) }},
		{Name: "ZINCRBY", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "sorted-set", Since: "1.2.0", Complexity: "O(log(N)) with N members", Summary: "Adds to a member's score, 0 where there is none; the deadline stays.",
			Syntax: "key increment member", Effect: EffectPart, Action: ActionWrite, Run: func(c *Call) { runZAdd(c, zaddOptions{incr: true}) }},
		{Name: "ZREM", Arity: -3, Flags: Write | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRW | KeyDelete),
			Group: "sorted-set", Since: "1.2.0", Complexity: "O(M*log(N)) with M members given and N in the set", Summary: "Erases members, and with the last one the sorted set.",
			Syntax: "key member [member ...]", Action: ActionDelete, Run: runZRem},
		{Name: "ZCARD", Arity: 2, Flags: ReadOnly | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRO),
			Group: "sorted-set", Since: "1.2.0", Complexity: "O(1)", Summary: "Returns the number of members.",
			Syntax: "key", Action: ActionRead, Run: runZCard},
		{Name: "ZSCORE", Arity: 3, Flags: ReadOnly | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "1.2.0", Complexity: "O(1)", Summary: "Returns a member's score.",
			Syntax: "key member", Action: ActionRead, Run: runZScore},
		{Name: "ZMSCORE", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "6.2.0", Complexity: "O(N) with N members given", Summary: "Returns the scores of several members.",
			Syntax: "key member [member ...]", Action: ActionRead, Run: runZMScore},
		{Name: "ZRANK", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "2.0.0", Complexity: "O(log(N)) with N members", Summary: "Returns how many members are below the given one.",
			Syntax: "key member [WITHSCORE]", Action: ActionRead, Run: func(c *Call) { runZRank(c, false) }},
		{Name: "ZREVRANK", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "2.0.0", Complexity: "O(log(N)) with N members", Summary: "Returns how many members are above the given one.",
			Syntax: "key member [WITHSCORE]", Action: ActionRead, Run: func(c *Call) { runZRank(c, true) }},
		{Name: "ZCOUNT", Arity: 4, Flags: ReadOnly | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "2.0.0", Complexity: "O(log(N)) with N members", Summary: "Counts the members with scores in a range.",
			Syntax: "key min max", Action: ActionRead, Run: func(c *Call) { runZCount(c, byScore) }},
		{Name: "ZLEXCOUNT", Arity: 4, Flags: ReadOnly | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "2.8.9", Complexity: "O(log(N)) with N members", Summary: "Counts the members in a range of names, where all scores are equal.",
			Syntax: "key min max", Action: ActionRead, Run: func(c *Call) { runZCount(c, byLex) }},
		{Name: "ZPOPMIN", Arity: -2, Flags: Write | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRW | KeyAccess | KeyDelete),
			Group: "sorted-set", Since: "5.0.0", Complexity: "O(M*log(N)) with M members returned and N in the set", Summary: "Returns and erases the members with the lowest scores.",
			Syntax: "key [count]", Action: ActionDelete, Run: func(c *Call) { runZPop(c, false) }},
		{Name: "ZPOPMAX", Arity: -2, Flags: Write | Fast, Categories: CatSortedSet, Keys: oneKey(KeyRW | KeyAccess | KeyDelete),
			Group: "sorted-set", Since: "5.0.0", Complexity: "O(M*log(N)) with M members returned and N in the set", Summary: "Returns and erases the members with the highest scores.",
			Syntax: "key [count]", Action: ActionDelete, Run: func(c *Call) { runZPop(c, true) }},
		{Name: "ZMPOP", Arity: -4, Flags: Write | MovableKeys, Categories: CatSortedSet,
			Keys:  []KeySpec{{Begin: 1, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}},
			Group: "sorted-set", Since: "7.0.0", Complexity: "O(K)+O(M*log(N)) with K keys, M members returned and N in the set", Summary: "Returns and erases members at an end of the first sorted set that exists.",
			Syntax: "numkeys key [key ...] <MIN | MAX> [COUNT count]", Action: ActionDelete, Run: runZMPop},
		{Name: "ZRANDMEMBER", Arity: -2, Flags: ReadOnly, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "6.2.0", Complexity: "O(M*log(N)) with M members returned and N in the set", Summary: "Returns members chosen by chance.",
			Syntax: "key [count [WITHSCORES]]", Tips: []string{"nondeterministic_output"}, Action: ActionRead, Run: runZRandMember},
		{Name: "ZSCAN", Arity: -3, Flags: ReadOnly, Categories: CatSortedSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "sorted-set", Since: "2.8.0", Complexity: "O(1) a call, O(N) for all N members", Summary: "Walks over the members and scores, some at a time.",
			Syntax: "key cursor [MATCH pattern] [COUNT count]", Tips: []string{"nondeterministic_output"}, Action: ActionRead, Run: runZScan},
	}...)
}

// zset returns the sorted set of a key, counts the read and notes a hit or a miss; false means that the key holds
// something else and the error is answered.
func (c *Call) zset(key int) (z sortedSet, ok bool) {
	var err error
	if z.ZSetValue, err = c.Tx.ZSetAt(&c.Keys[key]); err != nil {
		c.Error(resp.MsgWrongType)
		return z, false
	}
	if c.Beside != nil {
		z.beside = c.Beside[key]
	}
	c.seen(key, z.Exists())
	return z, true
}

// scored answers a member with its score, as a pair of its own where nested says so.
func (c *Call) scored(member []byte, score float64, nested bool) {
	if nested {
		c.Out.Array(2)
	}
	c.Out.Bulk(member)
	c.Out.Double(score)
}

// scoredArray begins an array of n members, with their scores if asked for: pairs in RESP3, one flat array in RESP2.
func (c *Call) scoredArray(n int, withScores bool) (nested bool) {
	nested = withScores && c.Out.RESP3()
	if withScores && !nested {
		n *= 2
	}
	c.Out.Array(n)
	return nested
}

// members answers n members of a walk, and closes it.
func (c *Call) members(it *engine.ZSetIter, n int, withScores bool) {
	defer it.Close()
	nested := c.scoredArray(n, withScores)
	it.Limit(n)
	if !withScores {
		var some [16][]byte
		for k := it.Members(some[:]); k > 0; k = it.Members(some[:]) {
			c.Out.Bulks(some[:k])
		}
	}
	for it.Next() {
		if withScores {
			c.scored(it.Member(), it.Score(), nested)
		} else {
			c.Out.Bulk(it.Member())
		}
	}
}
