package command

import (
	"github.com/lethe-cache/lethe/internal/resp"
)

// Scripts is what the commands of this family need of the server around the connection; its Host implements it. All of it
// is about the caller's tenants: nobody sees, runs or removes a script of others.
type Scripts interface {
	// RunScript runs a script or a function and writes its reply, or why there is none. Each command that the script calls
	// passes the gateway's whole list, with a record of its own.
	RunScript(c *Call, r ScriptRun)
	// LoadScript keeps a script and returns its SHA-1 in hexadecimal. The error's text is the reply.
	LoadScript(c *Call, body []byte) (sha string, err error)
	// HasScript reports whether a script is kept under a SHA-1 in hexadecimal.
	HasScript(c *Call, sha []byte) bool
	FlushScripts(c *Call)
	// KillScript ends the script that is running, or with function the function; refusal says why it does not.
	KillScript(c *Call, function bool) (refusal string)

	// HasFunction reports whether there is a function with a name.
	HasFunction(c *Call, name []byte) bool
	// LoadLibrary keeps a library of functions and returns its name. The error's text is the reply.
	LoadLibrary(c *Call, code []byte, replace bool) (name string, err error)
	// DeleteLibrary removes a library; false when there is none with the name.
	DeleteLibrary(c *Call, name []byte) bool
	FlushLibraries(c *Call)
	// FunctionLibraries describes all libraries, by name.
	FunctionLibraries(c *Call) []FunctionLibrary
	// RunningFunction describes what is running; busy says that it is a script, of which FUNCTION STATS tells nothing.
	RunningFunction(c *Call) (running *RunningFunction, busy bool)
	// DumpLibraries and RestoreLibraries serialize all libraries. The error's text is the reply.
	DumpLibraries(c *Call) []byte
	RestoreLibraries(c *Call, payload []byte, policy RestorePolicy) error
}

// ScriptKind says what a ScriptRun names.
type ScriptKind uint8

// The kinds.
const (
	ScriptSource   ScriptKind = iota + 1 // the script itself
	ScriptSHA                            // a script that is kept
	ScriptFunction                       // a function of a library
)

// ScriptRun is one script or function with its arguments, which are slices of the connection's read buffer.
type ScriptRun struct {
	Kind       ScriptKind
	Script     []byte
	ReadOnly   bool // the command is one that promises to write nothing
	Keys, Args [][]byte
}

// FunctionLibrary is a library of functions. Code must not be changed.
type FunctionLibrary struct {
	Name      string
	Code      []byte
	Functions []LibraryFunction
}

// LibraryFunction is a function of a library.
type LibraryFunction struct {
	Name, Description string
	Described         bool // it has a description
	Flags             []string
}

// RunningFunction is a function that has been running for some time.
type RunningFunction struct {
	Name           string
	Command        []string // how it was called, with Redacted for each key and argument
	DurationMillis int64
}

// RestorePolicy says what FUNCTION RESTORE does with libraries that are there.
type RestorePolicy uint8

// The policies.
const (
	RestoreAppend RestorePolicy = iota
	RestoreReplace
	RestoreFlush
)

const (
	msgNoScript     = "NOSCRIPT No matching script. Please use EVAL."
	msgNoFunction   = "ERR Function not found"
	msgKeysExceed   = "ERR Number of keys can't be greater than number of args"
	msgKeysNegative = "ERR Number of keys can't be negative"
	msgBadNumKeys   = "ERR Bad number of keys provided"
	shaDigits       = 40
)

// scriptCommands run scripts. Their records are those of the commands that the scripts call; what is kept and removed has
// its own.
func scriptCommands() []*Spec {
	const (
		rw = KeyRW | KeyAccess | KeyUpdate
		ro = KeyRO | KeyAccess

		worstRW = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"
		worstRO = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"
	)
	run := func(name, since, what, subject string, f Flag, keys KeyFlag, notes string, handler func(*Call)) *Spec {
		action := ActionWrite
		if f&ReadOnly != 0 {
			action = ActionRead
		}
		return &Spec{Action: action, Name: name, Arity: -3, Flags: f | NoScript | Stale | SkipMonitor | NoMandatoryKeys | MovableKeys,
			Categories: CatScripting, Keys: []KeySpec{{Begin: 2, HasCount: true, FirstKey: 1, Step: 1, Flags: keys, Notes: notes}},
			GetKeys: scriptKeys, Group: "scripting", Since: since, Complexity: "Depends on what is run; bounded in time, steps and memory.",
			Summary: what, Syntax: subject + " numkeys [key [key ...]] [arg [arg ...]]", Run: handler}
	}
	return []*Spec{
		run("EVAL", "2.6.0", "Runs a Lua script.", "script", 0, rw, worstRW, runEval),
		run("EVALSHA", "2.6.0", "Runs a kept Lua script by its SHA-1.", "sha1", 0, rw, "", runEvalSHA),
		run("EVAL_RO", "7.0.0", "Runs a Lua script that may write nothing.", "script", ReadOnly, ro, worstRO, runEval),
		run("EVALSHA_RO", "7.0.0", "Runs a kept Lua script, which may write nothing, by its SHA-1.", "sha1", ReadOnly, ro, "", runEvalSHA),
		run("FCALL", "7.0.0", "Runs a function of a library.", "function", 0, rw, worstRW, runFcall),
		run("FCALL_RO", "7.0.0", "Runs a function of a library that may write nothing.", "function", ReadOnly, ro, worstRO, runFcall),
		scriptContainer(),
		functionContainer(),
	}
}

func scriptContainer() *Spec {
	all := []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	sub := func(name string, arity int, f Flag, cost, summary, syntax string, tips []string, a Action, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: NoScript | f, Categories: CatScripting, Since: "2.6.0", Complexity: cost,
			Summary: summary, Syntax: syntax, Tips: tips, Action: a, Run: run}
	}
	debug := sub("DEBUG", 3, 0, "O(1)", "Accepts NO: there is no debugger.", "YES | SYNC | NO", nil, ActionAdmin, runScriptDebug)
	debug.Since = "3.2.0"
	return container("SCRIPT", "2.6.0", "scripting", "Commands about kept Lua scripts.", CatScripting,
		debug,
		sub("EXISTS", -3, 0, "O(N) with N scripts asked for", "Tells which scripts are kept.", "sha1 [sha1 ...]",
			[]string{"request_policy:all_shards", "response_policy:agg_logical_and"}, ActionNone, runScriptExists),
		sub("FLUSH", -2, 0, "O(N) with N kept scripts", "Forgets all kept scripts of the credential's tenants.", "[ASYNC | SYNC]", all, ActionAdmin, runScriptFlush),
		sub("KILL", 2, AllowBusy, "O(1)", "Ends the running script of the credential's tenants, if it has written nothing.", "",
			[]string{"request_policy:all_shards", "response_policy:one_succeeded"}, ActionAdmin, runScriptKill),
		sub("LOAD", 3, Stale, "O(N) with N bytes of script", "Keeps a script without running it, and returns its SHA-1.", "script", all, ActionAdmin, runScriptLoad),
	)
}

// scriptKeys finds the keys that a call declares. Unlike other commands with a count, these may declare none.
func scriptKeys(args [][]byte) ([]int, bool) {
	n, ok := ParseInt(args[2])
	if !ok || n < 0 || n > int64(len(args)-3) {
		return nil, false
	}
	at := make([]int, n)
	for i := range at {
		at[i] = 3 + i
	}
	return at, true
}

// scripts is the server's part of this family.
func (c *Call) scripts() Scripts {
	s, ok := c.Conn.Host().(Scripts)
	if !ok {
		panic("BUG: the host runs no scripts")
	}
	return s
}

// scriptRun reads the key count of a script's call, and divides its arguments by it. invalid is the answer to a count that
// is no number.
func (c *Call) scriptRun(kind ScriptKind, invalid string) (ScriptRun, bool) {
	n, ok := ParseInt(c.Args[2])
	rest := c.Args[3:]
	switch {
	case !ok:
		c.Error(invalid)
	case n > int64(len(rest)):
		c.Error(msgKeysExceed)
	case n < 0:
		c.Error(msgKeysNegative)
	default:
		return ScriptRun{Kind: kind, Script: c.Args[1], ReadOnly: c.Spec.Flags&ReadOnly != 0, Keys: rest[:n], Args: rest[n:]}, true
	}
	return ScriptRun{}, false
}

func runEval(c *Call) {
	if r, ok := c.scriptRun(ScriptSource, resp.MsgNotInteger); ok {
		c.scripts().RunScript(c, r)
	}
}

func runEvalSHA(c *Call) {
	if len(c.Args[1]) != shaDigits {
		c.Error(msgNoScript)
		return
	}
	if r, ok := c.scriptRun(ScriptSHA, resp.MsgNotInteger); ok {
		c.scripts().RunScript(c, r)
	}
}

func runFcall(c *Call) {
	if !c.scripts().HasFunction(c, c.Args[1]) {
		c.Error(msgNoFunction)
		return
	}
	if r, ok := c.scriptRun(ScriptFunction, msgBadNumKeys); ok {
		c.scripts().RunScript(c, r)
	}
}

func runScriptLoad(c *Call) {
	sha, err := c.scripts().LoadScript(c, c.Args[2])
	if err != nil {
		c.Error(err.Error())
		return
	}
	c.Out.BulkString(sha)
}

func runScriptExists(c *Call) {
	c.Out.Array(len(c.Args) - 2)
	for _, sha := range c.Args[2:] {
		n := int64(0)
		if c.scripts().HasScript(c, sha) {
			n = 1
		}
		c.Out.Int(n)
	}
}

// flushMode checks the optional word ASYNC or SYNC, which make no difference: what was flushed is gone before the reply.
func (c *Call) flushMode() bool {
	return len(c.Args) == 2 || len(c.Args) == 3 && (word(c.Args[2], "ASYNC") || word(c.Args[2], "SYNC"))
}

func runScriptFlush(c *Call) {
	if !c.flushMode() {
		c.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
		return
	}
	c.scripts().FlushScripts(c)
	c.Out.Status("OK")
}

func runScriptKill(c *Call) { c.kill(false) }

func (c *Call) kill(function bool) {
	if refusal := c.scripts().KillScript(c, function); refusal != "" {
		c.Error(refusal)
		return
	}
	c.Out.Status("OK")
}

func runScriptDebug(c *Call) {
	switch mode := c.Args[2]; {
	case word(mode, "NO"):
		c.Out.Status("OK")
	case word(mode, "YES"), word(mode, "SYNC"):
		c.Error("ERR there is no debugger for scripts")
	default:
		c.Error("ERR Use SCRIPT DEBUG YES/SYNC/NO")
	}
}
