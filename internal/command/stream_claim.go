package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgClaimOption   = "ERR Unrecognized XCLAIM option '?'" // Redis repeats it
	msgClaimMinIdle  = "ERR Invalid min-idle-time argument for XCLAIM"
	msgClaimIdle     = "ERR Invalid IDLE option argument for XCLAIM"
	msgClaimTime     = "ERR Invalid TIME option argument for XCLAIM"
	msgClaimCount    = "ERR Invalid RETRYCOUNT option argument for XCLAIM"
	msgAutoMinIdle   = "ERR Invalid min-idle-time argument for XAUTOCLAIM"
	msgAutoCount     = "ERR COUNT must be > 0"
	maxAutoCount     = math.MaxInt64 / 16
	autoLooksPerItem = 10 // pending entries that XAUTOCLAIM looks at for each that it may return
	autoCount        = 100
)

func streamClaimCommands() []*Spec {
	// Redis takes both for writes alone. They return entries, so reading has to be allowed too.
	returns := func(flags KeyFlag) func([][]byte) KeyFlag {
		return func([][]byte) KeyFlag { return flags | KeyAccess }
	}
	return []*Spec{
		{Name: "XCLAIM", Arity: -6, Flags: Write | Fast, Categories: CatStream, Keys: oneKey(KeyRW | KeyUpdate), KeyFlags: returns(KeyRW | KeyUpdate),
			Group: "stream", Since: "5.0.0", Complexity: "O(M*log(P)) with M ids given and P pending entries", Summary: "Gives pending entries to another consumer and returns them.",
			Syntax: "key group consumer min-idle-time id [id ...] [IDLE milliseconds] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
			Tips:   []string{"nondeterministic_output"}, Effect: EffectPart, Action: ActionRead, Run: runXClaim},
		{Name: "XAUTOCLAIM", Arity: -6, Flags: Write | Fast, Categories: CatStream, Keys: oneKey(KeyRW | KeyDelete), KeyFlags: returns(KeyRW | KeyDelete),
			Group: "stream", Since: "6.2.0", Complexity: "O(M*log(P)) with M entries looked at and P pending", Summary: "Gives entries that were pending for long to another consumer and returns them.",
			Syntax: "key group consumer min-idle-time start-id [COUNT count] [JUSTID]",
			Tips:   []string{"nondeterministic_output"}, Effect: EffectPart, Action: ActionRead, Run: runXAutoClaim},
	}
}

// claim is what XCLAIM and XAUTOCLAIM do with an entry.
type claim struct {
	minIdle     int64 // milliseconds
	deliveredAt int64 // Unix milliseconds
	idle        bool  // which were said as how long ago that is
	retries     int64 // -1: one more than before
	force       bool
	justID      bool
	lastID      engine.StreamID
	ids         int // XCLAIM: arguments that are ids end before this one

	consumer engine.StreamConsumer // whoever claims, from the first entry on
	took     bool
}

// claimArgs reads XCLAIM's arguments from the shortest idle time on.
func (c *Call) claimArgs() (o claim, ok bool) {
	if o.minIdle, ok = ParseInt(c.Args[4]); !ok {
		c.Error(msgClaimMinIdle)
		return o, false
	}
	o.ids = 5
	for o.ids < len(c.Args) {
		if _, ok := parseStreamID(c.Args[o.ids], 0); !ok {
			break
		}
		o.ids++
	}
	o.deliveredAt, o.retries = c.WallNow, -1
	for i := o.ids; i < len(c.Args); i++ {
		if i, ok = c.claimOption(&o, i); !ok {
			return o, false
		}
	}
	// A time that cannot be is now: clients compute it from clocks of their own.
	if o.deliveredAt < 0 || o.deliveredAt > c.WallNow {
		o.deliveredAt = c.WallNow
	}
	return o, true
}

// claimOption reads one option and returns the index of its last argument.
func (c *Call) claimOption(o *claim, i int) (int, bool) {
	more := i+1 < len(c.Args)
	number := func(problem string) (n int64, ok bool) {
		if n, ok = ParseInt(c.Args[i+1]); !ok {
			c.Error(problem)
		}
		return n, ok
	}
	var ok bool
	switch arg := c.Args[i]; {
	case word(arg, "FORCE"):
		o.force = true
		return i, true
	case word(arg, "JUSTID"):
		o.justID = true
		return i, true
	case word(arg, "IDLE") && more:
		o.deliveredAt, ok = number(msgClaimIdle)
		o.deliveredAt, o.idle = c.WallNow-o.deliveredAt, true
	case word(arg, "TIME") && more:
		o.deliveredAt, ok = number(msgClaimTime)
		o.idle = false
	case word(arg, "RETRYCOUNT") && more:
		o.retries, ok = number(msgClaimCount)
	case word(arg, "LASTID") && more:
		o.lastID, ok = c.idArg(i + 1)
	default:
		c.Error(msgClaimOption)
		return i, false
	}
	return i + 1, ok
}

// take gives a pending entry that exists to whoever claims. Only who gets one is a consumer, and seen.
func (c *Call) take(g engine.StreamGroup, p *engine.Pending, o *claim) {
	if !o.took {
		o.consumer, o.took = c.seenConsumer(0, g, c.Args[3]), true
	}
	deliveries := p.Deliveries
	if o.retries >= 0 {
		deliveries = o.retries
	} else if !o.justID {
		deliveries++
	}
	o.consumer.Deliver(p.ID, o.deliveredAt, deliveries)
	o.consumer.Activate(c.WallNow)
}

func runXClaim(c *Call) {
	s, ok := c.stream(0)
	if !ok {
		return
	}
	g, ok := c.group(&s, 2, msgNoKeyOrGroup)
	if !ok {
		return
	}
	o, ok := c.claimArgs()
	if !ok {
		return
	}
	if g.Last().Before(o.lastID) {
		g.Set(o.lastID, g.Read())
	}
	length, n := c.Out.DeferredArray(), 0
	for _, arg := range c.Args[5:o.ids] {
		id, _ := parseStreamID(arg, 0)
		p, pending := g.Find(id)
		switch {
		case !s.Contains(id):
			g.Acknowledge(id) // nobody can be done with what is gone
			continue
		case !pending && !o.force:
			continue
		case !pending:
			p = engine.Pending{ID: id, Deliveries: 1}
		case o.minIdle > 0 && c.WallNow-p.DeliveredAt < o.minIdle:
			continue
		}
		c.take(g, &p, &o)
		c.answerClaimed(&s, id, o.justID)
		n++
	}
	c.Out.SetArrayLen(length, n)
}

func (c *Call) answerClaimed(s *engine.StreamValue, id engine.StreamID, justID bool) {
	if justID {
		c.answerID(id)
	} else {
		c.answerEntryAt(s, id)
	}
}

func runXAutoClaim(c *Call) {
	o := claim{deliveredAt: c.WallNow, retries: -1}
	var ok bool
	if o.minIdle, ok = ParseInt(c.Args[4]); !ok {
		c.Error(msgAutoMinIdle)
		return
	}
	from, ok := c.startArg(5)
	if !ok {
		return
	}
	count, ok := c.autoClaimOptions(&o)
	if !ok {
		return
	}
	s, ok := c.stream(0)
	if !ok {
		return
	}
	g, ok := c.group(&s, 2, msgNoKeyOrGroup)
	if !ok {
		return
	}
	claimed, gone, next := c.autoClaim(&s, g, from, count, &o)
	c.Out.Array(3)
	c.answerID(next)
	c.Out.Array(len(claimed))
	for _, id := range claimed {
		c.answerClaimed(&s, id, o.justID)
	}
	c.Out.Array(len(gone))
	for _, id := range gone {
		c.answerID(id)
	}
}

func (c *Call) autoClaimOptions(o *claim) (count int64, ok bool) {
	count = autoCount
	for i := 6; i < len(c.Args); i++ {
		switch {
		case word(c.Args[i], "COUNT") && i+1 < len(c.Args):
			i++
			if count, ok = ParseInt(c.Args[i]); !ok || count < 1 || count > maxAutoCount {
				c.Error(msgAutoCount)
				return 0, false
			}
		case word(c.Args[i], "JUSTID"):
			o.justID = true
		default:
			c.Error(resp.MsgSyntax)
			return 0, false
		}
	}
	return count, true
}

// autoClaim claims up to count entries from an id on. It returns their ids, the ids of entries that are gone and are no
// longer pending, and where to go on: 0-0 at the end.
func (c *Call) autoClaim(s *engine.StreamValue, g engine.StreamGroup, from engine.StreamID, count int64, o *claim) (claimed, gone []engine.StreamID, next engine.StreamID) {
	looks := count * autoLooksPerItem
	if count > math.MaxInt64/autoLooksPerItem {
		looks = math.MaxInt64
	}
	p, more := g.PendingFrom(from)
	for ; more && looks > 0 && int64(len(claimed)+len(gone)) < count; looks-- {
		switch {
		case !s.Contains(p.ID):
			g.Acknowledge(p.ID)
			gone = append(gone, p.ID)
		case o.minIdle <= 0 || c.WallNow-p.DeliveredAt >= o.minIdle:
			c.take(g, &p, o)
			claimed = append(claimed, p.ID)
		}
		if from, more = p.ID.Next(); more {
			p, more = g.PendingFrom(from)
		}
	}
	if more {
		next = p.ID
	}
	return claimed, gone, next
}
