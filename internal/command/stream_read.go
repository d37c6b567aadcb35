package command

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgUnbalanced    = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
	msgGroupOption   = "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
	msgNoAckOption   = "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
	msgGroupMissing  = "ERR Missing GROUP option for XREADGROUP"
	msgDollarInGroup = "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
	msgNewWithout    = "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
	msgStreamGone    = "UNBLOCKED the stream key no longer exists"
	msgGroupGone     = "NOGROUP the consumer group this client was blocked on no longer exists"

	fewStreams  = 8    // ids of so many streams need no memory of their own
	waitedCount = 1000 // entries that one who waited gets at most without COUNT, as from Redis
)

func streamReadCommands() []*Spec {
	streams := func(from int) []KeySpec {
		return []KeySpec{{Keyword: "STREAMS", From: from, Last: -1, Step: 1, Limit: 2, Flags: KeyRO | KeyAccess}}
	}
	return []*Spec{
		{Name: "XREAD", Arity: -4, Flags: ReadOnly | Blocking | MovableKeys, Categories: CatStream, Keys: streams(1), GetKeys: streamReadKeys,
			Group: "stream", Since: "5.0.0", Complexity: "O(K*log(N)+M) with K streams of N entries and M returned", Summary: "Returns the entries of streams that are behind the given ids.",
			Syntax: "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]", Action: ActionRead, Run: runXRead},
		{Name: "XREADGROUP", Arity: -7, Flags: Write | Blocking | MovableKeys, Categories: CatStream, Keys: streams(4), GetKeys: streamReadKeys,
			Group: "stream", Since: "5.0.0", Complexity: "O(K*log(N)+M*log(P)) with K streams of N entries, M returned and P pending", Summary: "Returns entries that no consumer of the group was given, or those that the consumer has not acknowledged.",
			Syntax: "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]", Action: ActionRead, Run: runXRead},
	}
}

// streamReadKeys finds the keys of XREAD and XREADGROUP behind the option STREAMS, which a group, a consumer and a key
// may be named like.
func streamReadKeys(args [][]byte) ([]int, bool) {
	for i := 1; i < len(args); i++ {
		switch {
		case word(args[i], "BLOCK"), word(args[i], "COUNT"):
			i++
		case word(args[i], "GROUP"):
			i += 2
		case word(args[i], "NOACK"):
		case word(args[i], "STREAMS"):
			at := make([]int, (len(args)-i-1)/2)
			for key := range at {
				at[key] = i + 1 + key
			}
			return at, len(at) > 0
		default:
			return nil, false
		}
	}
	return nil, false
}

// streamRead is what XREAD and XREADGROUP are asked for.
type streamRead struct {
	group, consumer []byte // nil: XREAD
	count           int64  // 0: no limit
	block           int64  // milliseconds to wait when there is nothing; 0: for ever, -1: not at all
	noAck           bool
	first           int // index of the first key
	after           []engine.StreamID
}

// newEntries returns the id that stands for ">": what no consumer of the group was given.
func newEntries() engine.StreamID { return engine.LastStreamID() }

func runXRead(c *Call) {
	var few [fewStreams]engine.StreamID
	r, ok := c.streamReadArgs()
	if !ok {
		return
	}
	if n := len(c.Args) - r.first; n != 2*len(c.Keys) {
		c.Error(resp.MsgSyntax) // the keys that were authorised are not those that the options lead to
		return
	}
	if c.Retry {
		r.after, ok = c.resumeRead(&r)
	} else {
		r.after, ok = c.startIDs(&r, few[:0])
	}
	if !ok || c.tryStreamRead(&r) {
		return
	}
	if r.block >= 0 {
		if c.State == nil {
			c.State = slices.Clone(r.after)
		}
		if c.Block(r.block) {
			return
		}
	}
	c.Out.NullArray()
}

// startIDs appends the ids behind which to read. "$" is the last id of now: whoever waits gets what is added from here on.
func (c *Call) startIDs(r *streamRead, ids []engine.StreamID) ([]engine.StreamID, bool) {
	for key := range c.Keys {
		s, ok := c.stream(key)
		if !ok {
			return nil, false
		}
		if r.group != nil {
			if _, ok := s.Group(r.group); !ok {
				c.Error(msgNoGroupRead)
				return nil, false
			}
		}
		i := r.first + len(c.Keys) + key
		id := newEntries()
		switch arg := c.Args[i]; {
		case string(arg) == "$" && r.group != nil:
			c.Error(msgDollarInGroup)
			return nil, false
		case string(arg) == "$":
			id = s.Info().Last
		case string(arg) == ">" && r.group == nil:
			c.Error(msgNewWithout)
			return nil, false
		case string(arg) == ">":
		default:
			if id, ok = c.idArg(i); !ok {
				return nil, false
			}
		}
		ids = append(ids, id)
	}
	return ids, true
}

// resumeRead returns the ids of one who waited: those of its first try. One who waits for a group's entries waits for
// nothing when the stream or the group is gone; one who waits for a stream waits on.
func (c *Call) resumeRead(r *streamRead) ([]engine.StreamID, bool) {
	if r.count == 0 {
		r.count = waitedCount
	}
	for key := range c.Keys {
		if r.group == nil {
			break
		}
		s, err := c.Tx.StreamAt(&c.Keys[key])
		if err != nil || !s.Exists() {
			c.Error(msgStreamGone)
			return nil, false
		}
		if _, ok := s.Group(r.group); !ok {
			c.Error(msgGroupGone)
			return nil, false
		}
	}
	ids, ok := c.State.([]engine.StreamID)
	return ids, ok
}
