package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func setAlgebraCommands() []*Spec {
	storeKeys := func(destination KeyFlag) []KeySpec {
		return []KeySpec{{Begin: 1, Step: 1, Flags: destination | KeyUpdate}, {Begin: 2, Last: -1, Step: 1, Flags: KeyRO | KeyAccess}}
	}
	unordered := []string{"nondeterministic_output_order"}
	return []*Spec{
		{Name: "SINTER", Arity: -2, Flags: ReadOnly, Categories: CatSet, Keys: allKeys(KeyRO | KeyAccess),
			Group: "set", Since: "1.0.0", Complexity: "O(N*M) with N the size of the smallest set and M sets", Summary: "Returns the members that all sets have.",
			Syntax: "key [key ...]", Tips: unordered, Action: ActionRead, Run: func(c *Call) { c.combine(intersection) }},
		{Name: "SINTERSTORE", Arity: -3, Flags: Write | DenyOOM, Categories: CatSet, Keys: storeKeys(KeyRW),
			Group: "set", Since: "1.0.0", Complexity: "O(N*M) with N the size of the smallest set and M sets", Summary: "Stores the members that all sets have; the deadline is no later than that of any source.",
			Syntax: "destination key [key ...]", Effect: EffectDerive, Action: ActionWrite, Run: func(c *Call) { c.combineInto(intersection) }},
		{Name: "SINTERCARD", Arity: -3, Flags: ReadOnly | MovableKeys, Categories: CatSet,
			Keys:  []KeySpec{{Begin: 1, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "set", Since: "7.0.0", Complexity: "O(N*M) with N the size of the smallest set and M sets", Summary: "Counts the members that all sets have.",
			Syntax: "numkeys key [key ...] [LIMIT limit]", Action: ActionRead, Run: runSInterCard},
		{Name: "SUNION", Arity: -2, Flags: ReadOnly, Categories: CatSet, Keys: allKeys(KeyRO | KeyAccess),
			Group: "set", Since: "1.0.0", Complexity: "O(N) with N the members of all sets", Summary: "Returns the members that any of the sets has.",
			Syntax: "key [key ...]", Tips: unordered, Action: ActionRead, Run: runSUnion},
		{Name: "SUNIONSTORE", Arity: -3, Flags: Write | DenyOOM, Categories: CatSet, Keys: storeKeys(KeyOW),
			Group: "set", Since: "1.0.0", Complexity: "O(N) with N the members of all sets", Summary: "Stores the members that any of the sets has; the deadline is no later than that of any source.",
			Syntax: "destination key [key ...]", Effect: EffectDerive, Action: ActionWrite, Run: func(c *Call) { c.combineInto(union) }},
		{Name: "SDIFF", Arity: -2, Flags: ReadOnly, Categories: CatSet, Keys: allKeys(KeyRO | KeyAccess),
			Group: "set", Since: "1.0.0", Complexity: "O(N*M) with N the size of the first set and M sets", Summary: "Returns the members of the first set that no other has.",
			Syntax: "key [key ...]", Tips: unordered, Action: ActionRead, Run: func(c *Call) { c.combine(difference) }},
		{Name: "SDIFFSTORE", Arity: -3, Flags: Write | DenyOOM, Categories: CatSet, Keys: storeKeys(KeyOW),
			Group: "set", Since: "1.0.0", Complexity: "O(N*M) with N the size of the first set and M sets", Summary: "Stores the members of the first set that no other has; the deadline is no later than that of any source.",
			Syntax: "destination key [key ...]", Effect: EffectDerive, Action: ActionWrite, Run: func(c *Call) { c.combineInto(difference) }},
	}
}

// A combination calls add for the members of the sets that belong to its result, until add says stop; union does so more
// than once for a member of several sets.
type combination func(sets []engine.SetValue, add func(member []byte) bool)

func intersection(sets []engine.SetValue, add func([]byte) bool) { engine.Intersect(sets, add) }
func difference(sets []engine.SetValue, add func([]byte) bool)   { engine.Subtract(sets, add) }

func union(sets []engine.SetValue, add func([]byte) bool) {
	for i := range sets {
		sets[i].Each(func(member []byte) bool { add(member); return true })
	}
}

// sets returns the sets of the keys from one on; false when a key holds something else and the error is answered.
func (c *Call) sets(first int) ([]engine.SetValue, bool) {
	sets := make([]engine.SetValue, 0, len(c.Keys)-first)
	for i := first; i < len(c.Keys); i++ {
		s, ok := c.set(i)
		if !ok {
			return nil, false
		}
		sets = append(sets, s)
	}
	return sets, true
}

// combine answers the members of a combination that meets no member twice.
func (c *Call) combine(of combination) {
	sets, ok := c.sets(0)
	if !ok {
		return
	}
	n, length := 0, c.Out.DeferredArray()
	of(sets, func(member []byte) bool {
		c.Out.Bulk(member)
		n++
		return true
	})
	c.Out.SetSetLen(length, n)
}

func runSUnion(c *Call) {
	sets, ok := c.sets(0)
	if !ok {
		return
	}
	b := c.Tx.BuildSet(&c.Keys[0])
	defer b.Discard()
	union(sets, func(member []byte) bool { b.Add(member); return true })
	c.Out.Set(b.Len())
	b.Each(func(member []byte) bool { c.Out.Bulk(member); return true })
}

// combineInto stores a combination of the keys after the first under the first, whatever that holds.
func (c *Call) combineInto(of combination) {
	sets, ok := c.sets(1)
	if !ok {
		return
	}
	b := c.Tx.BuildSet(&c.Keys[0])
	defer b.Discard()
	of(sets, func(member []byte) bool { b.Add(member); return true })
	n := b.Len()
	if n == 0 {
		c.Delete(0)
		c.Out.Int(0)
		return
	}
	sources := make([]engine.Entry, len(sets))
	for i := range sets {
		sources[i] = sets[i].Entry()
	}
	m, ok := c.derive(0, Ask{}, sources...)
	if !ok {
		return
	}
	b.Store(m)
	c.Tell(0, Stored)
	c.Out.Int(int64(n))
}

func runSInterCard(c *Call) {
	keys, ok := ParseInt(c.Args[1])
	if !ok || keys < 1 {
		c.Error(resp.MsgNumKeysPositive)
		return
	}
	if keys > int64(len(c.Args)-2) {
		c.Error("ERR Number of keys can't be greater than number of args")
		return
	}
	limit := int64(0)
	for i := 2 + int(keys); i < len(c.Args); i += 2 {
		if !word(c.Args[i], "LIMIT") || i+1 == len(c.Args) {
			c.Error(resp.MsgSyntax)
			return
		}
		if limit, ok = c.positiveArg(c.Args[i+1], resp.MsgLimitNegative); !ok {
			return
		}
	}
	sets, ok := c.sets(0)
	if !ok {
		return
	}
	n := int64(0)
	engine.Intersect(sets, func([]byte) bool {
		n++
		return n != limit
	})
	c.Out.Int(n)
}
