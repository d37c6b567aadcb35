package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// loading collects the functions that a library registers.
type loading struct {
	functions []*Function
	callbacks map[string]*lua.LFunction
}

// register loads the library of a function and returns what it registered as the function.
func (m *machine) register(L *lua.LState, f *Function) lua.LValue {
	m.load = &loading{callbacks: map[string]*lua.LFunction{}}
	m.envMeta.RawSetString("__index", m.lib.loading)
	m.chunk(L, f.library.proto, 0)
	m.envMeta.RawSetString("__index", m.globals)
	callback := m.load.callbacks[f.Name]
	m.load = nil
	if callback == nil {
		// What a library registers may depend on nothing but its source; only the limits are the run's.
		throwTable(L, "Function not found")
	}
	return callback
}

func registerFunction(L *lua.LState) int {
	l := at(L).load
	if l == nil {
		throwTable(L, "redis.register_function can only be called on FUNCTION LOAD command")
	}
	f := &Function{}
	var callback *lua.LFunction
	switch L.GetTop() {
	case 1:
		callback = namedArguments(L, f)
	case 2:
		callback = positionalArguments(L, f)
	default:
		throwTable(L, "wrong number of arguments to redis.register_function")
	}
	if !validName(f.Name) {
		throwTable(L, "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long")
	}
	if l.callbacks[f.Name] != nil {
		throwTable(L, "Function already exists in the library")
	}
	l.callbacks[f.Name] = callback
	l.functions = append(l.functions, f)
	return 0
}

func positionalArguments(L *lua.LState, f *Function) *lua.LFunction {
	name, ok := toText(L, L.Get(1))
	if !ok {
		throwTable(L, "first argument to redis.register_function must be a string")
	}
	callback, ok := L.Get(2).(*lua.LFunction)
	if !ok {
		throwTable(L, "second argument to redis.register_function must be a function")
	}
	f.Name = strings.Clone(name)
	return callback
}

func namedArguments(L *lua.LState, f *Function) (callback *lua.LFunction) {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		throwTable(L, "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).")
	}
	named := false
	m := at(L)
	for k, v := m.step(L, t, lua.LNil); k != lua.LNil; k, v = m.step(L, t, k) {
		key, ok := toText(L, k)
		if !ok {
			throwTable(L, "named argument key given to redis.register_function is not a string")
		}
		switch strings.ToLower(key) {
		case "function_name":
			f.Name = registeredText(L, v, "function_name")
			named = true
		case "description":
			f.Description, f.Described = registeredText(L, v, "description"), true
		case "callback":
			if callback, ok = v.(*lua.LFunction); !ok {
				throwTable(L, "callback argument given to redis.register_function must be a function")
			}
		case "flags":
			f.Flags = registeredFlags(L, v)
		default:
			throwTable(L, "unknown argument given to redis.register_function")
		}
	}
	if !named {
		throwTable(L, "redis.register_function must get a function name argument")
	}
	if callback == nil {
		throwTable(L, "redis.register_function must get a callback argument")
	}
	return callback
}

func registeredText(L *lua.LState, v lua.LValue, argument string) string {
	s, ok := toText(L, v)
	if !ok {
		throwTable(L, argument+" argument given to redis.register_function must be a string")
	}
	return strings.Clone(s)
}

func registeredFlags(L *lua.LState, v lua.LValue) (flags Flags) {
	t, ok := v.(*lua.LTable)
	if !ok {
		throwTable(L, "flags argument to redis.register_function must be a table representing function flags")
	}
	for i := 1; ; i++ {
		v := t.RawGetInt(i)
		if v == lua.LNil {
			return flags
		}
		name, ok := toText(L, v)
		f, known := flagByName(strings.ToLower(name))
		if !ok || !known {
			throwTable(L, "unknown flag given")
		}
		flags |= f
	}
}

// validName reports whether a library or function may have a name.
func validName(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isAlpha(c) && !isDigit(c) && c != '_' {
			return false
		}
	}
	return name != ""
}
