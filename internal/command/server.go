package command

import (
	"strconv"

	"github.com/lethe-cache/lethe/internal/resp"
)

func serverCommands() []*Spec {
	shards := []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	flush := func(name, since, summary string) *Spec {
		return &Spec{Name: name, Arity: -1, Flags: Write, Categories: CatKeyspace | CatDangerous, Group: "server", Since: since,
			Complexity: "O(N) with N keys; they are erased before the reply", Summary: summary, Syntax: "[ASYNC | SYNC]", Tips: shards,
			Action: ActionDelete, Run: runFlush}
	}
	return []*Spec{
		{Name: "TIME", Arity: 1, Flags: Loading | Stale | Fast, Group: "server", Since: "2.6.0", Complexity: "O(1)",
			Summary: "Returns the wall clock: Unix seconds, and microseconds to the millisecond.", Tips: []string{"nondeterministic_output"}, Run: runTime},
		{Name: "LOLWUT", Arity: -1, Flags: ReadOnly | Fast, Group: "server", Since: "5.0.0", Complexity: "O(1)",
			Summary: "Tells Lethe's version.", Syntax: "[VERSION version]", Run: runLolwut},
		{Name: "ROLE", Arity: 1, Flags: clientFlags | Fast, Categories: CatAdmin | CatDangerous, Group: "server", Since: "2.8.12",
			Complexity: "O(1)", Summary: "Tells that this is a master without replicas.", Action: ActionAdmin, Run: runRole},
		{Name: "LASTSAVE", Arity: 1, Flags: Loading | Stale | Fast, Categories: CatAdmin | CatDangerous, Group: "server", Since: "1.0.0",
			Complexity: "O(1)", Summary: "Returns when the process started, in Unix seconds: there are no snapshots.",
			Tips: []string{"nondeterministic_output"}, Action: ActionAdmin, Run: func(c *Call) { c.Out.Int(c.Conn.Host().StartedAt()) }},
		flush("FLUSHDB", "1.0.0", "Erases every key of the credential's tenants."),
		flush("FLUSHALL", "1.0.0", "Erases every key of the credential's tenants."),
	}
}

// runTime tells microseconds: rate limiters count within a millisecond too.
func runTime(c *Call) {
	now := c.Conn.Host().Micros()
	c.Out.Array(2)
	c.Out.BulkInt(now / 1_000_000)
	c.Out.BulkInt(now % 1_000_000)
}

func runLolwut(c *Call) {
	if len(c.Args) >= 3 && word(c.Args[1], "VERSION") {
		if _, ok := c.intArg(2); !ok {
			return
		}
	}
	c.verbatim("Lethe ver. " + c.Conn.Host().Version() + "\n")
}

func runRole(c *Call) {
	c.Out.Array(3)
	c.Out.BulkString("master")
	c.Out.Int(0)
	c.Out.Array(0)
}

// runFlush erases before it answers, ASYNC or not: what was flushed must not be readable by anybody who has the reply.
func runFlush(c *Call) {
	if len(c.Args) > 2 || len(c.Args) == 2 && !word(c.Args[1], "ASYNC") && !word(c.Args[1], "SYNC") {
		c.Error(resp.MsgSyntax)
		return
	}
	c.Count = c.Conn.Flush()
	c.Out.Status("OK")
}

// container makes a command that consists of its subcommands, with HELP made from their summaries. categories are those
// that HELP has beside what its flags imply.
func container(name, since, group, summary string, categories Category, sub ...*Spec) *Spec {
	help := &Spec{Name: "HELP", Arity: 2, Flags: Loading | Stale, Categories: categories, Since: since, Complexity: "O(1)",
		Summary: "Lists the subcommands.", Run: runHelp}
	return &Spec{Name: name, Arity: -2, Group: group, Since: since, Complexity: "Depends on the subcommand.", Summary: summary,
		Sub: append(sub, help)}
}

// runHelp lists a container's subcommands: a line each with the arguments, and one that says what it does.
func runHelp(c *Call) {
	parent := c.Spec.parent
	c.Out.Array(1 + 2*len(parent.Sub))
	c.Out.Status(parent.Name + " <subcommand> [<arg> ...], with " + strconv.Itoa(len(parent.Sub)) + " subcommands:")
	for _, s := range parent.Sub {
		line := s.Name
		if s.Syntax != "" {
			line += " " + s.Syntax
		}
		c.Out.Status(line)
		c.Out.Status("    " + s.Summary)
	}
}
