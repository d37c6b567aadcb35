package command

import "github.com/lethe-cache/lethe/internal/resp"

func waitCommands() []*Spec {
	return []*Spec{{Name: "WAITAOF", Arity: 4, Flags: NoScript, Categories: CatConnection, Group: "generic", Since: "7.2.0", Complexity: "O(1)",
		Summary: "Returns 0 and 0: there is no append-only file, and there are no replicas.", Syntax: "numlocal numreplicas timeout",
		Tips: []string{"request_policy:all_shards", "response_policy:agg_min"}, Run: runWaitAOF}}
}

// runWaitAOF answers at once. There is nothing to wait for: no replica will ever say that it has something.
func runWaitAOF(c *Call) {
	local, ok := c.intArg(1)
	switch {
	case !ok:
		return
	case local < 0 || local > 1:
		c.Error("ERR value is out of range, must be between 0 and 1")
		return
	}
	if _, ok := c.positiveArg(c.Args[2], resp.MsgNotPositive); !ok {
		return
	}
	timeout, ok := parseInt(c.Args[3])
	switch {
	case !ok:
		c.Error(resp.MsgTimeoutNotInteger)
	case timeout < 0:
		c.Error(resp.MsgTimeoutNegative)
	case local == 1:
		c.Error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
	default:
		c.Out.Array(2)
		c.Out.Int(0)
		c.Out.Int(0)
	}
}
