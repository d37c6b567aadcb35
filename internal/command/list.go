package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// The deadline of a list is decided when its first element is pushed; later pushes leave it. LMOVE and its like derive:
// the list that receives the element lives no longer than the one that gave it.

func listCommands() []*Spec {
	moved := []KeySpec{
		{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}, {Begin: 2, Step: 1, Flags: KeyRW | KeyInsert}}
	return append(listEndCommands(moved), []*Spec{
		{Name: "LLEN", Arity: 2, Flags: ReadOnly | Fast, Categories: CatList, Keys: oneKey(KeyRO),
			Group: "list", Since: "1.0.0", Complexity: "O(1)", Summary: "Returns the length of a list.",
			Syntax: "key", Action: ActionRead, Run: runLLen},
		{Name: "LINDEX", Arity: 3, Flags: ReadOnly, Categories: CatList, Keys: oneKey(KeyRO | KeyAccess),
			Group: "list", Since: "1.0.0", Complexity: "O(N) with N the elements to the nearer end, some hundred at a step", Summary: "Returns the element at an index.",
			Syntax: "key index", Action: ActionRead, Run: runLIndex},
		{Name: "LRANGE", Arity: 4, Flags: ReadOnly, Categories: CatList, Keys: oneKey(KeyRO | KeyAccess),
			Group: "list", Since: "1.0.0", Complexity: "O(S+N) with S the elements to the nearer end and N those returned", Summary: "Returns the elements from one index to another.",
			Syntax: "key start stop", Action: ActionRead, Run: runLRange},
		{Name: "LPOS", Arity: -3, Flags: ReadOnly, Categories: CatList, Keys: oneKey(KeyRO | KeyAccess),
			Group: "list", Since: "6.0.6", Complexity: "O(N) with N elements looked at", Summary: "Returns the indexes of elements that equal the given one.",
			Syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]", Action: ActionRead, Run: runLPos},
		{Name: "LSET", Arity: 4, Flags: Write | DenyOOM, Categories: CatList, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "list", Since: "1.0.0", Complexity: "O(N) with N the elements to the nearer end, some hundred at a step", Summary: "Replaces the element at an index; the deadline stays.",
			Syntax: "key index element", Effect: EffectPart, Action: ActionWrite, Run: runLSet},
		{Name: "LINSERT", Arity: 5, Flags: Write | DenyOOM, Categories: CatList, Keys: oneKey(KeyRW | KeyInsert),
			Group: "list", Since: "2.2.0", Complexity: "O(N) with N the elements before the pivot", Summary: "Adds an element before or behind another one; the deadline stays.",
			Syntax: "key <BEFORE | AFTER> pivot element", Effect: EffectPart, Action: ActionWrite, Run: runLInsert},
		{Name: "LREM", Arity: 4, Flags: Write, Categories: CatList, Keys: oneKey(KeyRW | KeyDelete),
			Group: "list", Since: "1.0.0", Complexity: "O(N) with N the length of the list", Summary: "Erases elements that equal the given one; the deadline stays.",
			Syntax: "key count element", Action: ActionDelete, Run: runLRem},
		{Name: "LTRIM", Arity: 4, Flags: Write, Categories: CatList, Keys: oneKey(KeyRW | KeyDelete),
			Group: "list", Since: "1.0.0", Complexity: "O(N) with N elements erased, some hundred at a step", Summary: "Erases the elements outside of a range; the deadline stays.",
			Syntax: "key start stop", Action: ActionDelete, Run: runLTrim},
	}...)
}

// list returns the list of a key, counts the read and notes a hit or a miss; false means that the key holds something
// else and the error is answered.
func (c *Call) list(key int) (engine.ListValue, bool) {
	l, err := c.Tx.ListAt(&c.Keys[key])
	if err != nil {
		c.Error(resp.MsgWrongType)
		return l, false
	}
	c.seen(key, l.Exists())
	return l, true
}

// countArg reads a number that is at least 1, or answers problem.
func (c *Call) countArg(arg []byte, problem string) (int64, bool) {
	n, ok := ParseInt(arg)
	if !ok || n < 1 {
		c.Error(problem)
		return 0, false
	}
	return n, true
}

// indexRange turns two indexes of Redis's kind, negative ones counted from the end, into the first element and the number
// of elements, in a collection of length elements.
func indexRange(start, stop int64, length int) (first, count int) {
	n := int64(length)
	if start < 0 {
		start = max(start+n, 0)
	}
	if stop < 0 {
		stop += n
	}
	stop = min(stop, n-1)
	if start > stop {
		return 0, 0
	}
	return int(start), int(stop - start + 1)
}

// rangeArgs reads two indexes, or answers Redis's error.
func (c *Call) rangeArgs(at int) (start, stop int64, ok bool) {
	if start, ok = c.intArg(at); !ok {
		return 0, 0, false
	}
	stop, ok = c.intArg(at + 1)
	return start, stop, ok
}
