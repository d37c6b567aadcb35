package script

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"github.com/lethe-cache/lethe/internal/resp"
)

// TestTheMemoryOfARunIsCleared looks at the memory of a run when it has ended: all strings of a script are in it, those of
// its arguments, of replies, and those that the libraries made. It is not parallel: what it looks at in the end is free for
// other runs by then.
func TestTheMemoryOfARunIsCleared(t *testing.T) {
	var held [][]byte
	e := New(DefaultLimits())
	s, err := e.Compile([]byte(`local s = ARGV[1] local t = {s .. s, s:upper(), cjson.encode({s}), string.rep(s, 1000), cjson.decode('["x' .. s .. '\\n"]')[1],
		cmsgpack.pack(s), struct.pack('s', s), s:gsub('a', 'b'), string.format('%s', s), redis.call('get', s), table.concat({s, s})} t[s .. 'k'] = s return t`))
	if err != nil {
		t.Fatal(err)
	}
	r := e.NewRun(echo{})
	m := r.machine("test")
	w := resp.NewWriter(0)
	r.reply(m, w, func(L *lua.LState) lua.LValue {
		m.globals.RawSetString(argumentsName, m.strings(L, [][]byte{[]byte("secret")}))
		v := m.chunk(L, s.proto, 1)
		held = append(append(held, m.memory.full...), m.memory.chunk)
		return v
	})
	if !strings.Contains(string(w.Bytes()), "secretsecret") {
		t.Fatalf("got %.200q", w.Bytes())
	}
	found := 0
	for _, b := range held {
		found += bytes.Count(b, []byte("secret"))
	}
	m.memory.release()
	left := 0
	for _, b := range held {
		left += len(bytes.Trim(b[:cap(b)], "\x00"))
	}
	if found < 1010 || left != 0 {
		t.Errorf("%d times before, %d bytes after", found, left)
	}
}

// Whatever text of an error a script's data gets into lies in the memory of the run too: fmt, strconv and + would leave copies.
func TestErrorsAreInTheMemoryOfTheRun(t *testing.T) {
	t.Parallel()
	e := New(DefaultLimits())
	f := func(source string) {
		t.Helper()
		s, err := e.Compile([]byte("local s = ARGV[1] local function caught(f, ...) return select(2, pcall(f, ...)) end " + source))
		if err != nil {
			t.Fatal(err)
		}
		m := e.NewRun(echo{}).machine("test")
		e.NewRun(echo{}).reply(m, resp.NewWriter(0), func(L *lua.LState) lua.LValue {
			m.globals.RawSetString(argumentsName, m.strings(L, [][]byte{[]byte("a secret of some length, longer than what a stack holds")}))
			v := m.chunk(L, s.proto, 1)
			if table, ok := v.(*lua.LTable); ok {
				v = table.RawGetString("err")
			}
			got := v.String()
			owned := false
			for _, chunk := range append(m.memory.full, m.memory.chunk) {
				at := uintptr(unsafe.Pointer(unsafe.StringData(got))) - uintptr(unsafe.Pointer(unsafe.SliceData(chunk)))
				owned = owned || at < uintptr(len(chunk))
			}
			if !strings.Contains(got, "secret") || !owned {
				t.Errorf("%s: %q is not in the run's memory", source, got)
			}
			return lua.LNil
		})
		m.memory.release()
	}
	f("return caught(error, s)")
	f("return caught(error, {err = s})")
	f("return caught(assert, false, s)")
	f("return caught(collectgarbage, s)")
	f("return caught(function() return _G[s] end)")
	f("return redis.error_reply(s)")
	f("return redis.error_reply('-' .. s)")
	f("return redis.error_reply('CODE ' .. s)")
}

// What has no fields is indexed with an error that leaves the key out: gopher-lua's own would copy it.
func TestKeysAreNotInErrors(t *testing.T) {
	t.Parallel()
	e := New(DefaultLimits())
	for _, object := range []string{"nil", "true", "5", "type", "coroutine.create(function() end)"} {
		s, err := e.Compile([]byte("local x = " + object + " return x[ARGV[1]]"))
		if err != nil {
			t.Fatal(err)
		}
		w := resp.NewWriter(0)
		e.NewRun(echo{}).Eval(s, nil, [][]byte{[]byte("secret")}, w)
		if got := string(w.Bytes()); strings.Contains(got, "secret") || object != "type" && !strings.Contains(got, "attempt to index local 'x' (a ") {
			t.Errorf("%s: %q", object, got)
		}
	}
}

// echo is Commands that answer with their last argument.
type echo struct{}

func (echo) Call(args [][]byte) []byte {
	last := args[len(args)-1]
	w := resp.NewWriter(0)
	w.Bulk(last)
	return w.Bytes()
}
func (echo) SetRESP3(bool)                {}
func (echo) MayRun([][]byte) (bool, bool) { return true, true }
