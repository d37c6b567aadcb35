package command

import (
	"bytes"
	"math"
	"strconv"

	"github.com/lethe-cache/lethe/internal/engine"
)

const (
	msgStreamID      = "ERR Invalid stream ID specified as stream command argument"
	msgIntervalStart = "ERR invalid start ID for the interval"
	msgIntervalEnd   = "ERR invalid end ID for the interval"

	maxStreamID     = 20 + 1 + 20 // bytes of an id as text
	maxStreamIDText = 127         // that Redis looks at
)

// AppendStreamID appends an id as text: milliseconds, a hyphen, the number.
func AppendStreamID(dst []byte, id engine.StreamID) []byte {
	dst = append(strconv.AppendUint(dst, id.Ms, 10), '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}

// parseStreamID reads an id. One without a number gets the given one.
func parseStreamID(b []byte, missing uint64) (engine.StreamID, bool) {
	if len(b) > maxStreamIDText {
		return engine.StreamID{}, false
	}
	ms, seq, hasSeq := bytes.Cut(b, []byte{'-'})
	id := engine.StreamID{Seq: missing}
	var ok bool
	if id.Ms, ok = parseUint(ms); !ok {
		return engine.StreamID{}, false
	}
	if hasSeq {
		id.Seq, ok = parseUint(seq)
	}
	return id, ok
}

// parseUint reads decimal digits. Zeros may stand before them, as Redis allows in ids.
func parseUint(b []byte) (uint64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		c -= '0'
		if c > 9 || n > (math.MaxUint64-uint64(c))/10 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}

// parseBound reads an id, - or +.
func parseBound(b []byte, missing uint64) (engine.StreamID, bool) {
	switch string(b) {
	case "-":
		return engine.StreamID{}, true
	case "+":
		return engine.LastStreamID(), true
	default:
		return parseStreamID(b, missing)
	}
}

// idArg reads an argument as an id, or answers Redis's error.
func (c *Call) idArg(i int) (engine.StreamID, bool) {
	id, ok := parseStreamID(c.Args[i], 0)
	if !ok {
		c.Error(msgStreamID)
	}
	return id, ok
}

// checkIDs answers Redis's error if some of the arguments are no ids: a command with many of them has all of its effect
// or none.
func (c *Call) checkIDs(from, to int) bool {
	for i := from; i < to; i++ {
		if _, ok := c.idArg(i); !ok {
			return false
		}
	}
	return true
}

// intervalArgs reads the ends of an interval, each of which may be left out of it: "(" stands before such a one.
func (c *Call) intervalArgs(first, last int) (from, to engine.StreamID, ok bool) {
	if from, ok = c.startArg(first); !ok {
		return from, to, false
	}
	arg, open := bytes.CutPrefix(c.Args[last], []byte{'('})
	if open && len(arg) > 0 {
		to, ok = parseStreamID(arg, math.MaxUint64)
	} else {
		to, ok = parseBound(c.Args[last], math.MaxUint64)
	}
	if !ok {
		c.Error(msgStreamID)
		return from, to, false
	}
	if open {
		if to, ok = to.Previous(); !ok {
			c.Error(msgIntervalEnd)
		}
	}
	return from, to, ok
}

// startArg reads the start of an interval.
func (c *Call) startArg(i int) (from engine.StreamID, ok bool) {
	arg, open := bytes.CutPrefix(c.Args[i], []byte{'('})
	if open && len(arg) > 0 {
		from, ok = parseStreamID(arg, 0)
	} else {
		from, ok = parseBound(c.Args[i], 0)
	}
	if !ok {
		c.Error(msgStreamID)
		return from, false
	}
	if open {
		if from, ok = from.Next(); !ok {
			c.Error(msgIntervalStart)
		}
	}
	return from, ok
}
