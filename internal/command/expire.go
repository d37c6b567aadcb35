package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const expireSyntax = "[NX | XX | GT | LT]"

func expireCommands() []*Spec {
	expire := func(name, since, summary, unit string, u expiryUnit) *Spec {
		return &Spec{Name: name, Arity: -3, Flags: Write | Fast, Categories: CatKeyspace, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "generic", Since: since, Complexity: "O(1)", Summary: summary, Syntax: "key " + unit + " " + expireSyntax,
			Effect: EffectChange, Action: ActionWrite, Run: func(c *Call) { runExpire(c, u) }}
	}
	ttl := func(name, since, summary string, answer func(c *Call, m engine.Meta) int64) *Spec {
		return &Spec{Name: name, Arity: 2, Flags: ReadOnly | Fast, Categories: CatKeyspace, Keys: oneKey(KeyRO | KeyAccess),
			Group: "generic", Since: since, Complexity: "O(1)", Summary: summary, Syntax: "key",
			Action: ActionRead, Run: func(c *Call) { runTTL(c, answer) }}
	}
	passing := func(s *Spec) *Spec { // its answer changes as time passes
		s.Tips = []string{"nondeterministic_output"}
		return s
	}
	return []*Spec{
		expire("EXPIRE", "1.0.0", "Sets a key's time to live in seconds, within its ceiling.", "seconds", expiryUnit{seconds: true}),
		expire("PEXPIRE", "2.6.0", "Sets a key's time to live in milliseconds, within its ceiling.", "milliseconds", expiryUnit{}),
		expire("EXPIREAT", "1.2.0", "Sets a key's deadline in Unix seconds, within its ceiling.", "unix-time-seconds", expiryUnit{seconds: true, absolute: true}),
		expire("PEXPIREAT", "2.6.0", "Sets a key's deadline in Unix milliseconds, within its ceiling.", "unix-time-milliseconds", expiryUnit{absolute: true}),
		{Name: "PERSIST", Arity: 2, Flags: Write | Fast, Categories: CatKeyspace, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "generic", Since: "2.2.0", Complexity: "O(1)", Summary: "Asks for no deadline, and gets the ceiling or a refusal: every entry has a deadline.",
			Syntax: "key", Effect: EffectChange, Action: ActionWrite, Run: runPersist},
		passing(ttl("TTL", "1.0.0", "Returns the seconds until the deadline that is enforced.", func(c *Call, m engine.Meta) int64 { return (m.ExpiresAt - c.Now + 500) / 1000 })),
		passing(ttl("PTTL", "2.6.0", "Returns the milliseconds until the deadline that is enforced.", func(c *Call, m engine.Meta) int64 { return m.ExpiresAt - c.Now })),
		ttl("EXPIRETIME", "7.0.0", "Returns the deadline that is enforced in Unix seconds.", func(c *Call, m engine.Meta) int64 { return (c.Wall(m.ExpiresAt) + 500) / 1000 }),
		ttl("PEXPIRETIME", "7.0.0", "Returns the deadline that is enforced in Unix milliseconds.", func(c *Call, m engine.Meta) int64 { return c.Wall(m.ExpiresAt) }),
	}
}

// expireCondition is NX, XX, GT, LT of the EXPIRE family. Every entry has a deadline, so NX never holds.
type expireCondition struct{ nx, xx, gt, lt bool }

func (c *Call) expireCondition(options [][]byte) (o expireCondition, ok bool) {
	for _, a := range options {
		switch {
		case word(a, "NX"):
			o.nx = true
		case word(a, "XX"):
			o.xx = true
		case word(a, "GT"):
			o.gt = true
		case word(a, "LT"):
			o.lt = true
		default:
			c.Error("ERR Unsupported option " + optionName(a))
			return o, false
		}
	}
	if o.nx && (o.xx || o.gt || o.lt) {
		c.Error(resp.MsgNXandXXGTLT)
		return o, false
	}
	if o.gt && o.lt {
		c.Error(resp.MsgGTandLT)
		return o, false
	}
	return o, true
}

// optionName is an option as an error may show it: only what looks like an option, never data.
func optionName(a []byte) string {
	if len(a) > 16 {
		return "?"
	}
	for _, b := range a {
		if b|0x20 < 'a' || b|0x20 > 'z' {
			return "?"
		}
	}
	return string(a)
}

func (o expireCondition) holds(at, present int64) bool {
	return !o.nx && !(o.gt && at <= present) && !(o.lt && at >= present)
}

func runExpire(c *Call, u expiryUnit) {
	n, ok := c.intArg(2)
	if !ok {
		return
	}
	o, ok := c.expireCondition(c.Args[3:])
	if !ok {
		return
	}
	at, ok := c.instant(n, u)
	if !ok {
		c.Error(resp.InvalidExpireTime(c.Spec.full))
		return
	}
	e := c.Peek(0)
	if !e.Exists() {
		c.Out.Int(0)
		return
	}
	if !o.holds(at, e.Meta().ExpiresAt) {
		c.Tell(0, Unchanged)
		c.Out.Int(0)
		return
	}
	if at <= c.Now {
		c.Delete(0)
		c.Out.Int(1)
		return
	}
	c.changeDeadline(Ask{AskAt, at}, e)
}

func runPersist(c *Call) {
	e := c.Peek(0)
	if !e.Exists() {
		c.Out.Int(0)
		return
	}
	c.changeDeadline(Ask{Kind: AskPersist}, e)
}

func (c *Call) changeDeadline(ask Ask, e engine.Entry) {
	m, ok := c.Expiry.Change(c, 0, ask, e)
	if !ok {
		return
	}
	c.Tx.SetMeta(e, m)
	c.Tell(0, Stored)
	c.Out.Int(1)
}

func runTTL(c *Call, answer func(*Call, engine.Meta) int64) {
	if e := c.Peek(0); e.Exists() {
		c.Out.Int(answer(c, e.Meta()))
	} else {
		c.Out.Int(-2)
	}
}
