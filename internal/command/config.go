package command

import (
	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

func configCommands() []*Spec {
	const flags = Admin | clientFlags
	refused := func(name string, arity int, since, syntax string, tips ...string) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: flags, Since: since, Complexity: "O(1)", Syntax: syntax, Tips: tips,
			Summary: "Refused: settings come from the file that Lethe starts with.", Action: ActionAdmin, Run: runConfigRefused}
	}
	return []*Spec{container("CONFIG", "2.0.0", "server", "Commands about settings.", 0,
		&Spec{Name: "GET", Arity: -3, Flags: flags, Since: "2.0.0", Complexity: "O(N) with N patterns",
			Summary: "Returns the settings that clients ask a Redis for.", Syntax: "parameter [parameter ...]", Action: ActionAdmin, Run: runConfigGet},
		&Spec{Name: "SET", Arity: -4, Flags: flags, Since: "2.0.0", Complexity: "O(N) with N settings", Syntax: "parameter value [parameter value ...]",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Summary: "Chooses what the caller's tenants are told of with notify-keyspace-events; other settings come from the file that Lethe starts with.",
			Action:  ActionAdmin, Plain: plainNotices, Run: runConfigSet},
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

// runConfigSet takes the one setting that belongs to a tenant and not to the server.
func runConfigSet(c *Call) {
	if len(c.Args)%2 != 0 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return
	}
	var set NoticeClass
	for i := 2; i < len(c.Args); i += 2 {
		if !word(c.Args[i], "NOTIFY-KEYSPACE-EVENTS") {
			runConfigRefused(c)
			return
		}
		var ok bool
		if set, ok = ParseNotices(c.Args[i+1]); !ok {
			c.Error("ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
			return
		}
	}
	c.Conn.SetNotices(set)
	c.Out.Status("OK")
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
