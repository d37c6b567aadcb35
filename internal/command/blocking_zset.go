package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func blockingSortedSetCommands() []*Spec {
	pop := func(name, summary string, fromTop bool) *Spec {
		return &Spec{Name: name, Arity: -3, Flags: Write | NoScript | Blocking | Fast, Categories: CatSortedSet,
			Keys:  []KeySpec{{Begin: 1, Last: -2, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}},
			Group: "sorted-set", Since: "5.0.0", Complexity: "O(K+log(N)) with K keys and N members",
			Summary: summary, Syntax: "key [key ...] timeout", Action: ActionDelete, Run: func(c *Call) { runBZPop(c, fromTop) }}
	}
	return []*Spec{
		pop("BZPOPMIN", "Returns and erases the lowest member of the first sorted set that has one; waits where none has.", false),
		pop("BZPOPMAX", "Returns and erases the highest member of the first sorted set that has one; waits where none has.", true),
		{Name: "BZMPOP", Arity: -5, Flags: Write | Blocking | MovableKeys, Categories: CatSortedSet,
			Keys:  []KeySpec{{Begin: 2, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}},
			Group: "sorted-set", Since: "7.0.0",
			Complexity: "O(K+M*log(N)) with K keys, N members and M of them returned",
			Summary:    "Returns and erases members of the first sorted set that has some; waits where none has.",
			Syntax:     "timeout numkeys key [key ...] (MIN | MAX) [COUNT count]", Action: ActionDelete, Run: runBZMPop},
	}
}

// waitingZSet returns the sorted set of a key. In a retry a key of another kind is as good as none.
func (c *Call) waitingZSet(key int) (z sortedSet, ok bool) {
	if c.Retry {
		if e := c.Tx.Peek(&c.Keys[key]); e.Exists() && e.Kind() != engine.ZSet {
			return z, true
		}
	}
	return c.zset(key)
}

func runBZPop(c *Call, fromTop bool) {
	timeout, ok := c.blockTimeout(c.Args[len(c.Args)-1])
	if !ok {
		return
	}
	for key := range c.Keys {
		z, ok := c.waitingZSet(key)
		if !ok {
			return
		}
		if z.Exists() {
			c.Out.Array(3)
			c.Out.Bulk(c.Keys[key].Name)
			c.popMembers(key, &z, 1, fromTop, false)
			c.unchangedFrom(key + 1)
			return
		}
	}
	if !c.Block(timeout) {
		c.Out.NullArray()
	}
}

func runBZMPop(c *Call) {
	at, ok := c.popManyKeysAt(2)
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
	timeout, ok := c.blockTimeout(c.Args[1])
	if !ok {
		return
	}
	if !c.popFirstZSet(fromTop, count) && !c.Block(timeout) {
		c.Out.NullArray()
	}
}

// zsetEnd reads MIN or MAX, or answers Redis's error.
func (c *Call) zsetEnd(arg []byte) (fromTop, ok bool) {
	fromTop = word(arg, "MAX")
	if !fromTop && !word(arg, "MIN") {
		c.Error(resp.MsgSyntax)
		return false, false
	}
	return fromTop, true
}

// popFirstZSet answers with members of the first key that has a sorted set. It reports false where none has, and true
// where an error was answered.
func (c *Call) popFirstZSet(fromTop bool, count int64) bool {
	for key := range c.Keys {
		z, ok := c.waitingZSet(key)
		if !ok {
			return true
		}
		if z.Exists() {
			n := int(min(count, int64(z.Len())))
			c.Out.Array(2)
			c.Out.Bulk(c.Keys[key].Name)
			c.Out.Array(n)
			c.popMembers(key, &z, n, fromTop, true)
			c.unchangedFrom(key + 1)
			return true
		}
	}
	return false
}
