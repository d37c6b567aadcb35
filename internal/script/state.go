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
	return s
}

// take gives the machine a state.
func (m *machine) take(e *Engine) {
	m.state = e.states.Get().(*state)
	m.lua.SetContext(m)
	m.lua.Panic = m.raised
}

// giveBack lets others have the state of a run that ended well.
func (m *machine) giveBack(e *Engine) {
	m.lua.SetTop(0)
	m.lua.RemoveContext()
	m.lua.Panic = nil
	m.globals.RawSetString(keysName, lua.LNil)
	m.globals.RawSetString(argumentsName, lua.LNil)
	e.states.Put(m.state)
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
