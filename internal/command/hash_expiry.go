package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Deadlines of single fields, as Redis 7.4 has them. A field's deadline is never later than its hash's, whatever is asked
// for; what is beyond the category's ceiling is clamped or refused by the same rule as EXPIRE.

func hashExpiryCommands() []*Spec {
	setting := func(name, syntax, summary string, u expiryUnit) *Spec {
		return &Spec{Name: name, Arity: -6, Flags: Write | DenyOOM | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "hash", Since: "7.4.0", Complexity: "O(N log M) with N fields named and M fields with deadlines", Summary: summary,
			Syntax: "key " + syntax + " [NX | XX | GT | LT] FIELDS numfields field [field ...]",
			Effect: EffectChange, Action: ActionWrite, Run: func(c *Call) { runHExpire(c, u) }}
	}
	telling := func(name, summary string, answer func(*Call, int64) int64) *Spec {
		return &Spec{Name: name, Arity: -5, Flags: ReadOnly | Fast, Categories: CatHash, Keys: oneKey(KeyRO | KeyAccess),
			Group: "hash", Since: "7.4.0", Complexity: "O(N) with N fields", Summary: summary,
			Syntax: "key FIELDS numfields field [field ...]", Action: ActionRead, Run: func(c *Call) { runHTTL(c, answer) }}
	}
	return []*Spec{
		setting("HEXPIRE", "seconds", "Gives fields a time to live in seconds, at most the hash's.", expiryUnit{seconds: true}),
		setting("HPEXPIRE", "milliseconds", "Gives fields a time to live in milliseconds, at most the hash's.", expiryUnit{}),
		setting("HEXPIREAT", "unix-time-seconds", "Gives fields a deadline in Unix seconds, at most the hash's.", expiryUnit{seconds: true, absolute: true}),
		setting("HPEXPIREAT", "unix-time-milliseconds", "Gives fields a deadline in Unix milliseconds, at most the hash's.", expiryUnit{absolute: true}),
		telling("HTTL", "Returns the time to live that fields have of their own, in seconds.", func(c *Call, at int64) int64 { return (at - c.Now + 999) / 1000 }),
		telling("HPTTL", "Returns the time to live that fields have of their own, in milliseconds.", func(c *Call, at int64) int64 { return at - c.Now }),
		telling("HEXPIRETIME", "Returns the deadlines that fields have of their own, in Unix seconds.", func(c *Call, at int64) int64 { return (c.Wall(at) + 999) / 1000 }),
		telling("HPEXPIRETIME", "Returns the deadlines that fields have of their own, in Unix milliseconds.", (*Call).Wall),
		{Name: "HPERSIST", Arity: -5, Flags: Write | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "hash", Since: "7.4.0", Complexity: "O(N log M) with N fields named and M fields with deadlines", Summary: "Takes fields' own deadlines away; the hash's still holds.",
			Syntax: "key FIELDS numfields field [field ...]", Effect: EffectChange, Action: ActionWrite, Run: runHPersist},
		{Name: "HGETDEL", Arity: -5, Flags: Write | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyAccess | KeyDelete),
			Group: "hash", Since: "8.0.0", Complexity: "O(N) with N fields", Summary: "Returns the values of fields and erases them.",
			Syntax: "key FIELDS numfields field [field ...]", Action: ActionDelete, Run: runHGetDel},
		{Name: "HGETEX", Arity: -5, Flags: Write | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "hash", Since: "8.0.0", Complexity: "O(N log M) with N fields named and M fields with deadlines", Summary: "Returns the values of fields and changes their own deadlines.",
			Syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] FIELDS numfields field [field ...]",
			Effect: EffectChange, Action: ActionRead, Run: runHGetEX},
		{Name: "HSETEX", Arity: -6, Flags: Write | DenyOOM | Fast, Categories: CatHash, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "hash", Since: "8.0.0", Complexity: "O(N log M) with N fields named and M fields with deadlines", Summary: "Writes fields of a hash with deadlines of their own.",
			Syntax: "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
			Effect: EffectPart, Action: ActionWrite, Run: runHSetEX},
	}
}

// What the replies say of a field.
const (
	noField     = -2
	noFieldTTL  = -1
	notMet      = 0 // the condition did not hold
	fieldSet    = 1
	fieldErased = 2 // the deadline asked for has passed
)

const (
	msgFieldsMissing   = "ERR Mandatory argument FIELDS is missing or not at the right position"
	msgFieldsPositive  = "ERR Number of fields must be a positive integer"
	msgNumFields       = "ERR Parameter `numFields` should be greater than 0"
	msgFieldsCount     = "ERR The `numfields` parameter must match the number of arguments"
	msgNegativeExpire  = "ERR invalid expire time, must be >= 0"
	latestFieldExpires = (1<<48 - 1) >> 2 // Unix milliseconds: the year 4199, as in Redis
)

// fieldsArg reads FIELDS numfields field ... from an index to the end, or answers Redis's error; notPositive is its text
// for a bad number.
func (c *Call) fieldsArg(i int, notPositive string) ([][]byte, bool) {
	if !word(c.Args[i], "FIELDS") {
		c.Error(msgFieldsMissing)
		return nil, false
	}
	n, ok := ParseInt(c.Args[i+1])
	if !ok || n < 1 {
		c.Error(notPositive)
		return nil, false
	}
	if n != int64(len(c.Args)-i-2) {
		c.Error(msgFieldsCount)
		return nil, false
	}
	return c.Args[i+2:], true
}

// fieldExpiry reads a deadline for fields, or answers Redis's error. Zero is an instant that has passed, never "none".
func (c *Call) fieldExpiry(arg []byte, u expiryUnit) (at int64, ok bool) {
	n, ok := ParseInt(arg)
	switch {
	case !ok:
		c.Error(resp.MsgNotInteger)
		return 0, false
	case n < 0:
		c.Error(msgNegativeExpire)
		return 0, false
	}
	if u.seconds && n <= latestFieldExpires/1000 {
		n *= 1000
	} else if u.seconds {
		n = math.MaxInt64
	}
	latest := int64(latestFieldExpires)
	if !u.absolute {
		latest -= c.WallNow
	}
	if n > latest {
		c.Error(resp.InvalidExpireTime(c.Spec.full))
		return 0, false
	}
	if u.absolute {
		return c.Engine(n), true
	}
	return c.Now + n, true
}

// mayExpireAt asks policy when a field's deadline is to be later than its hash's, so that what is beyond the ceiling is
// refused or noted as clamped; what is granted changes nothing, because the engine lets no field outlive its hash.
func (c *Call) mayExpireAt(h *engine.HashValue, at int64) bool {
	e := h.Entry()
	if at <= e.Meta().ExpiresAt {
		return true
	}
	_, ok := c.Expiry.Change(c, 0, Ask{AskAt, at}, e)
	return ok
}

func runHExpire(c *Call, u expiryUnit) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	at, ok := c.fieldExpiry(c.Args[2], u)
	if !ok {
		return
	}
	when, conditional := fieldCondition(c.Args[3])
	next := 3
	if conditional {
		next++
	}
	fields, ok := c.fieldsArg(next, msgNumFields)
	if !ok || h.Exists() && !c.mayExpireAt(&h, at) {
		return
	}
	c.Out.Array(len(fields))
	changed := false
	for _, field := range fields {
		result := c.expireField(&h, field, at, when)
		changed = changed || result >= fieldSet
		c.Out.Int(result)
	}
	c.tellChanged(changed)
}

// tellChanged notes that the first key's entry was changed or, though it is there, was not.
func (c *Call) tellChanged(changed bool) {
	if changed {
		c.Tell(0, Stored)
	} else if c.Told[0] == Hit {
		c.Tell(0, Unchanged)
	}
}

// fieldCondition reads NX, XX, GT or LT. A field without a deadline counts as one that never ends.
func fieldCondition(arg []byte) (holds func(at, present int64, timed bool) bool, ok bool) {
	switch {
	case word(arg, "NX"):
		return func(_, _ int64, timed bool) bool { return !timed }, true
	case word(arg, "XX"):
		return func(_, _ int64, timed bool) bool { return timed }, true
	case word(arg, "GT"):
		return func(at, present int64, timed bool) bool { return timed && at > present }, true
	case word(arg, "LT"):
		return func(at, present int64, timed bool) bool { return !timed || at < present }, true
	}
	return func(_, _ int64, _ bool) bool { return true }, false
}

func (c *Call) expireField(h *engine.HashValue, field []byte, at int64, holds func(at, present int64, timed bool) bool) int64 {
	present, timed, found := h.Deadline(field)
	switch {
	case !found:
		return noField
	case !holds(at, present, timed):
		return notMet
	}
	h.SetDeadline(field, at)
	if at <= c.Now {
		return fieldErased
	}
	return fieldSet
}

func runHTTL(c *Call, answer func(*Call, int64) int64) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	fields, ok := c.fieldsArg(2, msgFieldsPositive)
	if !ok {
		return
	}
	c.Out.Array(len(fields))
	for _, field := range fields {
		switch at, timed, found := h.Deadline(field); {
		case !found:
			c.Out.Int(noField)
		case !timed:
			c.Out.Int(noFieldTTL)
		default:
			c.Out.Int(answer(c, at))
		}
	}
}

func runHPersist(c *Call) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	fields, ok := c.fieldsArg(2, msgFieldsPositive)
	if !ok {
		return
	}
	c.Out.Array(len(fields))
	changed := false
	for _, field := range fields {
		switch _, timed, found := h.Deadline(field); {
		case !found:
			c.Out.Int(noField)
		case !timed:
			c.Out.Int(noFieldTTL)
		default:
			changed = h.ClearDeadline(field)
			c.Out.Int(fieldSet)
		}
	}
	c.tellChanged(changed)
}
