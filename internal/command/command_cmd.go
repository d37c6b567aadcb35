package command

import "github.com/lethe-cache/lethe/internal/resp"

func commandCommands() []*Spec {
	sub := func(name string, arity int, since, summary, syntax string, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: Loading | Stale, Categories: CatConnection, Since: since,
			Complexity: "O(N) with N commands", Summary: summary, Syntax: syntax, Run: run}
	}
	unordered := func(s *Spec) *Spec {
		s.Tips = []string{"nondeterministic_output_order"}
		return s
	}
	c := container("COMMAND", "2.8.13", "server", "Describes all commands.", CatConnection,
		sub("COUNT", 2, "2.8.13", "Counts the commands.", "", func(c *Call) { c.Out.Int(int64(len(c.table().Names()))) }),
		unordered(sub("LIST", -2, "7.0.0", "Lists the names of commands.",
			"[FILTERBY (MODULE module-name | ACLCAT category | PATTERN pattern)]", runCommandList)),
		unordered(sub("INFO", -2, "2.8.13", "Describes commands, all if none is named.", "[command-name [command-name ...]]", runCommandInfo)),
		unordered(sub("DOCS", -2, "7.0.0", "Documents commands, all if none is named.", "[command-name [command-name ...]]", runCommandDocs)),
		sub("GETKEYS", -3, "2.8.13", "Returns the keys of a call.", "command [arg [arg ...]]", runCommandGetKeys),
		sub("GETKEYSANDFLAGS", -3, "7.0.0", "Returns the keys of a call and what it does with each.", "command [arg [arg ...]]", runCommandGetKeysAndFlags),
	)
	c.Arity, c.Flags, c.Categories, c.Complexity = -1, Loading|Stale, CatConnection, "O(N) with N commands"
	c.Run = runCommand
	return []*Spec{unordered(c)}
}

func (c *Call) table() *Table { return c.Conn.Host().CommandTable() }

func runCommandList(c *Call) {
	keep := func(*Spec) bool { return true }
	if n := len(c.Args); n > 2 {
		if n != 5 || !word(c.Args[2], "FILTERBY") {
			c.Error(resp.MsgSyntax)
			return
		}
		switch kind, what := c.Args[3], c.Args[4]; {
		case word(kind, "MODULE"):
			keep = func(*Spec) bool { return false } // there are none
		case word(kind, "ACLCAT"):
			category, _ := CategoryByName(string(what)) // an unknown one has no commands, as in Redis
			keep = func(s *Spec) bool { return s.Categories&category != 0 }
		case word(kind, "PATTERN"):
			keep = func(s *Spec) bool { return globFold(what, s.full) }
		default:
			c.Error(resp.MsgSyntax)
			return
		}
	}
	var names []string
	for _, s := range c.table().Specs() {
		if keep(s) {
			names = append(names, s.full)
		}
	}
	c.Out.Array(len(names))
	for _, n := range names {
		c.Out.BulkString(n)
	}
}

func runCommandGetKeys(c *Call) {
	args, refs, ok := c.innerKeys()
	if !ok {
		return
	}
	c.Out.Array(len(refs))
	for _, r := range refs {
		c.Out.Bulk(args[r.Arg])
	}
}

func runCommandGetKeysAndFlags(c *Call) {
	args, refs, ok := c.innerKeys()
	if !ok {
		return
	}
	c.Out.Array(len(refs))
	for _, r := range refs {
		c.Out.Array(2)
		c.Out.Bulk(args[r.Arg])
		c.answerNames(r.Flags.Names(), "")
	}
}

// innerKeys finds the keys of the call that is the command's argument, or answers Redis's error.
func (c *Call) innerKeys() (args [][]byte, refs []KeyRef, ok bool) {
	args = c.Args[2:]
	s, whole := c.table().Lookup(args)
	switch {
	case s == nil || !whole && len(args) > 1:
		c.Error("ERR Invalid command specified")
		return nil, nil, false
	case len(s.Keys) == 0 && s.GetKeys == nil:
		c.Error("ERR The command has no key arguments")
		return nil, nil, false
	case !s.ArityOK(len(args)):
		c.Error("ERR Invalid number of arguments specified for command")
		return nil, nil, false
	}
	refs, ok = s.KeysOf(args, nil)
	if !ok && s.Flags&NoMandatoryKeys != 0 {
		return args, nil, true
	}
	if !ok || len(refs) == 0 && s.Flags&NoMandatoryKeys == 0 {
		c.Error("ERR Invalid arguments specified for command")
		return nil, nil, false
	}
	return args, refs, true
}

// answerNames writes a set of statuses, each with a prefix.
func (c *Call) answerNames(names []string, prefix string) {
	c.Out.Set(len(names))
	for _, n := range names {
		c.Out.Status(prefix + n)
	}
}

var keyFlagNames = [...]string{
	"RW", "RO", "OW", "RM", "access", "update", "insert", "delete", "not_key", "incomplete", "variable_flags",
}

// Names returns the names of a set of key flags as COMMAND INFO has them.
func (f KeyFlag) Names() []string {
	var names []string
	for i, n := range keyFlagNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}
