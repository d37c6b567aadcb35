package command

import (
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Where entries are kept in an upstream, most commands on a stream that is there are the upstream's own, on a stream whose
// fields and names are sealed. StreamSteps says which: of what a client typed nothing is passed on but what was parsed here and
// is written anew, and what has to be sealed is marked as such.

// StreamConsumer is the name of a step that is no command of an upstream's: it makes a consumer for one of the steps behind it, the
// first for the first that reads or claims and so on, and tells with 1 that it is new and was given something, or asked for what it
// has.
const StreamConsumer = "CONSUMER"

// StreamStep is one command on the upstream's stream, the stream's own name left out unless a part says where it stands.
type StreamStep struct {
	Name  string
	Parts []StreamPart
	Key   int // which of the call's streams it is about
}

// StreamPart is one argument of a step.
type StreamPart struct {
	Kind  StreamPartKind
	Text  []byte   // the text, or the name in clear
	Pairs [][]byte // of StreamFields: fields and values in turn
}

// StreamPartKind says what an argument is. The zero StreamPartKind is invalid.
type StreamPartKind uint8

// The kinds of arguments.
const (
	StreamText         StreamPartKind = iota + 1 // as it is: a word, a number or an id
	StreamKey                                    // the stream's own name
	StreamGroupName                              // to be sealed
	StreamConsumerName                           // to be sealed
	StreamFields                                 // an entry's fields: two arguments, a name that says nothing and the sealed fields
)

const (
	maxStepIDs  = 1000    // ids of one step
	maxStepName = 4 << 10 // bytes of a group's or a consumer's name: an upstream's errors repeat them in one line
)

// StreamSteps returns what a call asks of a stream that is there; false where that is an error, which the handler answers, or
// more than belongs into one step.
func StreamSteps(c *Call) (steps []StreamStep, ok bool) {
	mark := c.Out.Len()
	steps, ok = c.streamSteps()
	if !ok {
		c.Out.Truncate(mark)
		c.Failed = false
	}
	return steps, ok
}

func (c *Call) streamSteps() ([]StreamStep, bool) {
	switch c.Spec.RecordName() {
	case "XLEN":
		return oneStep("XLEN"), true
	case "XADD":
		return c.addSteps()
	case "XTRIM":
		o, ok := c.addOptions(false)
		return oneStep("XTRIM", o.trimParts()...), ok
	case "XDEL":
		ids, ok := c.idParts(2, len(c.Args))
		return oneStep("XDEL", ids...), ok
	case "XSETID":
		return c.lastIDSteps()
	default:
		return c.groupSteps()
	}
}

func oneStep(name string, parts ...StreamPart) []StreamStep {
	return []StreamStep{{Name: name, Parts: parts}}
}

func textPart(s string) StreamPart { return StreamPart{Kind: StreamText, Text: []byte(s)} }

func numberPart(n int64) StreamPart { return textPart(strconv.FormatInt(n, 10)) }

func idPart(id engine.StreamID) StreamPart {
	return StreamPart{Kind: StreamText, Text: AppendStreamID(nil, id)}
}

// idParts are arguments that are ids.
func (c *Call) idParts(from, to int) (parts []StreamPart, ok bool) {
	if to-from > maxStepIDs {
		return nil, false
	}
	for _, arg := range c.Args[from:to] {
		id, ok := parseStreamID(arg, 0)
		if !ok {
			return nil, false
		}
		parts = append(parts, idPart(id))
	}
	return parts, true
}

// addSteps are an XADD, which never makes a stream: one that is gone is the handler's to make, with a deadline. Trimming is a
// step of its own, so that it is known whether there was anything to trim.
func (c *Call) addSteps() ([]StreamStep, bool) {
	o, ok := c.addOptions(true)
	if !ok || !o.addsEntry(c) || entryBytes(c.Args[o.fields:]) > maxEntryBytes {
		return nil, false
	}
	id := textPart("*")
	switch {
	case o.autoNumber:
		id = textPart(strconv.FormatUint(o.id.Ms, 10) + "-*")
	case o.hasID:
		id = idPart(o.id)
	}
	steps := oneStep("XADD", textPart("NOMKSTREAM"), id, StreamPart{Kind: StreamFields, Pairs: c.Args[o.fields:]})
	if o.trims {
		steps = append(steps, StreamStep{Name: "XTRIM", Parts: o.trimParts()})
	}
	return steps, true
}

func (o *addOptions) trimParts() []StreamPart {
	strategy, how, threshold := "MAXLEN", "=", textPart(strconv.FormatUint(o.trim.MaxLen, 10))
	if o.trim.ByID {
		strategy, threshold = "MINID", idPart(o.trim.MinID)
	}
	if o.trim.Whole {
		how = "~"
	}
	parts := []StreamPart{textPart(strategy), textPart(how), threshold}
	if o.limited {
		parts = append(parts, textPart("LIMIT"), textPart(strconv.FormatUint(o.trim.Limit, 10)))
	}
	return parts
}

func (c *Call) lastIDSteps() ([]StreamStep, bool) {
	o, ok := c.lastIDArgs()
	if !ok {
		return nil, false
	}
	parts := []StreamPart{idPart(o.id)}
	if o.added >= 0 {
		parts = append(parts, textPart("ENTRIESADDED"), numberPart(o.added))
	}
	if !o.deleted.IsZero() {
		parts = append(parts, textPart("MAXDELETEDID"), idPart(o.deleted))
	}
	return oneStep("XSETID", parts...), true
}

// StreamProblem returns the error that a call gets when an upstream has refused its step with a text: one of those that a stream
// may answer, in this package's words; "" for any other. Nothing of the upstream's text is passed on.
func StreamProblem(c *Call, text string) string {
	for _, known := range []string{msgSmallID, msgLastID, msgBelowTop, msgAddedBelowHave} {
		if strings.HasPrefix(text, known) {
			return known
		}
	}
	if c.Spec.RecordName() == "XADD" && strings.HasPrefix(text, msgLargeEntry) { // as 7.0 may call a full millisecond: no entry is too large here
		return msgSmallID
	}
	if strings.HasPrefix(text, "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id") { // Redis 7.2
		return msgBelowDeleted
	}
	return c.groupProblem(text)
}

// StreamWindow is a range of a stream's entries that a reading command looks at.
type StreamWindow struct {
	From, To  engine.StreamID
	Count     int64 // 0: no limit
	Backwards bool
	LastID    bool // no entry, but the last id that was given: for who waits for what is behind it
}

// WindowOf returns what XRANGE, XREVRANGE or XREAD looks at of a key's stream; false where it looks at no entry: because there is
// none behind the id, or because the arguments are an error, which the handler answers.
func WindowOf(c *Call, key int) (w StreamWindow, ok bool) {
	mark := c.Out.Len()
	if c.Spec.Name == "XREAD" {
		w, ok = c.readWindow(key)
	} else {
		w.Backwards = c.Spec.Name == "XREVRANGE"
		var count int64
		w.From, w.To, count, ok = c.streamRange(w.Backwards)
		w.Count, ok = max(count, 0), ok && count != 0
	}
	if !ok {
		c.Out.Truncate(mark)
		c.Failed = false
	}
	return w, ok && !w.To.Before(w.From)
}

func (c *Call) readWindow(key int) (w StreamWindow, ok bool) {
	r, ok := c.streamReadArgs()
	if !ok || len(c.Args)-r.first != 2*len(c.Keys) {
		return w, false
	}
	w = StreamWindow{To: engine.LastStreamID(), Count: r.count}
	if c.Retry {
		if r.after, ok = c.resumeRead(&r); !ok {
			return w, false
		}
		w.Count = r.count
		w.From, ok = r.after[key].Next()
		return w, ok
	}
	arg := c.Args[r.first+len(c.Keys)+key]
	if string(arg) == "$" {
		w.LastID = true
		return w, r.block >= 0
	}
	after, ok := parseStreamID(arg, 0)
	if !ok {
		return w, false
	}
	w.From, ok = after.Next()
	return w, ok
}

// AnswerStreamID writes an id as a string.
func AnswerStreamID(out *resp.Writer, id engine.StreamID) {
	var text [maxStreamID]byte
	out.Bulk(AppendStreamID(text[:0], id))
}

// ParseStreamID reads an id as servers write it: both of its numbers.
func ParseStreamID(b []byte) (engine.StreamID, bool) {
	id, ok := parseStreamID(b, 0)
	var text [maxStreamID]byte
	return id, ok && string(AppendStreamID(text[:0], id)) == string(b)
}
