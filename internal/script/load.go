package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func baseLoadString(L *lua.LState) int {
	source := checkString(L, 1)
	return loadChunk(L, source, optString(L, 2, source))
}

func baseLoad(L *lua.LState) int {
	reader := checkFunction(L, 1)
	name := optString(L, 2, "=(load)")
	b := at(L).buffer(L)
	for {
		v := call1(L, reader)
		if v == lua.LNil {
			break
		}
		piece, ok := toText(L, v)
		if !ok {
			throw(L, "reader function must return a string")
		}
		if piece == "" {
			break
		}
		b.writeString(piece)
	}
	return loadChunk(L, string(b.done()), name)
}

// loadChunk compiles source for a script: through the rewriter like the script itself.
func loadChunk(L *lua.LState, source, name string) int {
	m := at(L)
	// Compiling is work, by rule of thumb some hundred nanoseconds and sixty bytes for each byte.
	m.work(L, 16*len(source))
	m.spend(L, 64*len(source))
	short := shortSource(name)
	proto, err := compile([]byte(source), short, false)
	if err != nil {
		L.Push(lua.LNil)
		L.Push(m.string(L, []byte(err.Error())))
		return 2
	}
	if m.sources == nil {
		m.sources = map[string]string{}
	}
	m.sources[short] = strings.Clone(name)
	outer := L.NewFunctionFromProto(proto)
	outer.Env = m.env
	L.Push(outer)
	for _, h := range m.lib.hooks {
		L.Push(h)
	}
	L.Call(len(m.lib.hooks), 1)
	return 1
}

// shownSource is how much of a source Lua shows in errors (LUA_IDSIZE).
const shownSource = 60

// shortSource is how Lua names a chunk in errors.
func shortSource(name string) string {
	if name == "" {
		return `[string ""]`
	}
	if name[0] == '=' {
		return strings.Clone(name[1:min(len(name), shownSource)])
	}
	if name[0] == '@' {
		if rest := name[1:]; len(rest) > shownSource-8 {
			return "..." + rest[len(rest)-(shownSource-8):]
		}
		return strings.Clone(name[1:])
	}
	line, _, several := strings.Cut(name, "\n")
	if l, _, cr := strings.Cut(line, "\r"); cr {
		line, several = l, true
	}
	room := shownSource - len(`[string "..."] `) - 1
	if len(line) > room {
		line, several = line[:room], true
	}
	if several {
		line += "..."
	}
	return `[string "` + line + `"]`
}
