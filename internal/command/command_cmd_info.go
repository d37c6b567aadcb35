package command

func runCommand(c *Call) {
	table := c.table()
	c.Out.Array(len(table.Names()))
	for _, name := range table.Names() {
		c.answerSpec(table.Find(name))
	}
}

func runCommandInfo(c *Call) {
	if len(c.Args) == 2 {
		runCommand(c)
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, name := range c.Args[2:] {
		if s := c.table().Find(string(name)); s != nil {
			c.answerSpec(s)
		} else {
			c.Out.Null()
		}
	}
}

// answerSpec writes a command as COMMAND INFO has it since Redis 7.0: ten elements.
func (c *Call) answerSpec(s *Spec) {
	first, last, step, movable := s.legacyKeys()
	flags := s.Flags
	if movable {
		flags |= MovableKeys
	}
	c.Out.Array(10)
	c.Out.BulkString(s.full)
	c.Out.Int(int64(s.Arity))
	c.answerNames(flags.Names(), "")
	c.Out.Int(int64(first))
	c.Out.Int(int64(last))
	c.Out.Int(int64(step))
	c.answerNames(s.Categories.Names(), "@")
	c.Out.Set(len(s.Tips))
	for _, tip := range s.Tips {
		c.Out.BulkString(tip)
	}
	c.Out.Set(len(s.Keys))
	for i := range s.Keys {
		c.answerKeySpec(&s.Keys[i])
	}
	c.Out.Set(len(s.Sub))
	for _, sub := range s.Sub {
		c.answerSpec(sub)
	}
}

// legacyKeys is what clients before Redis 7 know of a command's keys: the first, the last (negative: from the end) and
// the step between them. It covers plain ranges that follow each other; movable means that it does not say everything,
// and that COMMAND GETKEYS has to be asked.
func (s *Spec) legacyKeys() (first, last, step int, movable bool) {
	if len(s.Keys) == 1 && s.Keys[0].isRange() {
		k := &s.Keys[0]
		if last = k.Last; last >= 0 {
			last += k.Begin
		}
		return k.Begin, last, max(k.Step, 1), k.Flags&KeyIncomplete != 0
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		if !k.isRange() || k.Step > 1 || last != 0 && last != k.Begin-1 {
			movable = true
			continue
		}
		movable = movable || k.Flags&KeyIncomplete != 0
		if first == 0 || k.Begin < first {
			first = k.Begin
		}
		if end := k.Begin + k.Last; k.Last < 0 {
			last = k.Last
		} else if last >= 0 {
			last = max(last, end)
		}
	}
	if first != 0 {
		step = 1
	}
	return first, last, step, movable
}

// isRange reports whether the keys stand at fixed places, from an index on.
func (k *KeySpec) isRange() bool { return k.Keyword == "" && !k.HasCount }

func (c *Call) answerKeySpec(k *KeySpec) {
	fields := 3
	if k.Notes != "" {
		fields++
	}
	c.Out.Map(fields)
	if k.Notes != "" {
		c.answerFields([]Field{{"notes", k.Notes}})
	}
	c.Out.BulkString("flags")
	c.answerNames(k.Flags.Names(), "")
	if k.Keyword == "" {
		c.answerSearch("begin_search", "index", namedInt{"index", k.Begin})
	} else {
		c.Out.BulkString("begin_search")
		c.Out.Map(2)
		c.answerFields([]Field{{"type", "keyword"}})
		c.Out.BulkString("spec")
		c.Out.Map(2)
		c.answerFields([]Field{{"keyword", k.Keyword}})
		c.answerInts([]namedInt{{"startfrom", k.From}})
	}
	if k.HasCount {
		c.answerSearch("find_keys", "keynum",
			namedInt{"keynumidx", k.CountAt}, namedInt{"firstkey", k.FirstKey}, namedInt{"keystep", max(k.Step, 1)})
	} else {
		c.answerSearch("find_keys", "range",
			namedInt{"lastkey", k.Last}, namedInt{"keystep", max(k.Step, 1)}, namedInt{"limit", k.Limit})
	}
}

// namedInt is a field of a key specification.
type namedInt struct {
	name  string
	value int
}

// answerSearch writes one half of a key specification: its kind and its numbers.
func (c *Call) answerSearch(half, kind string, spec ...namedInt) {
	c.Out.BulkString(half)
	c.Out.Map(2)
	c.answerFields([]Field{{"type", kind}})
	c.Out.BulkString("spec")
	c.Out.Map(len(spec))
	c.answerInts(spec)
}

func (c *Call) answerInts(fields []namedInt) {
	for _, f := range fields {
		c.Out.BulkString(f.name)
		c.Out.Int(int64(f.value))
	}
}
