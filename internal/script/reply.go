package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/lethe-cache/lethe/internal/resp"
)

// replyWriter turns what a script returns into a reply, by Redis's rules.
type replyWriter struct {
	m   *machine
	l   *lua.LState
	out *resp.Writer
}

// maxReplyDepth is how deep a reply may be nested; Redis's limit is that of Lua's stack.
const maxReplyDepth = maxResults

func (w replyWriter) value(v lua.LValue, depth int) {
	w.m.work(w.l, 1)
	if depth > maxReplyDepth {
		w.out.Error("ERR reached lua stack limit")
		return
	}
	switch v := v.(type) {
	case lua.LString:
		w.out.BulkString(string(v))
	case lua.LBool:
		switch {
		case w.m.resp3:
			w.out.Bool(bool(v))
		case bool(v):
			w.out.Int(1)
		default:
			w.out.Null()
		}
	case lua.LNumber:
		w.out.Int(toInteger(float64(v)))
	case *lua.LTable:
		w.table(v, depth)
	default:
		w.out.Null()
	}
}

// table writes a table: one with a field that names a type of reply as that, any other as the array of its elements.
func (w replyWriter) table(t *lua.LTable, depth int) {
	if s, ok := t.RawGetString("err").(lua.LString); ok {
		w.out.Error(strings.Trim(string(s), "\r\n"))
		return
	}
	if s, ok := t.RawGetString("ok").(lua.LString); ok {
		w.out.Status(string(s))
		return
	}
	if f, ok := t.RawGetString("double").(lua.LNumber); ok {
		w.out.Double(float64(f))
		return
	}
	if s, ok := t.RawGetString("big_number").(lua.LString); ok {
		w.out.BigNumber(w.oneLine(string(s)))
		return
	}
	if inner, ok := t.RawGetString("verbatim_string").(*lua.LTable); ok && w.verbatim(inner) {
		return
	}
	if inner, ok := t.RawGetString("map").(*lua.LTable); ok {
		mark := w.out.DeferredArray()
		w.out.SetMapLen(mark, w.fields(inner, depth, true))
		return
	}
	if inner, ok := t.RawGetString("set").(*lua.LTable); ok {
		mark := w.out.DeferredArray()
		w.out.SetSetLen(mark, w.fields(inner, depth, false))
		return
	}
	mark, n := w.out.DeferredArray(), 0
	for v := t.RawGet(lua.LNumber(1)); v != lua.LNil; v = t.RawGet(lua.LNumber(n + 1)) {
		w.value(v, depth+1)
		n++
	}
	w.out.SetArrayLen(mark, n)
}

// fields writes the keys of a table, and their values.
func (w replyWriter) fields(t *lua.LTable, depth int, values bool) (n int) {
	for k, v := w.m.step(w.l, t, lua.LNil); k != lua.LNil; k, v = w.m.step(w.l, t, k) {
		w.value(k, depth+1)
		if values {
			w.value(v, depth+1)
		}
		n++
	}
	return n
}

func (w replyWriter) verbatim(t *lua.LTable) bool {
	format, ok := t.RawGetString("format").(lua.LString)
	s, isString := t.RawGetString("string").(lua.LString)
	if !ok || !isString {
		return false
	}
	name := append(append(make([]byte, 0, 6), format[:min(len(format), 3)]...), "   "...)
	w.out.Verbatim(string(name[:3]), raw(string(s)))
	return true
}

// oneLine is a text with spaces where lines end, in the run's memory.
func (w replyWriter) oneLine(s string) string {
	b := w.m.room(w.l, len(s))
	for i := range b {
		if b[i] = s[i]; s[i] == '\r' || s[i] == '\n' {
			b[i] = ' '
		}
	}
	return text(b)
}
