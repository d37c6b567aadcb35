package script_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// fixed is Commands that answer the same to everything.
type fixed string

func (f fixed) Call([][]byte) []byte         { return []byte(f) }
func (f fixed) SetRESP3(bool)                {}
func (f fixed) MayRun([][]byte) (bool, bool) { return true, true }

// run runs a script that calls no commands that matter, and returns its reply.
func run(t testing.TB, l script.Limits, cmds script.Commands, body string) string {
	t.Helper()
	return runOn(t, script.New(l), cmds, body)
}

func runOn(t testing.TB, e *script.Engine, cmds script.Commands, body string) string {
	t.Helper()
	s, err := e.Compile([]byte(body))
	if err != nil {
		t.Fatalf("cannot compile: %v", err)
	}
	w := resp.NewWriter(0)
	e.NewRun(cmds).Eval(s, nil, [][]byte{[]byte(strings.Repeat("a", 1000))}, w)
	return string(w.Bytes())
}

// TestNothingRunsLongerThanItsTime has, for each way of taking time, a script that would take it for ever. All of them end
// soon after their time is over, those too that catch the error.
func TestNothingRunsLongerThanItsTime(t *testing.T) {
	t.Parallel()
	limits := script.DefaultLimits()
	limits.Wall = 50 * time.Millisecond
	limits.Steps = 1 << 60
	f := func(name, body string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			reply := run(t, limits, fixed("+OK\r\n"), body)
			if took := time.Since(began); took > 20*time.Second { // forty at once, with the race detector, on a busy machine
				t.Errorf("took %v", took)
			}
			if !strings.HasPrefix(reply, "-ERR Script exceeded its time limit") && !strings.HasPrefix(reply, "-ERR not enough memory") {
				t.Errorf("got %.100q", reply)
			}
		})
	}
	f("loop", "while true do end")
	f("pcall", "while true do pcall(function() while true do end end) end")
	f("xpcall", "while true do xpcall(function() while true do end end, function() while true do end end) end")
	f("handlers", "local function h() while true do pcall(error) end end while true do xpcall(h, h) end")
	f("coroutine", "while true do coroutine.wrap(function() while true do end end)() end")
	f("coroutines", "while true do local c = coroutine.create(function() while true do coroutine.yield() end end) for i = 1, 1e9 do coroutine.resume(c) end end")
	f("recursion", "local function f() return f() end f()")
	f("find", "string.find(string.rep('a', 30000), '(.-)(.-)(.-)(.-)(.-)b')")
	f("find star", "string.find(string.rep('a', 100000), '.*.*.*.*b')")
	f("match balance", "local s = string.rep('(', 1e6) while true do string.find(s, '%b()') end")
	f("gsub", "string.gsub(string.rep('a', 100000), '.-b', 'x')")
	f("gmatch", "for w in string.gmatch(string.rep('a', 100000), '.-.-b') do end")
	f("back reference", "string.find(string.rep('a', 20000), '(.*)%1b')")
	f("sort", "table.sort({1, 2, 3}, function() while true do end end)")
	f("sort many", "local t = {} for i = 1, 1e6 do t[i] = 1e6 - i end while true do table.sort(t) table.sort(t, function(a, b) return a > b end) end")
	f("metamethods", "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x")
	f("tostring", "tostring(setmetatable({}, {__tostring = function() while true do end end}))")
	f("concat metamethod", "return 'a' .. setmetatable({}, {__concat = function() while true do end end})")
	f("gsub callback", "string.gsub('a', 'a', function() while true do end end)")
	f("table length", "local t = {} t[1000000] = 1 t[1000000] = nil while true do local n = #t end")
	f("next over holes", "local t = {} t[1000000] = 1 while true do next(t) end")
	f("removed fields", "local t = {} for i = 1, 3e5 do t['k' .. i] = true end for i = 1, 3e5 do t['k' .. i] = nil end while true do next(t) end")
	f("insert at the front", "local t = {} for i = 1, 1e7 do table.insert(t, 1, i) end")
	f("remove from the front", "local t = {} for i = 1, 1e6 do t[i] = i end while true do t[#t + 1] = table.remove(t, 1) end")
	f("rep", "while true do local s = string.rep('a', 1e7) end")
	f("concat", "local s = 'a' while true do s = s .. s end")
	f("table.concat", "local t = {} for i = 1, 1e6 do t[i] = 'abc' end while true do table.concat(t) end")
	f("unpack", "local t = {} for i = 1, 7000 do t[i] = i end while true do select('#', unpack(t)) end")
	f("byte", "local s = string.rep('a', 7000) while true do string.byte(s, 1, -1) end")
	f("cjson.encode", "local t = {} for i = 1, 1e5 do t[i] = {i} end while true do cjson.encode(t) end")
	f("cjson.decode", "local s = '[' .. string.rep('1,', 1e5) .. '1]' while true do cjson.decode(s) end")
	f("cmsgpack", "local s = cmsgpack.pack({1, {2, {3}}}) while true do cmsgpack.unpack(s) end")
	f("struct", "local f = string.rep('b', 7000) local s = string.rep('x', 7000) while true do struct.unpack(f, s) end")
	f("struct size", "local f = string.rep('b', 1e6) while true do struct.size(f) end")
	f("sha1hex", "local s = string.rep('a', 1e6) while true do redis.sha1hex(s) end")
	f("commands", "while true do redis.call('ping') end")
	f("compare", "local a, b = string.rep('a', 1e6), string.rep('a', 1e6) while true do local x = a < b end")
	f("loadstring", "while true do loadstring('return 1') end")
	f("format", "while true do string.format('%99.99f %99.99f', 1, 2) end")
	f("upper", "local s = string.rep('a', 1e6) while true do s:upper() end")
}

// TestNothingTakesMoreMemoryThanItMay has, for each way of taking memory, a script that would take all of it.
func TestNothingTakesMoreMemoryThanItMay(t *testing.T) {
	t.Parallel()
	limits := script.DefaultLimits()
	limits.Bytes, limits.Wall = 2<<20, time.Minute // memory has to end it, on the slowest machine too
	f := func(name, body string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply := run(t, limits, fixed("$5\r\nhello\r\n"), body)
			if !strings.HasPrefix(reply, "-ERR not enough memory") {
				t.Errorf("got %.100q", reply)
			}
		})
	}
	f("rep", "return string.rep('a', 1e9)")
	f("rep overflow", "return string.rep('abc', 2147483647)")
	f("concat", "local s = ARGV[1] for i = 1, 100 do s = s .. s end")
	f("caught", "local s = ARGV[1] while true do pcall(function() while true do s = s .. s end end) end")
	f("table.concat", "local t = {} for i = 1, 1e4 do t[i] = ARGV[1] end for i = 1, 100 do table.concat(t) end")
	f("gsub", "local s = string.rep('a', 1e5) return string.gsub(s, 'a', s)")
	f("format", "local s = ARGV[1] for i = 1, 100 do s = string.format('%s%s', s, s) end")
	f("upper", "while true do ARGV[1]:upper() end")
	f("array", "local t = {} for i = 1, 1e9 do t[i] = i end")
	f("far element", "local t = {} for i = 1, 100 do t[i] = {} t[i][1000000] = 1 end")
	f("fields", "local t = {} for i = 1, 1e9 do t['k' .. i] = i end")
	f("numbers as fields", "local t = {} for i = 1, 1e9 do t[i + 0.5] = i end")
	f("tables", "local t while true do t = {t} end")
	f("closures", "local f while true do local g = f f = function() return g end end")
	f("local functions", "local f while true do local g = f local function h() return g end f = h end")
	f("arguments", "local function f(...) return arg end local t, u = {}, {} for i = 1, 7000 do t[i] = i end while true do u = {u, f(unpack(t))} end")
	f("results", "local t, u = {}, {} for i = 1, 7000 do t[i] = i end while true do u = {u, {unpack(t)}} end")
	f("coroutines", "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end")
	f("gmatch", "local f while true do local g = f f = string.gmatch('a', g and 'a' or 'b') end")
	f("cjson.encode", "local s = string.rep('a', 1e6) while true do cjson.encode(s) end")
	f("cjson.decode", "local s = '[' .. string.rep('[],', 1e5) .. '[]]' local t = {} while true do t[#t + 1] = cjson.decode(s) end")
	f("cmsgpack.pack", "local s = string.rep('a', 1e6) while true do cmsgpack.pack(s) end")
	f("cmsgpack.unpack", "local s = cmsgpack.pack({{}, {}, {}, {}}) local t = {} while true do t[#t + 1] = cmsgpack.unpack(s) end")
	f("struct", "local s = string.rep('a', 1e6) while true do struct.pack('s', s) end")
	f("struct sizes", "local s, f = string.rep('a', 1e5), string.rep('c0', 200) local t = {} for i = 1, 200 do t[i] = s end return struct.pack(f, unpack(t))")
	f("replies", "while true do redis.call('get', 'x') end")
	f("errors", "local t = {} while true do t[#t + 1] = redis.error_reply('x') end")
	f("loadstring", "while true do loadstring(ARGV[1]) end")
	f("recursion", "local function f(t) local a, b = {t}, {t} return f({a, b}) end f({})")
}

func TestStepsAreBounded(t *testing.T) {
	t.Parallel()
	limits := script.DefaultLimits()
	limits.Steps = 100_000
	if reply := run(t, limits, fixed("+OK\r\n"), "while true do end"); !strings.HasPrefix(reply, "-ERR Script exceeded its instruction limit script: ") {
		t.Errorf("got %q", reply)
	}
	if reply := run(t, limits, fixed("+OK\r\n"), "for i = 1, 1000 do end return 1"); reply != ":1\r\n" {
		t.Errorf("got %q", reply)
	}
}

// killer is Commands that kill the run at the first call.
type killer struct {
	fixed
	run *script.Run
}

func (k *killer) Call(args [][]byte) []byte {
	k.run.Kill()
	return k.fixed.Call(args)
}

func TestKill(t *testing.T) {
	t.Parallel()
	e := script.New(script.DefaultLimits())
	s, err := e.Compile([]byte("redis.call('x') while true do pcall(function() while true do end end) end"))
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{fixed: "+OK\r\n"}
	k.run = e.NewRun(k)
	w := resp.NewWriter(0)
	k.run.Eval(s, nil, nil, w)
	if got := string(w.Bytes()); !strings.HasPrefix(got, "-ERR Script killed by user with SCRIPT KILL... script: ") {
		t.Errorf("got %q", got)
	}
}
