package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const maxStringBytes = 512 << 20

func stringCommands() []*Spec {
	return []*Spec{
		{Name: "GET", Arity: 2, Flags: ReadOnly | Fast, Categories: CatString, Keys: oneKey(KeyRO | KeyAccess),
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Returns the string value of a key.",
			Syntax: "key", Action: ActionRead, Run: runGet},
		{Name: "SET", Arity: -3, Flags: Write | DenyOOM, Categories: CatString, Keys: []KeySpec{{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyUpdate | KeyVariable, Notes: "RW and ACCESS because of the GET option"}},
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Writes a string value, whatever the key held, with a deadline.",
			Syntax: "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
			Effect: EffectWhole, Action: ActionWrite, KeyFlags: setKeyFlags, Run: runSet},
		{Name: "SETNX", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyOW | KeyInsert),
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Writes a string value if the key holds nothing.",
			Syntax: "key value", Effect: EffectWhole, Action: ActionWrite, Run: runSetNX},
		{Name: "SETEX", Arity: 4, Flags: Write | DenyOOM, Categories: CatString, Keys: oneKey(KeyOW | KeyUpdate),
			Group: "string", Since: "2.0.0", Complexity: "O(1)", Summary: "Writes a string value with a time to live in seconds.",
			Syntax: "key seconds value", Effect: EffectWhole, Action: ActionWrite, Run: func(c *Call) { runSetEX(c, true) }},
		{Name: "PSETEX", Arity: 4, Flags: Write | DenyOOM, Categories: CatString, Keys: oneKey(KeyOW | KeyUpdate),
			Group: "string", Since: "2.6.0", Complexity: "O(1)", Summary: "Writes a string value with a time to live in milliseconds.",
			Syntax: "key milliseconds value", Effect: EffectWhole, Action: ActionWrite, Run: func(c *Call) { runSetEX(c, false) }},
		{Name: "GETSET", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Writes a string value and returns the one before.",
			Syntax: "key value", Effect: EffectWhole, Action: ActionWrite, Run: runGetSet},
		{Name: "GETDEL", Arity: 2, Flags: Write | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyAccess | KeyDelete),
			Group: "string", Since: "6.2.0", Complexity: "O(1)", Summary: "Returns a string value and erases the key.",
			Syntax: "key", Action: ActionDelete, Run: runGetDel},
		{Name: "GETEX", Arity: -2, Flags: Write | Fast, Categories: CatString, Keys: []KeySpec{{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyUpdate, Notes: "RW and UPDATE because it changes the TTL"}},
			Group: "string", Since: "6.2.0", Complexity: "O(1)", Summary: "Returns a string value and changes the key's deadline within its ceiling.",
			Syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
			Effect: EffectChange, Action: ActionRead, Run: runGetEX},
		{Name: "MGET", Arity: -2, Flags: ReadOnly | Fast, Categories: CatString, Keys: allKeys(KeyRO | KeyAccess),
			Group: "string", Since: "1.0.0", Complexity: "O(N) with N keys", Summary: "Returns the string values of several keys at one instant.",
			Syntax: "key [key ...]", Tips: []string{"request_policy:multi_shard"}, Action: ActionRead, Run: runMGet},
		{Name: "MSET", Arity: -3, Flags: Write | DenyOOM, Categories: CatString, Keys: []KeySpec{{Begin: 1, Last: -1, Step: 2, Flags: KeyOW | KeyUpdate}},
			Group: "string", Since: "1.0.1", Complexity: "O(N) with N keys", Summary: "Writes the string values of several keys at one instant.",
			Syntax: "key value [key value ...]", Tips: []string{"request_policy:multi_shard", "response_policy:all_succeeded"},
			Effect: EffectWhole, Action: ActionWrite, Run: runMSet},
		{Name: "MSETNX", Arity: -3, Flags: Write | DenyOOM, Categories: CatString, Keys: []KeySpec{{Begin: 1, Last: -1, Step: 2, Flags: KeyOW | KeyInsert}},
			Group: "string", Since: "1.0.1", Complexity: "O(N) with N keys", Summary: "Writes the string values of several keys if none of them holds anything.",
			Syntax: "key value [key value ...]", Effect: EffectWhole, Action: ActionWrite, Run: runMSetNX},
		{Name: "APPEND", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyInsert),
			Group: "string", Since: "2.0.0", Complexity: "O(1) amortised", Summary: "Adds to the end of a string value; the deadline stays.",
			Syntax: "key value", Effect: EffectPart, Action: ActionWrite, Run: runAppend},
		{Name: "STRLEN", Arity: 2, Flags: ReadOnly | Fast, Categories: CatString, Keys: oneKey(KeyRO),
			Group: "string", Since: "2.2.0", Complexity: "O(1)", Summary: "Returns the length of a string value in bytes.",
			Syntax: "key", Action: ActionRead, Run: runStrlen},
		{Name: "SETRANGE", Arity: 4, Flags: Write | DenyOOM, Categories: CatString, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "string", Since: "2.2.0", Complexity: "O(1) for short values, else O(M) with M the length of the value", Summary: "Overwrites a part of a string value from an offset on; the deadline stays.",
			Syntax: "key offset value", Effect: EffectPart, Action: ActionWrite, Run: runSetRange},
		{Name: "GETRANGE", Arity: 4, Flags: ReadOnly, Categories: CatString, Keys: oneKey(KeyRO | KeyAccess),
			Group: "string", Since: "2.4.0", Complexity: "O(N) with N the length of the result", Summary: "Returns a part of a string value.",
			Syntax: "key start end", Action: ActionRead, Run: runGetRange},
		{Name: "LCS", Arity: -3, Flags: ReadOnly, Categories: CatString, Keys: []KeySpec{{Begin: 1, Last: 1, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "string", Since: "7.0.0", Complexity: "O(N*M) with N and M the lengths of the values", Summary: "Finds the longest subsequence that two string values share.",
			Syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]", Action: ActionRead, Run: runLCS},
		{Name: "SUBSTR", Arity: 4, Flags: ReadOnly, Categories: CatString, Keys: oneKey(KeyRO | KeyAccess),
			Group: "string", Since: "1.0.0", Complexity: "O(N) with N the length of the result", Summary: "Returns a part of a string value; the old name of GETRANGE.",
			Syntax: "key start end", Action: ActionRead, Run: runGetRange},
		{Name: "INCR", Arity: 2, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Adds one to an integer value, 0 where there is none; the deadline stays.",
			Syntax: "key", Effect: EffectPart, Action: ActionWrite, Run: func(c *Call) { incrBy(c, 1) }},
		{Name: "DECR", Arity: 2, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Takes one from an integer value, 0 where there is none; the deadline stays.",
			Syntax: "key", Effect: EffectPart, Action: ActionWrite, Run: func(c *Call) { incrBy(c, -1) }},
		{Name: "INCRBY", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Adds to an integer value, 0 where there is none; the deadline stays.",
			Syntax: "key increment", Effect: EffectPart, Action: ActionWrite, Run: runIncrBy},
		{Name: "DECRBY", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "string", Since: "1.0.0", Complexity: "O(1)", Summary: "Takes from an integer value, 0 where there is none; the deadline stays.",
			Syntax: "key decrement", Effect: EffectPart, Action: ActionWrite, Run: runDecrBy},
		{Name: "INCRBYFLOAT", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "string", Since: "2.6.0", Complexity: "O(1)", Summary: "Adds to a number, 0 where there is none; the deadline stays.",
			Syntax: "key increment", Effect: EffectPart, Action: ActionWrite, Run: runIncrByFloat},
	}
}

func runGet(c *Call) {
	e := c.Get(0)
	switch e.Kind() {
	case engine.String:
		c.Out.Bulk(e.String())
	case 0:
		c.Out.Null()
	default:
		c.Error(resp.MsgWrongType)
	}
}

func runGetDel(c *Call) {
	value, ok := c.GetString(0)
	if !ok {
		return
	}
	if value == nil {
		c.Out.Null()
		return
	}
	c.Out.Bulk(value)
	c.Delete(0)
}

func runGetEX(c *Call) {
	option, ok := c.getEXOption()
	if !ok {
		return
	}
	e := c.Get(0)
	switch e.Kind() {
	case 0:
		c.Out.Null()
		return
	case engine.String:
	default:
		c.Error(resp.MsgWrongType)
		return
	}
	ask := Ask{Kind: AskPersist}
	switch {
	case option.none:
		c.Out.Bulk(e.String())
		return
	case option.number != nil: // Redis looks at it only now
		if ask, ok = c.ask(option.number, option.unit); !ok {
			return
		}
	}
	if ask.Kind == AskAt && ask.At <= c.Now {
		c.Out.Bulk(e.String())
		c.Delete(0)
		return
	}
	m, ok := c.Expiry.Change(c, 0, ask, e)
	if !ok {
		return
	}
	c.Out.Bulk(e.String())
	c.Tx.SetMeta(e, m)
}

// getEXOption is the option of GETEX: none, PERSIST (neither none nor a number), or a unit with its number.
type getEXOption struct {
	none   bool
	unit   expiryUnit
	number []byte
}

func (c *Call) getEXOption() (o getEXOption, ok bool) {
	switch len(c.Args) {
	case 2:
		return getEXOption{none: true}, true
	case 3:
		if word(c.Args[2], "PERSIST") {
			return getEXOption{}, true
		}
	case 4:
		if unit, isExpiry := expiryOption(c.Args[2]); isExpiry {
			return getEXOption{unit: unit, number: c.Args[3]}, true
		}
	}
	c.Error(resp.MsgSyntax)
	return o, false
}

func runMGet(c *Call) {
	c.Out.Array(len(c.Keys))
	for i := range c.Keys {
		if e := c.Get(i); e.Kind() == engine.String {
			c.Out.Bulk(e.String())
		} else {
			c.Out.Null()
		}
	}
}
