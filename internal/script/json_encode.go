package script

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// jsonEncoder writes JSON as lua-cjson 2.1 does.
type jsonEncoder struct {
	buffer
	config *jsonConfig
}

func jsonEncode(L *lua.LState) int {
	if L.GetTop() != 1 {
		badArgument(L, 1, "expected 1 argument")
	}
	m := at(L)
	e := jsonEncoder{buffer: m.buffer(L), config: &m.json}
	e.value(L.Get(1), 0)
	return push(L, e.done())
}

func (e *jsonEncoder) value(v lua.LValue, depth int) {
	e.m.work(e.l, 1)
	switch v := v.(type) {
	case lua.LString:
		e.text(string(v))
	case lua.LNumber:
		e.writeNumber(float64(v))
	case lua.LBool:
		e.writeString(v.String())
	case *lua.LNilType:
		e.writeString("null")
	case *lua.LTable:
		e.table(v, depth+1)
	default:
		if v == e.m.lib.null {
			e.writeString("null")
			return
		}
		e.refuse(v, "type not supported")
	}
}

func (e *jsonEncoder) refuse(v lua.LValue, why string) {
	throw(e.l, "Cannot serialise %s: %s", v.Type().String(), why)
}

func (e *jsonEncoder) table(t *lua.LTable, depth int) {
	// gopher-lua's own stack is Go's, which is why the depth that a script may set has an end here.
	if depth > e.config.encodeDepth || depth > maxJSONDepth {
		throw(e.l, "Cannot serialise, excessive nesting (%d)", depth)
	}
	if n := e.arrayLength(t); n > 0 {
		e.writeByte('[')
		for i := 1; i <= n; i++ {
			if i > 1 {
				e.writeByte(',')
			}
			e.value(t.RawGet(lua.LNumber(i)), depth)
		}
		e.writeByte(']')
		return
	}
	e.writeByte('{')
	first := true
	for k, v := e.m.step(e.l, t, lua.LNil); k != lua.LNil; k, v = e.m.step(e.l, t, k) {
		if !first {
			e.writeByte(',')
		}
		first = false
		e.key(k)
		e.value(v, depth)
	}
	e.writeByte('}')
}

// maxJSONDepth bounds the recursion, whatever a script sets.
const maxJSONDepth = 16000

func (e *jsonEncoder) key(k lua.LValue) {
	switch k := k.(type) {
	case lua.LNumber:
		e.writeByte('"')
		e.writeNumber(float64(k))
		e.writeString(`":`)
	case lua.LString:
		e.text(string(k))
		e.writeByte(':')
	default:
		e.refuse(k, "table key must be a number or string")
	}
}

// arrayLength is the length of a table that is written as an array, 0 or -1 for one that is written as an object.
func (e *jsonEncoder) arrayLength(t *lua.LTable) int {
	highest, items := 0, 0
	for k, _ := e.m.step(e.l, t, lua.LNil); k != lua.LNil; k, _ = e.m.step(e.l, t, k) {
		f, ok := k.(lua.LNumber)
		if !ok || float64(f) != math.Floor(float64(f)) || f < 1 {
			return -1
		}
		highest = max(highest, int(min(float64(f), math.MaxInt32)))
		items++
	}
	c := e.config
	if c.sparseRatio > 0 && highest > items*c.sparseRatio && highest > c.sparseSafe {
		if !c.sparseConvert {
			e.refuse(t, "excessively sparse array")
		}
		return -1
	}
	return highest
}

func (e *jsonEncoder) writeNumber(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		switch e.config.encodeInvalid {
		case invalidRefused:
			e.refuse(lua.LNumber(f), "must not be NaN or Inf")
		case invalidNull:
			e.writeString("null")
			return
		}
		if math.IsNaN(f) {
			e.writeString("nan")
			return
		}
	}
	e.number(f, e.config.precision)
}

// text writes a string. All bytes above ASCII are written as they are.
func (e *jsonEncoder) text(s string) {
	e.grow(len(s) + 2)
	e.writeByte('"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if escape := jsonEscape(c); escape != 0 {
			e.writeByte('\\')
			e.writeByte(escape)
		} else if c < ' ' || c == 0x7f {
			e.writeString(`\u00`)
			e.writeByte("0123456789abcdef"[c>>4])
			e.writeByte("0123456789abcdef"[c&15])
		} else {
			e.writeByte(c)
		}
	}
	e.writeByte('"')
}

// jsonEscape is the letter of a character's short escape, 0 when it has none.
func jsonEscape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case '\b':
		return 'b'
	case '\t':
		return 't'
	case '\n':
		return 'n'
	case '\f':
		return 'f'
	case '\r':
		return 'r'
	}
	return 0
}
