package script

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// libraries are the tables and functions that scripts find in their globals. They are built once and shared by all runs,
// which may run at the same time: nothing writes them, and what a function keeps, it keeps in its machine.
type libraries struct {
	builtins    *lua.LTable // the globals, but KEYS, ARGV and _G
	names       []string    // of builtins, sorted
	chain       *lua.LTable // the metatable of a run's own globals: the others are behind them
	loading     *lua.LTable // the globals while a library is being loaded
	stringTable *lua.LTable
	readOnly    *lua.LTable // the metatable that marks tables as shared
	raises      *lua.LTable // another one: what is missing in them raises an error
	globalsMeta *lua.LTable // what scripts get as the metatable of the globals
	stringMeta  *lua.LTable // what scripts get as the metatable of strings
	arithmetic  *lua.LTable // the metatable that strings really have
	unindexed   *lua.LTable // the metatable of what has no fields

	null              *lua.LUserData // cjson.null
	next, nextElement *lua.LFunction
	arm               *lua.LFunction
	trampoline        *lua.FunctionProto
	refuse            *lua.LFunction
	hooks             []*lua.LFunction
}

// serverVersion is the version of Redis whose behaviour scripts find.
const serverVersion, serverVersionNumber = "7.0.15", 0x0007000f

func newLibraries() *libraries {
	lib := &libraries{
		null: &lua.LUserData{Metatable: lua.LNil}, next: function(baseNext), nextElement: function(nextElement),
		arm: function(armed), refuse: function(refuseWrite), hooks: hookFunctions(),
	}
	lib.readOnly = newTable()
	lib.readOnly.Metatable = lib.readOnly
	missing := function(missingGlobal)

	lib.stringTable = lib.table(stringFunctions(), nil)
	lib.stringMeta = lib.table(nil, map[string]lua.LValue{"__index": lib.stringTable})
	lib.arithmetic = lib.table(arithmeticFunctions(), map[string]lua.LValue{"__index": lib.stringTable})
	lib.globalsMeta = lib.table(nil, map[string]lua.LValue{"__index": missing})

	msgpack := lib.table(msgpackFunctions(), msgpackNames())
	lib.builtins = lib.table(baseFunctions(), map[string]lua.LValue{
		"string": lib.stringTable, "table": lib.table(tableFunctions(), nil), "math": lib.table(mathFunctions(), mathNames()),
		"bit": lib.table(bitFunctions(), nil), "struct": lib.table(structFunctions(), nil),
		"cjson":    lib.table(jsonFunctions(), map[string]lua.LValue{"null": lib.null, "_NAME": lua.LString("cjson"), "_VERSION": lua.LString("2.1.0")}),
		"cmsgpack": msgpack, "coroutine": lib.table(coroutineFunctions(), nil), "os": lib.table(osFunctions(), nil),
		"redis":    lib.table(redisFunctions(), redisNames()),
		"_VERSION": lua.LString("Lua 5.1"),
	})
	for k, _ := lib.builtins.Next(lua.LNil); k != lua.LNil; k, _ = lib.builtins.Next(k) {
		lib.names = append(lib.names, k.String())
	}
	slices.Sort(lib.names)
	raises := newTable()
	lib.raises = raises
	raises.RawSetString("__index", missing)
	lib.builtins.Metatable = raises

	lib.unindexed = newTable()
	lib.unindexed.RawSetString("__index", function(refuseIndex))

	lib.chain = newTable()
	lib.chain.RawSetString("__index", lib.builtins)

	library := lib.table(loadFunctions(), loadNames())
	library.Metatable = raises
	lib.loading = lib.table(nil, map[string]lua.LValue{"redis": library})
	lib.loading.Metatable = raises

	lib.trampoline = trampoline()
	return lib
}

func newTable() *lua.LTable { return &lua.LTable{Metatable: lua.LNil} }

// table makes a table that scripts cannot write.
func (lib *libraries) table(functions map[string]lua.LGFunction, values map[string]lua.LValue) *lua.LTable {
	t := newTable()
	for name, f := range functions {
		t.RawSetString(name, function(f))
	}
	for name, v := range values {
		t.RawSetString(name, v)
	}
	t.Metatable = lib.readOnly
	return t
}

// missingGlobal is Redis's answer to a global that does not exist.
func missingGlobal(L *lua.LState) int {
	name, ok := toText(L, L.Get(2))
	if L.GetTop() != 2 {
		throw(L, "Wrong number of arguments to luaProtectedTableError")
	}
	if !ok {
		throw(L, "Second argument to luaProtectedTableError must be a string or number")
	}
	throw(L, "Script attempted to access nonexistent global variable '%s'", name)
	return 0
}

// refuseIndex is the error for a value that has no fields. gopher-lua's own has the key in it, which is then text on Go's
// heap and in buffers of fmt.
func refuseIndex(L *lua.LState) int {
	f, _ := frameAt(L, 1)
	throw(L, "attempt to index %s", f.describe(f.indexed(), L.Get(1).Type().String()))
	return 0
}

func refuseWrite(L *lua.LState) int {
	throw(L, msgReadOnlyTable)
	return 0
}

// trampoline is the function that calls its first argument, and then its second with the rest.
func trampoline() *lua.FunctionProto {
	tree, err := parse.Parse(strings.NewReader("return function(arm, f, ...) arm() return f(...) end"), "trampoline")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	outer, err := lua.Compile(tree, "trampoline")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return outer.FunctionPrototypes[0]
}

// arithmeticFunctions are the operators of strings. gopher-lua reads the numbers in strings by Go's rules, but asks a
// metatable first.
func arithmeticFunctions() map[string]lua.LGFunction {
	binary := func(event string, op func(a, b float64) float64) lua.LGFunction {
		return func(L *lua.LState) int {
			a, b := L.Get(1), L.Get(2)
			x, xok := toNumber(a)
			y, yok := toNumber(b)
			if xok && yok {
				return push(L, lua.LNumber(op(x, y)))
			}
			// The other operand may have an operator of its own.
			for _, v := range []lua.LValue{a, b} {
				if _, isString := v.(lua.LString); !isString {
					if own := metamethod(L, v, event); own != lua.LNil {
						return push(L, call1(L, own, a, b))
					}
				}
			}
			f, _ := frameAt(L, 1)
			throw(L, "%s", f.arithmetic())
			return 0
		}
	}
	return map[string]lua.LGFunction{
		"__add": binary("__add", func(a, b float64) float64 { return a + b }),
		"__sub": binary("__sub", func(a, b float64) float64 { return a - b }),
		"__mul": binary("__mul", func(a, b float64) float64 { return a * b }),
		"__div": binary("__div", func(a, b float64) float64 { return a / b }),
		"__mod": binary("__mod", modulo),
		"__pow": binary("__pow", power),
		"__unm": func(L *lua.LState) int {
			f, ok := toNumber(L.Get(1))
			if !ok {
				frame, _ := frameAt(L, 1)
				throw(L, "%s", frame.arithmetic())
			}
			return push(L, lua.LNumber(-f))
		},
	}
}
