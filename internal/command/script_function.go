package command

import (
	"bytes"
	"strings"

	"github.com/lethe-cache/lethe/internal/glob"
)

func functionContainer() *Spec {
	shards := []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	sub := func(name string, arity int, f Flag, cost, summary, syntax string, tips []string, a Action, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: NoScript | f, Categories: CatScripting, Since: "7.0.0", Complexity: cost,
			Summary: summary, Syntax: syntax, Tips: tips, Action: a, Run: run}
	}
	const each = "O(N) with N functions"
	return container("FUNCTION", "7.0.0", "scripting", "Commands about libraries of Lua functions.", CatScripting,
		sub("DELETE", 3, Write, "O(1)", "Removes a library with its functions.", "library-name", shards, ActionAdmin, runFunctionDelete),
		sub("DUMP", 2, 0, each, "Returns all libraries in Redis's format.", "", nil, ActionAdmin, runFunctionDump),
		sub("FLUSH", -2, Write, each, "Removes all libraries of the credential's tenants.", "[ASYNC | SYNC]", shards, ActionAdmin, runFunctionFlush),
		sub("KILL", 2, AllowBusy, "O(1)", "Ends the running function of the credential's tenants, if it has written nothing.", "",
			[]string{"request_policy:all_shards", "response_policy:one_succeeded"}, ActionAdmin, runFunctionKill),
		sub("LIST", -2, 0, each, "Describes the libraries of the credential's tenants.", "[LIBRARYNAME library-name-pattern] [WITHCODE]",
			[]string{"nondeterministic_output_order"}, ActionNone, runFunctionList),
		sub("LOAD", -3, Write|DenyOOM, "O(N) with N bytes of code", "Keeps a library of functions, and returns its name.", "[REPLACE] function-code", shards, ActionAdmin, runFunctionLoad),
		sub("RESTORE", -3, Write|DenyOOM, each, "Keeps the libraries of a dump.", "serialized-value [FLUSH | APPEND | REPLACE]", shards, ActionAdmin, runFunctionRestore),
		sub("STATS", 2, AllowBusy, "O(1)", "Tells which function is running, and how many there are.", "",
			[]string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}, ActionNone, runFunctionStats),
	)
}

func runFunctionDelete(c *Call) {
	if !c.scripts().DeleteLibrary(c, c.Args[2]) {
		c.Error("ERR Library not found")
		return
	}
	c.Out.Status("OK")
}

func runFunctionDump(c *Call) { c.Out.Bulk(c.scripts().DumpLibraries(c)) }

// wrongFunctionSyntax is Redis's answer to a subcommand with arguments that do not fit.
func (c *Call) wrongFunctionSyntax() {
	c.Error("ERR unknown subcommand or wrong number of arguments for '" + shown(c.Args[1]) + "'. Try FUNCTION HELP.")
}

func runFunctionFlush(c *Call) {
	if len(c.Args) > 3 {
		c.wrongFunctionSyntax()
		return
	}
	if !c.flushMode() {
		c.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
		return
	}
	c.scripts().FlushLibraries(c)
	c.Out.Status("OK")
}

func runFunctionKill(c *Call) { c.kill(true) }

func runFunctionLoad(c *Call) {
	last := len(c.Args) - 1
	replace := false
	for _, a := range c.Args[2:last] {
		if !word(a, "REPLACE") {
			c.Error("ERR Unknown option given: " + shown(a))
			return
		}
		replace = true
	}
	name, err := c.scripts().LoadLibrary(c, c.Args[last], replace)
	if err != nil {
		c.Error(err.Error())
		return
	}
	c.Out.BulkString(name)
}

func runFunctionRestore(c *Call) {
	if len(c.Args) > 4 {
		c.wrongFunctionSyntax()
		return
	}
	policy := RestoreAppend
	if len(c.Args) == 4 {
		switch a := c.Args[3]; {
		case word(a, "APPEND"):
		case word(a, "REPLACE"):
			policy = RestoreReplace
		case word(a, "FLUSH"):
			policy = RestoreFlush
		default:
			c.Error("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
			return
		}
	}
	if err := c.scripts().RestoreLibraries(c, c.Args[2], policy); err != nil {
		c.Error(err.Error())
		return
	}
	c.Out.Status("OK")
}

func runFunctionList(c *Call) {
	var pattern []byte
	named, withCode := false, false
	for i := 2; i < len(c.Args); i++ {
		switch a := c.Args[i]; {
		case !withCode && word(a, "WITHCODE"):
			withCode = true
		case !named && word(a, "LIBRARYNAME"):
			i++
			if i == len(c.Args) {
				c.Error("ERR library name argument was not given")
				return
			}
			named, pattern = true, c.Args[i]
		default:
			c.Error("ERR Unknown argument " + shown(a))
			return
		}
	}
	list, n := c.Out.DeferredArray(), 0
	for _, l := range c.scripts().FunctionLibraries(c) {
		if !named || glob.Match(bytes.ToLower(pattern), []byte(strings.ToLower(l.Name))) {
			c.functionLibrary(&l, withCode)
			n++
		}
	}
	c.Out.SetArrayLen(list, n)
}

func (c *Call) functionLibrary(l *FunctionLibrary, withCode bool) {
	fields := 3
	if withCode {
		fields++
	}
	c.Out.Map(fields)
	c.Out.BulkString("library_name")
	c.Out.BulkString(l.Name)
	c.Out.BulkString("engine")
	c.Out.BulkString("LUA")
	c.Out.BulkString("functions")
	c.Out.Array(len(l.Functions))
	for _, f := range l.Functions {
		c.Out.Map(3)
		c.Out.BulkString("name")
		c.Out.BulkString(f.Name)
		c.Out.BulkString("description")
		if f.Described {
			c.Out.BulkString(f.Description)
		} else {
			c.Out.Null()
		}
		c.Out.BulkString("flags")
		c.Out.Set(len(f.Flags))
		for _, name := range f.Flags {
			c.Out.Status(name)
		}
	}
	if withCode {
		c.Out.BulkString("library_code")
		c.Out.Bulk(l.Code)
	}
}

func runFunctionStats(c *Call) {
	running, busy := c.scripts().RunningFunction(c)
	if busy {
		c.Error("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")
		return
	}
	c.Out.Map(2)
	c.Out.BulkString("running_script")
	if running == nil {
		c.Out.Null()
	} else {
		c.Out.Map(3)
		c.Out.BulkString("name")
		c.Out.BulkString(running.Name)
		c.Out.BulkString("command")
		c.Out.Array(len(running.Command))
		for _, a := range running.Command {
			c.Out.BulkString(a)
		}
		c.Out.BulkString("duration_ms")
		c.Out.Int(running.DurationMillis)
	}
	c.Out.BulkString("engines")
	c.Out.Map(1)
	c.Out.BulkString("LUA")
	c.Out.Map(2)
	libraries := c.scripts().FunctionLibraries(c)
	functions := 0
	for _, l := range libraries {
		functions += len(l.Functions)
	}
	c.Out.BulkString("libraries_count")
	c.Out.Int(int64(len(libraries)))
	c.Out.BulkString("functions_count")
	c.Out.Int(int64(functions))
}
