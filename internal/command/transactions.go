package command

import "github.com/lethe-cache/lethe/internal/resp"

// Transactor is what a connection does for MULTI and WATCH.
type Transactor interface {
	// InTransaction reports whether commands are being queued.
	InTransaction() bool
	// Multi begins to queue commands.
	Multi()
	// Exec runs what was queued, with nothing in between, and answers for it.
	Exec(c *Call)
	// Discard forgets what was queued, and what is watched.
	Discard()
	// Watch makes the next Exec fail when one of the call's keys changes before.
	Watch(c *Call)
	// Unwatch forgets what is watched.
	Unwatch()
}

func transactionCommands() []*Spec {
	const flags = NoScript | Loading | Stale | Fast | AllowBusy
	return []*Spec{
		{Name: "MULTI", Arity: 1, Flags: flags, Categories: CatTransaction, Group: "transactions", Since: "1.2.0", Complexity: "O(1)",
			Summary: "Begins a transaction: the commands that follow are queued.", Run: runMulti},
		{Name: "EXEC", Arity: 1, Flags: NoScript | Loading | Stale | SkipSlowlog, Categories: CatTransaction, Group: "transactions", Since: "1.2.0",
			Complexity: "What the queued commands cost", Summary: "Runs the commands of a transaction with nothing in between.", Run: runExec},
		{Name: "DISCARD", Arity: 1, Flags: flags, Categories: CatTransaction, Group: "transactions", Since: "2.0.0",
			Complexity: "O(N) with N queued commands", Summary: "Forgets a transaction.", Run: runDiscard},
		{Name: "WATCH", Arity: -2, Flags: flags, Categories: CatTransaction, Keys: allKeys(KeyRO), Group: "transactions", Since: "2.2.0",
			Complexity: "O(N) with N keys", Summary: "Makes the next transaction fail when one of the keys changes before it.",
			Syntax: "key [key ...]", Action: ActionList, Run: runWatch},
		{Name: "UNWATCH", Arity: 1, Flags: flags, Categories: CatTransaction, Group: "transactions", Since: "2.2.0", Complexity: "O(1)",
			Summary: "Forgets what is watched.", Run: func(c *Call) {
				c.Conn.Unwatch()
				c.Out.Status("OK")
			}},
	}
}

func runMulti(c *Call) {
	if c.Conn.InTransaction() {
		c.Error(resp.MsgNestedMulti)
		return
	}
	c.Conn.Multi()
	c.Out.Status("OK")
}

func runExec(c *Call) {
	if !c.Conn.InTransaction() {
		c.Error(resp.MsgExecWithoutMulti)
		return
	}
	c.Conn.Exec(c)
}

func runDiscard(c *Call) {
	if !c.Conn.InTransaction() {
		c.Error(resp.MsgDiscardWithoutMulti)
		return
	}
	c.Conn.Discard()
	c.Out.Status("OK")
}

func runWatch(c *Call) {
	if c.Conn.InTransaction() {
		c.Error(resp.MsgWatchInMulti)
		return
	}
	c.Conn.Watch(c)
	c.Out.Status("OK")
}
