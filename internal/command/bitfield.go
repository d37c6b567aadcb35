package command

import (
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgBitfieldType     = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
	msgBitfieldOverflow = "ERR Invalid OVERFLOW type specified"
	msgBitfieldReadOnly = "ERR BITFIELD_RO only supports the GET subcommand"
)

func bitfieldCommands() []*Spec {
	return []*Spec{
		{Name: "BITFIELD", Arity: -2, Flags: Write | DenyOOM, Categories: CatBitmap,
			Keys:  []KeySpec{{Begin: 1, Step: 1, Flags: KeyRW | KeyAccess | KeyUpdate | KeyVariable, Notes: "This command allows both access and modification of the key"}},
			Group: "bitmap", Since: "3.2.0", Complexity: "O(1) for each operation", Summary: "Reads, writes and adds to integers of any width in a string value; the deadline stays.",
			Syntax: "key [<GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment>> ...]",
			Effect: EffectPart, Action: ActionWrite, KeyFlags: bitfieldKeyFlags, Run: runBitfield},
		{Name: "BITFIELD_RO", Arity: -2, Flags: ReadOnly | Fast, Categories: CatBitmap, Keys: oneKey(KeyRO | KeyAccess),
			Group: "bitmap", Since: "6.0.0", Complexity: "O(1) for each operation", Summary: "Reads integers of any width in a string value.",
			Syntax: "key [GET encoding offset [GET encoding offset ...]]", Action: ActionRead, Run: runBitfield},
	}
}

// bitfieldKeyFlags says that BITFIELD only reads its key where all its operations are GET.
func bitfieldKeyFlags(args [][]byte) KeyFlag {
	for i := 2; i < len(args); {
		switch left := len(args) - i - 1; {
		case word(args[i], "GET") && left >= 2:
			i += 3
		case word(args[i], "OVERFLOW") && left >= 1:
			i += 2
		default:
			return KeyRW | KeyAccess | KeyUpdate
		}
	}
	return KeyRO | KeyAccess
}

// bitfieldOp is one operation on one integer.
type bitfieldOp struct {
	kind     bitfieldKind
	overflow overflow
	number   bitNumber
	operand  int64 // to set or to add
}

type bitfieldKind uint8

const (
	bitfieldGet bitfieldKind = iota + 1
	bitfieldSet
	bitfieldAdd
)

// bitfieldOps reads the operations, or answers Redis's error. last is the last bit that they write, -1 when they write
// none.
func (c *Call) bitfieldOps() (ops []bitfieldOp, last int64, ok bool) {
	mode, last := wrap, int64(-1)
	for i := 2; i < len(c.Args); {
		op := bitfieldOp{}
		switch a, left := c.Args[i], len(c.Args)-i-1; {
		case word(a, "GET") && left >= 2:
			op.kind = bitfieldGet
		case word(a, "SET") && left >= 3:
			op.kind = bitfieldSet
		case word(a, "INCRBY") && left >= 3:
			op.kind = bitfieldAdd
		case word(a, "OVERFLOW") && left >= 1:
			if mode, ok = parseOverflow(c.Args[i+1]); !ok {
				c.Error(msgBitfieldOverflow)
				return nil, 0, false
			}
			i += 2
			continue
		default:
			c.Error(resp.MsgSyntax)
			return nil, 0, false
		}
		op.overflow = mode
		if op.number, ok = c.bitNumber(i + 1); !ok {
			return nil, 0, false
		}
		i += 3
		if op.kind != bitfieldGet {
			if op.operand, ok = c.intArg(i); !ok {
				return nil, 0, false
			}
			i++
			last = max(last, op.number.offset+int64(op.number.width)-1)
		}
		ops = append(ops, op)
	}
	return ops, last, true
}

// bitNumber reads an encoding and an offset, or answers Redis's error.
func (c *Call) bitNumber(at int) (n bitNumber, ok bool) {
	encoding := c.Args[at]
	if len(encoding) == 0 || encoding[0] != 'i' && encoding[0] != 'u' {
		c.Error(msgBitfieldType)
		return n, false
	}
	n.signed = encoding[0] == 'i'
	width, ok := ParseInt(encoding[1:])
	if !ok || width < 1 || width > 64 || width > 63 && !n.signed {
		c.Error(msgBitfieldType)
		return n, false
	}
	n.width = int(width)
	n.offset, ok = c.bitOffset(c.Args[at+1], width)
	return n, ok
}

func parseOverflow(arg []byte) (overflow, bool) {
	switch {
	case word(arg, "WRAP"):
		return wrap, true
	case word(arg, "SAT"):
		return saturate, true
	case word(arg, "FAIL"):
		return fail, true
	}
	return 0, false
}

func runBitfield(c *Call) {
	ops, last, ok := c.bitfieldOps()
	if !ok {
		return
	}
	if last < 0 {
		if value, ok := c.GetString(0); ok {
			c.runBitfieldOps(ops, value)
		}
		return
	}
	if !c.Spec.IsWrite() {
		c.Error(msgBitfieldReadOnly)
		return
	}
	e, grown, ok := c.bitmap(0, last)
	if !ok {
		return
	}
	if c.runBitfieldOps(ops, e.String()) || grown {
	} else {
		c.Tell(0, Unchanged)
	}
}

// runBitfieldOps runs the operations in their order, each on what those before it left, and answers them. It reports
// whether a number changed.
func (c *Call) runBitfieldOps(ops []bitfieldOp, value []byte) (changed bool) {
	c.Out.Array(len(ops))
	for i := range ops {
		op := &ops[i]
		old := op.number.read(value)
		if op.kind == bitfieldGet {
			c.Out.Int(old)
			continue
		}
		base, by := old, op.operand
		if op.kind == bitfieldSet {
			base, by = op.operand, 0
		}
		next, ok := op.number.add(base, by, op.overflow)
		if !ok {
			c.Out.Null()
			continue
		}
		op.number.write(value, next)
		changed = changed || next != old
		if op.kind == bitfieldSet {
			next = old
		}
		c.Out.Int(next)
	}
	return changed
}
