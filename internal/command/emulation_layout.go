package command

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/engine"
)

// The layout of a value in Redis depends on its past: a set that once had a member which is no integer is a hash table for
// ever. The tests look at it all the time, so the emulation remembers what each value would be.

type layoutKey struct {
	tenant engine.TenantID
	name   string
}

func layoutOf(k *engine.Key) layoutKey { return layoutKey{k.Tenant, string(k.Name)} }

// thresholds are Redis 7.0's, as the tests have set them. It has no listpacks for sets and lists.
func (e *Emulation) thresholds() *layouts {
	n := func(name string) int { return int(e.Int(name)) }
	return &layouts{
		hashFields: n("hash-max-listpack-entries"), hashBytes: n("hash-max-listpack-value"),
		zsetMembers: n("zset-max-listpack-entries"), zsetSize: n("zset-max-listpack-value"),
		integers: n("set-max-intset-entries"),
	}
}

func (e *Emulation) objectEncoding(c *Call) {
	if _, ok := c.object(); ok {
		c.Out.BulkString(e.layout(c, &c.Keys[0]))
	}
}

// layout is what a live value is.
func (e *Emulation) layout(c *Call, k *engine.Key) string {
	e.mu.RLock()
	known := e.layouts[layoutOf(k)]
	e.mu.RUnlock()
	if known == "" {
		known = e.thresholds().encoding(c, k)
	}
	return known
}

func (e *Emulation) remember(k *engine.Key, layout string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if layout == "" {
		delete(e.layouts, layoutOf(k))
	} else {
		e.layouts[layoutOf(k)] = layout
	}
}

func (e *Emulation) forgetLayouts(run func(*Call)) func(*Call) {
	return func(c *Call) {
		run(c)
		e.forgetAllLayouts()
	}
}

func (e *Emulation) forgetAllLayouts() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.layouts)
}

// around runs a command with keys and remembers what its values have become.
func (e *Emulation) around(run func(*Call)) func(*Call) {
	return func(c *Call) {
		if !c.Spec.IsWrite() {
			run(c)
			e.eraseExpired(c)
			return
		}
		moved := ""
		for i := range c.Keys {
			if k := &c.Keys[i]; !c.Tx.Peek(k).Exists() {
				e.remember(k, "")
			} else if i == 0 && slices.Contains([]string{"RENAME", "RENAMENX", "COPY"}, c.Spec.upper) {
				moved = e.layout(c, k)
			}
		}
		run(c)
		for i := range c.Keys {
			switch k := &c.Keys[i]; {
			case !c.Tx.Peek(k).Exists():
				e.remember(k, "")
			case c.Told[i] != Stored:
			case moved != "":
				e.remember(k, moved)
			default:
				e.remember(k, e.become(c, k))
			}
		}
		e.eraseExpired(c)
	}
}

// become is the layout of a value after the call has written it.
func (e *Emulation) become(c *Call, k *engine.Key) string {
	now, before := e.thresholds().encoding(c, k), ""
	if c.Spec.Effect == EffectPart || c.Spec.upper == "SMOVE" {
		before = e.known(k)
	}
	switch c.Spec.upper {
	case "SETRANGE", "SETBIT", "BITFIELD", "BITOP", "PFADD", "PFMERGE":
		return "raw"
	case "APPEND":
		if before != "" {
			return "raw"
		}
	case "INCRBYFLOAT":
		if now == "int" {
			return "embstr"
		}
	}
	if before == "hashtable" || before == "skiplist" {
		return before
	}
	return now
}

func (e *Emulation) known(k *engine.Key) string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.layouts[layoutOf(k)]
}

// eraseExpired erases those of a call's keys whose deadline has passed, as reading does in a Redis that erases nothing by
// itself.
func (e *Emulation) eraseExpired(c *Call) {
	if !e.NoActiveExpiry.Load() {
		return
	}
	for i := range c.Keys {
		if k := &c.Keys[i]; !c.Tx.Peek(k).Exists() {
			c.Tx.Delete(k)
		}
	}
}
