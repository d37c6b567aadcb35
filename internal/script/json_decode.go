package script

import (
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/lethe-cache/lethe/internal/resp"
)

// jsonDecoder reads JSON as lua-cjson 2.1 does, with its errors: "Expected value but found invalid token at character 1".
// A zero byte ends the text, as in C.
type jsonDecoder struct {
	m      *machine
	l      *lua.LState
	s      string
	at     int
	depth  int
	config *jsonConfig
}

type jsonToken struct {
	kind  jsonKind
	index int
	value lua.LValue
	wrong string // of an error: what was found
}

type jsonKind int

const (
	jsonObjectBegin jsonKind = iota
	jsonObjectEnd
	jsonArrayBegin
	jsonArrayEnd
	jsonString
	jsonNumber
	jsonBoolean
	jsonNull
	jsonColon
	jsonComma
	jsonEnd
	jsonError
)

// name is what lua-cjson calls a token in its errors.
func (k jsonKind) name() string {
	return [...]string{"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_STRING", "T_NUMBER", "T_BOOLEAN", "T_NULL",
		"T_COLON", "T_COMMA", "T_END", "T_ERROR"}[k]
}

func jsonDecode(L *lua.LState) int {
	if L.GetTop() != 1 {
		badArgument(L, 1, "expected 1 argument")
	}
	s := checkString(L, 1)
	m := at(L)
	if len(s) >= 2 && (s[0] == 0 || s[1] == 0) {
		throw(L, "JSON parser does not support UTF-16 or UTF-32")
	}
	d := &jsonDecoder{m: m, l: L, s: s, config: &m.json}
	v := d.value(d.next())
	if t := d.next(); t.kind != jsonEnd {
		d.fail("the end", t)
	}
	return push(L, v)
}

func (d *jsonDecoder) fail(expected string, t jsonToken) {
	found := t.wrong
	if t.kind != jsonError {
		found = t.kind.name()
	}
	throw(d.l, "Expected %s but found %s at character %d", expected, found, t.index+1)
}

func (d *jsonDecoder) peek(ahead int) byte {
	if d.at+ahead >= len(d.s) {
		return 0
	}
	return d.s[d.at+ahead]
}

func (d *jsonDecoder) value(t jsonToken) lua.LValue {
	switch t.kind {
	case jsonString, jsonNumber, jsonBoolean:
		return t.value
	case jsonNull:
		return d.m.lib.null
	case jsonObjectBegin:
		return d.object()
	case jsonArrayBegin:
		return d.array()
	}
	d.fail("value", t)
	return nil
}

func (d *jsonDecoder) descend() {
	d.depth++
	if d.depth > d.config.decodeDepth || d.depth > maxJSONDepth {
		throw(d.l, "Found too many nested data structures (%d) at character %d", d.depth, d.at)
	}
}

func (d *jsonDecoder) object() lua.LValue {
	d.descend()
	t := d.m.newTable(d.l, 0, 0)
	token := d.next()
	if token.kind == jsonObjectEnd {
		d.depth--
		return t
	}
	for {
		if token.kind != jsonString {
			d.fail("object key string", token)
		}
		key := token.value
		if token = d.next(); token.kind != jsonColon {
			d.fail("colon", token)
		}
		setField(d.l, t, key, d.value(d.next()))
		switch token = d.next(); token.kind {
		case jsonObjectEnd:
			d.depth--
			return t
		case jsonComma:
			token = d.next()
		default:
			d.fail("comma or object end", token)
		}
	}
}

func (d *jsonDecoder) array() lua.LValue {
	d.descend()
	t := d.m.newTable(d.l, 0, 0)
	token := d.next()
	if token.kind == jsonArrayEnd {
		d.depth--
		return t
	}
	for i := 1; ; i++ {
		setField(d.l, t, lua.LNumber(i), d.value(token))
		switch token = d.next(); token.kind {
		case jsonArrayEnd:
			d.depth--
			return t
		case jsonComma:
			token = d.next()
		default:
			d.fail("comma or array end", token)
		}
	}
}

// next reads a token.
func (d *jsonDecoder) next() jsonToken {
	d.m.work(d.l, 1)
	for c := d.peek(0); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = d.peek(0) {
		d.at++
	}
	t := jsonToken{index: d.at}
	single := func(k jsonKind) jsonToken {
		d.at++
		t.kind = k
		return t
	}
	switch c := d.peek(0); {
	case c == '{':
		return single(jsonObjectBegin)
	case c == '}':
		return single(jsonObjectEnd)
	case c == '[':
		return single(jsonArrayBegin)
	case c == ']':
		return single(jsonArrayEnd)
	case c == ',':
		return single(jsonComma)
	case c == ':':
		return single(jsonColon)
	case c == 0:
		t.kind = jsonEnd
		return t
	case c == '"':
		return d.text(t)
	case c == '-' || isDigit(c):
		if !d.config.decodeInvalid && d.invalidNumber() {
			return d.wrong(t, "invalid number")
		}
		return d.numeral(t)
	}
	return d.word(t)
}

func (d *jsonDecoder) wrong(t jsonToken, what string) jsonToken {
	t.kind, t.index, t.wrong = jsonError, d.at, what
	return t
}

func (d *jsonDecoder) word(t jsonToken) jsonToken {
	rest := d.s[d.at:]
	for _, w := range []struct {
		text  string
		kind  jsonKind
		value lua.LValue
	}{{"true", jsonBoolean, lua.LTrue}, {"false", jsonBoolean, lua.LFalse}, {"null", jsonNull, nil}} {
		if strings.HasPrefix(rest, w.text) {
			d.at += len(w.text)
			t.kind, t.value = w.kind, w.value
			return t
		}
	}
	if c := d.peek(0); strings.IndexByte("+iInN", c) >= 0 && d.config.decodeInvalid && d.invalidNumber() {
		return d.numeral(t)
	}
	return d.wrong(t, "invalid token")
}

// invalidNumber reports whether what follows is a number for C, but not for JSON.
func (d *jsonDecoder) invalidNumber() bool {
	i := 0
	switch d.peek(0) {
	case '+':
		return true
	case '-':
		i = 1
	}
	c := d.peek(i)
	if c == '0' {
		second := d.peek(i + 1)
		return second|0x20 == 'x' || isDigit(second)
	}
	if c <= '9' {
		return false
	}
	word := strings.ToLower(d.s[d.at+i : min(d.at+i+3, len(d.s))])
	return word == "inf" || word == "nan"
}

// numeral reads the longest number that C's strtod would.
func (d *jsonDecoder) numeral(t jsonToken) jsonToken {
	n := resp.NumberLength(d.s[d.at:])
	f, ok := parseNumber(d.s[d.at : d.at+n])
	if n == 0 || !ok {
		return d.wrong(t, "invalid number")
	}
	d.at += n
	t.kind, t.value = jsonNumber, lua.LNumber(f)
	return t
}

// text reads a string behind its quote.
func (d *jsonDecoder) text(t jsonToken) jsonToken {
	d.at++
	from := d.at
	for c := d.peek(0); c != '"' && c != '\\' && c != 0; c = d.peek(0) {
		d.at++
	}
	if d.peek(0) == '"' {
		// Nothing is escaped: the string is a part of the one that is read.
		t.kind, t.value = jsonString, lua.LString(d.s[from:d.at])
		d.m.work(d.l, (d.at-from)>>4)
		d.at++
		return t
	}
	b := d.m.buffer(d.l)
	b.writeString(d.s[from:d.at])
	for d.peek(0) != '"' {
		switch c := d.peek(0); {
		case c == 0:
			return d.wrong(t, "unexpected end of string")
		case c != '\\':
			b.writeByte(c)
			d.at++
		case d.peek(1) == 'u':
			if !d.unicode(&b) {
				return d.wrong(t, "invalid unicode escape code")
			}
		default:
			plain := jsonUnescape(d.peek(1))
			if plain == 0 {
				return d.wrong(t, "invalid escape code")
			}
			b.writeByte(plain)
			d.at += 2
		}
	}
	d.at++
	t.kind, t.value = jsonString, b.done()
	return t
}

func jsonUnescape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'f':
		return '\f'
	case 'r':
		return '\r'
	}
	return 0
}

// unicode reads \uXXXX, or two of them that are a surrogate pair.
func (d *jsonDecoder) unicode(b *buffer) bool {
	r, ok := d.hex4(2)
	if !ok {
		return false
	}
	length := 6
	if r&0xf800 == 0xd800 {
		low, ok := d.hex4(8)
		if r&0x400 != 0 || d.peek(6) != '\\' || d.peek(7) != 'u' || !ok || low&0xfc00 != 0xdc00 {
			return false
		}
		r = 0x10000 + (r&0x3ff)<<10 + low&0x3ff
		length = 12
	}
	b.write(utf8.AppendRune(nil, r))
	d.at += length
	return true
}

func (d *jsonDecoder) hex4(ahead int) (rune, bool) {
	var r rune
	for i := range 4 {
		digit := digitOf(d.peek(ahead + i))
		if digit > 15 {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}
