package script

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Library is a library of functions. It never changes.
type Library struct {
	Name      string
	Code      []byte // its source, with the first line; must not be changed
	Functions []*Function

	proto *lua.FunctionProto
}

// Function is a function of a library. It never changes.
type Function struct {
	Name        string
	Description string
	Described   bool // it has a description
	Flags       Flags

	library *Library
}

// Library is the library that the function is of.
func (f *Function) Library() *Library { return f.library }

// NewLibrary compiles the source of a library and lets it register its functions. The error is an [Error] for the client.
// code is copied.
func (e *Engine) NewLibrary(code []byte) (*Library, error) {
	name, source, err := libraryName(string(code))
	if err != nil {
		return nil, err
	}
	l := &Library{Name: name, Code: []byte(string(code))}
	if l.proto, err = compile([]byte(source), userFunction, true); err != nil {
		return nil, Error("ERR Error compiling function: " + oneLine(err.Error()))
	}
	if l.Functions, err = e.registered(l.proto); err != nil {
		return nil, err
	}
	for _, f := range l.Functions {
		f.library = l
	}
	return l, nil
}

// registered runs a library's source and returns what it registers.
func (e *Engine) registered(proto *lua.FunctionProto) ([]*Function, error) {
	m := e.NewRun(nil).machine("")
	m.deadline = m.startedAt.Add(e.limits.Load)
	m.load = &loading{callbacks: map[string]*lua.LFunction{}}
	defer m.memory.release()
	m.envMeta.RawSetString("__index", m.lib.loading)
	failure, ok := m.guard(func() { m.chunk(m.lua, proto, 0) })
	switch {
	case m.dead == endTime:
		return nil, Error("ERR Error registering functions: ERR FUNCTION LOAD timeout")
	case !ok || m.dead != "":
		code, message := m.errorMessage(failure)
		return nil, Error("ERR Error registering functions: " + oneLine(code+message))
	case len(m.load.functions) == 0:
		return nil, Error("ERR No functions registered")
	}
	return m.load.functions, nil
}

// libraryName reads the first line of a library, "#!lua name=mylib".
func libraryName(code string) (name, source string, err error) {
	if !strings.HasPrefix(code, "#!") {
		return "", "", Error("ERR Missing library metadata")
	}
	end := strings.IndexByte(code, '\n')
	if end < 0 {
		return "", "", Error("ERR Invalid library metadata")
	}
	words, ok := splitArguments(code[:end])
	if !ok || len(words) == 0 {
		return "", "", Error("ERR Invalid library metadata")
	}
	named := false
	for _, w := range words[1:] {
		if len(w) < 5 || !strings.EqualFold(w[:5], "name=") {
			return "", "", Error("ERR Invalid metadata value given: " + oneLine(w))
		}
		if named {
			return "", "", Error("ERR Invalid metadata value, name argument was given multiple times")
		}
		name, named = w[5:], true
	}
	if !named {
		return "", "", Error("ERR Library name was not given")
	}
	if !validName(name) {
		return "", "", Error("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long")
	}
	if engine := words[0][2:]; !strings.EqualFold(engine, "lua") {
		return "", "", Error(fmt.Sprintf("ERR Engine '%s' not found", oneLine(engine)))
	}
	return strings.Clone(name), code[end:], nil
}
