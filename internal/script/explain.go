package script

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// gopher-lua's virtual machine words its errors in its own way, and some of them with the value of a key. Scripts and
// their authors know Lua's: "attempt to index local 'x' (a nil value)". explain makes the one of the other; frame.go finds
// the names.

// explain turns an error text of the virtual machine, with its position, into Lua's.
func explain(L *lua.LState, msg string) string {
	place := where(L, 0)
	if place == "" {
		place = where(L, 1)
	}
	body := strings.TrimPrefix(msg, place)
	return place + reword(L, body)
}

func reword(L *lua.LState, body string) string {
	f, ok := frameAt(L, 0)
	if kind, found := strings.CutPrefix(body, "attempt to index a non-table object("); found {
		kind, _, _ = strings.Cut(kind, ")")
		return "attempt to index " + f.describe(f.indexed(), kind)
	}
	if kinds, found := strings.CutPrefix(body, "attempt to compare "); found {
		left, right, _ := strings.Cut(kinds, " with ")
		return compareText(left, right)
	}
	if strings.HasPrefix(body, "cannot perform ") && ok {
		return f.arithmetic()
	}
	switch body {
	case "__unm undefined":
		return f.arithmetic()
	case "__len undefined":
		return "attempt to get length of " + f.describe(f.b(), f.kind(f.b()))
	case "attempt to call a non-function object":
		return "attempt to call " + f.describe(f.a(), f.kind(f.a()))
	case "too many recursions in gettable":
		return "loop in gettable"
	case "too many recursions in settable":
		return "loop in settable"
	case "registry overflow":
		return "stack overflow"
	case "can not yield from outside of a coroutine":
		return "attempt to yield across metamethod/C-call boundary"
	}
	return body
}

func compareText(left, right string) string {
	if left == right {
		return fmt.Sprintf("attempt to compare two %s values", left)
	}
	return fmt.Sprintf("attempt to compare %s with %s", left, right)
}

// arithmetic names the operand that is no number; the first one, when both are none.
func (f frame) arithmetic() string {
	culprit := f.b()
	if f.op() != lua.OP_UNM {
		if _, ok := toNumber(f.value(culprit)); ok {
			culprit = f.c()
		}
	}
	return "attempt to perform arithmetic on " + f.describe(culprit, f.kind(culprit))
}

// argumentText describes argument n, from 1, of the library function that is running, by what its caller wrote there.
func argumentText(L *lua.LState, n int, v lua.LValue) string {
	f, _ := frameAt(L, 1)
	return f.describe(f.a()+n, v.Type().String())
}
