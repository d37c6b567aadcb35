package command

import "strings"

func slowlogCommands() []*Spec {
	sub := func(name string, arity int, syntax, summary string, run func(*Call), tips ...string) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: Admin | Loading | Stale, Since: "2.2.12", Complexity: "O(N) with N entries, at most 128 a tenant",
			Summary: summary, Syntax: syntax, Tips: append([]string{"request_policy:all_nodes"}, tips...), Action: ActionAdmin, Run: run}
	}
	return []*Spec{container("SLOWLOG", "2.2.12", "server", "Commands about slow commands.", 0,
		sub("GET", -2, "[count]", "Lists slow commands of the credential's tenants; (redacted) stands where a key, a value or a secret was.", runSlowlogGet, "nondeterministic_output"),
		sub("LEN", 2, "", "Counts slow commands of the credential's tenants.", runSlowlogLen, "response_policy:agg_sum", "nondeterministic_output"),
		sub("RESET", 2, "", "Forgets slow commands of the credential's tenants.", runSlowlogReset, "response_policy:all_succeeded"),
	)}
}

// slowlogDefault is how many entries SLOWLOG GET returns if nothing is said.
const slowlogDefault = 10

// wrongSubcommandUse answers Redis's error for a subcommand with arguments that it does not take.
func (c *Call) wrongSubcommandUse() {
	c.Error("ERR unknown subcommand or wrong number of arguments for '" + shown(c.Args[1]) + "'. Try " +
		strings.ToUpper(c.Spec.parent.Name) + " HELP.")
}

func runSlowlogGet(c *Call) {
	most := int64(slowlogDefault)
	switch len(c.Args) {
	case 2:
	case 3:
		n, ok := ParseInt(c.Args[2])
		if !ok || n < -1 {
			c.Error("ERR count should be greater than or equal to -1")
			return
		}
		most = n
	default:
		c.wrongSubcommandUse()
		return
	}
	slow := c.observer().SlowCommands(c.Conn)
	if most >= 0 && most < int64(len(slow)) {
		slow = slow[:most]
	}
	c.Out.Array(len(slow))
	for i := range slow {
		c.answerSlow(&slow[i])
	}
}

// answerSlow writes an entry as Redis does.
func (c *Call) answerSlow(s *SlowCommand) {
	c.Out.Array(6)
	c.Out.Int(s.ID)
	c.Out.Int(s.At)
	c.Out.Int(s.Microseconds)
	c.Out.Array(len(s.Words))
	for _, w := range s.Words {
		c.Out.BulkString(w)
	}
	c.Out.BulkString(s.Client.Addr)
	c.Out.BulkString(s.Client.Name)
}

func runSlowlogLen(c *Call) { c.Out.Int(int64(len(c.observer().SlowCommands(c.Conn)))) }

func runSlowlogReset(c *Call) {
	c.observer().ForgetSlowCommands(c.Conn)
	c.Out.Status("OK")
}
