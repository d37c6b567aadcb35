package command

import "github.com/lethe-cache/lethe/internal/resp"

// Replicas that are waited for never come: there is no replication. As on a Redis that has none, a client that asks for some
// waits until its time is over, or for ever where it gave 0.
func waitCommands() []*Spec {
	tips := []string{"request_policy:all_shards", "response_policy:agg_min"}
	return []*Spec{
		{Name: "WAIT", Arity: 3, Flags: NoScript, Categories: CatConnection, Group: "generic", Since: "3.0.0", Complexity: "O(1)",
			Summary: "Waits for replicas, of which there are none, and returns 0.", Syntax: "numreplicas timeout", Tips: tips, Run: runWait},
		{Name: "WAITAOF", Arity: 4, Flags: NoScript, Categories: CatConnection, Group: "generic", Since: "7.2.0", Complexity: "O(1)",
			Summary: "Waits for replicas, of which there are none, and returns 0 and 0: there is no append-only file.",
			Syntax:  "numlocal numreplicas timeout", Tips: tips, Run: runWaitAOF},
	}
}

func runWait(c *Call) {
	replicas, ok := c.intArg(1)
	if !ok {
		return
	}
	timeout, ok := c.replicasTimeout(2)
	if !ok || (replicas > 0 && c.Block(timeout)) {
		return
	}
	c.Out.Int(0)
}

func runWaitAOF(c *Call) {
	local, ok := c.intArg(1)
	switch {
	case !ok:
		return
	case local < 0 || local > 1:
		c.Error("ERR value is out of range, must be between 0 and 1")
		return
	}
	replicas, ok := c.positiveArg(c.Args[2], resp.MsgNotPositive)
	if !ok {
		return
	}
	timeout, ok := c.replicasTimeout(3)
	switch {
	case !ok:
	case local == 1:
		c.Error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
	case replicas > 0 && c.Block(timeout):
	default:
		c.Out.Array(2)
		c.Out.Int(0)
		c.Out.Int(0)
	}
}

// replicasTimeout reads a time-out in whole milliseconds.
func (c *Call) replicasTimeout(i int) (int64, bool) {
	timeout, ok := ParseInt(c.Args[i])
	switch {
	case !ok:
		c.Error(resp.MsgTimeoutNotInteger)
	case timeout < 0:
		c.Error(resp.MsgTimeoutNegative)
	case timeout > maxBlock:
		c.Error(resp.MsgTimeoutRange)
	default:
		return timeout, true
	}
	return 0, false
}
