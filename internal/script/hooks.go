package script

import (
	lua "github.com/yuin/gopher-lua"
)

// hookFunctions are what rewritten code calls, in the order of hookNames.
func hookFunctions() []*lua.LFunction {
	return []*lua.LFunction{
		function(hookedConcat), function(hookedSet), function(hookedTable), function(hookedClosure), function(hookedFor),
		function(func(*lua.LState) int { return 0 }),
	}
}

// function makes a function that needs no state of its own, so that all runs share it.
func function(f lua.LGFunction) *lua.LFunction { return &lua.LFunction{IsG: true, GFunction: f} }

// hookedConcat is a..b..c of all its arguments.
func hookedConcat(L *lua.LState) int {
	n := L.GetTop()
	m, size := at(L), 0
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			size += len(v)
		case lua.LNumber:
			size += 24
		default:
			return concatSlowly(L, n)
		}
	}
	b := m.room(L, size)[:0]
	for i := 1; i <= n; i++ {
		if s, ok := L.Get(i).(lua.LString); ok {
			b = append(b, s...)
		} else {
			b = appendNumber(b, float64(L.Get(i).(lua.LNumber)), shownDigits)
		}
	}
	L.Push(lua.LString(text(b)))
	return 1
}

// concatSlowly joins from the right, pair by pair, with the metamethods of values that are no strings.
func concatSlowly(L *lua.LState, n int) int {
	right := L.Get(n)
	for i := n - 1; i > 0; i-- {
		left := L.Get(i)
		ls, lok := concatenable(left)
		rs, rok := concatenable(right)
		if lok && rok {
			b := at(L).buffer(L)
			b.writeString(ls)
			b.writeString(rs)
			right = b.done()
			continue
		}
		op := metamethod(L, left, "__concat")
		if op == lua.LNil {
			op = metamethod(L, right, "__concat")
		}
		if op == lua.LNil {
			culprit, number := left, i
			if lok {
				culprit, number = right, i+1
			}
			throw(L, "attempt to concatenate %s", argumentText(L, number, culprit))
		}
		right = call1(L, op, left, right)
	}
	L.Push(right)
	return 1
}

func concatenable(v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return string(appendNumber(nil, float64(v), shownDigits)), true
	}
	return "", false
}

// metamethod is a field of a value's metatable, nil when there is none.
func metamethod(L *lua.LState, v lua.LValue, event string) lua.LValue {
	switch v := v.(type) {
	case *lua.LTable:
		if mt, ok := v.Metatable.(*lua.LTable); ok {
			return mt.RawGetString(event)
		}
	case *lua.LUserData:
		if mt, ok := v.Metatable.(*lua.LTable); ok {
			return mt.RawGetString(event)
		}
	case lua.LString:
		if event == "__index" {
			return at(L).lib.stringTable
		}
	}
	return lua.LNil
}

// call1 calls a function for one result.
func call1(L *lua.LState, fn lua.LValue, args ...lua.LValue) lua.LValue {
	m := at(L)
	m.enter(L)
	defer func() { m.nesting-- }()
	L.Push(fn)
	for _, a := range args {
		L.Push(a)
	}
	L.Call(len(args), 1)
	v := L.Get(-1)
	L.Pop(1)
	return v
}

// hookedSet is t[k] = v.
func hookedSet(L *lua.LState) int {
	object, key, value := L.Get(1), L.Get(2), L.Get(3)
	for range maxLoop {
		t, isTable := object.(*lua.LTable)
		var op lua.LValue = lua.LNil
		if isTable {
			if t.Metatable != lua.LNil && !at(L).readOnly(t) && t.RawGet(key) == lua.LNil {
				op = metamethod(L, t, "__newindex")
			}
			if op == lua.LNil {
				if problem := at(L).set(L, t, key, value); problem != "" {
					throw(L, "%s", problem)
				}
				return 0
			}
		} else if op = metamethod(L, object, "__newindex"); op == lua.LNil {
			throw(L, "attempt to index %s", argumentText(L, 1, object))
		}
		if op.Type() == lua.LTFunction {
			L.Push(op)
			L.Push(object)
			L.Push(key)
			L.Push(value)
			L.Call(3, 0)
			return 0
		}
		object = op
	}
	throw(L, "loop in settable")
	return 0
}

// maxLoop is how many tables a chain of metatables may have; Lua's MAXTAGLOOP.
const maxLoop = 100

const msgReadOnlyTable = "Attempt to modify a readonly table"

// setField sets a field for a library function: without metamethods, and with errors that have no position.
func setField(L *lua.LState, t *lua.LTable, key, value lua.LValue) {
	if problem := at(L).set(L, t, key, value); problem != "" {
		throwValue(L, lua.LString(problem))
	}
}

// set sets a field without metamethods, and counts what that allocates. It returns what is wrong with it.
func (m *machine) set(L *lua.LState, t *lua.LTable, key, value lua.LValue) (problem string) {
	if m.readOnly(t) {
		return msgReadOnlyTable
	}
	switch k := key.(type) {
	case lua.LNumber:
		switch f := float64(k); {
		case f >= 1 && f < maxArray && f == float64(int(f)):
			m.setElement(L, t, int(f), value)
			return ""
		case f != f:
			return "table index is NaN"
		case f == maxArray && t.RawGetInt(maxArray-1) != lua.LNil:
			return "table overflow"
		}
	case *lua.LNilType:
		return "table index is nil"
	}
	if value != lua.LNil && t.RawGet(key) == lua.LNil {
		n := newFieldBytes
		if k, _ := t.Next(lua.LNil); k == lua.LNil {
			n += firstFieldBytes
		}
		m.spend(L, n)
	}
	t.RawSet(key, value)
	return ""
}

// setElement sets an element of the array part. gopher-lua fills the array up to the index, which is work and memory, and
// looks for the array's end among the nils behind it; so that there are none, the array is cut when its end is removed.
func (m *machine) setElement(L *lua.LState, t *lua.LTable, i int, value lua.LValue) {
	if value == lua.LNil {
		m.removeElement(L, t, i)
		return
	}
	if t.RawGetInt(i) == lua.LNil {
		gap := 1
		if i > 1 && t.RawGetInt(i-1) == lua.LNil {
			gap = max(i-t.Len(), 1)
		}
		m.spend(L, gap*elementBytes)
		m.work(L, gap-1)
	}
	t.RawSetInt(i, value)
}

func (m *machine) removeElement(L *lua.LState, t *lua.LTable, i int) {
	if t.RawGetInt(i) == lua.LNil {
		return
	}
	if i != t.Len() {
		t.RawSetInt(i, lua.LNil)
		return
	}
	t.RawSetInt(i, lua.LNil)
	end := t.Len()
	m.work(L, i-end-1)
	for ; i > end; i-- {
		t.Remove(i)
	}
}

// hookedTable counts a table that was just made, and returns it. The second argument is how many fields it was written
// with.
func hookedTable(L *lua.LState) int {
	if t, ok := L.Get(1).(*lua.LTable); ok {
		fields := 0
		if n, ok := L.Get(2).(lua.LNumber); ok {
			fields = int(n)
		}
		at(L).spend(L, tableBytes+t.Len()*elementBytes+fields*newFieldBytes)
	}
	L.SetTop(1)
	return 1
}

// hookedClosure counts a closure, and returns it.
func hookedClosure(L *lua.LState) int {
	at(L).spend(L, closureBytes)
	return 1
}

// hookedFor makes one of the numbers of a for loop a number; Lua takes strings that hold one.
func hookedFor(L *lua.LState) int {
	v := L.Get(1)
	if _, ok := v.(lua.LNumber); ok {
		L.SetTop(1)
		return 1
	}
	f, ok := toNumber(v)
	if !ok {
		throw(L, "'for' %s must be a number", L.Get(2).String())
	}
	L.Push(lua.LNumber(f))
	return 1
}
