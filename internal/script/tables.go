package script

import (
	lua "github.com/yuin/gopher-lua"
)

// hashSteps is what a step through the fields of a table counts: gopher-lua passes over every field that was ever removed.
const hashSteps = 64

// step is the field of a table after a key, nil behind the last.
func (m *machine) step(L *lua.LState, t *lua.LTable, key lua.LValue) (lua.LValue, lua.LValue) {
	if t == m.env {
		t = m.everything(L)
	}
	k, v := t.Next(key)
	before, _ := key.(lua.LNumber)
	if after, ok := k.(lua.LNumber); ok && after > before && after < maxArray {
		m.work(L, int(after-before))
	} else {
		m.work(L, hashSteps)
	}
	return k, v
}

func baseNext(L *lua.LState) int {
	t := checkTable(L, 1)
	k, v := at(L).step(L, t, L.Get(2))
	if k == lua.LNil {
		return push(L, lua.LNil)
	}
	L.Push(k)
	L.Push(v)
	return 2
}

func basePairs(L *lua.LState) int {
	t := checkTable(L, 1)
	L.Push(at(L).lib.next)
	L.Push(t)
	L.Push(lua.LNil)
	return 3
}

func baseIpairs(L *lua.LState) int {
	t := checkTable(L, 1)
	L.Push(at(L).lib.nextElement)
	L.Push(t)
	L.Push(lua.LNumber(0))
	return 3
}

func nextElement(L *lua.LState) int {
	i := checkInt(L, 2) + 1
	v := checkTable(L, 1).RawGet(lua.LNumber(i))
	if v == lua.LNil {
		return 0
	}
	L.Push(lua.LNumber(i))
	L.Push(v)
	return 2
}

// baseGetMetatable hides what keeps tables from being written, and the arithmetic that strings have here.
func baseGetMetatable(L *lua.LState) int {
	m := at(L)
	switch v := checkAny(L, 1).(type) {
	case *lua.LTable:
		switch {
		case v == m.env:
			return push(L, m.lib.globalsMeta)
		case v.Metatable == m.lib.readOnly:
			return push(L, lua.LNil)
		}
		return push(L, protectedMeta(v.Metatable))
	case *lua.LUserData:
		return push(L, protectedMeta(v.Metatable))
	case lua.LString:
		return push(L, m.lib.stringMeta)
	}
	return push(L, lua.LNil)
}

func protectedMeta(mt lua.LValue) lua.LValue {
	if t, ok := mt.(*lua.LTable); ok {
		if hides := t.RawGetString("__metatable"); hides != lua.LNil {
			return hides
		}
	}
	return mt
}

func baseSetMetatable(L *lua.LState) int {
	t := checkTable(L, 1)
	mt := L.Get(2)
	if mt.Type() != lua.LTTable && (mt != lua.LNil || L.GetTop() < 2) {
		badArgument(L, 2, "nil or table expected")
	}
	if at(L).readOnly(t) {
		throwValue(L, lua.LString(msgReadOnlyTable))
	}
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		throw(L, "cannot change a protected metatable")
	}
	t.Metatable = mt
	return push(L, t)
}

// everything is a table of all globals, for scripts that iterate over them or look without metamethods.
func (m *machine) everything(L *lua.LState) *lua.LTable {
	if m.all == nil {
		m.all = m.newTable(L, 0, len(m.lib.names)+3)
		for _, n := range m.lib.names {
			m.all.RawSetString(n, m.lib.builtins.RawGetString(n))
		}
		for k, v := m.globals.Next(lua.LNil); k != lua.LNil; k, v = m.globals.Next(k) {
			m.all.RawSet(k, v)
		}
	}
	return m.all
}

// readOnly reports whether scripts may not write a table: it is shared with other runs, or holds the globals.
func (m *machine) readOnly(t *lua.LTable) bool {
	return t.Metatable == m.lib.readOnly || t.Metatable == m.lib.raises || t == m.lib.raises || t == m.env || t == m.all || t == m.globals || t == m.lib.builtins || t == m.envMeta
}
