package script_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// TestNothingIsLeftOfARun has scripts that try to leave something, and one that looks for it. States are used again, so
// they run on one engine, one after the other.
func TestNothingIsLeftOfARun(t *testing.T) {
	e := script.New(script.DefaultLimits())
	f := func(leave, look, want string) {
		t.Helper()
		for range 3 {
			runOn(t, e, fixed("+OK\r\n"), leave)
		}
		if got := runOn(t, e, fixed("+OK\r\n"), look); got != want {
			t.Errorf("%s\n%s\ngot %q", leave, look, got)
		}
	}
	const null = "$-1\r\n"
	f("pcall(function() mark = 1 end) return 1", "return rawget(_G, 'mark')", null)
	f("pcall(rawset, _G, 'mark', 1) return 1", "return rawget(_G, 'mark')", null)
	f("pcall(function() string.mark = 1 end) return 1", "return string.mark", null)
	f("pcall(function() redis.mark = 1 end) return 1", "return redis.mark", null)
	f("pcall(function() getmetatable('').mark = 1 end) return 1", "return getmetatable('').mark", null)
	f("pcall(function() getmetatable('').__index.mark = 1 end) return 1", "return ('').mark", null)
	f("pcall(function() getmetatable(_G).mark = 1 end) return 1", "return getmetatable(_G).mark", null)
	f("pcall(function() getmetatable(_G).__index = function() return 1 end end) return 1", "return pcall(function() return mark end)", null)
	f("pcall(setmetatable, _G, {__index = function() return 1 end}) return 1", "return pcall(function() return mark end)", null)
	f("pcall(table.insert, string, 1) return 1", "return #string", ":0\r\n")
	f("pcall(table.sort, string) pcall(table.remove, KEYS) return 1", "return #KEYS", ":0\r\n")
	f("KEYS[1] = 'mark' ARGV[2] = 'mark' ARGV.mark = 1 return 1", "return {#KEYS, #ARGV, ARGV.mark}", "*2\r\n:0\r\n:1\r\n")
	f("cjson.encode_max_depth(1) cjson.encode_number_precision(1) return 1", "return {cjson.encode_max_depth(), cjson.encode_number_precision()}", "*2\r\n:1000\r\n:14\r\n")
	f("math.randomseed(1) return 1", "math.randomseed(1) local a = math.random(1000000) return a > 0", ":1\r\n")
	f("redis.setresp(3) return 1", "return true", ":1\r\n")
	f("co = nil", "return 1", ":1\r\n")
	f("local c = coroutine.wrap(function() coroutine.yield() end) c() return 1", "return coroutine.running()", null)
	f("for k, v in pairs(_G) do if type(v) == 'table' and k ~= 'KEYS' and k ~= 'ARGV' then pcall(rawset, v, 'mark', 1) end end return 1",
		"for k, v in pairs(_G) do if type(v) == 'table' and rawget(v, 'mark') then return k end end", null)
	f("for k, v in pairs(_G) do if type(v) == 'table' then pcall(setmetatable, v, {__index = function() return 'mark' end}) end end return 1",
		"return string.mark or math.mark or redis.mark", null)
}

// TestSequencesOfRandomNumbersDiffer: Redis 7 does not repeat them from one run to the next, unless a script asks for it.
func TestSequencesOfRandomNumbersDiffer(t *testing.T) {
	t.Parallel()
	e := script.New(script.DefaultLimits())
	seen := map[string]bool{}
	for range 4 {
		seen[runOn(t, e, fixed("+OK\r\n"), "return math.random(1000000000)")] = true
	}
	if len(seen) < 2 {
		t.Error("the same number in four runs")
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	e := script.New(script.DefaultLimits())
	c := e.NewCache(200 << 10)
	load := func(body string) string {
		t.Helper()
		s, err := c.Load([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return s.SHA
	}
	sha := load("return 1")
	if want := "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"; sha != want {
		t.Errorf("SHA-1 %s, want %s", sha, want)
	}
	if c.Get([]byte(strings.ToUpper(sha))) == nil || !c.Has([]byte(sha)) || c.Has([]byte("nothing")) || c.Get([]byte(sha[:39])) != nil {
		t.Error("the wrong scripts are there")
	}
	if load("return 1") != sha || c.Len() != 1 {
		t.Error("a script is kept twice")
	}
	if _, err := c.Load([]byte("return return")); err == nil || !strings.HasPrefix(err.Error(), "ERR Error compiling script (new function): user_script:1: ") {
		t.Errorf("got %v", err)
	}
	for i := range 1000 {
		load("return " + strings.Repeat("1", i%7+1) + " -- " + strings.Repeat("x", i))
		c.Get([]byte(sha))
	}
	if !c.Has([]byte(sha)) || c.Len() > 200 {
		t.Errorf("%d scripts, the one in use among them: %v", c.Len(), c.Has([]byte(sha)))
	}
	c.Flush()
	if c.Len() != 0 || c.Has([]byte(sha)) {
		t.Error("Flush leaves scripts")
	}
}

// TestFunctionsKeepNothing: what a library keeps in its variables is gone with the call; in Redis it stays.
func TestFunctionsKeepNothing(t *testing.T) {
	t.Parallel()
	e := script.New(script.DefaultLimits())
	set := e.NewFunctions(script.DefaultFunctionBytes)
	if _, err := set.Load([]byte("#!lua name=lib\nlocal n = 0\nredis.register_function('f', function() n = n + 1 return n end)"), false); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w := resp.NewWriter(0)
		e.NewRun(fixed("+OK\r\n")).Call(set.Find([]byte("f")), nil, nil, w)
		if !bytes.Equal(w.Bytes(), []byte(":1\r\n")) {
			t.Errorf("got %q", w.Bytes())
		}
	}
}

// TestRunsAtTheSameTime shares an engine and a script between goroutines; the race detector watches.
func TestRunsAtTheSameTime(t *testing.T) {
	t.Parallel()
	e := script.New(script.DefaultLimits())
	s, err := e.Compile([]byte("local t = {} for k, v in pairs(string) do t[#t + 1] = k end table.sort(t) pcall(error, {}) return cjson.encode(t) .. redis.call('x')"))
	if err != nil {
		t.Fatal(err)
	}
	replies := make(chan string)
	for range 8 {
		go func() {
			w := resp.NewWriter(0)
			for range 50 {
				w.Reset()
				e.NewRun(fixed("$1\r\nx\r\n")).Eval(s, nil, nil, w)
			}
			replies <- string(w.Bytes())
		}()
	}
	first := <-replies
	for range 7 {
		if r := <-replies; r != first || r[0] != '$' {
			t.Errorf("got %q and %q", r, first)
		}
	}
}

// A script that is sent again and again stays, however it is found.
func TestCacheKeepsWhatIsSent(t *testing.T) {
	t.Parallel()
	c := script.New(script.DefaultLimits()).NewCache(200 << 10)
	load := func(body string) *script.Script {
		t.Helper()
		s, err := c.Load([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	kept := load("return 1")
	for i := range 300 {
		s := load("return " + strings.Repeat("1", i%7+1) + " -- " + strings.Repeat("x", i))
		if !c.Has([]byte(s.SHA)) {
			t.Fatalf("script %d is not there when it was just sent", i)
		}
		if load("return 1") != kept {
			t.Fatalf("after %d others it is compiled again", i)
		}
	}
	c.Flush()
	if again := load("return 1"); again == kept || !c.Has([]byte(again.SHA)) {
		t.Error("a script is found that was flushed")
	}
}
