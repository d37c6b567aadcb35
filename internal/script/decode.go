package script

import (
	"bytes"
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// replyReader turns a command's reply into Lua values, by Redis's rules: null is false in RESP2 and nil in RESP3, a status
// is {ok=...}, an error {err=...}, and what only RESP3 has becomes tables such as {double=...} and {map={...}}.
type replyReader struct {
	m    *machine
	l    *lua.LState
	data []byte
}

// decode reads a whole reply. A reply that is none is a bug of whoever made it.
func (m *machine) decode(L *lua.LState, reply []byte) lua.LValue {
	r := replyReader{m: m, l: L, data: reply}
	return r.value()
}

// line is the text of the line after the marker.
func (r *replyReader) line() (marker byte, rest []byte) {
	end := bytes.IndexByte(r.data, '\n')
	if end < 2 {
		panic("BUG: a command's reply is cut off")
	}
	marker, rest = r.data[0], r.data[1:end-1]
	r.data = r.data[end+1:]
	return marker, rest
}

func (r *replyReader) value() lua.LValue {
	r.m.work(r.l, 1)
	marker, line := r.line()
	switch marker {
	case ':':
		return lua.LNumber(float64(number(line)))
	case '+':
		return r.tagged("ok", r.m.string(r.l, line))
	case '-':
		t := errorTable(r.l, "-"+string(line))
		t.RawSetString("ignore_error_stats_update", lua.LTrue)
		return t
	case '$':
		if n := number(line); n >= 0 {
			return r.m.string(r.l, r.bytes(int(n)))
		}
		return lua.LFalse
	case '*', '>':
		if n := number(line); n >= 0 {
			return r.array(int(n))
		}
		return lua.LFalse
	case '_':
		return lua.LNil
	case '#':
		return lua.LBool(line[0] == 't')
	case ',':
		return r.tagged("double", lua.LNumber(double(line)))
	case '(':
		return r.tagged("big_number", r.m.string(r.l, line))
	case '=':
		return r.verbatim(int(number(line)))
	case '%':
		return r.hash(int(number(line)))
	case '~':
		return r.set(int(number(line)))
	case '|':
		for range 2 * number(line) {
			r.value()
		}
		return r.value()
	}
	panic("BUG: a command's reply has no type")
}

func number(line []byte) int64 {
	n, err := strconv.ParseInt(string(line), 10, 64)
	if err != nil {
		panic("BUG: a command's reply has a length that is no number")
	}
	return n
}

func double(line []byte) float64 {
	f, ok := parseNumber(string(line))
	if !ok {
		return math.NaN()
	}
	return f
}

// bytes are the next n bytes, without the end of line behind them.
func (r *replyReader) bytes(n int) []byte {
	b := r.data[:n]
	r.data = r.data[n+2:]
	return b
}

// tagged is a table with one field.
func (r *replyReader) tagged(name string, v lua.LValue) lua.LValue {
	t := r.m.newTable(r.l, 0, 1)
	t.RawSetString(name, v)
	return t
}

func (r *replyReader) array(n int) lua.LValue {
	t := r.m.newTable(r.l, n, 0)
	for i := 1; i <= n; i++ {
		if v := r.value(); v != lua.LNil {
			setField(r.l, t, lua.LNumber(i), v)
		}
	}
	return t
}

func (r *replyReader) hash(n int) lua.LValue {
	t := r.m.newTable(r.l, 0, 0)
	for range n {
		k := r.value()
		setField(r.l, t, k, r.value())
	}
	return r.tagged("map", t)
}

func (r *replyReader) set(n int) lua.LValue {
	t := r.m.newTable(r.l, 0, 0)
	for range n {
		setField(r.l, t, r.value(), lua.LTrue)
	}
	return r.tagged("set", t)
}

func (r *replyReader) verbatim(n int) lua.LValue {
	b := r.bytes(n)
	t := r.m.newTable(r.l, 0, 2)
	t.RawSetString("format", r.m.string(r.l, b[:3]))
	t.RawSetString("string", r.m.string(r.l, b[4:]))
	return r.tagged("verbatim_string", t)
}
