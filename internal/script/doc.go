// Package script runs Lua scripts and function libraries as Redis 7 does, on gopher-lua, for people who are not trusted:
// no script runs longer, allocates more or sees more than its limits and its [Commands] let it, inside library functions
// too, and nothing of a run is left when it ends.
//
// It is not the gateway: what redis.call may do, and to which keys, is decided by the [Commands] that a run is given. It
// knows no tenants, no locks and no connections either.
//
// Three things keep the invariant. The source is compiled through a rewriter (rewrite.go) that routes whatever makes
// strings, tables or closures through functions that count them. The machine's context (machine.go) counts every
// instruction. The libraries are Lethe's own, for gopher-lua's cannot be stopped and differ from Lua 5.1's. All strings of
// a run lie in memory that is cleared when the run ends (memory.go); the libraries' tables are shared between runs and
// cannot be written by any of them.
//
// The gateway is the only caller.
package script
