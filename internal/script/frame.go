package script

import (
	"reflect"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// frame is a Lua function that is running, and the instruction that it is at. The zero frame knows no names.
type frame struct {
	l    *lua.LState
	dbg  *lua.Debug
	fn   *lua.LFunction
	pc   int // of the instruction being run
	inst uint32
}

// frameAt is the frame at a level of the stack; false when that is not a Lua function's. gopher-lua tells the line, but
// not the instruction, so the program counter is read by reflection; without it errors only lose the names.
func frameAt(L *lua.LState, level int) (frame, bool) {
	dbg, ok := L.GetStack(level)
	if !ok {
		return frame{}, false
	}
	v, err := L.GetInfo("f", dbg, nil)
	if err != nil {
		return frame{}, false
	}
	fn, ok := v.(*lua.LFunction)
	if !ok || fn.IsG {
		return frame{}, false
	}
	call := reflect.ValueOf(dbg).Elem().FieldByName("frame")
	if !call.IsValid() || call.Kind() != reflect.Pointer || call.IsNil() {
		return frame{}, false
	}
	counter := call.Elem().FieldByName("Pc")
	if !counter.IsValid() || !counter.CanInt() {
		return frame{}, false
	}
	pc := int(counter.Int()) - 1
	if pc < 0 || pc >= len(fn.Proto.Code) {
		return frame{}, false
	}
	return frame{l: L, dbg: dbg, fn: fn, pc: pc, inst: fn.Proto.Code[pc]}, true
}

// The parts of an instruction, where gopher-lua's opcode.go has them.
func (f frame) op() int { return int(f.inst >> 26) }
func (f frame) a() int  { return int(f.inst>>18) & 0xff }
func (f frame) b() int  { return int(f.inst & 0x1ff) }
func (f frame) c() int  { return int(f.inst>>9) & 0x1ff }
func (f frame) bx() int { return int(f.inst & 0x3ffff) }

// constantBit marks an operand that is a constant, not a register.
const constantBit = 1 << 8

func (f frame) at(pc int) frame {
	f.pc, f.inst = pc, f.fn.Proto.Code[pc]
	return f
}

// indexed is the register that an instruction indexes.
func (f frame) indexed() int {
	if op := f.op(); op == lua.OP_SETTABLE || op == lua.OP_SETTABLEKS {
		return f.a()
	}
	return f.b()
}

// value is what an operand holds, nil where that cannot be told.
func (f frame) value(operand int) lua.LValue {
	if f.fn == nil {
		return lua.LNil
	}
	if operand&constantBit != 0 {
		return f.fn.Proto.Constants[operand&^constantBit]
	}
	_, v := f.l.GetLocal(f.dbg, operand+1)
	if v == nil {
		return lua.LNil
	}
	return v
}

func (f frame) kind(operand int) string { return f.value(operand).Type().String() }

// describe is "local 'x' (a nil value)", or "a nil value" where there is no name for the operand.
func (f frame) describe(operand int, kind string) string {
	if f.fn != nil && operand&constantBit == 0 {
		if sort, name := f.name(operand); name != "" {
			return sort + " '" + name + "' (a " + kind + " value)"
		}
	}
	return "a " + kind + " value"
}

// name is what the source calls the content of a register: a local variable, or where it was loaded from.
func (f frame) name(register int) (sort, name string) {
	if n := f.local(register); n != "" {
		return "local", n
	}
	pc, ok := f.setter(register)
	if !ok {
		return "", ""
	}
	s := f.at(pc)
	switch s.op() {
	case lua.OP_MOVE, lua.OP_MOVEN:
		if s.b() < s.a() {
			return s.name(s.b())
		}
	case lua.OP_GETUPVAL:
		if n := f.fn.Proto.DbgUpvalues[s.b()]; visible(n) {
			return "upvalue", n
		}
	case lua.OP_GETGLOBAL:
		return "global", f.fn.Proto.Constants[s.bx()].String()
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		return "field", s.constant(s.c())
	case lua.OP_SELF:
		return "method", s.constant(s.c())
	}
	return "", ""
}

// local is the local variable that lives in a register at the instruction, empty when there is none.
func (f frame) local(register int) string {
	var living []string
	for _, v := range f.fn.Proto.DbgLocals {
		if v.StartPc > f.pc {
			continue
		}
		if n, isEnd := strings.CutPrefix(v.Name, hiddenEnd); isEnd {
			// The mark is a variable too, where it begins a loop; behind a block it ends with the next.
			if count, err := strconv.Atoi(n); err == nil && count <= len(living) {
				living = living[:count]
			}
		}
		living = append(living, v.Name)
	}
	if register < len(living) && visible(living[register]) {
		return living[register]
	}
	return ""
}

// visible reports whether a name is one of the source, not of the rewriter or of gopher-lua.
func visible(name string) bool {
	return !strings.HasPrefix(name, hidden) && !strings.HasPrefix(name, "(")
}

func (f frame) constant(operand int) string {
	if operand&constantBit != 0 {
		if s, ok := f.fn.Proto.Constants[operand&^constantBit].(lua.LString); ok {
			return string(s)
		}
	}
	return "?"
}

// setter is the last instruction before the frame's that wrote a register, on the way without the branches that end
// before it.
func (f frame) setter(register int) (pc int, found bool) {
	for i := 0; i < f.pc; i++ {
		s := f.at(i)
		switch s.op() {
		case lua.OP_JMP:
			if to := i + 1 + s.bx() - (1<<17 - 1); to > i && to <= f.pc {
				i = to - 1
			}
			continue
		case lua.OP_CLOSURE:
			if s.a() == register {
				pc, found = i, true
			}
			i += int(f.fn.Proto.FunctionPrototypes[s.bx()].NumUpvalues)
			continue
		}
		if s.writes(register) {
			pc, found = i, true
		}
	}
	return pc, found
}

// writes reports whether the instruction changes a register.
func (f frame) writes(register int) bool {
	a := f.a()
	switch f.op() {
	case lua.OP_SETGLOBAL, lua.OP_SETUPVAL, lua.OP_SETTABLE, lua.OP_SETTABLEKS, lua.OP_EQ, lua.OP_LT, lua.OP_LE, lua.OP_TEST,
		lua.OP_RETURN, lua.OP_SETLIST, lua.OP_CLOSE, lua.OP_NOP:
		return false
	case lua.OP_LOADNIL:
		return a <= register && register <= f.b()
	case lua.OP_SELF:
		return register == a || register == a+1
	case lua.OP_CALL, lua.OP_TAILCALL, lua.OP_VARARG:
		return register >= a
	case lua.OP_TFORLOOP:
		return register >= a+2
	case lua.OP_FORLOOP, lua.OP_FORPREP:
		return a <= register && register <= a+3
	}
	return register == a
}
