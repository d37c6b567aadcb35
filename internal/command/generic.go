package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func genericCommands() []*Spec {
	return []*Spec{
		{Name: "DEL", Arity: -2, Flags: Write, Categories: CatKeyspace, Keys: allKeys(KeyRM | KeyDelete),
			Group: "generic", Since: "1.0.0", Complexity: "O(N) with N keys; large values are erased in slices", Summary: "Erases keys.",
			Syntax: "key [key ...]", Tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			Action: ActionDelete, Run: runDel},
		{Name: "UNLINK", Arity: -2, Flags: Write | Fast, Categories: CatKeyspace, Keys: allKeys(KeyRM | KeyDelete),
			Group: "generic", Since: "4.0.0", Complexity: "O(N) with N keys", Summary: "Erases keys; the same as DEL here.",
			Syntax: "key [key ...]", Tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			Action: ActionDelete, Run: runDel},
		{Name: "EXISTS", Arity: -2, Flags: ReadOnly | Fast, Categories: CatKeyspace, Keys: allKeys(KeyRO),
			Group: "generic", Since: "1.0.0", Complexity: "O(N) with N keys", Summary: "Counts how many of the keys hold something.",
			Syntax: "key [key ...]", Tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			Action: ActionRead, Run: runExists},
		{Name: "TOUCH", Arity: -2, Flags: ReadOnly | Fast, Categories: CatKeyspace, Keys: allKeys(KeyRO),
			Group: "generic", Since: "3.2.1", Complexity: "O(N) with N keys", Summary: "Counts how many of the keys hold something, and counts a read of each.",
			Syntax: "key [key ...]", Tips: []string{"request_policy:multi_shard", "response_policy:agg_sum"},
			Action: ActionRead, Run: runTouch},
		{Name: "TYPE", Arity: 2, Flags: ReadOnly | Fast, Categories: CatKeyspace, Keys: oneKey(KeyRO),
			Group: "generic", Since: "1.0.0", Complexity: "O(1)", Summary: "Returns the type of a key's value.",
			Syntax: "key", Action: ActionRead, Run: runType},
		{Name: "RENAME", Arity: 3, Flags: Write, Categories: CatKeyspace, Keys: []KeySpec{
			{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}, {Begin: 2, Step: 1, Flags: KeyOW | KeyUpdate}},
			Group: "generic", Since: "1.0.0", Complexity: "O(N) with N the size of the value", Summary: "Gives a value another key, within one tenant; its deadline never grows.",
			Syntax: "key newkey", Effect: EffectDerive, Action: ActionWrite, Run: func(c *Call) { runRename(c, false) }},
		{Name: "RENAMENX", Arity: 3, Flags: Write | Fast, Categories: CatKeyspace, Keys: []KeySpec{
			{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyDelete}, {Begin: 2, Step: 1, Flags: KeyOW | KeyInsert}},
			Group: "generic", Since: "1.0.0", Complexity: "O(N) with N the size of the value", Summary: "Gives a value another key if that key holds nothing.",
			Syntax: "key newkey", Effect: EffectDerive, Action: ActionWrite, Run: func(c *Call) { runRename(c, true) }},
		{Name: "COPY", Arity: -3, Flags: Write | DenyOOM, Categories: CatKeyspace, Keys: []KeySpec{
			{Begin: 1, Step: 1, Flags: KeyRO | KeyAccess}, {Begin: 2, Step: 1, Flags: KeyOW | KeyUpdate}},
			Group: "generic", Since: "6.2.0", Complexity: "O(N) with N the size of the value", Summary: "Copies a value to another key, within one tenant; the copy's deadline is no later.",
			Syntax: "source destination [DB destination-db] [REPLACE]", Effect: EffectDerive, Action: ActionWrite, Run: runCopy},
	}
}

func runDel(c *Call) {
	n := int64(0)
	for i := range c.Keys {
		if c.Delete(i) {
			n++
		}
	}
	c.Out.Int(n)
}

func runExists(c *Call) {
	n := int64(0)
	for i := range c.Keys {
		if c.Peek(i).Exists() {
			n++
		}
	}
	c.Out.Int(n)
}

func runTouch(c *Call) {
	c.NoTouch = false // this command is for counting reads, whatever CLIENT NO-TOUCH said
	n := int64(0)
	for i := range c.Keys {
		if c.Get(i).Exists() {
			n++
		}
	}
	c.Out.Int(n)
}

func runType(c *Call) { c.Out.Status(c.Peek(0).Kind().String()) }

func runRename(c *Call, onlyIfNew bool) {
	src := c.Peek(0)
	if !src.Exists() {
		c.Error(resp.MsgNoSuchKey)
		return
	}
	if string(c.Args[1]) == string(c.Args[2]) {
		c.Tell(1, Unchanged)
		if onlyIfNew {
			c.Out.Int(0)
		} else {
			c.Out.Status("OK")
		}
		return
	}
	if onlyIfNew && c.Tx.Peek(&c.Keys[1]).Exists() {
		c.Tell(1, Unchanged)
		c.Out.Int(0)
		return
	}
	m, ok := c.derive(1, Ask{}, src)
	if !ok {
		return
	}
	c.Tx.Copy(&c.Keys[1], m, src)
	c.Delete(0)
	c.Tell(1, Stored)
	if onlyIfNew {
		c.Out.Int(1)
	} else {
		c.Out.Status("OK")
	}
}

// derive asks for the deadline of an entry that is made out of others.
func (c *Call) derive(key int, ask Ask, sources ...engine.Entry) (engine.Meta, bool) {
	c.metas = c.metas[:0]
	for _, e := range sources {
		if e.Exists() {
			c.metas = append(c.metas, e.Meta())
		}
	}
	return c.Expiry.Derive(c, key, ask, c.metas)
}

func runCopy(c *Call) {
	replace := false
	for i := 3; i < len(c.Args); i++ {
		switch {
		case word(c.Args[i], "REPLACE"):
			replace = true
		case word(c.Args[i], "DB") && i+1 < len(c.Args):
			i++
			n, ok := c.intArg(i)
			if !ok {
				return
			}
			if n != 0 {
				c.Error(resp.MsgDBIndex)
				return
			}
		default:
			c.Error(resp.MsgSyntax)
			return
		}
	}
	if string(c.Args[1]) == string(c.Args[2]) {
		c.Error(resp.MsgSameObject)
		return
	}
	src := c.Get(0)
	if !src.Exists() {
		c.Tell(1, Unchanged)
		c.Out.Int(0)
		return
	}
	if !replace && c.Tx.Peek(&c.Keys[1]).Exists() {
		c.Tell(1, Unchanged)
		c.Out.Int(0)
		return
	}
	m, ok := c.derive(1, Ask{}, src)
	if !ok {
		return
	}
	c.Tx.Copy(&c.Keys[1], m, src)
	c.Tell(1, Stored)
	c.Out.Int(1)
}
