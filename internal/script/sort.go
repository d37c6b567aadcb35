package script

import (
	lua "github.com/yuin/gopher-lua"
)

// sorter sorts the elements of a table by a function that a stranger wrote: it may be inconsistent, fail, or never end.
// It is the quicksort that Lua has, a median of three and the smaller half first, so that equal elements end in the order
// that they have in Redis, and errors come for the same elements.
type sorter struct {
	l    *lua.LState
	t    *lua.LTable
	less lua.LValue // nil: Lua's own order
}

func tableSort(L *lua.LState) int {
	t := checkTable(L, 1)
	s := sorter{l: L, t: t, less: lua.LNil}
	if L.Get(2) != lua.LNil {
		s.less = checkFunction(L, 2)
	}
	s.sort(1, t.Len())
	return 0
}

func (s sorter) get(i int) lua.LValue { return s.t.RawGetInt(i) }

// put writes an element that exists, if the comparison has not removed it.
func (s sorter) put(i int, v lua.LValue) { setField(s.l, s.t, lua.LNumber(i), v) }

// order puts two elements into order, and reports whether they were not.
func (s sorter) order(low, high int) bool {
	a, b := s.get(low), s.get(high)
	if !s.before(b, a) {
		return false
	}
	s.put(low, b)
	s.put(high, a)
	return true
}

func (s sorter) sort(low, high int) {
	for low < high {
		s.order(low, high)
		if high-low == 1 {
			return
		}
		middle := (low + high) / 2
		if !s.order(low, middle) {
			s.order(middle, high)
		}
		if high-low == 2 {
			return
		}
		border := s.partition(low, high, middle)
		if border-low < high-border {
			s.sort(low, border-1)
			low = border + 1
		} else {
			s.sort(border+1, high)
			high = border - 1
		}
	}
}

// partition moves what is less than the middle element before it and the rest behind, and returns where that one ends up.
func (s sorter) partition(low, high, middle int) int {
	pivot := s.get(middle)
	s.put(middle, s.get(high-1))
	s.put(high-1, pivot)
	i, j := low, high-1
	for {
		for i++; s.before(s.get(i), pivot); i++ {
			if i > high {
				throw(s.l, "invalid order function for sorting")
			}
		}
		for j--; s.before(pivot, s.get(j)); j-- {
			if j < low {
				throw(s.l, "invalid order function for sorting")
			}
		}
		if j < i {
			break
		}
		a, b := s.get(i), s.get(j)
		s.put(i, b)
		s.put(j, a)
	}
	a, b := s.get(high-1), s.get(i)
	s.put(high-1, b)
	s.put(i, a)
	return i
}

func (s sorter) before(a, b lua.LValue) bool {
	at(s.l).work(s.l, 1)
	if s.less != lua.LNil {
		return lua.LVAsBool(call1(s.l, s.less, a, b))
	}
	if a.Type() == b.Type() {
		switch x := a.(type) {
		case lua.LNumber:
			return x < b.(lua.LNumber)
		case lua.LString:
			return x < b.(lua.LString)
		}
		if op := metamethod(s.l, a, "__lt"); op != lua.LNil && op == metamethod(s.l, b, "__lt") {
			return lua.LVAsBool(call1(s.l, op, a, b))
		}
	}
	throwValue(s.l, lua.LString(compareText(a.Type().String(), b.Type().String())))
	return false
}
