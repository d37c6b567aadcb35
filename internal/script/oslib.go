package script

import (
	"time"

	lua "github.com/yuin/gopher-lua"
)

// osFunctions is all of os that Redis has (since 7.2).
func osFunctions() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{"clock": func(L *lua.LState) int {
		m := at(L)
		return push(L, lua.LNumber(time.Since(m.startedAt).Seconds()))
	}}
}
