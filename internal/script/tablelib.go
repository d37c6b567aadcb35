package script

import (
	lua "github.com/yuin/gopher-lua"
)

func tableFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"concat": tableConcat, "foreach": tableForeach, "foreachi": tableForeachI, "getn": tableGetN, "insert": tableInsert,
		"maxn": tableMaxN, "remove": tableRemove, "setn": tableSetN, "sort": tableSort,
	}
}

func tableGetN(L *lua.LState) int { return push(L, lua.LNumber(checkTable(L, 1).Len())) }

func tableSetN(L *lua.LState) int {
	checkTable(L, 1)
	throw(L, "'setn' is obsolete")
	return 0
}

func tableMaxN(L *lua.LState) int {
	t, highest := checkTable(L, 1), 0.0
	m := at(L)
	for k, _ := m.step(L, t, lua.LNil); k != lua.LNil; k, _ = m.step(L, t, k) {
		if f, ok := k.(lua.LNumber); ok {
			highest = max(highest, float64(f))
		}
	}
	return push(L, lua.LNumber(highest))
}

func tableForeach(L *lua.LState) int {
	t, f := checkTable(L, 1), checkFunction(L, 2)
	m := at(L)
	for k, v := m.step(L, t, lua.LNil); k != lua.LNil; k, v = m.step(L, t, k) {
		if r := call1(L, f, k, v); r != lua.LNil {
			return push(L, r)
		}
	}
	return 0
}

func tableForeachI(L *lua.LState) int {
	t, f := checkTable(L, 1), checkFunction(L, 2)
	for i, n := 1, t.Len(); i <= n; i++ {
		if r := call1(L, f, lua.LNumber(i), t.RawGetInt(i)); r != lua.LNil {
			return push(L, r)
		}
	}
	return 0
}

func tableInsert(L *lua.LState) int {
	t := checkTable(L, 1)
	end := t.Len() + 1
	switch L.GetTop() {
	case 2:
		setField(L, t, lua.LNumber(end), L.Get(2))
	case 3:
		pos := checkInt(L, 2)
		end = max(end, pos)
		at(L).work(L, max(end-max(pos, 1), 0))
		for i := end; i > pos; i-- {
			setField(L, t, lua.LNumber(i), t.RawGet(lua.LNumber(i-1)))
		}
		setField(L, t, lua.LNumber(pos), L.Get(3))
	default:
		throw(L, "wrong number of arguments to 'insert'")
	}
	return 0
}

func tableRemove(L *lua.LState) int {
	t := checkTable(L, 1)
	end := t.Len()
	pos := int(int32(optInteger(L, 2, int64(end))))
	if pos < 1 || pos > end {
		return 0
	}
	v := t.RawGetInt(pos)
	at(L).work(L, end-pos)
	for ; pos < end; pos++ {
		setField(L, t, lua.LNumber(pos), t.RawGetInt(pos+1))
	}
	setField(L, t, lua.LNumber(end), lua.LNil)
	return push(L, v)
}

func tableConcat(L *lua.LState) int {
	t := checkTable(L, 1)
	separator := optString(L, 2, "")
	first := optInteger(L, 3, 1)
	last := int64(t.Len())
	if L.Get(4) != lua.LNil {
		last = checkInteger(L, 4)
	}
	out := at(L).buffer(L)
	for i := first; i <= last; i++ {
		at(L).work(L, 1)
		switch v := t.RawGet(lua.LNumber(i)).(type) {
		case lua.LString:
			out.writeString(string(v))
		case lua.LNumber:
			out.number(float64(v), shownDigits)
		default:
			throw(L, "invalid value (%s) at index %d in table for 'concat'", v.Type().String(), i)
		}
		if i < last {
			out.writeString(separator)
		}
		if i == 1<<63-1 {
			break
		}
	}
	return push(L, out.done())
}
