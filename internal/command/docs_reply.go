package command

func runCommandDocs(c *Call) {
	var found []*Spec
	if len(c.Args) == 2 {
		for _, name := range c.table().Names() {
			found = append(found, c.table().Find(name))
		}
	}
	for _, name := range c.Args[2:] {
		if s := c.table().Find(string(name)); s != nil {
			found = append(found, s)
		}
	}
	c.answerDocs(found)
}

// answerDocs writes the documentation of commands by name, as COMMAND DOCS has it since Redis 7.0.
func (c *Call) answerDocs(specs []*Spec) {
	c.Out.Map(len(specs))
	for _, s := range specs {
		c.Out.BulkString(s.full)
		c.answerDoc(s)
	}
}

func (c *Call) answerDoc(s *Spec) {
	args, err := s.arguments()
	if err != nil {
		panic("BUG: " + err.Error()) // the tests parse every syntax of the table
	}
	fields := []Field{{"summary", s.Summary}, {"since", s.Since}, {"group", s.Group}, {"complexity", s.Complexity}}
	n := len(fields)
	if len(args) > 0 {
		n++
	}
	if len(s.Sub) > 0 {
		n++
	}
	c.Out.Map(n)
	c.answerFields(fields)
	if len(args) > 0 {
		c.Out.BulkString("arguments")
		c.answerArgs(args)
	}
	if len(s.Sub) > 0 {
		c.Out.BulkString("subcommands")
		c.answerDocs(s.Sub)
	}
}

func (c *Call) answerArgs(args []arg) {
	c.Out.Array(len(args))
	for i := range args {
		c.answerArg(&args[i])
	}
}

// answerArg writes an argument with the fields of Redis 7.2, in its order. redis-cli makes its hints from them.
func (c *Call) answerArg(a *arg) {
	group := a.kind == argOneOf || a.kind == argBlock
	fields := []Field{{"name", a.name}, {"type", string(a.kind)}}
	if !group {
		fields = append(fields, Field{"display_text", a.name})
	}
	flags := a.flags()
	n := len(fields)
	for _, more := range []bool{a.kind == argKey, a.token != "", len(flags) > 0, group} {
		if more {
			n++
		}
	}
	c.Out.Map(n)
	c.answerFields(fields)
	if a.kind == argKey {
		c.answerInts([]namedInt{{"key_spec_index", a.keySpec}})
	}
	if a.token != "" {
		c.answerFields([]Field{{"token", a.token}})
	}
	if len(flags) > 0 {
		c.Out.BulkString("flags")
		c.answerNames(flags, "")
	}
	if group {
		c.Out.BulkString("arguments")
		c.answerArgs(a.inner)
	}
}
