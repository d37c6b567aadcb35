package script

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// jsonConfig is what cjson lets a script set. In Redis a setting stays for all later scripts; here it ends with the run.
type jsonConfig struct {
	sparseConvert, keepBuffer           bool
	sparseRatio, sparseSafe             int
	encodeDepth, decodeDepth, precision int
	encodeInvalid                       invalidNumbers
	decodeInvalid                       bool
}

// invalidNumbers is what becomes of NaN and infinity.
type invalidNumbers int

const (
	invalidRefused invalidNumbers = iota
	invalidWritten
	invalidNull
)

func defaultJSON() jsonConfig {
	return jsonConfig{sparseRatio: 2, sparseSafe: 10, encodeDepth: 1000, decodeDepth: 1000, precision: 14, keepBuffer: true, decodeInvalid: true}
}

func jsonFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"encode": jsonEncode, "decode": jsonDecode, "new": jsonNew,
		"encode_sparse_array":     jsonSparseArray,
		"encode_max_depth":        func(L *lua.LState) int { return jsonInteger(L, 1, 1, &at(L).json.encodeDepth, 1, math.MaxInt32) },
		"decode_max_depth":        func(L *lua.LState) int { return jsonInteger(L, 1, 1, &at(L).json.decodeDepth, 1, math.MaxInt32) },
		"encode_number_precision": func(L *lua.LState) int { return jsonInteger(L, 1, 1, &at(L).json.precision, 1, 14) },
		"encode_keep_buffer":      func(L *lua.LState) int { return jsonSwitch(L, 1, 1, &at(L).json.keepBuffer) },
		"encode_invalid_numbers":  jsonEncodeInvalid,
		"decode_invalid_numbers":  func(L *lua.LState) int { return jsonSwitch(L, 1, 1, &at(L).json.decodeInvalid) },
	}
}

// jsonArguments checks how many arguments there are.
func jsonArguments(L *lua.LState, most int) {
	if L.GetTop() > most {
		badArgument(L, most+1, "found too many arguments")
	}
}

func jsonInteger(L *lua.LState, n, most int, setting *int, low, high int) int {
	jsonArguments(L, most)
	if L.Get(n) != lua.LNil {
		v := checkInt(L, n)
		if v < low || v > high {
			badArgument(L, 1, fmt.Sprintf("expected integer between %d and %d", low, high))
		}
		*setting = v
	}
	return push(L, lua.LNumber(*setting))
}

func jsonSwitch(L *lua.LState, n, most int, setting *bool) int {
	jsonArguments(L, most)
	switch v := L.Get(n).(type) {
	case *lua.LNilType:
	case lua.LBool:
		*setting = bool(v)
	default:
		*setting = checkOption(L, n, []string{"off", "on"}) == 1
	}
	return push(L, lua.LBool(*setting))
}

func jsonSparseArray(L *lua.LState) int {
	c := &at(L).json
	jsonArguments(L, 3)
	convert, ratio, safe := L.Get(1), L.Get(2), L.Get(3)
	L.SetTop(0)
	for _, v := range []lua.LValue{convert, ratio, safe} {
		L.Push(v)
	}
	jsonSwitch(L, 1, 3, &c.sparseConvert)
	L.SetTop(3)
	jsonInteger(L, 2, 3, &c.sparseRatio, 0, math.MaxInt32)
	L.SetTop(3)
	jsonInteger(L, 3, 3, &c.sparseSafe, 0, math.MaxInt32)
	L.SetTop(0)
	L.Push(lua.LBool(c.sparseConvert))
	L.Push(lua.LNumber(c.sparseRatio))
	L.Push(lua.LNumber(c.sparseSafe))
	return 3
}

func jsonEncodeInvalid(L *lua.LState) int {
	setting := &at(L).json.encodeInvalid
	jsonArguments(L, 1)
	switch v := L.Get(1).(type) {
	case *lua.LNilType:
	case lua.LBool:
		*setting = invalidRefused
		if v {
			*setting = invalidWritten
		}
	default:
		*setting = invalidNumbers(checkOption(L, 1, []string{"off", "on", "null"}))
	}
	if *setting == invalidNull {
		return push(L, lua.LString("null"))
	}
	return push(L, lua.LBool(*setting == invalidWritten))
}

// jsonNew returns the module itself: its settings are the run's, so a second one has none of its own.
func jsonNew(L *lua.LState) int { return push(L, at(L).lib.builtins.RawGetString("cjson")) }
