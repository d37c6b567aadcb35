package script

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Commands runs the commands that a script calls.
type Commands interface {
	// Call runs a command and returns its reply, one whole RESP value in the protocol version last set, RESP2 at first. The
	// arguments are the run's and must not be kept; the reply is valid until the next Call. What is not allowed is answered
	// with an error reply, in Redis's words for scripts where they differ: the Msg constants of this package.
	Call(args [][]byte) []byte
	// SetRESP3 chooses the protocol version of the replies that follow.
	SetRESP3(on bool)
	// MayRun reports whether the script's caller may run a command, and whether there is such a command.
	MayRun(args [][]byte) (allowed, known bool)
}

// What Redis answers to a command in a script where it has words of its own, as error replies with their code.
const (
	MsgUnknownCommand = "ERR Unknown Redis command called from script"
	MsgWrongArity     = "ERR Wrong number of args calling Redis command from script"
	MsgNotFromScript  = "ERR This Redis command is not allowed from script"
	MsgReadOnly       = "ERR Write commands are not allowed from read-only scripts."
	MsgNoPermission   = "ERR The user executing the script can't run this command or subcommand"
	MsgNoPermKey      = "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments"
	MsgNoPermChannel  = "ERR The user executing the script can't publish to the channel mentioned in the command"
)

// What Redis answers around scripts.
const (
	MsgNoScript      = "NOSCRIPT No matching script. Please use EVAL."
	MsgNotBusy       = "NOTBUSY No scripts in execution right now."
	MsgUnkillable    = "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
	MsgBusyScript    = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
	MsgBusyEval      = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
	MsgWriteFlag     = "ERR Can not execute a script with write flag using *_ro command."
	MsgFlagOOM       = "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
	MsgNoFunction    = "ERR Function not found"
	MsgNoLibrary     = "ERR Library not found"
	MsgKeysExceed    = "ERR Number of keys can't be greater than number of args"
	MsgKeysNegative  = "ERR Number of keys can't be negative"
	MsgBadNumKeys    = "ERR Bad number of keys provided"
	msgStackLimit    = "ERR reached lua stack limit"
	userScript       = "user_script"
	userFunction     = "user_function"
	keysName         = "KEYS"
	argumentsName    = "ARGV"
	startedRegisters = 256
	registersStep    = 512
)

// Engine compiles and runs scripts. It is safe for concurrent use.
type Engine struct {
	lib    *libraries
	limits Limits
	states sync.Pool // of state
}

var arrays sync.Once

// New returns an engine with limits for each run.
func New(limits Limits) *Engine {
	// gopher-lua has this limit in a variable of its own; it decides how much one assignment may allocate.
	arrays.Do(func() { lua.MaxArrayIndex = maxArray })
	e := &Engine{lib: newLibraries(), limits: limits}
	e.states.New = func() any { return newState(e.lib) }
	return e
}

// Run is one execution of a script or a function. Its methods but Kill are called once, from one goroutine.
type Run struct {
	engine *Engine
	cmds   Commands
	kill   atomic.Bool

	// StartedAt is when the run was prepared.
	StartedAt time.Time
}

// Idle may be implemented by Commands. It is called every few thousand steps, in the goroutine of the run: what else that
// goroutine has to do need not wait for the end.
type Idle interface{ Meanwhile() }

// NewRun prepares a run whose commands cmds runs.
func (e *Engine) NewRun(cmds Commands) *Run {
	r := new(Run)
	r.Prepare(e, cmds)
	return r
}

// Prepare is NewRun for a zero Run that is a part of something else.
func (r *Run) Prepare(e *Engine, cmds Commands) { r.engine, r.cmds, r.StartedAt = e, cmds, time.Now() }

// Kill makes the run end with an error soon. It may be called at any time from any goroutine.
func (r *Run) Kill() { r.kill.Store(true) }

// Eval runs a script and writes its reply, which is an error when the script fails. keys and args are copied.
func (r *Run) Eval(s *Script, keys, args [][]byte, out *resp.Writer) {
	m := r.machine(s.SHA)
	defer m.finish(r.engine)
	r.reply(m, out, func(L *lua.LState) lua.LValue {
		m.globals.RawSetString(keysName, m.strings(L, keys))
		m.globals.RawSetString(argumentsName, m.strings(L, args))
		return m.chunk(L, s.proto, 1)
	})
}

// Call runs a function of a library and writes its reply. The library is loaded anew, so that what one call leaves in its
// variables is not there for the next. keys and args are copied.
func (r *Run) Call(f *Function, keys, args [][]byte, out *resp.Writer) {
	m := r.machine(f.Name)
	defer m.finish(r.engine)
	r.reply(m, out, func(L *lua.LState) lua.LValue {
		callback := m.register(L, f)
		L.Push(callback)
		L.Push(m.strings(L, keys))
		L.Push(m.strings(L, args))
		L.Call(2, 1)
		return L.Get(-1)
	})
}

// machine makes the state of a run.
func (r *Run) machine(name string) *machine {
	m := r.engine.take()
	m.lib, m.cmds, m.limits, m.kill, m.name, m.json = r.engine.lib, r.cmds, &r.engine.limits, &r.kill, name, defaultJSON()
	m.meanwhile, _ = r.cmds.(Idle)
	m.startedAt = r.StartedAt
	m.deadline = m.startedAt.Add(m.limits.Wall)
	m.next, m.every = checkSteps, checkSteps
	m.seed()
	return m
}

// chunk runs compiled source and returns its first result.
func (m *machine) chunk(L *lua.LState, proto *lua.FunctionProto, results int) lua.LValue {
	L.Push(m.main(proto))
	for _, h := range m.lib.hooks {
		L.Push(h)
	}
	L.Call(len(m.lib.hooks), results)
	if results == 0 {
		return lua.LNil
	}
	return L.Get(-1)
}

// strings is a Lua table of strings.
func (m *machine) strings(L *lua.LState, list [][]byte) *lua.LTable {
	t := m.newTable(L, len(list), 0)
	for _, b := range list {
		t.Append(m.string(L, b))
	}
	return t
}

// reply runs f, and writes what it returns or the error that it ended with.
func (r *Run) reply(m *machine, out *resp.Writer, f func(L *lua.LState) lua.LValue) {
	begin := out.Len()
	failure, ok := m.guard(func() { replyWriter{m, m.lua, out}.value(f(m.lua), 0) })
	if ok && m.dead == "" {
		m.endedWell = true
		return
	}
	out.Truncate(begin)
	out.Error(m.errorReply(failure))
}

// errorReply is the text of the error that a run ended with: the error's own, and where it was raised. A script may have put
// into it what it likes, so it is in the run's memory.
func (m *machine) errorReply(v lua.LValue) string {
	code, message := m.errorMessage(v)
	message = strings.Trim(message, "\r\n")
	place := ""
	if m.blame.source != "" {
		place = " script: " + m.name + ", on " + m.blame.source + ":" + m.blame.line + "."
	}
	b := m.memory.take(len(code) + len(message) + len(place))[:0]
	return text(append(append(append(b, code...), message...), place...))
}

// errorMessage returns the code that goes before a message, if it has none of its own, and the message.
func (m *machine) errorMessage(v lua.LValue) (code, message string) {
	if m.dead != "" {
		return "ERR ", m.dead
	}
	t, ok := v.(*lua.LTable)
	if !ok {
		return "ERR ", m.plain(v)
	}
	switch msg := t.RawGetString("err").(type) {
	case lua.LString, lua.LNumber:
		return "", m.plain(msg)
	}
	return "ERR ", "unknown error"
}

// plain is the text of a value, as tostring gives it. A string's is in the run's memory still.
func (m *machine) plain(v lua.LValue) string {
	if f, ok := v.(lua.LNumber); ok {
		return string(appendNumber(nil, float64(f), shownDigits))
	}
	if v == nil {
		return "nil"
	}
	return v.String()
}
