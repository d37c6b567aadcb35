package script

import (
	lua "github.com/yuin/gopher-lua"
)

// The check functions read an argument of the running library function, or raise Lua's error "bad argument #1 to 'rep'
// (string expected, got nil)".

func badArgument(L *lua.LState, n int, what string) {
	name := "?"
	if f, ok := frameAt(L, 1); ok {
		if op := f.op(); op == lua.OP_CALL || op == lua.OP_TAILCALL {
			sort, called := f.calledName()
			if called != "" {
				name = called
			}
			if sort == "method" {
				n--
				if n == 0 {
					throw(L, "calling '%s' on bad self (%s)", name, what)
				}
			}
		}
	}
	throw(L, "bad argument #%d to '%s' (%s)", n, name, what)
}

// calledName is what the source calls the function that the frame is calling.
func (f frame) calledName() (sort, name string) { return f.name(f.a()) }

func badType(L *lua.LState, n int, expected string) {
	got := "no value"
	if n <= L.GetTop() {
		got = L.Get(n).Type().String()
	}
	badArgument(L, n, expected+" expected, got "+got)
}

func checkAny(L *lua.LState, n int) lua.LValue {
	if n > L.GetTop() {
		badArgument(L, n, "value expected")
	}
	return L.Get(n)
}

func checkTable(L *lua.LState, n int) *lua.LTable {
	t, ok := L.Get(n).(*lua.LTable)
	if !ok {
		badType(L, n, "table")
	}
	return t
}

func checkFunction(L *lua.LState, n int) *lua.LFunction {
	f, ok := L.Get(n).(*lua.LFunction)
	if !ok {
		badType(L, n, "function")
	}
	return f
}

func checkNumber(L *lua.LState, n int) float64 {
	f, ok := toNumber(L.Get(n))
	if !ok {
		badType(L, n, "number")
	}
	return f
}

// checkInteger is a 64-bit integer; checkInt a C int.
func checkInteger(L *lua.LState, n int) int64 { return toInteger(checkNumber(L, n)) }

func checkInt(L *lua.LState, n int) int { return toInt(checkNumber(L, n)) }

func optInteger(L *lua.LState, n int, otherwise int64) int64 {
	if L.Get(n) == lua.LNil {
		return otherwise
	}
	return checkInteger(L, n)
}

// checkString is a string, or a number as text.
func checkString(L *lua.LState, n int) string {
	s, ok := toText(L, L.Get(n))
	if !ok {
		badType(L, n, "string")
	}
	return s
}

func optString(L *lua.LState, n int, otherwise string) string {
	if L.Get(n) == lua.LNil {
		return otherwise
	}
	return checkString(L, n)
}

// toText is the text of a string or number.
func toText(L *lua.LState, v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		b := at(L).buffer(L)
		b.number(float64(v), shownDigits)
		return string(b.done()), true
	}
	return "", false
}

// checkOption is the number of the option that an argument names.
func checkOption(L *lua.LState, n int, options []string) int {
	name := checkString(L, n)
	for i, o := range options {
		if o == name {
			return i
		}
	}
	b := at(L).buffer(L)
	b.format("invalid option '%s'", []any{name})
	badArgument(L, n, string(b.done()))
	return 0
}

// push returns one value from a library function.
func push(L *lua.LState, v lua.LValue) int {
	L.Push(v)
	return 1
}
