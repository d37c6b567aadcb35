package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

func setCommands() []*Spec {
	return []*Spec{
		{Name: "SADD", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatSet, Keys: oneKey(KeyRW | KeyInsert),
			Group: "set", Since: "1.0.0", Complexity: "O(N) with N members", Summary: "Adds members to a set; its deadline stays.",
			Syntax: "key member [member ...]", Effect: EffectPart, Action: ActionWrite, Run: runSAdd},
		{Name: "SREM", Arity: -3, Flags: Write | Fast, Categories: CatSet, Keys: oneKey(KeyRW | KeyDelete),
			Group: "set", Since: "1.0.0", Complexity: "O(N) with N members", Summary: "Erases members, and with the last one the set.",
			Syntax: "key member [member ...]", Action: ActionDelete, Run: runSRem},
		{Name: "SISMEMBER", Arity: 3, Flags: ReadOnly | Fast, Categories: CatSet, Keys: oneKey(KeyRO),
			Group: "set", Since: "1.0.0", Complexity: "O(1)", Summary: "Tells whether a set has a member.",
			Syntax: "key member", Action: ActionRead, Run: runSIsMember},
		{Name: "SMISMEMBER", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "set", Since: "6.2.0", Complexity: "O(N) with N members", Summary: "Tells of several members whether a set has them.",
			Syntax: "key member [member ...]", Action: ActionRead, Run: runSMIsMember},
		{Name: "SMEMBERS", Arity: 2, Flags: ReadOnly, Categories: CatSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "set", Since: "1.0.0", Complexity: "O(N) with N the size of the set", Summary: "Returns all members.",
			Syntax: "key", Tips: []string{"nondeterministic_output_order"}, Action: ActionRead, Run: runSMembers},
		{Name: "SCARD", Arity: 2, Flags: ReadOnly | Fast, Categories: CatSet, Keys: oneKey(KeyRO),
			Group: "set", Since: "1.0.0", Complexity: "O(1)", Summary: "Returns the number of members.",
			Syntax: "key", Action: ActionRead, Run: runSCard},
		{Name: "SPOP", Arity: -2, Flags: Write | Fast, Categories: CatSet, Keys: oneKey(KeyRW | KeyAccess | KeyDelete),
			Group: "set", Since: "1.0.0", Complexity: "O(N) with N members returned", Summary: "Returns members chosen by chance and erases them.",
			Syntax: "key [count]", Tips: []string{"nondeterministic_output"}, Action: ActionDelete, Run: runSPop},
		{Name: "SRANDMEMBER", Arity: -2, Flags: ReadOnly, Categories: CatSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "set", Since: "1.0.0", Complexity: "O(N) with N members returned", Summary: "Returns members chosen by chance.",
			Syntax: "key [count]", Tips: []string{"nondeterministic_output"}, Action: ActionRead, Run: runSRandMember},
		{Name: "SMOVE", Arity: 4, Flags: Write | Fast, Categories: CatSet, Keys: []KeySpec{
			{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}, {Begin: 2, Step: 1, Flags: KeyRW | KeyInsert}},
			Group: "set", Since: "1.0.0", Complexity: "O(1)", Summary: "Moves a member to another set, whose deadline is then no later than that of either.",
			Syntax: "source destination member", Effect: EffectDerive, Action: ActionWrite, Run: runSMove},
		{Name: "SSCAN", Arity: -3, Flags: ReadOnly, Categories: CatSet, Keys: oneKey(KeyRO | KeyAccess),
			Group: "set", Since: "2.8.0", Complexity: "O(1) a call, O(N) for all N members", Summary: "Walks over the members of a set, some at a time.",
			Syntax: "key cursor [MATCH pattern] [COUNT count]", Tips: []string{"nondeterministic_output"},
			Action: ActionRead, Run: runSScan},
	}
}

// set returns the set of a key and notes a hit or a miss; false when the key holds something else and the error is
// answered.
func (c *Call) set(key int) (s engine.SetValue, ok bool) {
	s, err := c.Tx.SetAt(&c.Keys[key])
	if err != nil {
		c.Error(resp.MsgWrongType)
		return s, false
	}
	c.seen(key, s.Exists())
	return s, true
}

func runSAdd(c *Call) {
	s, ok := c.set(0)
	if !ok {
		return
	}
	if !s.Exists() {
		m, ok := c.Expiry.Whole(c, 0, Ask{}, engine.Entry{})
		if !ok {
			return
		}
		s.Create(m)
	}
	n := int64(0)
	for _, member := range c.Args[2:] {
		n += one(s.Add(member))
	}
	if n > 0 {
		c.Tell(0, Stored)
	} else {
		c.Tell(0, Unchanged)
	}
	c.Out.Int(n)
}

func runSRem(c *Call) {
	s, ok := c.set(0)
	if !ok {
		return
	}
	n := int64(0)
	for _, member := range c.Args[2:] {
		n += one(s.Remove(member))
	}
	if n > 0 {
		c.Tell(0, Deleted)
	} else {
		c.Tell(0, Miss)
	}
	c.Out.Int(n)
}

func runSIsMember(c *Call) {
	if s, ok := c.set(0); ok {
		c.Out.Int(one(s.Contains(c.Args[2])))
	}
}

func runSMIsMember(c *Call) {
	s, ok := c.set(0)
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		c.Out.Int(one(s.Contains(member)))
	}
}

func runSMembers(c *Call) {
	if s, ok := c.set(0); ok {
		c.Out.Set(s.Len())
		s.Each(func(member []byte) bool { c.Out.Bulk(member); return true })
	}
}

func runSCard(c *Call) {
	if s, ok := c.set(0); ok {
		c.Out.Int(int64(s.Len()))
	}
}

func runSPop(c *Call) {
	if len(c.Args) > 3 {
		c.Error(resp.MsgSyntax)
		return
	}
	n := int64(1)
	if len(c.Args) == 3 {
		var ok bool
		if n, ok = c.positiveArg(c.Args[2], resp.MsgNotPositive); !ok {
			return
		}
	}
	s, ok := c.set(0)
	if !ok {
		return
	}
	n = min(n, int64(s.Len()))
	switch {
	case len(c.Args) == 3:
		c.Out.Set(int(n))
	case n == 0:
		c.Out.Null()
	}
	s.Pop(int(n), c.Out.Bulk)
	if n > 0 {
		c.Tell(0, Deleted)
	}
}

func runSRandMember(c *Call) {
	if len(c.Args) > 3 {
		c.Error(resp.MsgSyntax)
		return
	}
	n := int64(1)
	if len(c.Args) == 3 {
		var ok bool
		if n, ok = c.randomCount(c.Args[2]); !ok || !c.boundRepeats(n) {
			return
		}
	}
	s, ok := c.set(0)
	if !ok {
		return
	}
	answer := func(member []byte) bool { c.Out.Bulk(member); return true }
	switch {
	case len(c.Args) == 3 && n >= 0:
		n = min(n, int64(s.Len()))
		c.Out.Array(int(n))
		s.Sample(int(n), answer)
	case !s.Exists() && len(c.Args) == 2:
		c.Out.Null()
	case !s.Exists():
		c.Out.Array(0)
	default:
		if len(c.Args) == 3 {
			n = -n
			c.Out.Array(int(n))
		}
		s.Random(int(n), answer)
	}
}

// runSMove asks for the destination's deadline before it moves anything: the destination keeps what it had and gains a
// member of the source, so it is derived from both.
func runSMove(c *Call) {
	from, to, ok := c.moveSets()
	if !ok {
		return
	}
	member := c.Args[3]
	if !from.Contains(member) {
		c.Tell(1, Unchanged)
		c.Out.Int(0)
		return
	}
	if string(c.Args[1]) == string(c.Args[2]) {
		c.Tell(1, Unchanged)
		c.Out.Int(1)
		return
	}
	if to.Contains(member) { // the destination stays as it is, and so does its deadline
		from.Remove(member)
		c.Tell(0, Deleted)
		c.Tell(1, Unchanged)
		c.Out.Int(1)
		return
	}
	m, ok := c.derive(1, Ask{}, from.Entry(), to.Entry())
	if !ok {
		return
	}
	from.Remove(member)
	if to.Exists() {
		c.Tx.SetMeta(to.Entry(), m)
	} else {
		to.Create(m)
	}
	to.Add(member)
	c.Tell(0, Deleted)
	c.Tell(1, Stored)
	c.Out.Int(1)
}

// moveSets returns the sets of SMOVE. As in Redis the destination's kind does not matter where there is no source.
func (c *Call) moveSets() (from, to engine.SetValue, ok bool) {
	if !c.Peek(0).Exists() {
		c.Tell(1, Unchanged)
		c.Out.Int(0)
		return from, to, false
	}
	if from, ok = c.set(0); ok {
		to, ok = c.set(1)
	}
	return from, to, ok
}

func runSScan(c *Call) {
	cursor, ok := c.cursorArg(c.Args[2])
	if !ok {
		return
	}
	s, ok := c.set(0)
	if !ok {
		return
	}
	if !s.Exists() { // before the options are looked at, as in Redis
		c.emptyScan()
		return
	}
	o, ok := c.scanOptions(c.Args[3:], false, false)
	if !ok {
		return
	}
	c.answerScan(func(add func([]byte)) uint64 {
		return s.Scan(cursor, o.count, func(member []byte) {
			if o.pattern == nil || glob.Match(o.pattern, member) {
				add(member)
			}
		})
	})
}
