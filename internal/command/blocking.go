package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Block makes the connection wait until one of the call's keys changes, or for a time in milliseconds; 0 waits for ever. A
// handler calls it when there is nothing to answer with, and returns without an answer when it reports true: the command
// runs again, with Retry set, when something may have changed. False means that the command may not wait (in a
// transaction, in a script, at the end of its time): it answers as when its time is over.
func (c *Call) Block(milliseconds int64) bool {
	return !c.NoWait && c.Conn.Block(c, milliseconds)
}

// blockTimeout reads a time-out in seconds, which may have a fraction, and returns milliseconds.
func (c *Call) blockTimeout(arg []byte) (milliseconds int64, ok bool) {
	milliseconds, problem := parseTimeout(arg)
	if problem != "" {
		c.Error(problem)
	}
	return milliseconds, problem == ""
}

// TimeoutFits reports whether an argument is a time-out that blocking commands take.
func TimeoutFits(arg []byte) bool {
	_, problem := parseTimeout(arg)
	return problem == ""
}

func parseTimeout(arg []byte) (milliseconds int64, problem string) {
	f, err := parseDouble(arg)
	switch {
	case err != nil || math.IsNaN(f):
		return 0, resp.MsgTimeoutNotFloat
	case f < 0, f*1000 >= math.MaxInt64: // infinity too: Redis 7.0.15 makes a negative number of what fits no integer
		return 0, resp.MsgTimeoutNegative
	case f*1000 > maxBlock:
		return 0, resp.MsgTimeoutRange
	}
	return int64(math.Ceil(f * 1000)), ""
}

// maxBlock is the longest time-out in milliseconds that Redis takes: what it adds to its clock must not overflow.
const maxBlock = math.MaxInt64 - 2_000_000_000_000

func blockingListCommands() []*Spec {
	pop := func(name, summary string, front bool) *Spec {
		return &Spec{Name: name, Arity: -3, Flags: Write | NoScript | Blocking, Categories: CatList,
			Keys:  []KeySpec{{Begin: 1, Last: -2, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}},
			Group: "list", Since: "2.0.0", Complexity: "O(N) with N keys", Summary: summary,
			Syntax: "key [key ...] timeout", Action: ActionDelete, Run: func(c *Call) { runBlockingPop(c, front) }}
	}
	moved := []KeySpec{{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}, {Begin: 2, Step: 1, Flags: KeyRW | KeyInsert}}
	return []*Spec{
		pop("BLPOP", "Returns and erases the first element of the first list that has one; waits where none has.", true),
		pop("BRPOP", "Returns and erases the last element of the first list that has one; waits where none has.", false),
		{Name: "BLMOVE", Arity: 6, Flags: Write | DenyOOM | NoScript | Blocking, Categories: CatList, Keys: moved, Group: "list", Since: "6.2.0",
			Complexity: "O(1)", Summary: "Moves an element from one list to another one; waits where there is none.",
			Syntax: "source destination (LEFT | RIGHT) (LEFT | RIGHT) timeout", Effect: EffectDerive, Action: ActionWrite, Run: runBLMove},
		{Name: "BRPOPLPUSH", Arity: 4, Flags: Write | DenyOOM | NoScript | Blocking, Categories: CatList, Keys: moved, Group: "list", Since: "2.2.0",
			Complexity: "O(1)", Summary: "Moves the last element of a list to the start of another one; waits where there is none.",
			Syntax: "source destination timeout", Effect: EffectDerive, Action: ActionWrite, Run: func(c *Call) { blockingMove(c, 3, false, true) }},
		{Name: "BLMPOP", Arity: -5, Flags: Write | Blocking | MovableKeys, Categories: CatList,
			Keys:  []KeySpec{{Begin: 2, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}},
			Group: "list", Since: "7.0.0", Complexity: "O(K+N) with K keys and N elements returned",
			Summary: "Returns and erases elements of the first list that has some; waits where none has.",
			Syntax:  "timeout numkeys key [key ...] (LEFT | RIGHT) [COUNT count]", Action: ActionDelete, Run: runBLMPop},
	}
}

// waitingList returns the list of a key. In a retry a key of another kind is as good as none: a client waits for lists.
func (c *Call) waitingList(key int) (l engine.ListValue, ok bool) {
	if c.Retry {
		if e := c.Tx.Peek(&c.Keys[key]); e.Exists() && e.Kind() != engine.List {
			return l, true
		}
	}
	return c.list(key)
}

func runBlockingPop(c *Call, front bool) {
	timeout, ok := c.blockTimeout(c.Args[len(c.Args)-1])
	if !ok {
		return
	}
	for key := range c.Keys {
		l, ok := c.waitingList(key)
		if !ok {
			return
		}
		if l.Exists() {
			c.Out.Array(2)
			c.Out.Bulk(c.Keys[key].Name)
			it := endOf(&l, front)
			c.Out.Bulk(it.Element())
			it.Close()
			l.Drop(front, 1)
			c.Tell(key, Deleted)
			c.unchangedFrom(key + 1)
			return
		}
	}
	if !c.Block(timeout) {
		c.Out.NullArray()
	}
}

func runBLMove(c *Call) {
	fromFront, ok := c.listEnd(c.Args[3])
	if !ok {
		return
	}
	toFront, ok := c.listEnd(c.Args[4])
	if !ok {
		return
	}
	blockingMove(c, 5, fromFront, toFront)
}

func blockingMove(c *Call, timeoutAt int, fromFront, toFront bool) {
	timeout, ok := c.blockTimeout(c.Args[timeoutAt])
	if !ok {
		return
	}
	src, ok := c.waitingList(0)
	if !ok {
		return
	}
	if src.Exists() {
		moveElement(c, fromFront, toFront)
		return
	}
	c.Tell(1, Unchanged)
	switch {
	case c.Block(timeout):
	case c.Retry:
		c.Out.NullArray() // its time is over; in a transaction Redis has another null
	default:
		c.Out.Null()
	}
}

func runBLMPop(c *Call) {
	at, ok := c.popManyKeysAt(2)
	if !ok {
		return
	}
	front, ok := c.listEnd(c.Args[at])
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
	if !c.popFirstList(front, count) && !c.Block(timeout) {
		c.Out.NullArray()
	}
}

// popFirstList answers with elements of the first key that has a list. It reports false where none has, and true where an
// error was answered.
func (c *Call) popFirstList(front bool, count int64) bool {
	for key := range c.Keys {
		l, ok := c.waitingList(key)
		if !ok {
			return true
		}
		if l.Exists() {
			c.Out.Array(2)
			c.Out.Bulk(c.Keys[key].Name)
			c.popList(key, &l, front, count)
			c.unchangedFrom(key + 1)
			return true
		}
	}
	return false
}
