package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/hll"
)

const (
	msgNotSketch     = "WRONGTYPE Key is not a valid HyperLogLog string value."
	msgCorruptSketch = "INVALIDOBJ Corrupted HLL object detected"
)

func hyperLogLogCommands() []*Spec {
	return append(hyperLogLogDebugCommands(), []*Spec{
		{Name: "PFADD", Arity: -2, Flags: Write | DenyOOM | Fast, Categories: CatHyperLogLog, Keys: oneKey(KeyRW | KeyInsert),
			Group: "hyperloglog", Since: "2.8.9", Complexity: "O(1) for each element", Summary: "Adds elements to an approximate count of distinct ones; the deadline stays.",
			Syntax: "key [element [element ...]]", Effect: EffectPart, Action: ActionWrite, Run: runPFAdd},
		{Name: "PFCOUNT", Arity: -2, Flags: ReadOnly | MayReplicate, Categories: CatHyperLogLog,
			// The reference says RW, for the count that it keeps in the value. Whoever may read may have it kept.
			Keys:  allKeys(KeyRO | KeyAccess),
			Group: "hyperloglog", Since: "2.8.9", Complexity: "O(1) for one key whose count is known, else O(N) with N keys", Summary: "Returns about how many distinct elements were added to any of several counts.",
			Syntax: "key [key ...]", Action: ActionRead, Run: runPFCount},
		{Name: "PFMERGE", Arity: -2, Flags: Write | DenyOOM, Categories: CatHyperLogLog,
			Keys:  []KeySpec{{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyInsert}, {Begin: 2, Last: -1, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "hyperloglog", Since: "2.8.9", Complexity: "O(N) with N keys", Summary: "Adds several approximate counts to one, within one tenant; the deadline is no later than theirs.",
			Syntax: "destkey [sourcekey [sourcekey ...]]", Effect: EffectDerive, Action: ActionWrite, Run: runPFMerge},
	}...)
}

// sketch is a string entry as package hll changes it.
type sketch struct {
	tx    *engine.Tx
	entry engine.Entry
}

func (s *sketch) Bytes() []byte { return s.entry.String() }

func (s *sketch) Resize(n int) []byte {
	s.entry = s.tx.Resize(s.entry, n)
	return s.entry.String()
}

// release forgets the entry, which is another's memory when the call has ended.
func (s *sketch) release() { *s = sketch{} }

// sketchAt returns the sketch of a key, nil bytes when there is none; false when the key holds something else and the error
// is answered.
func (c *Call) sketchAt(key int) (b []byte, ok bool) {
	b, ok = c.GetString(key)
	if ok && b != nil && !hll.Valid(b) {
		c.Error(msgNotSketch)
		return nil, false
	}
	return b, ok
}

func runPFAdd(c *Call) {
	old, ok := c.sketchAt(0)
	if !ok {
		return
	}
	e, ok := c.part(0, max(len(old), hll.EmptyBytes))
	if !ok {
		return
	}
	s := &c.sketch
	*s = sketch{c.Tx, e}
	defer s.release()
	changed := old == nil
	if changed {
		hll.PutEmpty(s.Bytes())
	}
	for _, element := range c.Args[2:] {
		raised, err := hll.Add(s, element)
		if err != nil {
			c.Error(msgCorruptSketch)
			return
		}
		changed = changed || raised
	}
	if changed {
		hll.Invalidate(s.Bytes())
	} else {
		c.Tell(0, Unchanged)
	}
	c.Out.Int(one(changed))
}

func runPFCount(c *Call) {
	if len(c.Keys) > 1 {
		c.countUnion()
		return
	}
	b, ok := c.sketchAt(0)
	if !ok {
		return
	}
	if b == nil {
		c.Out.Int(0)
		return
	}
	n, known := hll.Cached(b)
	if !known {
		var err error
		if n, err = hll.Count(b); err != nil {
			c.Error(msgCorruptSketch)
			return
		}
		hll.SetCached(b, n)
	}
	c.Out.Int(int64(n))
}

func (c *Call) countUnion() {
	var u hll.Union
	defer u.Clear()
	if _, ok := c.mergeSketches(&u); ok {
		c.Out.Int(int64(u.Count()))
	}
}

// mergeSketches gathers the sketches of all keys, and reports whether one of them is dense; ok is false when the error is
// answered.
func (c *Call) mergeSketches(u *hll.Union) (dense, ok bool) {
	for i := range c.Keys {
		b, ok := c.sketchAt(i)
		if !ok {
			return false, false
		}
		if b == nil {
			continue
		}
		dense = dense || hll.IsDense(b)
		if u.Merge(b) != nil {
			c.Error(msgCorruptSketch)
			return false, false
		}
	}
	return dense, true
}

// runPFMerge adds to what the destination has, so the destination is one of the sources of its deadline.
func runPFMerge(c *Call) {
	var u hll.Union
	defer u.Clear()
	dense, ok := c.mergeSketches(&u)
	if !ok {
		return
	}
	entries := make([]engine.Entry, len(c.Keys))
	for i := range c.Keys {
		entries[i] = c.Tx.Peek(&c.Keys[i])
	}
	m, ok := c.derive(0, Ask{}, entries...)
	if !ok {
		return
	}
	old := entries[0].String()
	s := sketch{c.Tx, c.stringOf(0, m, max(len(old), hll.EmptyBytes))}
	if old == nil {
		hll.PutEmpty(s.Bytes())
	}
	if u.Store(&s, dense) != nil {
		c.Error(msgCorruptSketch)
		return
	}
	c.Out.Status("OK")
}
