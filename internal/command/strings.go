package command

import (
	"math"
	"strconv"

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
			Effect: EffectWhole, Action: ActionWrite, Run: runSet},
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

// setOptions are the options of SET.
type setOptions struct {
	nx, xx, get bool
	ask         Ask
}

func (c *Call) setOptions() (o setOptions, ok bool) {
	var unit expiryUnit
	var stated []byte
	for i := 3; i < len(c.Args); i++ {
		a := c.Args[i]
		u, isExpiry := expiryOption(a)
		switch {
		case word(a, "NX") && !o.xx:
			o.nx = true
		case word(a, "XX") && !o.nx:
			o.xx = true
		case word(a, "GET"):
			o.get = true
		case word(a, "KEEPTTL") && stated == nil:
			o.ask.Kind = AskKeep
		case isExpiry && stated == nil && o.ask.Kind != AskKeep && i+1 < len(c.Args):
			i++
			unit, stated = u, c.Args[i]
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
	}
	if stated != nil {
		o.ask, ok = c.ask(stated, unit)
		return o, ok
	}
	return o, true
}

func runSet(c *Call) {
	o, ok := c.setOptions()
	if !ok {
		return
	}
	old := c.Tx.Peek(&c.Keys[0])
	if o.get && old.Exists() && old.Kind() != engine.String {
		c.Error(resp.MsgWrongType)
		return
	}
	if o.nx && old.Exists() || o.xx && !old.Exists() {
		c.Tell(0, Unchanged)
		if o.get {
			c.answerOld(old)
		} else {
			c.Out.Null()
		}
		return
	}
	past := o.ask.Kind == AskAt && o.ask.At <= c.Now
	var m engine.Meta
	if !past {
		if m, ok = c.Expiry.Whole(c, 0, o.ask, old); !ok {
			return
		}
	}
	if o.get {
		c.answerOld(old)
	} else {
		c.Out.Status("OK")
	}
	if past {
		// An instant that has passed: as in Redis the value is gone before anybody can read it.
		c.Delete(0)
		return
	}
	c.Tx.SetString(&c.Keys[0], m, c.Args[2])
	c.Tell(0, Stored)
}

// answerOld answers the value that a string entry has before it is replaced.
func (c *Call) answerOld(old engine.Entry) {
	if old.Exists() {
		c.Out.Bulk(old.String())
	} else {
		c.Out.Null()
	}
}

func runSetNX(c *Call) {
	if old := c.Tx.Peek(&c.Keys[0]); old.Exists() {
		c.Tell(0, Unchanged)
		c.Out.Int(0)
		return
	}
	if c.SetString(0, Ask{}, engine.Entry{}, c.Args[2]) {
		c.Out.Int(1)
	}
}

func runSetEX(c *Call, seconds bool) {
	ask, ok := c.ask(c.Args[2], expiryUnit{seconds: seconds})
	if ok && c.SetString(0, ask, c.Tx.Peek(&c.Keys[0]), c.Args[3]) {
		c.Out.Status("OK")
	}
}

func runGetSet(c *Call) {
	old := c.Tx.Peek(&c.Keys[0])
	if old.Exists() && old.Kind() != engine.String {
		c.Error(resp.MsgWrongType)
		return
	}
	m, ok := c.Expiry.Whole(c, 0, Ask{}, old)
	if !ok {
		return
	}
	c.answerOld(old)
	c.Tx.SetString(&c.Keys[0], m, c.Args[2])
	c.Tell(0, Stored)
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
	ask, change, ok := c.getEXOptions()
	if !ok {
		return
	}
	e := c.Get(0)
	if !e.Exists() {
		c.Out.Null()
		return
	}
	if e.Kind() != engine.String {
		c.Error(resp.MsgWrongType)
		return
	}
	if !change {
		c.Out.Bulk(e.String())
		return
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

func (c *Call) getEXOptions() (ask Ask, change, ok bool) {
	switch len(c.Args) {
	case 2:
		return Ask{}, false, true
	case 3:
		if word(c.Args[2], "PERSIST") {
			return Ask{Kind: AskPersist}, true, true
		}
	case 4:
		if unit, isExpiry := expiryOption(c.Args[2]); isExpiry {
			ask, ok = c.ask(c.Args[3], unit)
			return ask, true, ok
		}
	}
	c.Error(resp.MsgSyntax)
	return Ask{}, false, false
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

// runMSet asks for every deadline before it writes anything, so that a refusal leaves all keys as they were.
func runMSet(c *Call) {
	if c.setAll() {
		c.Out.Status("OK")
	}
}

func runMSetNX(c *Call) {
	if len(c.Args)%2 == 0 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return
	}
	for i := range c.Keys {
		if c.Tx.Peek(&c.Keys[i]).Exists() {
			for j := range c.Keys {
				c.Tell(j, Unchanged)
			}
			c.Out.Int(0)
			return
		}
	}
	if c.setAll() {
		c.Out.Int(1)
	}
}

func (c *Call) setAll() bool {
	if len(c.Args)%2 == 0 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return false
	}
	c.metas = c.metas[:0]
	for i := range c.Keys {
		m, ok := c.Expiry.Whole(c, i, Ask{}, c.Tx.Peek(&c.Keys[i]))
		if !ok {
			return false
		}
		c.metas = append(c.metas, m)
	}
	for i := range c.Keys {
		c.Tx.SetString(&c.Keys[i], c.metas[i], c.Args[2+2*i])
		c.Tell(i, Stored)
	}
	return true
}

// part returns the entry that a partial write of a string goes to, made with length zero bytes where there is none; false
// means that an error is answered.
func (c *Call) part(key, length int) (engine.Entry, bool) {
	e := c.Tx.Peek(&c.Keys[key])
	if e.Exists() {
		if e.Kind() != engine.String {
			c.Error(resp.MsgWrongType)
			return e, false
		}
		if len(e.String()) != length {
			e = c.Tx.Resize(e, length)
		}
		c.Tell(key, Stored)
		return e, true
	}
	m, ok := c.Expiry.Whole(c, key, Ask{}, e)
	if !ok {
		return e, false
	}
	e = c.Tx.NewString(&c.Keys[key], m, length)
	c.Tell(key, Stored)
	return e, true
}

func runAppend(c *Call) {
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	had := len(old)
	if had+len(c.Args[2]) > maxStringBytes {
		c.Error(resp.MsgStringTooLong)
		return
	}
	e, ok := c.part(0, had+len(c.Args[2]))
	if !ok {
		return
	}
	copy(e.String()[had:], c.Args[2])
	c.Out.Int(int64(len(e.String())))
}

func runStrlen(c *Call) {
	if value, ok := c.GetString(0); ok {
		c.Out.Int(int64(len(value)))
	}
}

func runSetRange(c *Call) {
	offset, ok := c.intArg(2)
	if !ok {
		return
	}
	if offset < 0 {
		c.Error(resp.MsgOffsetRange)
		return
	}
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	data := c.Args[3]
	if len(data) == 0 {
		c.Tell(0, Unchanged)
		c.Out.Int(int64(len(old)))
		return
	}
	if offset > maxStringBytes || offset+int64(len(data)) > maxStringBytes {
		c.Error(resp.MsgStringTooLong)
		return
	}
	e, ok := c.part(0, max(len(old), int(offset)+len(data)))
	if !ok {
		return
	}
	copy(e.String()[offset:], data)
	c.Out.Int(int64(len(e.String())))
}

func runGetRange(c *Call) {
	start, ok := c.intArg(2)
	if !ok {
		return
	}
	end, ok := c.intArg(3)
	if !ok {
		return
	}
	value, ok := c.GetString(0)
	if !ok {
		return
	}
	n := int64(len(value))
	if start < 0 && end < 0 && start > end {
		c.Out.Bulk(nil)
		return
	}
	start, end = fromEnd(start, n), fromEnd(end, n)
	end = min(end, n-1)
	if n == 0 || start > end {
		c.Out.Bulk(nil)
		return
	}
	c.Out.Bulk(value[start : end+1])
}

// fromEnd turns an index that may count from the end into one from the start, not below 0.
func fromEnd(i, n int64) int64 {
	if i < 0 {
		i += n
	}
	return max(i, 0)
}

func runIncrBy(c *Call) {
	if n, ok := c.intArg(2); ok {
		incrBy(c, n)
	}
}

func runDecrBy(c *Call) {
	n, ok := c.intArg(2)
	if !ok {
		return
	}
	if n == math.MinInt64 {
		c.Error(resp.MsgDecrOverflow)
		return
	}
	incrBy(c, -n)
}

func incrBy(c *Call, by int64) {
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	var n int64
	if old != nil {
		if n, ok = parseInt(old); !ok {
			c.Error(resp.MsgNotInteger)
			return
		}
	}
	if by < 0 && n < math.MinInt64-by || by > 0 && n > math.MaxInt64-by {
		c.Error(resp.MsgIncrOverflow)
		return
	}
	var text [20]byte
	if c.writePart(strconv.AppendInt(text[:0], n+by, 10)) {
		c.Out.Int(n + by)
	}
}

// writePart makes a string value what an arithmetic command computed; the deadline of an existing entry stays.
func (c *Call) writePart(value []byte) bool {
	e, ok := c.part(0, len(value))
	if ok {
		copy(e.String(), value)
	}
	return ok
}

func runIncrByFloat(c *Call) {
	old, ok := c.GetString(0)
	if !ok {
		return
	}
	if old == nil {
		old = []byte("0")
	}
	var text [512]byte
	value, problem := addFloats(text[:0], old, c.Args[2], resp.MsgNotFloat)
	if problem != "" {
		c.Error(problem)
		return
	}
	if c.writePart(value) {
		c.Out.Bulk(value)
	}
	clear(text[:])
}
