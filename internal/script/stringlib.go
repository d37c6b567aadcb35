package script

import (
	lua "github.com/yuin/gopher-lua"
)

func stringFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"byte": stringByte, "char": stringChar, "dump": stringDump, "find": stringFind, "format": stringFormat,
		"gfind": stringGmatch, "gmatch": stringGmatch, "gsub": stringGsub, "len": stringLen, "lower": stringLower,
		"match": stringMatch, "rep": stringRep, "reverse": stringReverse, "sub": stringSub, "upper": stringUpper,
	}
}

// place turns an index that may count from the end into one that counts from the start, from 1; 0 when it is before it.
func place(i int64, length int) int64 {
	if i < 0 {
		i += int64(length) + 1
	}
	return max(i, 0)
}

func stringLen(L *lua.LState) int { return push(L, lua.LNumber(len(checkString(L, 1)))) }

func stringSub(L *lua.LState) int {
	s := checkString(L, 1)
	from := max(place(checkInteger(L, 2), len(s)), 1)
	to := min(place(optInteger(L, 3, -1), len(s)), int64(len(s)))
	if from > to {
		return push(L, lua.LString(""))
	}
	return push(L, lua.LString(s[from-1:to]))
}

func stringByte(L *lua.LState) int {
	s := checkString(L, 1)
	from := place(optInteger(L, 2, 1), len(s))
	to := min(place(optInteger(L, 3, from), len(s)), int64(len(s)))
	from = max(from, 1)
	if from > to {
		return 0
	}
	n := int(to - from + 1)
	if n >= maxResults {
		throw(L, "stack overflow (string slice too long)")
	}
	at(L).work(L, n)
	for _, c := range []byte(s[from-1 : to]) {
		L.Push(lua.LNumber(c))
	}
	return n
}

func stringChar(L *lua.LState) int {
	n := L.GetTop()
	b := at(L).room(L, n)
	for i := range b {
		c := checkInt(L, i+1)
		if c < 0 || c > 255 {
			badArgument(L, i+1, "invalid value")
		}
		b[i] = byte(c)
	}
	return push(L, lua.LString(text(b)))
}

// mapped makes a string of the same length.
func mapped(L *lua.LState, f func(to []byte, from string)) int {
	s := checkString(L, 1)
	b := at(L).room(L, len(s))
	f(b, s)
	return push(L, lua.LString(text(b)))
}

func stringLower(L *lua.LState) int {
	return mapped(L, func(to []byte, from string) {
		for i := range to {
			to[i] = lower(from[i])
		}
	})
}

func stringUpper(L *lua.LState) int {
	return mapped(L, func(to []byte, from string) {
		for i := range to {
			if c := from[i]; 'a' <= c && c <= 'z' {
				to[i] = c - 'a' + 'A'
			} else {
				to[i] = c
			}
		}
	})
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c - 'A' + 'a'
	}
	return c
}

func stringReverse(L *lua.LState) int {
	return mapped(L, func(to []byte, from string) {
		for i := range to {
			to[i] = from[len(from)-1-i]
		}
	})
}

func stringRep(L *lua.LState) int {
	s := checkString(L, 1)
	n := int64(checkInt(L, 2))
	if n <= 0 || len(s) == 0 {
		return push(L, lua.LString(""))
	}
	m := at(L)
	if n > m.limits.Bytes/int64(len(s)) {
		m.end(endMemory)
		m.stop(L)
	}
	b := m.room(L, int(n)*len(s))
	for at := copy(b, s); at < len(b); {
		at += copy(b[at:], b[:at])
	}
	return push(L, lua.LString(text(b)))
}

// stringDump returns what Lua's compiled chunks begin with, and no more: as in Redis, no script can load one.
func stringDump(L *lua.LState) int {
	checkFunction(L, 1)
	return push(L, lua.LString("\x1bLua"))
}
