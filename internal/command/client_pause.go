package command

import "github.com/lethe-cache/lethe/internal/resp"

// Pauser is what the server does for CLIENT PAUSE and UNBLOCK, within the caller's tenants.
type Pauser interface {
	// Pause holds back commands of the caller's tenants, or only those that write, until an instant of the engine's clock.
	Pause(caller Conn, until int64, writesOnly bool)
	// Unpause lets them go on.
	Unpause(caller Conn)
	// Unblock ends the waiting of a connection that the caller may know of; false when it does not wait.
	Unblock(caller Conn, id uint64, withError bool) bool
}

func runClientPause(c *Call) {
	writesOnly := false
	if len(c.Args) == 4 {
		writesOnly = word(c.Args[3], "WRITE")
		if !writesOnly && !word(c.Args[3], "ALL") {
			c.Error("ERR CLIENT PAUSE mode must be WRITE or ALL")
			return
		}
	} else if len(c.Args) > 4 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return
	}
	timeout, ok := ParseInt(c.Args[2])
	switch {
	case !ok:
		c.Error(resp.MsgTimeoutNotInteger)
		return
	case timeout < 0:
		c.Error(resp.MsgTimeoutNegative)
		return
	case timeout > maxPause:
		c.Error(resp.MsgTimeoutRange)
		return
	}
	c.Conn.Host().Pause(c.Conn, c.Now+timeout, writesOnly)
	c.Out.Status("OK")
}

// maxPause is the longest pause in milliseconds: deadlines go on meanwhile, and nothing is gained by more.
const maxPause = 24 * 3600 * 1000

func runClientUnblock(c *Call) {
	withError := false
	if len(c.Args) == 4 {
		withError = word(c.Args[3], "ERROR")
		if !withError && !word(c.Args[3], "TIMEOUT") {
			c.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
			return
		}
	} else if len(c.Args) > 4 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return
	}
	id, ok := c.intArg(2)
	if !ok {
		return
	}
	if c.Conn.Host().Unblock(c.Conn, uint64(id), withError) {
		c.Out.Int(1)
		return
	}
	c.Out.Int(0)
}
