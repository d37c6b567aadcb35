package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

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
		case word(a, "KEEPTTL") && stated == nil: // twice the same is no error in Redis; the last one counts
			o.ask.Kind = AskKeep
		case isExpiry && (stated == nil || unit == u) && o.ask.Kind != AskKeep && i+1 < len(c.Args):
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

// setKeyFlags says that SET reads its key only where it is asked to answer the old value.
func setKeyFlags(args [][]byte) KeyFlag {
	for _, a := range args[3:] {
		if word(a, "GET") {
			return KeyRW | KeyAccess | KeyUpdate
		}
	}
	return KeyOW | KeyUpdate
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
	c.store(0, m, c.Args[2])
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
	c.store(0, m, c.Args[2])
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
		c.store(i, c.metas[i], c.Args[2+2*i])
	}
	return true
}
