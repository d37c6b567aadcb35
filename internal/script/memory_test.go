package script

import (
	"bytes"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/lethe-cache/lethe/internal/resp"
)

// TestTheMemoryOfARunIsCleared looks at the memory of a run when it has ended: all strings of a script are in it, those of
// its arguments, of replies, and those that the libraries made.
func TestTheMemoryOfARunIsCleared(t *testing.T) {
	t.Parallel()
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
