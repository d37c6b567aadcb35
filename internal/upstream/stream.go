package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// A stream is the upstream's own, of entries that have one pair each: a field without a name, and the box of all fields and values.
// Ids are in clear, the upstream may choose them; names of groups and of consumers are sealed. So what most commands do takes one step
// however long the stream is (stream_quick.go, for groups stream_group.go and stream_several.go, for descriptions stream_info.go). Reading a range fetches that range and lets the handler answer
// (stream_window.go). The rest needs all of the stream (stream_load.go) and writes what has become of it (stream_store.go).
//
// A stream may be empty, so that of one whose data is gone upstream nothing tells that it had entries.

// streamShapes are the shapes of the commands on streams.
func streamShapes() map[string]shape {
	all := map[string]shape{
		"XRANGE": {need: needWindow}, "XREVRANGE": {need: needWindow}, "XREAD": {need: needWindow},
	}
	for _, quicks := range []map[string]*quick{streamQuicks(), groupQuicks(), infoQuicks()} {
		for name, q := range quicks {
			q.kind = seal.Stream
			all[name] = shape{need: needWhole, quick: q}
		}
	}
	return all
}

// streamQuicks are the commands that the upstream's own stream serves. What they ask of it says command.StreamSteps.
func streamQuicks() map[string]*quick {
	return map[string]*quick{
		"XLEN":   {name: "XLEN", done: answerLength, told: command.Hit},
		"XADD":   {write: true, done: answerAdded, told: command.Stored},
		"XDEL":   {write: true, done: answerRemoved("xdel")},
		"XTRIM":  {write: true, done: answerRemoved("xtrim")},
		"XSETID": {write: true, done: answerChanged("xsetid")},
	}
}

// plan finds the steps of a call on a stream that is there.
func (t *Task) plan() bool {
	if !t.planned {
		t.steps, t.quickly = command.StreamSteps(t.Call)
		t.planned = true
	}
	return t.quickly
}
