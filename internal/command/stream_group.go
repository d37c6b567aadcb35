package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
)

// Redis's errors about groups repeat the key and the group. A question mark stands for each: errors end up in logs.
const (
	msgNoGroup      = "NOGROUP No such consumer group '?' for key name '?'"
	msgNoKeyOrGroup = "NOGROUP No such key '?' or consumer group '?'"
	msgNoGroupRead  = msgNoKeyOrGroup + " in XREADGROUP with GROUP option"
	msgBusyGroup    = "BUSYGROUP Consumer Group name already exists"
	msgNoGroupKey   = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
	msgEntriesRead  = "ERR value for ENTRIESREAD must be positive or -1"

	groupOptionsAt = 5
)

func streamGroupCommands() []*Spec {
	group := func(name, syntax, summary, complexity string, arity int, flags Flag, key KeyFlag, action Action, run func(*Call)) *Spec {
		s := &Spec{Name: name, Arity: arity, Flags: flags, Categories: CatStream, Keys: []KeySpec{{Begin: 2, Step: 1, Flags: key}},
			Since: "5.0.0", Complexity: complexity, Summary: summary, Syntax: syntax, Action: action, Run: run}
		if action == ActionWrite {
			s.Effect = EffectPart
		}
		return s
	}
	createConsumer := group("CREATECONSUMER", "key group consumer", "Adds a consumer to a group.", "O(1)",
		5, Write|DenyOOM, KeyRW|KeyInsert, ActionWrite, runXGroupCreateConsumer)
	createConsumer.Since = "6.2.0"
	groups := container("XGROUP", "5.0.0", "stream", "Commands about consumer groups.", CatStream,
		group("CREATE", "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", "Makes a consumer group, and the stream where asked to.", "O(1)",
			-5, Write|DenyOOM, KeyRW|KeyInsert, ActionWrite, runXGroupCreate),
		group("SETID", "key group <id | $> [ENTRIESREAD entries-read]", "Sets the last id that a group was given.", "O(1)",
			-5, Write, KeyRW|KeyUpdate, ActionWrite, runXGroupSetID),
		group("DESTROY", "key group", "Erases a group.", "O(N) with N pending entries",
			4, Write, KeyRW|KeyDelete, ActionDelete, runXGroupDestroy),
		createConsumer,
		group("DELCONSUMER", "key group consumer", "Erases a consumer and what it has not acknowledged.", "O(N*log(P)) with N of the group's P pending entries",
			5, Write, KeyRW|KeyDelete, ActionDelete, runXGroupDelConsumer),
	)
	return append(append([]*Spec{groups, streamInfoCommand()}, streamPendingCommands()...), streamClaimCommands()...)
}

// subcommandSyntax answers Redis's error for a subcommand with arguments that do not fit.
func (c *Call) subcommandSyntax() {
	c.Error("ERR unknown subcommand or wrong number of arguments for '" + string(c.Args[1]) + "'. Try " +
		c.Spec.parent.Name + " HELP.")
}

// groupOptions are what may stand behind the id of XGROUP CREATE and SETID.
type groupOptions struct {
	makeStream bool
	read       int64
}

func (c *Call) groupOptions(creating bool) (o groupOptions, ok bool) {
	o.read = engine.UnknownRead
	for i := groupOptionsAt; i < len(c.Args); i++ {
		switch {
		case creating && word(c.Args[i], "MKSTREAM"):
			o.makeStream = true
		case word(c.Args[i], "ENTRIESREAD") && i+1 < len(c.Args):
			i++
			if o.read, ok = c.intArg(i); !ok {
				return o, false
			}
			if o.read < engine.UnknownRead {
				c.Error(msgEntriesRead)
				return o, false
			}
		default:
			c.subcommandSyntax()
			return o, false
		}
	}
	return o, true
}

// groupStream returns the stream that a subcommand of XGROUP needs.
func (c *Call) groupStream() (engine.StreamValue, bool) {
	s, ok := c.stream(0)
	if ok && !s.Exists() {
		c.Error(msgNoGroupKey)
		return s, false
	}
	return s, ok
}

// group returns the group that a command needs, named by an argument, or answers that there is none.
func (c *Call) group(s *engine.StreamValue, arg int, problem string) (engine.StreamGroup, bool) {
	g, ok := s.Group(c.Args[arg])
	if !ok {
		c.Error(problem)
	}
	return g, ok
}

func runXGroupCreate(c *Call) {
	o, ok := c.groupOptions(true)
	if !ok {
		return
	}
	s, ok := c.stream(0)
	if !ok {
		return
	}
	if !s.Exists() && !o.makeStream {
		c.Error(msgNoGroupKey)
		return
	}
	if len(c.Args) > groupOptionsAt+3 {
		c.subcommandSyntax()
		return
	}
	id := s.Info().Last
	if string(c.Args[4]) != "$" {
		if id, ok = c.idArg(4); !ok {
			return
		}
	}
	if !s.Exists() && !c.makeStream(0, &s) {
		return
	}
	if !s.CreateGroup(c.Args[3], id, o.read) {
		c.Error(msgBusyGroup)
		return
	}
	c.Tell(0, Stored)
	c.Notify(NoticeStream, "xgroup-create", 0)
	c.Out.Status("OK")
}

func runXGroupSetID(c *Call) {
	o, ok := c.groupOptions(false)
	if !ok {
		return
	}
	s, ok := c.groupStream()
	if !ok {
		return
	}
	g, ok := c.group(&s, 3, msgNoGroup)
	if !ok {
		return
	}
	if n := len(c.Args) - groupOptionsAt; n != 0 && n != 2 {
		c.subcommandSyntax()
		return
	}
	id := s.Info().Last
	if string(c.Args[4]) != "$" {
		if id, ok = parseBound(c.Args[4], 0); !ok {
			c.Error(msgStreamID)
			return
		}
	}
	g.Set(id, o.read)
	c.Tell(0, Stored)
	c.Notify(NoticeStream, "xgroup-setid", 0)
	c.Out.Status("OK")
}

func runXGroupDestroy(c *Call) {
	s, ok := c.groupStream()
	if !ok {
		return
	}
	destroyed := s.DestroyGroup(c.Args[3])
	c.Tell(0, Unchanged)
	if destroyed {
		c.Tell(0, Deleted)
		c.Notify(NoticeStream, "xgroup-destroy", 0)
	}
	c.Out.Int(one(destroyed))
}

func runXGroupCreateConsumer(c *Call) {
	s, ok := c.groupStream()
	if !ok {
		return
	}
	g, ok := c.group(&s, 3, msgNoGroup)
	if !ok {
		return
	}
	_, created := g.CreateConsumer(c.Args[4], c.WallNow)
	c.Tell(0, Unchanged)
	if created {
		c.Tell(0, Stored)
		c.Notify(NoticeStream, "xgroup-createconsumer", 0)
	}
	c.Out.Int(one(created))
}

func runXGroupDelConsumer(c *Call) {
	s, ok := c.groupStream()
	if !ok {
		return
	}
	g, ok := c.group(&s, 3, msgNoGroup)
	if !ok {
		return
	}
	_, there := g.Consumer(c.Args[4])
	pending := g.DeleteConsumer(c.Args[4])
	c.Tell(0, Unchanged)
	if there {
		c.Tell(0, Deleted)
		c.Notify(NoticeStream, "xgroup-delconsumer", 0)
	}
	c.Out.Int(int64(pending))
}
