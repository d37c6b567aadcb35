package script

import ("testing"; lua "github.com/yuin/gopher-lua"; "github.com/lethe-cache/lethe/internal/resp")

func TestZZ(t *testing.T) {
	for _, src := range []string{
		"local function f(...) local c = 1 for k, v in ipairs({7,8}) do if false then c = 2 else c = 3 end end return c end return f()",
		"local function show() return 's' end local a, b local function f(...) for k, v in ipairs({7,8}) do if false then a, b = 1, 2 else a, b = show(c), 0.5 end end end return f()",
		"local a, b for k, v in ipairs({7,8}) do if false then a = 5 else a, b = 6, 0.5 end end return 1",
		"local a, b for k, v in ipairs({7,8}) do if false then a = 5 else a = 6 end end return 1",
		"local a, b for k, v in ipairs({7,8}) do if false then a = 5 end end return 1",
		"for k, v in ipairs({7,8}) do if false then local x = 5 else local y = 6 end end return 1",
		"for k, v in ipairs({7,8}) do if false then do local x = 5 end else local y = 6 end end return 1",
		"for k, v in ipairs({7,8}) do do if false then do local x = 5 end else do local y = 6 end end end end return 1",
		"for k, v in ipairs({7,8}) do do if false then do local x = 5 end else do local y = 6 end end local z end end return 1",
		"local function g() return 1 end for k, v in ipairs({7,8}) do if false then g(g()) end end return 1",
		"for k, v in ipairs({7,8}) do if false then local x = {5, 6} else local y = 6 end end return 1",
		"local x = (#(true or f(a))) return x",
		"local t = {} return (#('x' and t))",
		"return -(nil or 5)",
		"return not (nil or 5)",
		"return #({1,2} and 'abc')",
		"return (1 and 2) + 1",
		"return 1 + (nil or 2)",
		"return 'a' .. (nil or 2)",
		"local t = {1,2} return t[nil or 1]",
		"local t = {1,2} return (nil or t)[1]",
		"local t = {1,2} return (t and 3) == 3",
		"local t = {1,2} return (t and 3) < 4",
		"local t = {1,2} return ((t and 3) and 4) or 5",
	} {
		L := lua.NewState()
		var r string
		if err := L.DoString(src); err != nil { r = "ERR " + err.Error()[:min(80, len(err.Error()))] } else { r = L.Get(-1).String() }
		e := New(DefaultLimits())
		s, err := e.Compile([]byte(src))
		if err != nil { t.Error(err); continue }
		w := resp.NewWriter(0)
		e.NewRun(nil).Eval(s, nil, nil, w)
		t.Logf("%s\n   gopher %s\n   ours %q", src, r, w.Bytes())
	}
}
