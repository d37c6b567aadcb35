package script

import (
	lua "github.com/yuin/gopher-lua"
)

// state is a Lua state with its globals. Scripts reach the globals through env, which stays empty, so that every access is
// seen and there is nothing to be overwritten: envMeta leads to globals, which has KEYS and ARGV, and behind it to those
// that all runs share.
//
// A state is used again when its run ended well. Nothing of a run stays in it: scripts cannot write its tables, closures
// end with the run that made them, and the registers are cleared. After an error it is dropped, with all that was on its
// stack.
type state struct {
	lua     *lua.LState
	env     *lua.LTable
	envMeta *lua.LTable
	globals *lua.LTable
	spare   []*lua.LState // threads of protected calls that ended well

	machine machine        // of the run that has the state
	chunk   *lua.LFunction // the script that ran last; scripts cannot reach it, so that it is as it was
}

// maxSpare is how many threads a state keeps.
const maxSpare = 4

func newState(lib *libraries) *state {
	L := lua.NewState(lua.Options{SkipOpenLibs: true, CallStackSize: maxFrames, RegistrySize: startedRegisters,
		RegistryMaxSize: maxRegisters, RegistryGrowStep: registersStep, MinimizeStackMemory: true})
	L.SetMetatable(lua.LString(""), lib.arithmetic)
	for _, kind := range []lua.LValue{lua.LNil, lua.LTrue, lua.LNumber(0), lib.refuse, L} {
		L.SetMetatable(kind, lib.unindexed)
	}
	s := &state{lua: L, env: L.CreateTable(0, 0), envMeta: L.CreateTable(0, 2), globals: L.CreateTable(0, 3)}
	s.globals.Metatable = lib.chain
	s.globals.RawSetString("_G", s.env)
	s.envMeta.RawSetString("__index", s.globals)
	s.envMeta.RawSetString("__newindex", lib.refuse)
	s.env.Metatable = s.envMeta
	L.Env = s.env
	L.Panic = s.machine.raised
	return s
}

// take returns the machine of a state that no run has.
func (e *Engine) take() *machine {
	s := e.states.Get().(*state)
	m := &s.machine
	m.state = s
	m.lua.SetContext(m)
	return m
}

// finish ends a run: its memory is cleared, and others may have its state if it ended well.
func (m *machine) finish(e *Engine) {
	m.memory.release()
	if !m.endedWell {
		return
	}
	s := m.state
	s.lua.SetTop(0)
	s.lua.RemoveContext()
	s.globals.RawSetString(keysName, lua.LNil)
	s.globals.RawSetString(argumentsName, lua.LNil)
	clear(m.args[:cap(m.args)])
	*m = machine{args: m.args[:0], memory: arena{full: m.memory.full}}
	e.states.Put(s)
}

// main is the function of a script. Its code and the state's globals are all that it has, so the one that ran last is kept.
func (s *state) main(proto *lua.FunctionProto) *lua.LFunction {
	if s.chunk == nil || s.chunk.Proto != proto {
		s.chunk = s.lua.NewFunctionFromProto(proto)
	}
	return s.chunk
}

// thread is a thread for a protected call.
func (m *machine) thread(L *lua.LState) *lua.LState {
	var t *lua.LState
	if n := len(m.spare); n > 0 {
		t, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		m.spend(L, threadBytes)
		t, _ = L.NewThread()
	}
	t.SetContext(m)
	t.Panic = m.raised
	return t
}

// keepThread keeps a thread whose call ended well; one that was unwound has a stack that is not.
func (m *machine) keepThread(t *lua.LState) {
	if len(m.spare) < maxSpare {
		t.SetTop(0)
		t.RemoveContext()
		t.Panic = nil
		m.spare = append(m.spare, t)
	}
}
