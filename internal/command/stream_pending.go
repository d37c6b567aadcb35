package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func streamPendingCommands() []*Spec {
	return []*Spec{
		{Name: "XACK", Arity: -4, Flags: Write | Fast, Categories: CatStream, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "stream", Since: "5.0.0", Complexity: "O(M*log(P)) with M ids given and P pending entries", Summary: "Ends entries' being pending: their consumers are done with them.",
			Syntax: "key group id [id ...]", Effect: EffectPart, Action: ActionWrite, Run: runXAck},
		{Name: "XPENDING", Arity: -3, Flags: ReadOnly, Categories: CatStream, Keys: oneKey(KeyRO | KeyAccess),
			Group: "stream", Since: "5.0.0", Complexity: "O(log(P)+N) with P pending entries and N looked at; without an interval O(C) with C consumers", Summary: "Returns what a group's consumers were given and have not acknowledged.",
			Syntax: "key group [[IDLE min-idle-time] start-id end-id count [consumer]]",
			Tips:   []string{"nondeterministic_output"}, Action: ActionRead, Run: runXPending},
	}
}

func runXAck(c *Call) {
	s, ok := c.stream(0)
	if !ok {
		return
	}
	g, ok := s.Group(c.Args[2])
	if !ok { // before the ids are looked at, as in Redis
		if s.Exists() {
			c.Tell(0, Unchanged)
		}
		c.Out.Int(0)
		return
	}
	if !c.checkIDs(3, len(c.Args)) {
		return
	}
	acknowledged := 0
	for _, arg := range c.Args[3:] {
		if id, _ := parseStreamID(arg, 0); g.Acknowledge(id) {
			acknowledged++
		}
	}
	c.Tell(0, Unchanged)
	if acknowledged > 0 {
		c.Tell(0, Stored)
	}
	c.Out.Int(int64(acknowledged))
}

// pendingQuery is what XPENDING with an interval asks for.
type pendingQuery struct {
	from, to engine.StreamID
	minIdle  int64 // milliseconds
	count    int64
	consumer []byte // nil: any
}

func runXPending(c *Call) {
	var q pendingQuery
	whole := len(c.Args) == 3
	if !whole {
		var ok bool
		if q, ok = c.pendingArgs(); !ok {
			return
		}
	}
	s, ok := c.stream(0)
	if !ok {
		return
	}
	g, ok := c.group(&s, 2, msgNoKeyOrGroup)
	switch {
	case !ok:
	case whole:
		c.answerPendingSummary(g)
	default:
		c.answerPending(g, &q)
	}
}

func (c *Call) pendingArgs() (q pendingQuery, ok bool) {
	if len(c.Args) < 6 || len(c.Args) > 9 {
		c.Error(resp.MsgSyntax)
		return q, false
	}
	at := 3
	if word(c.Args[at], "IDLE") {
		if q.minIdle, ok = c.intArg(at + 1); !ok {
			return q, false
		}
		if len(c.Args) < 8 {
			c.Error(resp.MsgSyntax)
			return q, false
		}
		at += 2
	}
	if q.count, ok = c.intArg(at + 2); !ok {
		return q, false
	}
	if q.from, q.to, ok = c.intervalArgs(at, at+1); !ok {
		return q, false
	}
	if at+3 < len(c.Args) {
		q.consumer = c.Args[at+3]
	}
	return q, true
}

// answerPendingSummary answers with how many entries are pending, the first and the last, and how many each consumer has.
func (c *Call) answerPendingSummary(g engine.StreamGroup) {
	c.Out.Array(4)
	c.Out.Int(int64(g.Pending()))
	first, ok := g.PendingFrom(engine.StreamID{})
	if !ok {
		c.Out.Null()
		c.Out.Null()
		c.Out.NullArray()
		return
	}
	c.answerID(first.ID)
	c.answerID(g.LastPending())
	length, n := c.Out.DeferredArray(), 0
	g.EachConsumer(func(consumer engine.StreamConsumer) bool {
		if pending := consumer.Pending(); pending > 0 {
			c.Out.Array(2)
			c.Out.Bulk(consumer.Name())
			c.Out.BulkInt(int64(pending))
			n++
		}
		return true
	})
	c.Out.SetArrayLen(length, n)
}

func (c *Call) answerPending(g engine.StreamGroup, q *pendingQuery) {
	walk := g.EachPending
	if q.consumer != nil {
		consumer, ok := g.Consumer(q.consumer)
		if !ok {
			c.Out.Array(0)
			return
		}
		walk = consumer.EachPending
	}
	length, n := c.Out.DeferredArray(), 0
	walk(q.from, func(p engine.Pending) bool {
		if int64(n) >= q.count || q.to.Before(p.ID) {
			return false
		}
		idle := c.WallNow - p.DeliveredAt
		if q.minIdle != 0 && idle < q.minIdle {
			return true
		}
		c.Out.Array(4)
		c.answerID(p.ID)
		c.Out.Bulk(p.Consumer.Name())
		c.Out.Int(max(idle, 0))
		c.Out.Int(p.Deliveries)
		n++
		return true
	})
	c.Out.SetArrayLen(length, n)
}
