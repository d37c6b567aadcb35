package script_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

func fuzzLimits() script.Limits {
	return script.Limits{Steps: 1e6, Bytes: 8 << 20, Wall: 200 * time.Millisecond, Load: 200 * time.Millisecond}
}

// FuzzScript runs whatever compiles. Nothing may panic, and every run has one reply.
func FuzzScript(f *testing.F) {
	text, err := os.ReadFile("testdata/snippets.lua")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n-- ")[1:] {
		_, body, _ := strings.Cut(part, "\n")
		f.Add(body)
	}
	e := script.New(fuzzLimits())
	f.Fuzz(func(t *testing.T, body string) {
		s, err := e.Compile([]byte(body))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "ERR ") || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("got %q", err)
			}
			return
		}
		w := resp.NewWriter(0)
		e.NewRun(fixed("*2\r\n$1\r\nx\r\n:1\r\n")).Eval(s, nil, nil, w)
		if _, err := resp.NewReader(strings.NewReader(string(w.Bytes())), resp.DefaultReplyLimits()).Read(); err != nil && w.Len() < 1<<20 {
			t.Errorf("no reply: %v", err)
		}
	})
}

// FuzzData gives bytes to everything that reads formats.
func FuzzData(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x\u00e9\ud83d\ude00",null,true]}`, "\x93\x01\xa1x\xc0", "\x00\x01\x02", "[[[[", "%b()%f[a](.-)*", "%99.99f%s%q", ">I2!8c0s"} {
		f.Add(s)
	}
	e := script.New(fuzzLimits())
	s, err := e.Compile([]byte(`local s = ARGV[1] local r = {}
for _, f in ipairs({cjson.decode, cmsgpack.unpack, function(s) return struct.unpack(s, s) end, function(s) return struct.pack(s, 1, s, 2, s) end,
  function(s) return string.find(s, s) end, function(s) return string.gsub(s, s, s) end, function(s) return string.format(s, 1, 'a', 2, 'b') end,
  tonumber, loadstring, function(s) return tonumber(s, 16) end, redis.error_reply, redis.status_reply, struct.size, cmsgpack.unpack_one}) do
  local ok, v = pcall(f, s) r[#r + 1] = ok and type(v) or tostring(v)
  if ok and type(v) == 'table' then pcall(cjson.encode, v) pcall(cmsgpack.pack, v) end
end return r`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data string) {
		w := resp.NewWriter(0)
		e.NewRun(fixed("+OK\r\n")).Eval(s, nil, [][]byte{[]byte(data)}, w)
		if w.Len() == 0 {
			t.Error("no reply")
		}
	})
}

// FuzzLibrary loads whatever is one.
func FuzzLibrary(f *testing.F) {
	f.Add("#!lua name=lib\nredis.register_function('f', function() return 1 end)")
	f.Add("#!lua \"name=\\x41\" x\n")
	f.Add("#!lua name='a\\'b'\nredis.register_function{function_name='f', callback=function() end, flags={'no-writes'}}")
	e := script.New(fuzzLimits())
	f.Fuzz(func(t *testing.T, code string) {
		set := e.NewFunctions(1 << 20)
		if _, err := set.Load([]byte(code), false); err != nil && !strings.HasPrefix(err.Error(), "ERR ") {
			t.Errorf("got %q", err)
		}
		_, _ = e.Compile([]byte(code))
	})
}
