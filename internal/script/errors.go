package script

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// throw raises an error with the position of the Lua code that called the library function, as luaL_error does.
func throw(L *lua.LState, format string, args ...any) {
	m := at(L)
	m.ours = true
	b := m.buffer(L)
	b.writeString(where(L, 1))
	b.format(format, args)
	L.Error(b.done(), 0)
}

// throwValue raises any value as it is.
func throwValue(L *lua.LState, v lua.LValue) {
	at(L).ours = true
	L.Error(v, 0)
}

// throwTable raises an error as Redis's own functions do: a table whose err field begins with a code.
func throwTable(L *lua.LState, text string) { throwValue(L, errorTable(L, text)) }

// where is "source:line: " of the function at a level of the stack, empty for one that is not Lua's.
func where(L *lua.LState, level int) string {
	w := L.Where(level)
	if w == "" || strings.HasPrefix(w, "[G]") {
		return ""
	}
	return w + " "
}

// errorTable is what Redis hands to scripts as an error. A text without a leading '-' has no code yet and gets ERR.
func errorTable(L *lua.LState, msg string) *lua.LTable {
	if rest, found := strings.CutPrefix(msg, "-"); found {
		return codedErrorTable(L, rest)
	}
	return tableOfError(L, "ERR", msg)
}

// codedErrorTable is errorTable of a text whose first word is its code, where it has more than one.
func codedErrorTable(L *lua.LState, text string) *lua.LTable {
	code, msg, found := strings.Cut(text, " ")
	if !found {
		code, msg = "ERR", text
	}
	return tableOfError(L, code, msg)
}

func tableOfError(L *lua.LState, code, msg string) *lua.LTable {
	m := at(L)
	t := m.newTable(L, 0, 1)
	t.RawSetString("err", m.errorText(L, code, msg))
	return t
}

func (m *machine) errorText(L *lua.LState, code, msg string) lua.LString {
	b := m.buffer(L)
	b.writeString(code)
	b.writeByte(' ')
	b.writeString(strings.Trim(msg, "\r\n"))
	return b.done()
}

// raised is the hook that gopher-lua calls to unwind: the error value is on top of the stack, which is still whole.
func (m *machine) raised(L *lua.LState) {
	v := L.Get(-1)
	if m.dead != "" {
		v = lua.LString(m.dead)
	} else if s, ok := v.(lua.LString); ok && !m.ours {
		v = lua.LString(explain(L, string(s)))
	}
	m.ours = false
	m.blame = m.position(L)
	// A trace that is not empty keeps gopher-lua from collecting one.
	panic(&lua.ApiError{Type: lua.ApiErrorRun, Object: v, StackTrace: "-"})
}

// position is that of the running function, or of its caller when it is not Lua's.
func (m *machine) position(L *lua.LState) position {
	for level := range 2 {
		dbg, ok := L.GetStack(level)
		if !ok {
			return position{}
		}
		if _, err := L.GetInfo("Sl", dbg, nil); err != nil {
			return position{}
		}
		if dbg.CurrentLine > 0 {
			source, own := m.sources[dbg.Source]
			if !own {
				source = "@" + dbg.Source
			}
			return position{source, fmt.Sprint(dbg.CurrentLine)}
		}
	}
	return position{"=[C]", "-1"}
}

// protected runs a function with its arguments and returns its results, or the error value that it raised. It has a Lua
// thread of its own: gopher-lua's PCall detaches the variables that closures share with the functions around it. ok is
// false when an error was raised.
func (m *machine) protected(L *lua.LState, fn lua.LValue, args []lua.LValue) (results []lua.LValue, failure lua.LValue, ok bool) {
	m.enter(L)
	defer func() { m.nesting-- }()
	if fn.Type() != lua.LTFunction && metamethod(L, fn, "__call") == lua.LNil {
		return nil, lua.LString("attempt to call a " + fn.Type().String() + " value"), false
	}
	thread := m.thread(L)
	failure, ok = m.guard(func() {
		thread.Push(fn)
		for _, a := range args {
			thread.Push(a)
		}
		thread.Call(len(args), lua.MultRet)
		results = make([]lua.LValue, thread.GetTop())
		for i := range results {
			results[i] = thread.Get(i + 1)
		}
	})
	if m.dead != "" {
		m.stop(L)
	}
	if ok {
		m.keepThread(thread)
	}
	return results, failure, ok
}

// enter counts a level of nesting; whoever calls it counts it back.
func (m *machine) enter(L *lua.LState) {
	if m.nesting >= maxNesting {
		throw(L, "C stack overflow")
	}
	m.nesting++
}

// guard runs f and returns the Lua error that it ended with. Other panics are bugs of Lethe or of gopher-lua, and go on.
func (m *machine) guard(f func()) (failure lua.LValue, ok bool) {
	defer func() {
		if ok {
			return
		}
		switch r := recover().(type) {
		case *lua.ApiError:
			failure = r.Object
		case string:
			if r != frameOverflow {
				panic(r)
			}
			m.ours = false
			failure = lua.LString("stack overflow")
		default:
			panic(r)
		}
	}()
	f()
	return nil, true
}

// frameOverflow is what gopher-lua panics with when the call stack is full.
const frameOverflow = "lua callstack overflow"
