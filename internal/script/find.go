package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// special are the characters that make a pattern of a string.
const special = "^$*+?.([%-"

func stringFind(L *lua.LState) int  { return findOrMatch(L, true) }
func stringMatch(L *lua.LState) int { return findOrMatch(L, false) }

func findOrMatch(L *lua.LState, find bool) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	begin := place(optInteger(L, 3, 1), len(src)) - 1
	from := int(min(max(begin, 0), int64(len(src))))
	if find && (lua.LVAsBool(L.Get(4)) || !strings.ContainsAny(pat, special)) {
		at(L).work(L, (len(src)-from)>>4)
		i := strings.Index(src[from:], pat)
		if i < 0 {
			return push(L, lua.LNil)
		}
		L.Push(lua.LNumber(from + i + 1))
		L.Push(lua.LNumber(from + i + len(pat)))
		return 2
	}
	x := newMatcher(L, src, pat)
	start, end := x.search(from)
	if end < 0 {
		return push(L, lua.LNil)
	}
	if !find {
		return x.pushCaptures(start, end, true)
	}
	L.Push(lua.LNumber(start + 1))
	L.Push(lua.LNumber(end))
	return 2 + x.pushCaptures(start, end, false)
}

// search finds the first match from an index on; end is -1 when there is none.
func (x *matcher) search(from int) (start, end int) {
	anchor := strings.HasPrefix(x.pat, "^")
	p := 0
	if anchor {
		p = 1
	}
	for s := from; s <= len(x.src); s++ {
		x.level = 0
		if e := x.match(s, p); e >= 0 {
			return s, e
		}
		if anchor {
			break
		}
	}
	return 0, -1
}

// value is capture i of a match; of a match without captures, the first is the whole.
func (x *matcher) value(i, start, end int) lua.LValue {
	if i >= x.level {
		if i > 0 {
			throw(x.l, "invalid capture index")
		}
		return lua.LString(x.src[start:end])
	}
	switch c := x.captures[i]; c.length {
	case unclosed:
		throw(x.l, "unfinished capture")
		return nil
	case positionMark:
		return lua.LNumber(c.at + 1)
	default:
		return lua.LString(x.src[c.at : c.at+c.length])
	}
}

func (x *matcher) pushCaptures(start, end int, whole bool) int {
	n := x.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		x.l.Push(x.value(i, start, end))
	}
	return n
}

// stringGmatch returns an iterator. An empty match at the end of the one before does not end it, as in Lua 5.1.
func stringGmatch(L *lua.LState) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	at(L).spend(L, closureBytes)
	from := 0
	return push(L, L.NewFunction(func(L *lua.LState) int {
		x := newMatcher(L, src, pat)
		for s := from; s <= len(src); s++ {
			x.level = 0
			if end := x.match(s, 0); end >= 0 {
				from = end
				if end == s {
					from++
				}
				return x.pushCaptures(s, end, true)
			}
		}
		from = len(src) + 1
		return push(L, lua.LNil)
	}))
}

func stringGsub(L *lua.LState) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	replacement := L.Get(3)
	switch replacement.Type() {
	case lua.LTNumber, lua.LTString, lua.LTFunction, lua.LTTable:
	default:
		badArgument(L, 3, "string/function/table expected")
	}
	limit := optInteger(L, 4, int64(len(src)+1))
	x := newMatcher(L, src, pat)
	p := 0
	anchor := strings.HasPrefix(pat, "^")
	if anchor {
		p = 1
	}
	out := at(L).buffer(L)
	n, s := int64(0), 0
	for n < limit {
		x.level = 0
		end := x.match(s, p)
		if end >= 0 {
			n++
			x.replace(&out, replacement, s, end)
		}
		if end > s {
			s = end
		} else if s < len(src) {
			out.writeByte(src[s])
			s++
		} else {
			break
		}
		if anchor {
			break
		}
	}
	if s < len(src) {
		out.writeString(src[s:])
	}
	L.Push(out.done())
	L.Push(lua.LNumber(n))
	return 2
}

// replace writes what replaces a match: the match itself when the script's answer is false or nil.
func (x *matcher) replace(out *buffer, by lua.LValue, start, end int) {
	var v lua.LValue
	switch by := by.(type) {
	case *lua.LFunction:
		var args []lua.LValue
		for i := range max(x.level, 1) {
			args = append(args, x.value(i, start, end))
		}
		v = call1(x.l, by, args...)
	case *lua.LTable:
		v = x.l.GetTable(by, x.value(0, start, end))
	default:
		s, _ := toText(x.l, by)
		x.expand(out, s, start, end)
		return
	}
	if lua.LVIsFalse(v) {
		out.writeString(x.src[start:end])
		return
	}
	s, ok := toText(x.l, v)
	if !ok {
		throw(x.l, "invalid replacement value (a %s)", v.Type().String())
	}
	out.writeString(s)
}

// expand writes a replacement string with its %0 to %9.
func (x *matcher) expand(out *buffer, s string, start, end int) {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.writeByte(s[i])
			continue
		}
		i++
		switch {
		case i >= len(s):
			out.writeByte(0)
		case !isDigit(s[i]):
			out.writeByte(s[i])
		case s[i] == '0':
			out.writeString(x.src[start:end])
		default:
			t, _ := toText(x.l, x.value(int(s[i]-'1'), start, end))
			out.writeString(t)
		}
	}
}
