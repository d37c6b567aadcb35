package command

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func listEndCommands(moved []KeySpec) []*Spec {
	push := func(name, since, summary string, front, onlyIfThere bool) *Spec {
		return &Spec{Name: name, Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatList, Keys: oneKey(KeyRW | KeyInsert),
			Group: "list", Since: since, Complexity: "O(N) with N elements pushed", Summary: summary,
			Syntax: "key element [element ...]", Effect: EffectPart, Action: ActionWrite,
			Run: func(c *Call) { runPush(c, front, onlyIfThere) }}
	}
	pop := func(name, summary string, front bool) *Spec {
		return &Spec{Name: name, Arity: -2, Flags: Write | Fast, Categories: CatList, Keys: oneKey(KeyRW | KeyAccess | KeyDelete),
			Group: "list", Since: "1.0.0", Complexity: "O(N) with N elements returned", Summary: summary,
			Syntax: "key [count]", Action: ActionDelete, Run: func(c *Call) { runPop(c, front) }}
	}
	return []*Spec{
		push("LPUSH", "1.0.0", "Adds elements to the start of a list.", true, false),
		push("RPUSH", "1.0.0", "Adds elements to the end of a list.", false, false),
		push("LPUSHX", "2.2.0", "Adds elements to the start of a list that exists.", true, true),
		push("RPUSHX", "2.2.0", "Adds elements to the end of a list that exists.", false, true),
		pop("LPOP", "Returns and erases the first elements of a list.", true),
		pop("RPOP", "Returns and erases the last elements of a list.", false),
		{Name: "LMPOP", Arity: -4, Flags: Write | MovableKeys, Categories: CatList,
			Keys:  []KeySpec{{Begin: 1, HasCount: true, FirstKey: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}},
			Group: "list", Since: "7.0.0", Complexity: "O(K+N) with K keys and N elements returned", Summary: "Returns and erases elements at an end of the first list that exists.",
			Syntax: "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", Action: ActionDelete, Run: runLMPop},
		{Name: "LMOVE", Arity: 5, Flags: Write | DenyOOM, Categories: CatList, Keys: moved,
			Group: "list", Since: "6.2.0", Complexity: "O(1)", Summary: "Moves an element from an end of a list to an end of another one, within one tenant; that one's deadline never grows.",
			Syntax: "source destination <LEFT | RIGHT> <LEFT | RIGHT>", Effect: EffectDerive, Action: ActionWrite, Run: runLMove},
		{Name: "RPOPLPUSH", Arity: 3, Flags: Write | DenyOOM, Categories: CatList, Keys: moved,
			Group: "list", Since: "1.2.0", Complexity: "O(1)", Summary: "Moves the last element of a list to the start of another one; the old form of LMOVE.",
			Syntax: "source destination", Effect: EffectDerive, Action: ActionWrite, Run: func(c *Call) { moveElement(c, false, true) }},
	}
}

func runPush(c *Call, front, onlyIfThere bool) {
	l, ok := c.list(0)
	if !ok {
		return
	}
	if !l.Exists() {
		if onlyIfThere {
			c.Out.Int(0)
			return
		}
		m, ok := c.Expiry.Whole(c, 0, Ask{}, engine.Entry{})
		if !ok {
			return
		}
		l.Create(m)
	}
	for _, element := range c.Args[2:] {
		l.Push(front, element)
	}
	c.Tell(0, Stored)
	c.Out.Int(int64(l.Len()))
}

func runPop(c *Call, front bool) {
	if len(c.Args) > 3 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return
	}
	counted, count := len(c.Args) == 3, int64(1)
	if counted {
		var ok bool
		if count, ok = c.positiveArg(c.Args[2], resp.MsgNotPositive); !ok {
			return
		}
	}
	l, ok := c.list(0)
	switch {
	case !ok:
	case !l.Exists() && counted:
		c.Out.NullArray()
	case !l.Exists():
		c.Out.Null()
	case counted:
		c.popList(0, &l, front, count)
	default:
		it := endOf(&l, front)
		c.Out.Bulk(it.Element())
		it.Close()
		l.Drop(front, 1)
		c.Tell(0, Deleted)
	}
}

// endOf is a walk that stands at the first or the last element of a list that exists; the caller closes it.
func endOf(l *engine.ListValue, front bool) engine.ListIter {
	at := 0
	if !front {
		at = l.Len() - 1
	}
	it := l.Iter(at, !front)
	it.Next()
	return it
}

// popList answers with up to count elements from an end of a list that exists, and erases them.
func (c *Call) popList(key int, l *engine.ListValue, front bool, count int64) {
	n := int(min(count, int64(l.Len())))
	c.Out.Array(n)
	if n == 0 {
		return
	}
	it := endOf(l, front)
	for range n {
		c.Out.Bulk(it.Element())
		it.Next()
	}
	it.Close()
	l.Drop(front, n)
	c.Tell(key, Deleted)
}

// listEnd reads LEFT or RIGHT, or answers Redis's error.
func (c *Call) listEnd(arg []byte) (front, ok bool) {
	front = word(arg, "LEFT")
	if !front && !word(arg, "RIGHT") {
		c.Error(resp.MsgSyntax)
		return false, false
	}
	return front, true
}

func runLMPop(c *Call) {
	at, ok := c.popManyKeysAt(1)
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
	if !c.popFirstList(front, count) {
		c.Out.NullArray()
	}
}

// popManyKeysAt reads the number of keys of LMPOP, ZMPOP and their kin at an index of the arguments, and returns the index
// of the argument behind the keys.
func (c *Call) popManyKeysAt(i int) (at int, ok bool) {
	n, ok := c.countArg(c.Args[i], resp.MsgNumKeysPositive)
	if !ok {
		return 0, false
	}
	if n > int64(len(c.Args)-i-2) {
		c.Error(resp.MsgSyntax)
		return 0, false
	}
	return i + 1 + int(n), true
}

// popCount reads the COUNT that may stand at the end of LMPOP and ZMPOP.
func (c *Call) popCount(at int) (count int64, ok bool) {
	count = 1
	for seen := false; at < len(c.Args); at += 2 {
		if seen || !word(c.Args[at], "COUNT") || at+1 >= len(c.Args) {
			c.Error(resp.MsgSyntax)
			return 0, false
		}
		if count, ok = c.countArg(c.Args[at+1], resp.MsgCountPositive); !ok {
			return 0, false
		}
		seen = true
	}
	return count, true
}

// unchangedFrom notes that the keys from this one on were not looked at.
func (c *Call) unchangedFrom(key int) {
	for ; key < len(c.Keys); key++ {
		c.Tell(key, Unchanged)
	}
}

func runLMove(c *Call) {
	fromFront, ok := c.listEnd(c.Args[3])
	if !ok {
		return
	}
	toFront, ok := c.listEnd(c.Args[4])
	if !ok {
		return
	}
	moveElement(c, fromFront, toFront)
}

func moveElement(c *Call, fromFront, toFront bool) {
	src, ok := c.list(0)
	if !ok {
		return
	}
	if !src.Exists() {
		c.Tell(1, Unchanged)
		c.Out.Null()
		return
	}
	if c.Keys[0].Tenant == c.Keys[1].Tenant && bytes.Equal(c.Keys[0].Name, c.Keys[1].Name) {
		it := endOf(&src, fromFront)
		c.Out.Bulk(it.Element())
		it.Close()
		if fromFront != toFront {
			src.Rotate(toFront)
		}
		c.Tell(0, Stored)
		c.Tell(1, Stored)
		return
	}
	dst, ok := c.list(1)
	if !ok {
		return
	}
	// The receiving list keeps what it has, so it is a source of its own deadline too.
	m, ok := c.derive(1, Ask{}, src.Entry(), dst.Entry())
	if !ok {
		return
	}
	if dst.Exists() {
		c.Tx.SetMeta(dst.Entry(), m)
	} else {
		dst.Create(m)
	}
	it := endOf(&src, fromFront)
	dst.Push(toFront, it.Element())
	c.Out.Bulk(it.Element())
	it.Close()
	src.Drop(fromFront, 1)
	c.Tell(0, Deleted)
	c.Tell(1, Stored)
}
