package command

import "github.com/lethe-cache/lethe/internal/glob"

func configCommands() []*Spec {
	const flags = Admin | clientFlags
	refused := func(name string, arity int, since, syntax string, tips ...string) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: flags, Since: since, Complexity: "O(1)", Syntax: syntax, Tips: tips,
			Summary: "Refused: settings come from the file that Lethe starts with.", Action: ActionAdmin, Run: runConfigRefused}
	}
	return []*Spec{container("CONFIG", "2.0.0", "server", "Commands about settings.", 0,
		&Spec{Name: "GET", Arity: -3, Flags: flags, Since: "2.0.0", Complexity: "O(N) with N patterns",
			Summary: "Returns the settings that clients ask a Redis for.", Syntax: "parameter [parameter ...]", Action: ActionAdmin, Run: runConfigGet},
		refused("SET", -4, "2.0.0", "parameter value [parameter value ...]", "request_policy:all_nodes", "response_policy:all_succeeded"),
		refused("RESETSTAT", 2, "2.0.0", ""),
		refused("REWRITE", 2, "2.8.0", ""),
	)}
}

func runConfigGet(c *Call) {
	var found []Field
	for _, f := range c.Conn.Host().Settings(c.Conn) {
		for _, pattern := range c.Args[2:] {
			if globFold(pattern, f.Name) {
				found = append(found, f)
				break
			}
		}
	}
	c.Out.Map(len(found))
	for _, f := range found {
		c.Out.BulkString(f.Name)
		c.Out.BulkString(f.Value)
	}
}

// runConfigRefused refuses what would change the server from inside: a client that can write settings could lift limits,
// and RESETSTAT would hide what others count.
func runConfigRefused(c *Call) {
	c.Error("ERR CONFIG " + c.Spec.Name + " is refused: settings and counters are not changed by clients")
}

// globFold matches names of commands and settings, in any case.
func globFold(pattern []byte, name string) bool {
	return glob.Match(lower(pattern), []byte(name))
}

func lower(b []byte) []byte {
	l := make([]byte, len(b))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		l[i] = c
	}
	return l
}
