package command

import (
	"bytes"
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgTwoTrims   = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
	msgMaxLen     = "ERR The MAXLEN argument must be >= 0."
	msgLimit      = "ERR The LIMIT argument must be >= 0."
	msgLimitAlone = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
	msgLimitExact = "ERR syntax error, LIMIT cannot be used without the special ~ option"
	msgNoTrim     = "ERR syntax error, XTRIM must be called with a trimming strategy"
	msgZeroID     = "ERR The ID specified in XADD must be greater than 0-0"
	msgLastID     = "ERR The stream has exhausted the last possible ID, unable to add more items"
	msgSmallID    = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
	msgLargeEntry = "ERR Elements are too large to be stored"

	maxEntryBytes   = 1 << 30
	roughTrimBlocks = 100 // blocks that an approximate trim without LIMIT erases at most
)

// addOptions are the options of XADD and XTRIM.
type addOptions struct {
	trims      bool // MAXLEN or MINID was given
	trim       engine.StreamTrim
	limited    bool // LIMIT was given
	noMake     bool // NOMKSTREAM
	id         engine.StreamID
	hasID      bool // an id other than * was given
	autoNumber bool // the id is ms-*
	fields     int  // XADD: index of the first field; 0 where the id is missing
}

// addOptions reads the options of XADD, up to the id, or of XTRIM.
func (c *Call) addOptions(adding bool) (o addOptions, ok bool) {
	i := 2
	for ; i < len(c.Args); i++ {
		arg, more := c.Args[i], i+1 < len(c.Args)
		switch {
		case adding && string(arg) == "*":
			o.fields = i + 1
		case word(arg, "MAXLEN") && more, word(arg, "MINID") && more:
			if i, ok = c.trimOption(&o, i); !ok {
				return o, false
			}
			continue
		case word(arg, "LIMIT") && more:
			i++
			if !c.limitOption(&o, i) {
				return o, false
			}
			continue
		case adding && word(arg, "NOMKSTREAM"):
			o.noMake = true
			continue
		case adding:
			if !c.newID(&o, arg) {
				return o, false
			}
			o.fields = i + 1
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
		break
	}
	return o, c.checkTrim(&o, adding)
}

// trimOption reads MAXLEN or MINID and what belongs to it, and returns the index of its last argument.
func (c *Call) trimOption(o *addOptions, i int) (int, bool) {
	if o.trims {
		c.Error(msgTwoTrims)
		return i, false
	}
	byID := word(c.Args[i], "MINID")
	i++
	if i+1 < len(c.Args) {
		switch string(c.Args[i]) {
		case "~":
			o.trim.Whole = true
			i++
		case "=":
			i++
		}
	}
	if byID {
		var ok bool
		o.trims, o.trim.ByID = true, true
		o.trim.MinID, ok = c.idArg(i)
		return i, ok
	}
	n, ok := c.intArg(i)
	if !ok {
		return i, false
	}
	if n < 0 {
		c.Error(msgMaxLen)
		return i, false
	}
	o.trims, o.trim.MaxLen = true, uint64(n)
	return i, true
}

func (c *Call) limitOption(o *addOptions, i int) bool {
	n, ok := c.intArg(i)
	if !ok {
		return false
	}
	if n < 0 {
		c.Error(msgLimit)
		return false
	}
	o.trim.Limit, o.limited = uint64(n), true
	return true
}

// newID reads the id of a new entry: ms-seq, ms, or ms-* where the number is the next one.
func (c *Call) newID(o *addOptions, arg []byte) bool {
	text, auto := bytes.CutSuffix(arg, []byte("-*"))
	var ok bool
	if auto && len(arg) <= maxStreamIDText {
		o.id.Ms, ok = parseUint(text)
	} else {
		o.id, ok = parseStreamID(arg, 0)
	}
	if !ok {
		c.Error(msgStreamID)
	}
	o.hasID, o.autoNumber = true, auto
	return ok
}

// checkTrim refuses options that do not go together, in Redis's order.
func (c *Call) checkTrim(o *addOptions, adding bool) bool {
	switch {
	case o.trim.Limit > 0 && !o.trims:
		c.Error(msgLimitAlone)
	case !adding && !o.trims:
		c.Error(msgNoTrim)
	case o.limited && !o.trim.Whole:
		c.Error(msgLimitExact)
	default:
		if o.trim.Whole && !o.limited {
			o.trim.Limit = uint64(roughTrimBlocks * c.Tx.Store().StreamBlock())
		}
		return true
	}
	return false
}

func runXAdd(c *Call) {
	o, ok := c.addOptions(true)
	if !ok {
		return
	}
	if !o.addsEntry(c) {
		return
	}
	s, ok := c.stream(0)
	if !ok {
		return
	}
	if !s.Exists() && o.noMake {
		c.Out.Null()
		return
	}
	id, problem := o.nextID(s.Info().Last, uint64(c.WallNow))
	if problem == "" && entryBytes(c.Args[o.fields:]) > maxEntryBytes {
		problem = msgLargeEntry
	}
	if problem != "" {
		c.Error(problem)
		return
	}
	if !s.Exists() && !c.makeStream(0, &s) {
		return
	}
	s.Add(id, c.Args[o.fields:])
	c.Tell(0, Stored)
	c.Notify(NoticeStream, "xadd", 0)
	if o.trims && s.Trim(o.trim) > 0 {
		c.Notify(NoticeStream, "xtrim", 0)
	}
	c.answerID(id)
}

// addsEntry refuses an XADD without fields, and the id that no entry has.
func (o *addOptions) addsEntry(c *Call) bool {
	if pairs := len(c.Args) - o.fields; o.fields == 0 || pairs < 2 || pairs%2 == 1 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return false
	}
	if o.hasID && !o.autoNumber && o.id.IsZero() {
		c.Error(msgZeroID)
		return false
	}
	return true
}

func entryBytes(pairs [][]byte) int {
	n := 0
	for _, b := range pairs {
		n += len(b)
	}
	return n
}

// nextID returns the id of an entry behind last. Ids that the server chooses never go back, whatever the clock does.
func (o *addOptions) nextID(last engine.StreamID, nowMs uint64) (id engine.StreamID, problem string) {
	if last == engine.LastStreamID() {
		return id, msgLastID
	}
	switch {
	case !o.hasID && nowMs > last.Ms:
		id = engine.StreamID{Ms: nowMs}
	case !o.hasID:
		id, _ = last.Next()
	case o.autoNumber && o.id.Ms == last.Ms && last.Seq == math.MaxUint64:
		return id, msgSmallID
	case o.autoNumber && o.id.Ms == last.Ms:
		id = engine.StreamID{Ms: last.Ms, Seq: last.Seq + 1}
	default:
		id = o.id
	}
	if !last.Before(id) {
		return id, msgSmallID
	}
	return id, ""
}

func runXTrim(c *Call) {
	o, ok := c.addOptions(false)
	if !ok {
		return
	}
	s, ok := c.stream(0)
	if !ok {
		return
	}
	removed := uint64(0)
	if s.Exists() {
		removed = s.Trim(o.trim)
		c.Tell(0, Unchanged)
	}
	if removed > 0 {
		c.Tell(0, Deleted)
		c.Notify(NoticeStream, "xtrim", 0)
	}
	c.Out.Int(int64(removed))
}
