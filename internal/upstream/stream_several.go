package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// XREADGROUP of several streams is one step too, of a write for each of them. A group has another sealed name in each stream, so the
// upstream's own command is called for one at a time.

// allFit reports whether the task's step can be sent for all of its keys: each has a stream, another one, in one slot. While records
// are still asked for it cannot.
func (t *Task) allFit() bool {
	for i := range t.keys {
		if k := &t.keys[i]; k.op >= 0 || k.slot != t.keys[0].slot || t.repeated(i) || !t.shape.quick.fits(t, k) {
			return false
		}
	}
	return true
}

// askRest asks for all of those streams that fit the step, where it turns out that another key does not: the handler answers then.
func (x *Executor) askRest(t *Task) (asked bool) {
	if q := t.shape.quick; q == nil || !q.several || len(t.keys) == 1 || t.allFit() {
		return false
	}
	for i := range t.keys {
		if k := &t.keys[i]; k.found && k.parts == nil && k.header.Type == seal.Stream {
			x.askWhole(k)
			t.phase, asked = phaseFetch, true
		}
	}
	return asked
}

// answerDelivered answers what XREADGROUP was given of each stream, or null where it is nothing of any.
func answerDelivered(x *Executor, t *Task, _ *keyState, r *reply) error {
	c, n := t.Call, len(t.keys)
	given := 0
	for i := range t.keys {
		t.quickKey = i
		made, err := madeConsumer(&r.elems[i])
		if err != nil {
			return err
		}
		if made {
			c.Notify(command.NoticeStream, "xgroup-createconsumer", i)
		}
		c.Told[i] = command.Unchanged
		if !r.elems[n+i].null {
			c.Told[i] = command.Hit
			given++
		} else if command.StreamHistory(c, i) {
			return seal.ErrAltered
		}
	}
	if given == 0 {
		if !command.BlockStream(c) {
			c.Out.NullArray()
		}
		return nil
	}
	if c.Out.RESP3() {
		c.Out.Map(given)
	} else {
		c.Out.Array(given)
	}
	for i := range t.keys {
		t.quickKey = i
		if err := x.answerStream(t, i, &r.elems[n+i]); err != nil {
			return err
		}
	}
	return nil
}

// answerStream answers the part of one stream, its name first, if there is any.
func (x *Executor) answerStream(t *Task, i int, given *reply) error {
	if given.null {
		return nil
	}
	if given.kind != '*' || len(given.elems) != 1 || given.elems[0].kind != '*' || len(given.elems[0].elems) != 2 {
		return seal.ErrAltered
	}
	out := t.Call.Out
	if !out.RESP3() {
		out.Array(2)
	}
	out.Bulk(t.Call.Keys[i].Name)
	return x.answerEntries(t, &t.keys[i], &given.elems[0].elems[1], true)
}
