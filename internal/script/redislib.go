package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// redisFunctions are the functions of the table "redis".
func redisFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"call": redisCall, "pcall": redisPcall, "error_reply": redisErrorReply, "status_reply": redisStatusReply,
		"sha1hex": redisSHA1Hex, "log": redisLog, "set_repl": redisSetRepl, "setresp": redisSetRESP,
		"replicate_commands": redisReplicateCommands, "breakpoint": redisBreakpoint,
		"debug": func(*lua.LState) int { return 0 }, "acl_check_cmd": redisACLCheck,
	}
}

// The constants of "redis". Replication has no meaning here; scripts mention it all the same.
const (
	replicateAOF     = 1
	replicateReplica = 2
	logDebug         = 0
	logVerbose       = 1
	logNotice        = 2
	logWarning       = 3
)

func redisNames() map[string]lua.LValue {
	names := loadNames()
	for name, v := range map[string]int{"REPL_NONE": 0, "REPL_AOF": replicateAOF, "REPL_SLAVE": replicateReplica,
		"REPL_REPLICA": replicateReplica, "REPL_ALL": replicateAOF | replicateReplica} {
		names[name] = lua.LNumber(v)
	}
	return names
}

// loadFunctions and loadNames are what "redis" has while a library is being loaded.
func loadFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{"register_function": registerFunction, "log": redisLog}
}

func loadNames() map[string]lua.LValue {
	return map[string]lua.LValue{
		"LOG_DEBUG": lua.LNumber(logDebug), "LOG_VERBOSE": lua.LNumber(logVerbose), "LOG_NOTICE": lua.LNumber(logNotice),
		"LOG_WARNING": lua.LNumber(logWarning), "REDIS_VERSION": lua.LString(serverVersion),
		"REDIS_VERSION_NUM": lua.LNumber(serverVersionNumber),
	}
}

func redisCall(L *lua.LState) int  { return runCommand(L, true) }
func redisPcall(L *lua.LState) int { return runCommand(L, false) }

func runCommand(L *lua.LState, raise bool) int {
	m := at(L)
	args, problem := m.commandArguments(L)
	if problem != "" {
		if raise {
			throwTable(L, problem)
		}
		return push(L, errorTable(L, problem))
	}
	reply := m.cmds.Call(args)
	v := m.decode(L, reply)
	if raise && len(reply) > 0 && reply[0] == '-' {
		throwValue(L, v)
	}
	return push(L, v)
}

// commandArguments are the arguments of the running function as those of a command, in memory that is the run's.
func (m *machine) commandArguments(L *lua.LState) (args [][]byte, problem string) {
	n := L.GetTop()
	if n == 0 {
		return nil, "Please specify at least one argument for this redis lib call"
	}
	m.work(L, n)
	args = m.args[:0]
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			args = append(args, raw(string(v)))
		case lua.LNumber:
			b := m.buffer(L)
			b.number(float64(v), exactDigits)
			args = append(args, b.b)
		default:
			return nil, "Lua redis lib command arguments must be strings or integers"
		}
	}
	m.args = args
	return args, ""
}

func redisErrorReply(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		return push(L, errorTable(L, "wrong number or type of arguments"))
	}
	return push(L, codedErrorTable(L, strings.TrimPrefix(string(s), "-")))
}

func redisStatusReply(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		return push(L, errorTable(L, "wrong number or type of arguments"))
	}
	t := at(L).newTable(L, 0, 1)
	t.RawSetString("ok", s)
	return push(L, t)
}

func redisSHA1Hex(L *lua.LState) int {
	if L.GetTop() != 1 {
		throwTable(L, "wrong number of arguments")
	}
	s, _ := toText(L, L.Get(1))
	at(L).work(L, len(s)>>2)
	return push(L, lua.LString(SHA1Hex(raw(s))))
}

// redisLog checks what it is given, and drops it: no script writes anything of a value into a log (docs/guarantees.md, G9).
func redisLog(L *lua.LState) int {
	if L.GetTop() < 2 {
		throwTable(L, "redis.log() requires two arguments or more.")
	}
	level, ok := toNumber(L.Get(1))
	if !ok {
		throwTable(L, "First argument must be a number (log level).")
	}
	if n := toInt(level); n < logDebug || n > logWarning {
		throwTable(L, "Invalid debug level.")
	}
	return 0
}

func redisSetRepl(L *lua.LState) int {
	if L.GetTop() != 1 {
		throwTable(L, "redis.set_repl() requires two arguments.")
	}
	flags, _ := toNumber(L.Get(1))
	if toInt(flags)&^(replicateAOF|replicateReplica) != 0 {
		throwTable(L, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
	}
	return 0
}

func redisSetRESP(L *lua.LState) int {
	if L.GetTop() != 1 {
		throwTable(L, "redis.setresp() requires one argument.")
	}
	version, _ := toNumber(L.Get(1))
	v := toInt(version)
	if v != 2 && v != 3 {
		throwTable(L, "RESP version must be 2 or 3.")
	}
	m := at(L)
	m.resp3 = v == 3
	m.cmds.SetRESP3(m.resp3)
	return 0
}

func redisReplicateCommands(L *lua.LState) int { return push(L, lua.LTrue) }

func redisBreakpoint(L *lua.LState) int { return push(L, lua.LFalse) }

func redisACLCheck(L *lua.LState) int {
	m := at(L)
	args, problem := m.commandArguments(L)
	if problem != "" {
		throwTable(L, problem)
	}
	allowed, known := m.cmds.MayRun(args)
	if !known {
		throwTable(L, "Invalid command passed to redis.acl_check_cmd()")
	}
	return push(L, lua.LBool(allowed))
}
