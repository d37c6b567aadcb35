package command

import (
	"math"
	"strconv"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func hashCommands() []*Spec {
	return []*Spec{
		{Name: "HSET", Arity: -4, Flags: Write | DenyOOM | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "hash", Since: "2.0.0", Complexity: "O(N) with N fields", Summary: "Writes fields of a hash and takes their own deadlines away; the hash's deadline stays.",
			Syntax: "key field value [field value ...]", Effect: EffectPart, Action: ActionWrite, Run: runHSet},
		{Name: "HMSET", Arity: -4, Flags: Write | DenyOOM | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "hash", Since: "2.0.0", Complexity: "O(N) with N fields", Summary: "Writes fields of a hash; the old name of HSET, which answers OK.",
			Syntax: "key field value [field value ...]", Effect: EffectPart, Action: ActionWrite, Run: runHMSet},
		{Name: "HSETNX", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyInsert),
			Group: "hash", Since: "2.0.0", Complexity: "O(1)", Summary: "Writes a field of a hash if the field is not there.",
			Syntax: "key field value", Effect: EffectPart, Action: ActionWrite, Run: runHSetNX},
		{Name: "HGET", Arity: 3, Flags: ReadOnly | Fast, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "2.0.0", Complexity: "O(1)", Summary: "Returns the value of a field.",
			Syntax: "key field", Action: ActionRead, Run: runHGet},
		{Name: "HMGET", Arity: -3, Flags: ReadOnly | Fast, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "2.0.0", Complexity: "O(N) with N fields", Summary: "Returns the values of several fields.",
			Syntax: "key field [field ...]", Action: ActionRead, Run: runHMGet},
		{Name: "HGETALL", Arity: 2, Flags: ReadOnly, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "2.0.0", Complexity: "O(N) with N the size of the hash", Summary: "Returns all fields and their values.",
			Syntax: "key", Tips: []string{"nondeterministic_output_order"}, Action: ActionRead, Run: runHGetAll},
		{Name: "HKEYS", Arity: 2, Flags: ReadOnly, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "2.0.0", Complexity: "O(N) with N the size of the hash", Summary: "Returns the names of all fields.",
			Syntax: "key", Tips: []string{"nondeterministic_output_order"}, Action: ActionRead, Run: runHKeys},
		{Name: "HVALS", Arity: 2, Flags: ReadOnly, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "2.0.0", Complexity: "O(N) with N the size of the hash", Summary: "Returns the values of all fields.",
			Syntax: "key", Tips: []string{"nondeterministic_output_order"}, Action: ActionRead, Run: runHVals},
		{Name: "HLEN", Arity: 2, Flags: ReadOnly | Fast, Categories: CatHash, Keys: oneKey(KeyRO),
			Group: "hash", Since: "2.0.0", Complexity: "O(1)", Summary: "Returns the number of fields.",
			Syntax: "key", Action: ActionRead, Run: runHLen},
		{Name: "HSTRLEN", Arity: 3, Flags: ReadOnly | Fast, Categories: CatHash, Keys: oneKey(KeyRO),
			Group: "hash", Since: "3.2.0", Complexity: "O(1)", Summary: "Returns the length of a field's value in bytes.",
			Syntax: "key field", Action: ActionRead, Run: runHStrlen},
		{Name: "HEXISTS", Arity: 3, Flags: ReadOnly | Fast, Categories: CatHash, Keys: oneKey(KeyRO),
			Group: "hash", Since: "2.0.0", Complexity: "O(1)", Summary: "Tells whether a hash has a field.",
			Syntax: "key field", Action: ActionRead, Run: runHExists},
		{Name: "HDEL", Arity: -3, Flags: Write | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyDelete),
			Group: "hash", Since: "2.0.0", Complexity: "O(N) with N fields", Summary: "Erases fields, and with the last one the hash.",
			Syntax: "key field [field ...]", Action: ActionDelete, Run: runHDel},
		{Name: "HINCRBY", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "hash", Since: "2.0.0", Complexity: "O(1)", Summary: "Adds to the integer value of a field, 0 where there is none; deadlines stay.",
			Syntax: "key field increment", Effect: EffectPart, Action: ActionWrite, Run: runHIncrBy},
		{Name: "HINCRBYFLOAT", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "hash", Since: "2.6.0", Complexity: "O(1)", Summary: "Adds to the number in a field, 0 where there is none; deadlines stay.",
			Syntax: "key field increment", Effect: EffectPart, Action: ActionWrite, Run: runHIncrByFloat},
		{Name: "HRANDFIELD", Arity: -2, Flags: ReadOnly, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "6.2.0", Complexity: "O(N) with N fields returned", Summary: "Returns fields chosen by chance.",
			Syntax: "key [count [WITHVALUES]]", Tips: []string{"nondeterministic_output"}, Action: ActionRead, Run: runHRandField},
		{Name: "HSCAN", Arity: -3, Flags: ReadOnly, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "2.8.0", Complexity: "O(1) a call, O(N) for all N fields", Summary: "Walks over the fields of a hash, some at a time.",
			Syntax: "key cursor [MATCH pattern] [COUNT count] [NOVALUES]", Tips: []string{"nondeterministic_output"},
			Action: ActionRead, Run: runHScan},
	}
}

// hash returns the hash of a key and notes a hit or a miss; false when the key holds something else and the error is
// answered.
func (c *Call) hash(key int) (h engine.HashValue, ok bool) {
	h, err := c.Tx.HashAt(&c.Keys[key])
	if err != nil {
		c.Error(resp.MsgWrongType)
		return h, false
	}
	c.seen(key, h.Exists())
	return h, true
}

// needHash makes the hash of a key if it is absent, with the deadline that policy grants; false means refused and
// answered.
func (c *Call) needHash(key int, h *engine.HashValue) bool {
	if h.Exists() {
		return true
	}
	m, ok := c.Expiry.Whole(c, key, Ask{}, engine.Entry{})
	if ok {
		h.Create(m)
	}
	return ok
}

// setFields is HSET and HMSET without their answers.
func (c *Call) setFields() (added int64, ok bool) {
	if len(c.Args)%2 != 0 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return 0, false
	}
	h, ok := c.hash(0)
	if !ok || !c.needHash(0, &h) {
		return 0, false
	}
	for i := 2; i < len(c.Args); i += 2 {
		if h.Set(c.Args[i], c.Args[i+1]) {
			added++
		}
	}
	c.Tell(0, Stored)
	return added, true
}

func runHSet(c *Call) {
	if added, ok := c.setFields(); ok {
		c.Out.Int(added)
	}
}

func runHMSet(c *Call) {
	if _, ok := c.setFields(); ok {
		c.Out.Status("OK")
	}
}

func runHSetNX(c *Call) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	if _, there := h.Get(c.Args[2]); there {
		c.Tell(0, Unchanged)
		c.Out.Int(0)
		return
	}
	if !c.needHash(0, &h) {
		return
	}
	h.Set(c.Args[2], c.Args[3])
	c.Tell(0, Stored)
	c.Out.Int(1)
}

func runHDel(c *Call) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	n := int64(0)
	for _, field := range c.Args[2:] {
		if h.Delete(field) {
			n++
		}
	}
	if n > 0 {
		c.Tell(0, Deleted)
	} else {
		c.Tell(0, Miss)
	}
	c.Out.Int(n)
}

func runHIncrBy(c *Call) {
	by, ok := c.intArg(3)
	if !ok {
		return
	}
	h, ok := c.hash(0)
	if !ok {
		return
	}
	n := int64(0)
	if old, there := h.Get(c.Args[2]); there {
		if n, ok = ParseInt(old); !ok {
			c.Error(resp.MsgHashNotInteger)
			return
		}
	}
	if by < 0 && n < math.MinInt64-by || by > 0 && n > math.MaxInt64-by {
		c.Error(resp.MsgIncrOverflow)
		return
	}
	var text [20]byte
	if c.updateField(&h, strconv.AppendInt(text[:0], n+by, 10)) {
		c.Out.Int(n + by)
	}
	clear(text[:])
}

// updateField makes the field that a command names what the command computed; deadlines stay.
func (c *Call) updateField(h *engine.HashValue, value []byte) bool {
	if !c.needHash(0, h) {
		return false
	}
	h.Update(c.Args[2], value)
	c.Tell(0, Stored)
	return true
}

func runHIncrByFloat(c *Call) {
	by, ok := parseFloat(c.Args[3])
	if !ok {
		c.Error(resp.MsgNotFloat)
		return
	}
	if math.IsInf(by, 0) {
		c.Error("ERR value is NaN or Infinity")
		return
	}
	h, ok := c.hash(0)
	if !ok {
		return
	}
	old, there := h.Get(c.Args[2])
	if !there {
		old = []byte("0")
	}
	var text [512]byte
	value, problem := addFloats(text[:0], old, c.Args[3], resp.MsgHashNotFloat)
	if problem != "" {
		c.Error(problem)
		return
	}
	if c.updateField(&h, value) {
		c.Out.Bulk(value)
	}
	clear(text[:])
}
