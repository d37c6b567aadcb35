package script

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

func baseFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"assert": baseAssert, "collectgarbage": baseCollectGarbage, "error": baseError, "gcinfo": baseGCInfo,
		"getmetatable": baseGetMetatable, "load": baseLoad, "loadstring": baseLoadString,
		"next": baseNext, "pcall": basePcall, "rawequal": baseRawEqual, "rawget": baseRawGet,
		"rawset": baseRawSet, "select": baseSelect, "setmetatable": baseSetMetatable,
		"tonumber": baseToNumber, "tostring": baseToString, "type": baseType, "unpack": baseUnpack, "xpcall": baseXpcall,
		"ipairs": baseIpairs, "pairs": basePairs, "__redis__err__handler": baseErrorHandler,
	}
}

func baseAssert(L *lua.LState) int {
	if lua.LVIsFalse(checkAny(L, 1)) {
		msg := "assertion failed!"
		if L.Get(2) != lua.LNil {
			msg = checkString(L, 2)
		}
		throw(L, "%s", msg)
	}
	return L.GetTop()
}

// baseCollectGarbage answers what a script can make sense of; the collector is everybody's, and not for scripts to run.
func baseCollectGarbage(L *lua.LState) int {
	options := []string{"stop", "restart", "collect", "count", "step", "setpause", "setstepmul"}
	option := 2
	if L.Get(1) != lua.LNil {
		option = checkOption(L, 1, options)
	}
	switch options[option] {
	case "count":
		return push(L, lua.LNumber(float64(at(L).bytes)/1024))
	case "step":
		return push(L, lua.LTrue)
	}
	return push(L, lua.LNumber(0))
}

func baseGCInfo(L *lua.LState) int { return push(L, lua.LNumber(at(L).bytes/1024)) }

func baseError(L *lua.LState) int {
	level := optInteger(L, 2, 1)
	v := L.Get(1)
	if s, ok := toText(L, v); ok && level > 0 {
		b := at(L).buffer(L)
		b.writeString(where(L, int(min(level, maxFrames))))
		b.writeString(s)
		v = b.done()
	}
	throwValue(L, v)
	return 0
}

// baseErrorHandler is what Redis leaves in the globals: it makes a table of an error that is none.
func baseErrorHandler(L *lua.LState) int {
	if t, ok := L.Get(1).(*lua.LTable); ok {
		return push(L, t)
	}
	t := at(L).newTable(L, 0, 1)
	t.RawSetString("err", lua.LString("ERR "+display(L, L.Get(1))))
	return push(L, t)
}

func baseType(L *lua.LState) int { return push(L, lua.LString(checkAny(L, 1).Type().String())) }

func baseToString(L *lua.LState) int {
	v := checkAny(L, 1)
	if op := metamethod(L, v, "__tostring"); op != lua.LNil {
		return push(L, call1(L, op, v))
	}
	return push(L, lua.LString(display(L, v)))
}

// display is the text of a value of any type, without metamethods.
func display(L *lua.LState, v lua.LValue) string {
	if s, ok := toText(L, v); ok {
		return s
	}
	switch v := v.(type) {
	case *lua.LFunction:
		if v.IsG {
			return fmt.Sprintf("function: builtin: %p", v)
		}
	case *lua.LUserData:
		if v == at(L).lib.null {
			return "userdata: (nil)"
		}
	}
	return v.String()
}

func baseToNumber(L *lua.LState) int {
	base := optInteger(L, 2, 10)
	if base == 10 {
		if f, ok := toNumber(checkAny(L, 1)); ok {
			return push(L, lua.LNumber(f))
		}
		return push(L, lua.LNil)
	}
	s := checkString(L, 1)
	if base < 2 || base > 36 {
		badArgument(L, 2, "base out of range")
	}
	if f, ok := parseInBase(s, float64(base)); ok {
		return push(L, lua.LNumber(f))
	}
	return push(L, lua.LNil)
}

func baseRawEqual(L *lua.LState) int {
	return push(L, lua.LBool(L.RawEqual(checkAny(L, 1), checkAny(L, 2))))
}

func baseRawGet(L *lua.LState) int {
	t := checkTable(L, 1)
	key := checkAny(L, 2)
	if m := at(L); t == m.env {
		t = m.everything(L)
	}
	return push(L, t.RawGet(key))
}

func baseRawSet(L *lua.LState) int {
	t := checkTable(L, 1)
	key, value := checkAny(L, 2), checkAny(L, 3)
	setField(L, t, key, value)
	return push(L, t)
}

func baseSelect(L *lua.LState) int {
	top := L.GetTop()
	if s, ok := L.Get(1).(lua.LString); ok && len(s) > 0 && s[0] == '#' {
		return push(L, lua.LNumber(top-1))
	}
	i := checkInteger(L, 1)
	if i < 0 {
		i += int64(top)
	} else if i > int64(top) {
		i = int64(top)
	}
	if i < 1 {
		badArgument(L, 1, "index out of range")
	}
	return top - int(i)
}

func baseUnpack(L *lua.LState) int {
	t := checkTable(L, 1)
	first := optInteger(L, 2, 1)
	var last int64
	if L.Get(3) == lua.LNil {
		last = int64(t.Len())
	} else {
		last = checkInteger(L, 3)
	}
	if first > last {
		return 0
	}
	if n := last - first + 1; n <= 0 || n >= maxResults {
		throw(L, "too many results to unpack")
	}
	at(L).work(L, int(last-first))
	for i := first; i <= last; i++ {
		L.Push(t.RawGet(lua.LNumber(i)))
	}
	return int(last - first + 1)
}

// basePcall is Redis's pcall: of an error that is a table with a text, it returns the text, as before Redis 7.
func basePcall(L *lua.LState) int {
	fn := checkAny(L, 1)
	results, failure, ok := at(L).protected(L, fn, arguments(L, 2))
	if !ok {
		if t, isTable := failure.(*lua.LTable); isTable {
			if msg := t.RawGetString("err"); lua.LVCanConvToString(msg) {
				failure = msg
			}
		}
		L.Push(lua.LFalse)
		L.Push(failure)
		return 2
	}
	return pushAll(L, lua.LTrue, results)
}

func baseXpcall(L *lua.LState) int {
	handler := checkAny(L, 2)
	results, failure, ok := at(L).protected(L, L.Get(1), nil)
	if !ok {
		results, failure, ok = at(L).protected(L, handler, []lua.LValue{failure})
		if !ok {
			results = []lua.LValue{failure}
		}
		return pushAll(L, lua.LFalse, results[:min(len(results), 1)])
	}
	return pushAll(L, lua.LTrue, results)
}

// arguments are those of the running function from the n-th on.
func arguments(L *lua.LState, n int) []lua.LValue {
	var args []lua.LValue
	for i := n; i <= L.GetTop(); i++ {
		args = append(args, L.Get(i))
	}
	return args
}

func pushAll(L *lua.LState, first lua.LValue, rest []lua.LValue) int {
	L.Push(first)
	for _, v := range rest {
		L.Push(v)
	}
	return 1 + len(rest)
}

// parseInBase reads an integer as C's strtoul does, with space around.
func parseInBase(s string, base float64) (float64, bool) {
	digits := trimSpace(s)
	negative := false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		negative, digits = digits[0] == '-', digits[1:]
	}
	if base == 16 && len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		digits = digits[2:]
	}
	if digits == "" {
		return 0, false
	}
	var f float64
	for _, c := range []byte(digits) {
		d := digitOf(c)
		if float64(d) >= base {
			return 0, false
		}
		f = f*base + float64(d)
	}
	f = min(f, 1<<64)
	if negative && f > 0 {
		// strtoul negates in unsigned arithmetic.
		f = 1<<64 - f
	}
	return f, true
}

func digitOf(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 1 << 10
}
