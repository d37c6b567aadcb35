package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/rdb"
)

func dumpCommands() []*Spec {
	return []*Spec{
		{Name: "DUMP", Arity: 2, Flags: ReadOnly, Categories: CatKeyspace, Keys: oneKey(KeyRO | KeyAccess), Group: "generic", Since: "2.6.0",
			Complexity: "O(N) with N the size of the value", Summary: "Returns a key's value in the form that RESTORE takes, without its deadline.",
			Syntax: "key", Tips: []string{"nondeterministic_output"}, Action: ActionRead, Run: runDump},
		{Name: "RESTORE", Arity: -4, Flags: Write | DenyOOM, Categories: CatKeyspace | CatDangerous, Keys: oneKey(KeyOW | KeyUpdate), Group: "generic",
			Since: "2.6.0", Complexity: "O(N) with N the size of the value", Summary: "Makes a key of what DUMP returned; a time to live of 0 gets the ceiling, or a refusal.",
			Syntax: "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
			Effect: EffectWhole, Action: ActionWrite, Room: restoreRoom, Run: runRestore},
	}
}

func runDump(c *Call) {
	e := c.Get(0)
	if !e.Exists() {
		c.Out.Null()
		return
	}
	enc := rdb.NewEncoder(e.Bytes())
	defer enc.Clear()
	c.encode(enc, e)
	c.Out.Bulk(enc.Payload())
}

// encode writes the value of the call's key.
func (c *Call) encode(enc *rdb.Encoder, e engine.Entry) {
	switch e.Kind() {
	case engine.String:
		enc.Begin(rdb.String, 1)
		enc.Element(e.String())
	case engine.List:
		l, _ := c.Tx.ListAt(&c.Keys[0])
		enc.Begin(rdb.List, l.Len())
		c.encodeElements(enc)
	case engine.Set:
		s, _ := c.Tx.SetAt(&c.Keys[0])
		enc.Begin(rdb.Set, s.Len())
		c.encodeElements(enc)
	case engine.ZSet:
		z, _ := c.Tx.ZSetAt(&c.Keys[0])
		enc.Begin(rdb.SortedSet, z.Len())
		// The highest score first, as Redis does: whoever inserts them one by one finds each place at the front.
		for it := z.Iter(z.Len()-1, true); it.Next(); {
			enc.Member(it.Member(), it.Score())
		}
	case engine.Hash:
		h, _ := c.Tx.HashAt(&c.Keys[0])
		c.encodeHash(enc, &h)
	case engine.Stream:
		s, _ := c.Tx.StreamAt(&c.Keys[0])
		encodeStream(enc, &s)
	default:
		panic("BUG: DUMP of an unknown kind of value")
	}
}

func (c *Call) encodeElements(enc *rdb.Encoder) {
	c.elements(func(b []byte) bool {
		enc.Element(b)
		return true
	})
}

// encodeHash writes a hash. Deadlines of fields go with it, as instants: a copy of a field must not outlive the field.
func (c *Call) encodeHash(enc *rdb.Encoder, h *engine.HashValue) {
	first := int64(math.MaxInt64)
	h.Each(func(field, _ []byte) bool {
		if at, timed, _ := h.Deadline(field); timed {
			first = min(first, c.Wall(at))
		}
		return true
	})
	if first == math.MaxInt64 {
		enc.Begin(rdb.Hash, h.Len())
		h.Each(func(field, value []byte) bool {
			enc.Field(field, value)
			return true
		})
		return
	}
	first = max(first, 1) // 0 is none, and a wall clock may stand before 1970
	enc.BeginTimed(h.Len(), first)
	h.Each(func(field, value []byte) bool {
		wall := int64(0)
		if at, timed, _ := h.Deadline(field); timed {
			wall = max(c.Wall(at), first)
		}
		enc.TimedField(field, value, wall)
		return true
	})
}
