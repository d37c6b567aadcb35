package command

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/engine"
)

// Steps of the commands on groups. Who reads or claims is made a consumer by a step before, which also tells whether it was one, and
// is none any more where it is given nothing: so it is in Redis 7.0 by itself, and 7.2 keeps whoever asks.

func (c *Call) groupSteps() ([]StreamStep, bool) {
	switch c.Spec.RecordName() {
	case "XGROUP|CREATE":
		o, ok := c.groupOptions(true)
		if !ok || len(c.Args) > groupOptionsAt+3 {
			return nil, false
		}
		id, ok := parseStreamID(c.Args[4], 0)
		return c.placeGroup("CREATE", id, ok, o.read)
	case "XGROUP|SETID":
		o, ok := c.groupOptions(false)
		if n := len(c.Args) - groupOptionsAt; !ok || n != 0 && n != 2 {
			return nil, false
		}
		id, ok := parseBound(c.Args[4], 0)
		return c.placeGroup("SETID", id, ok, o.read)
	case "XGROUP|DESTROY":
		return oneStep("XGROUP", textPart("DESTROY"), StreamPart{Kind: StreamKey}, groupPart(c.Args[3])), short(c.Args[3])
	case "XGROUP|CREATECONSUMER":
		return makeConsumer(c.Args[3], c.Args[4]), short(c.Args[3], c.Args[4])
	case "XGROUP|DELCONSUMER":
		return append(makeConsumer(c.Args[3], c.Args[4]), StreamStep{Name: "XGROUP", Parts: []StreamPart{textPart("DELCONSUMER"),
			{Kind: StreamKey}, groupPart(c.Args[3]), consumerPart(c.Args[4])}}), short(c.Args[3], c.Args[4])
	case "XACK":
		ids, ok := c.idParts(3, len(c.Args))
		return oneStep("XACK", append([]StreamPart{groupPart(c.Args[2])}, ids...)...), ok && short(c.Args[2])
	case "XREADGROUP":
		return c.readGroupSteps()
	case "XCLAIM":
		return c.claimSteps()
	case "XAUTOCLAIM":
		return c.autoClaimSteps()
	case "XPENDING":
		return c.pendingSteps()
	case "XINFO|STREAM":
		return oneStep("XINFO STREAM"), len(c.Args) == 3
	case "XINFO|GROUPS":
		return oneStep("XINFO GROUPS"), true
	case "XINFO|CONSUMERS":
		return oneStep("XINFO CONSUMERS", groupPart(c.Args[3])), short(c.Args[3])
	}
	return nil, false
}

func groupPart(name []byte) StreamPart    { return StreamPart{Kind: StreamGroupName, Text: name} }
func consumerPart(name []byte) StreamPart { return StreamPart{Kind: StreamConsumerName, Text: name} }

// short reports whether names are such as an upstream's errors can repeat.
func short(names ...[]byte) bool {
	for _, n := range names {
		if len(n) > maxStepName {
			return false
		}
	}
	return true
}

func makeConsumer(group, consumer []byte) []StreamStep {
	return oneStep("XGROUP", textPart("CREATECONSUMER"), StreamPart{Kind: StreamKey}, groupPart(group), consumerPart(consumer))
}

// tryConsumer makes a consumer for the step that reads or claims for it.
func tryConsumer(group, consumer []byte) []StreamStep {
	return oneStep(StreamConsumer, StreamPart{Kind: StreamKey}, groupPart(group), consumerPart(consumer))
}

// placeGroup is XGROUP CREATE or SETID; isID says that the id is one, else it must be "$".
func (c *Call) placeGroup(what string, id engine.StreamID, isID bool, read int64) ([]StreamStep, bool) {
	at := textPart("$")
	switch {
	case isID:
		at = idPart(id)
	case string(c.Args[4]) != "$":
		return nil, false
	}
	parts := []StreamPart{textPart(what), {Kind: StreamKey}, groupPart(c.Args[3]), at}
	if read != engine.UnknownRead {
		parts = append(parts, textPart("ENTRIESREAD"), numberPart(read))
	}
	return oneStep("XGROUP", parts...), short(c.Args[3])
}

// readGroupSteps are those of an XREADGROUP: the consumer is made in each stream before anything of one is given to it, since a
// group that does not exist is an error that leaves all of them as they are.
func (c *Call) readGroupSteps() (steps []StreamStep, ok bool) {
	r, ok := c.streamReadArgs()
	if !ok || len(c.Args)-r.first != 2*len(c.Keys) || !short(r.group, r.consumer) {
		return nil, false
	}
	if c.Retry && r.count == 0 {
		r.count = waitedCount
	}
	for key := range c.Keys {
		step := tryConsumer(r.group, r.consumer)[0]
		step.Key = key
		steps = append(steps, step)
	}
	for key := range c.Keys {
		parts, ok := c.readGroupParts(&r, c.Args[r.first+len(c.Keys)+key])
		if !ok {
			return nil, false
		}
		steps = append(steps, StreamStep{Name: "XREADGROUP", Parts: parts, Key: key})
	}
	return steps, true
}

func (c *Call) readGroupParts(r *streamRead, arg []byte) ([]StreamPart, bool) {
	after := textPart(">")
	if string(arg) != ">" {
		id, ok := parseStreamID(arg, 0)
		if !ok {
			return nil, false
		}
		if id != newEntries() { // which is another word for ">"
			after = idPart(id)
		}
	}
	parts := []StreamPart{textPart("GROUP"), groupPart(r.group), consumerPart(r.consumer)}
	if r.count > 0 {
		parts = append(parts, textPart("COUNT"), numberPart(r.count))
	}
	if r.noAck {
		parts = append(parts, textPart("NOACK"))
	}
	return append(parts, textPart("STREAMS"), StreamPart{Kind: StreamKey}, after), true
}

// claimSteps are those of an XCLAIM. For how long an entry was idle is passed on as that, since clocks differ.
func (c *Call) claimSteps() ([]StreamStep, bool) {
	o, ok := c.claimArgs()
	if !ok || !short(c.Args[2], c.Args[3]) {
		return nil, false
	}
	ids, ok := c.idParts(5, o.ids)
	if !ok {
		return nil, false
	}
	parts := append([]StreamPart{groupPart(c.Args[2]), consumerPart(c.Args[3]), numberPart(o.minIdle)}, ids...)
	switch {
	case o.deliveredAt == c.WallNow:
	case o.idle:
		parts = append(parts, textPart("IDLE"), numberPart(c.WallNow-o.deliveredAt))
	default:
		parts = append(parts, textPart("TIME"), numberPart(o.deliveredAt))
	}
	if o.retries >= 0 {
		parts = append(parts, textPart("RETRYCOUNT"), numberPart(o.retries))
	}
	if o.force {
		parts = append(parts, textPart("FORCE"))
	}
	if o.justID {
		parts = append(parts, textPart("JUSTID"))
	}
	if !o.lastID.IsZero() {
		parts = append(parts, textPart("LASTID"), idPart(o.lastID))
	}
	return append(tryConsumer(c.Args[2], c.Args[3]), StreamStep{Name: "XCLAIM", Parts: parts}), true
}

func (c *Call) autoClaimSteps() ([]StreamStep, bool) {
	var o claim
	minIdle, ok := ParseInt(c.Args[4])
	if !ok || !short(c.Args[2], c.Args[3]) {
		return nil, false
	}
	from, ok := c.startArg(5)
	if !ok {
		return nil, false
	}
	count, ok := c.autoClaimOptions(&o)
	if !ok {
		return nil, false
	}
	parts := []StreamPart{groupPart(c.Args[2]), consumerPart(c.Args[3]), numberPart(minIdle), idPart(from), textPart("COUNT"), numberPart(count)}
	if o.justID {
		parts = append(parts, textPart("JUSTID"))
	}
	return append(tryConsumer(c.Args[2], c.Args[3]), StreamStep{Name: "XAUTOCLAIM", Parts: parts}), true
}

func (c *Call) pendingSteps() ([]StreamStep, bool) {
	parts := []StreamPart{groupPart(c.Args[2])}
	if len(c.Args) > 3 {
		q, ok := c.pendingArgs()
		if !ok {
			return nil, false
		}
		if q.minIdle != 0 {
			parts = append(parts, textPart("IDLE"), numberPart(q.minIdle))
		}
		parts = append(parts, idPart(q.from), idPart(q.to), numberPart(q.count))
		if q.consumer != nil {
			parts = append(parts, consumerPart(q.consumer))
		}
		if !short(q.consumer) {
			return nil, false
		}
	}
	return oneStep("XPENDING", parts...), short(c.Args[2])
}

// StreamHistory reports whether an XREADGROUP, of which StreamSteps has said what it asks, wants of a key's stream what its consumer
// has instead of new entries: that is answered, though it may be nothing.
func StreamHistory(c *Call, key int) bool {
	id, ok := parseStreamID(c.Args[len(c.Args)-len(c.Keys)+key], 0)
	return ok && id != newEntries()
}

// StreamJustIDs reports whether an XCLAIM or XAUTOCLAIM, of which StreamSteps has said what it asks, wants ids and no entries.
func StreamJustIDs(c *Call) bool {
	var o claim
	if c.Spec.Name == "XCLAIM" {
		o, _ = c.claimArgs()
	} else {
		c.autoClaimOptions(&o)
	}
	return o.justID
}

// groupProblem is the error for an upstream's about a group.
func (c *Call) groupProblem(text string) string {
	switch {
	case strings.HasPrefix(text, "BUSYGROUP "):
		return msgBusyGroup
	case !strings.HasPrefix(text, "NOGROUP "):
		return ""
	}
	switch c.Spec.RecordName() {
	case "XREADGROUP":
		if c.Retry {
			return msgGroupGone
		}
		return msgNoGroupRead
	case "XPENDING", "XCLAIM", "XAUTOCLAIM":
		return msgNoKeyOrGroup
	default:
		return msgNoGroup
	}
}
