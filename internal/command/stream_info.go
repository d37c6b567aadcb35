package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// fullInfoCount is how many entries and pending entries XINFO STREAM FULL returns of each kind without COUNT.
const fullInfoCount = 10

func streamInfoCommand() *Spec {
	look := func(name, syntax, summary, complexity string, arity int, tips []string, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: ReadOnly, Categories: CatStream, Keys: []KeySpec{{Begin: 2, Step: 1, Flags: KeyRO | KeyAccess}},
			Since: "5.0.0", Complexity: complexity, Summary: summary, Syntax: syntax, Tips: tips, Action: ActionRead, Run: run}
	}
	return container("XINFO", "5.0.0", "stream", "Commands that describe streams.", CatStream,
		look("STREAM", "key [FULL [COUNT count]]", "Describes a stream, and with FULL its entries and groups.", "O(1), with FULL O(N) with N entries returned", -3, nil, runXInfoStream),
		look("GROUPS", "key", "Describes a stream's groups.", "O(N) with N groups", 3, nil, runXInfoGroups),
		look("CONSUMERS", "key group", "Describes a group's consumers.", "O(N) with N consumers", 4, []string{"nondeterministic_output"}, runXInfoConsumers),
	)
}

// infoStream returns the stream that XINFO describes, or answers that there is none.
func (c *Call) infoStream() (engine.StreamValue, bool) {
	s, ok := c.stream(0)
	if ok && !s.Exists() {
		c.Error(resp.MsgNoSuchKey)
		return s, false
	}
	return s, ok
}

// answerIDField and its like write a field of a description.
func (c *Call) answerIDField(name string, id engine.StreamID) {
	c.Out.BulkString(name)
	c.answerID(id)
}

func (c *Call) answerIntField(name string, n int64) {
	c.Out.BulkString(name)
	c.Out.Int(n)
}

func (c *Call) answerBytesField(name string, b []byte) {
	c.Out.BulkString(name)
	c.Out.Bulk(b)
}

// answerKnownField writes a number, or null where nobody knows it.
func (c *Call) answerKnownField(name string, n int64, known bool) {
	c.Out.BulkString(name)
	if known {
		c.Out.Int(n)
	} else {
		c.Out.Null()
	}
}

func runXInfoConsumers(c *Call) {
	s, ok := c.infoStream()
	if !ok {
		return
	}
	g, ok := c.group(&s, 3, msgNoGroup)
	if !ok {
		return
	}
	c.Out.Array(g.Consumers())
	g.EachConsumer(func(consumer engine.StreamConsumer) bool {
		c.Out.Map(4)
		c.answerBytesField("name", consumer.Name())
		c.answerIntField("pending", int64(consumer.Pending()))
		c.answerIntField("idle", max(c.WallNow-consumer.SeenAt(), 0))
		c.answerIntField("inactive", c.inactive(consumer))
		return true
	})
}

// inactive is for how long a consumer has been given nothing, in milliseconds; -1 when it never was.
func (c *Call) inactive(consumer engine.StreamConsumer) int64 {
	if consumer.ActiveAt() == engine.NeverActive {
		return engine.NeverActive
	}
	return max(c.WallNow-consumer.ActiveAt(), 0)
}

func runXInfoGroups(c *Call) {
	s, ok := c.infoStream()
	if !ok {
		return
	}
	c.Out.Array(s.Info().Groups)
	s.EachGroup(func(g engine.StreamGroup) bool {
		c.Out.Map(6)
		c.answerBytesField("name", g.Name())
		c.answerIntField("consumers", int64(g.Consumers()))
		c.answerIntField("pending", int64(g.Pending()))
		c.answerProgress(g)
		return true
	})
}

// answerProgress writes how far a group has read.
func (c *Call) answerProgress(g engine.StreamGroup) {
	c.answerIDField("last-delivered-id", g.Last())
	c.answerKnownField("entries-read", g.Read(), g.Read() != engine.UnknownRead)
	lag, known := g.Lag()
	c.answerKnownField("lag", lag, known)
}

func runXInfoStream(c *Call) {
	s, ok := c.infoStream()
	if !ok {
		return
	}
	if len(c.Args) == 3 {
		c.Out.Map(10)
		c.answerStreamFields(&s)
		c.answerIntField("groups", int64(s.Info().Groups))
		c.answerEndField("first-entry", &s, false)
		c.answerEndField("last-entry", &s, true)
		return
	}
	count, ok := c.fullInfoArgs()
	if !ok {
		return
	}
	c.Out.Map(9)
	c.answerStreamFields(&s)
	c.Out.BulkString("entries")
	c.answerEntries(s.Iter(engine.StreamID{}, engine.LastStreamID(), false), count)
	c.Out.BulkString("groups")
	c.Out.Array(s.Info().Groups)
	s.EachGroup(func(g engine.StreamGroup) bool {
		c.answerFullGroup(g, count)
		return true
	})
}

// fullInfoArgs reads FULL [COUNT count]; a count of 0 is no limit.
func (c *Call) fullInfoArgs() (count int64, ok bool) {
	n := len(c.Args)
	if n != 4 && n != 6 || !word(c.Args[3], "FULL") || n == 6 && !word(c.Args[4], "COUNT") {
		c.subcommandSyntax()
		return 0, false
	}
	if n == 4 {
		return fullInfoCount, true
	}
	if count, ok = c.intArg(5); count < 0 {
		count = fullInfoCount
	}
	return count, ok
}

// answerStreamFields writes the seven fields that both forms of XINFO STREAM begin with. Lethe has no radix tree: its keys
// are the blocks, its nodes what Redis has of them while there is one.
func (c *Call) answerStreamFields(s *engine.StreamValue) {
	info := s.Info()
	c.answerIntField("length", int64(info.Length))
	c.answerIntField("radix-tree-keys", int64(info.Blocks))
	c.answerIntField("radix-tree-nodes", int64(info.Blocks)+1)
	c.answerIDField("last-generated-id", info.Last)
	c.answerIDField("max-deleted-entry-id", info.Deleted)
	c.answerIntField("entries-added", int64(info.Added))
	c.answerIDField("recorded-first-entry-id", info.First)
}

func (c *Call) answerEndField(name string, s *engine.StreamValue, last bool) {
	c.Out.BulkString(name)
	it := s.Iter(engine.StreamID{}, engine.LastStreamID(), last)
	if it.Next() {
		c.answerEntry(&it)
	} else {
		c.Out.Null()
	}
	it.Close()
}

func (c *Call) answerFullGroup(g engine.StreamGroup, count int64) {
	c.Out.Map(7)
	c.answerBytesField("name", g.Name())
	c.answerProgress(g)
	c.answerIntField("pel-count", int64(g.Pending()))
	c.answerPendingField(g.EachPending, count, true)
	c.Out.BulkString("consumers")
	c.Out.Array(g.Consumers())
	g.EachConsumer(func(consumer engine.StreamConsumer) bool {
		c.Out.Map(5)
		c.answerBytesField("name", consumer.Name())
		c.answerIntField("seen-time", consumer.SeenAt())
		c.answerIntField("active-time", consumer.ActiveAt())
		c.answerIntField("pel-count", int64(consumer.Pending()))
		c.answerPendingField(consumer.EachPending, count, false)
		return true
	})
}

// answerPendingField writes the first pending entries of a walk, with whom they are where named says so.
func (c *Call) answerPendingField(walk func(engine.StreamID, func(engine.Pending) bool), count int64, named bool) {
	c.Out.BulkString("pending")
	length, n := c.Out.DeferredArray(), 0
	walk(engine.StreamID{}, func(p engine.Pending) bool {
		if count > 0 && int64(n) == count {
			return false
		}
		if named {
			c.Out.Array(4)
		} else {
			c.Out.Array(3)
		}
		c.answerID(p.ID)
		if named {
			c.Out.Bulk(p.Consumer.Name())
		}
		c.Out.Int(p.DeliveredAt)
		c.Out.Int(p.Deliveries)
		n++
		return true
	})
	c.Out.SetArrayLen(length, n)
}
