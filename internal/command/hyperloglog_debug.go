package command

import "github.com/lethe-cache/lethe/internal/hll"

// hyperLogLogDebugCommands are those that Redis tests itself with; they are for administrators.
func hyperLogLogDebugCommands() []*Spec {
	return []*Spec{
		{Name: "PFDEBUG", Arity: 3, Flags: Write | DenyOOM | Admin, Categories: CatHyperLogLog,
			Keys:  []KeySpec{{Begin: 2, Step: 1, Flags: KeyRW | KeyAccess | KeyUpdate}},
			Group: "hyperloglog", Since: "2.8.9", Complexity: "O(1)", Summary: "Shows the inside of an approximate count, for tests.",
			Syntax: "<DECODE | ENCODING | GETREG | TODENSE> key", Effect: EffectPart, Action: ActionWrite, Run: runPFDebug},
		{Name: "PFSELFTEST", Arity: 1, Flags: Admin, Categories: CatHyperLogLog,
			Group: "hyperloglog", Since: "2.8.9", Complexity: "O(1)", Summary: "Checks that approximate counts are as close as they should be.",
			Run: runPFSelfTest},
	}
}

func runPFDebug(c *Call) {
	b, ok := c.sketchAt(0)
	if !ok {
		return
	}
	if b == nil {
		c.Error("ERR The specified key does not exist")
		return
	}
	s, dense := sketch{c.Tx, c.Tx.Peek(&c.Keys[0])}, hll.IsDense(b)
	switch what := c.Args[1]; {
	case word(what, "GETREG"):
		c.answerRegisters(&s)
	case word(what, "DECODE") && dense:
		c.Error("ERR HLL encoding is not sparse")
	case word(what, "DECODE"):
		c.Out.Bulk(hll.AppendRuns(nil, b))
	case word(what, "ENCODING") && dense:
		c.Out.Status("dense")
	case word(what, "ENCODING"):
		c.Out.Status("sparse")
	case word(what, "TODENSE"):
		if c.toDense(&s) {
			c.Out.Int(one(!dense))
		}
	default: // Redis repeats the word, which may be anything
		c.Error("ERR Unknown PFDEBUG subcommand")
	}
}

// answerRegisters answers all registers of a sketch, which is dense after that, as in Redis.
func (c *Call) answerRegisters(s *sketch) {
	if !c.toDense(s) {
		return
	}
	var u hll.Union
	defer u.Clear()
	if u.Merge(s.Bytes()) != nil {
		c.Error(msgCorruptSketch)
		return
	}
	c.Out.Array(hll.Registers)
	for i := range hll.Registers {
		c.Out.Int(int64(u.Register(i)))
	}
}

func (c *Call) toDense(s *sketch) bool {
	if hll.IsDense(s.Bytes()) {
		return true
	}
	if hll.ToDense(s) != nil {
		c.Error(msgCorruptSketch)
		return false
	}
	c.Tell(0, Stored)
	return true
}

func runPFSelfTest(c *Call) {
	if err := hll.SelfTest(); err != nil {
		c.Error("ERR " + err.Error())
		return
	}
	c.Out.Status("OK")
}
