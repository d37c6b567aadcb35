package script

import (
	lua "github.com/yuin/gopher-lua"
)

func coroutineFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"create": coroutineCreate, "resume": coroutineResume, "running": coroutineRunning, "status": coroutineStatus,
		"wrap": coroutineWrap, "yield": coroutineYield,
	}
}

// coroutine is a thread that has not been started or is suspended.
type coroutine struct {
	thread  *lua.LState
	fn      *lua.LFunction
	started bool
}

// create makes a thread. What it runs is the function behind arm, which sets the thread's way of raising errors when
// gopher-lua has set its own.
func (m *machine) create(L *lua.LState, fn *lua.LFunction) *coroutine {
	if fn.IsG {
		throw(L, "Lua function expected")
	}
	m.spend(L, threadBytes)
	thread, _ := L.NewThread()
	thread.SetContext(m)
	return &coroutine{thread: thread, fn: fn}
}

func coroutineCreate(L *lua.LState) int {
	m := at(L)
	c := m.create(L, checkFunction(L, 1))
	if m.coroutines == nil {
		m.coroutines = map[*lua.LState]*coroutine{}
	}
	m.coroutines[c.thread] = c
	return push(L, c.thread)
}

func coroutineResume(L *lua.LState) int {
	thread, ok := L.Get(1).(*lua.LState)
	if !ok {
		badArgument(L, 1, "coroutine expected")
	}
	m := at(L)
	c := m.coroutines[thread]
	if c == nil || thread.Dead || L.Status(thread) != "suspended" {
		state := "dead"
		if c != nil && !thread.Dead {
			state = "non-suspended"
		}
		L.Push(lua.LFalse)
		L.Push(lua.LString("cannot resume " + state + " coroutine"))
		return 2
	}
	results, failure, ok := m.resume(L, c, arguments(L, 2))
	if !ok {
		L.Push(lua.LFalse)
		L.Push(failure)
		return 2
	}
	return pushAll(L, lua.LTrue, results)
}

// resume runs a coroutine until it yields, returns or fails.
func (m *machine) resume(L *lua.LState, c *coroutine, args []lua.LValue) (results []lua.LValue, failure lua.LValue, ok bool) {
	m.enter(L)
	defer func() { m.nesting-- }()
	fn := c.fn
	if !c.started {
		c.started = true
		args = append([]lua.LValue{m.lib.arm, c.fn}, args...)
		fn = L.NewFunctionFromProto(m.lib.trampoline)
	}
	state, err, values := L.Resume(c.thread, fn, args...)
	if m.dead != "" {
		m.stop(L)
	}
	if state == lua.ResumeError {
		c.thread.Dead = true
		if raised, isAPI := err.(*lua.ApiError); isAPI {
			return nil, raised.Object, false
		}
		return nil, lua.LString(err.Error()), false
	}
	if len(values) == 1 && values[0] == lua.LNil {
		values = nil // gopher-lua cannot tell no value from nil
	}
	return values, nil, true
}

// armed is called first in a coroutine.
func armed(L *lua.LState) int {
	L.Panic = at(L).raised
	return 0
}

func coroutineWrap(L *lua.LState) int {
	m := at(L)
	c := m.create(L, checkFunction(L, 1))
	m.spend(L, closureBytes)
	return push(L, L.NewFunction(func(L *lua.LState) int {
		m := at(L)
		if c.thread.Dead {
			throw(L, "cannot resume dead coroutine")
		}
		if L.Status(c.thread) != "suspended" {
			throw(L, "cannot resume non-suspended coroutine")
		}
		results, failure, ok := m.resume(L, c, arguments(L, 1))
		if !ok {
			if s, isString := failure.(lua.LString); isString {
				failure = lua.LString(where(L, 1) + string(s))
			}
			throwValue(L, failure)
		}
		for _, v := range results {
			L.Push(v)
		}
		return len(results)
	}))
}

func coroutineYield(L *lua.LState) int {
	if L.Parent == nil {
		throwValue(L, lua.LString("attempt to yield across metamethod/C-call boundary"))
	}
	return L.Yield(arguments(L, 1)...)
}

func coroutineRunning(L *lua.LState) int {
	if at(L).coroutines[L] == nil {
		return push(L, lua.LNil)
	}
	return push(L, L)
}

func coroutineStatus(L *lua.LState) int {
	thread, ok := L.Get(1).(*lua.LState)
	if !ok {
		badArgument(L, 1, "coroutine expected")
	}
	return push(L, lua.LString(L.Status(thread)))
}
