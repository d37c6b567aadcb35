package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// groupQuicks are the commands on groups. Before a consumer is given anything it is made, so that the first result tells whether it
// is new, and is none again where it was given nothing; see commitBody.
func groupQuicks() map[string]*quick {
	return map[string]*quick{
		"XGROUP|CREATE":         {write: true, done: answerChanged("xgroup-create")},
		"XGROUP|SETID":          {write: true, done: answerChanged("xgroup-setid")},
		"XGROUP|DESTROY":        {write: true, done: answerRemoved("xgroup-destroy")},
		"XGROUP|CREATECONSUMER": {write: true, done: answerCount("xgroup-createconsumer", command.Stored)},
		"XGROUP|DELCONSUMER":    {write: true, done: answerConsumerRemoved},
		"XACK":                  {write: true, done: answerCount("", command.Stored)},
		"XREADGROUP":            {write: true, several: true, done: answerDelivered},
		"XCLAIM":                {write: true, done: answerClaimed},
		"XAUTOCLAIM":            {write: true, done: answerAutoClaimed},
	}
}

// madeConsumer reports whether a step has made a consumer.
func madeConsumer(r *reply) (made bool, err error) {
	if r.kind != ':' {
		return false, seal.ErrAltered
	}
	return r.n != 0, nil
}

func (t *Task) noteConsumer(r *reply) error {
	made, err := madeConsumer(&r.elems[0])
	if made {
		t.Call.Notify(command.NoticeStream, "xgroup-createconsumer", 0)
	}
	t.Call.Told[0] = command.Hit
	return err
}

func answerConsumerRemoved(_ *Executor, t *Task, _ *keyState, r *reply) error {
	made, err := madeConsumer(&r.elems[0])
	if n := &r.elems[1]; err != nil || n.kind != ':' || n.n < 0 {
		return seal.ErrAltered
	}
	t.Call.Told[0] = command.Unchanged
	if !made {
		t.Call.Told[0] = command.Deleted
		t.Call.Notify(command.NoticeStream, "xgroup-delconsumer", 0)
	}
	t.Call.Out.Int(r.elems[1].n)
	return nil
}

// answerEntries answers entries, or ids alone, in the order of their ids. An entry may be gone where mayBeGone says so.
func (x *Executor) answerEntries(t *Task, k *keyState, all *reply, mayBeGone bool) error {
	if all.kind != '*' || all.null {
		return seal.ErrAltered
	}
	t.Call.Out.Array(len(all.elems))
	var last engine.StreamID
	for i := range all.elems {
		id, err := x.answerEntry(t, k, &all.elems[i], mayBeGone)
		if err != nil {
			return err
		}
		if mayBeGone && !last.Before(id) {
			return seal.ErrAltered
		}
		last = id
	}
	return nil
}

func (x *Executor) answerEntry(t *Task, k *keyState, r *reply, mayBeGone bool) (id engine.StreamID, err error) {
	out := t.Call.Out
	if mayBeGone && r.kind == '*' && len(r.elems) == 2 && r.elems[1].null {
		id, ok := idOf(&r.elems[0])
		if !ok {
			return id, seal.ErrAltered
		}
		out.Array(2)
		command.AnswerStreamID(out, id)
		out.NullArray()
		return id, nil
	}
	id, box, ok := entryOf(r)
	if !ok {
		return id, seal.ErrAltered
	}
	defer func() { clear(x.fields) }()
	if err := x.openFields(k, box); err != nil {
		return id, err
	}
	out.Array(2)
	command.AnswerStreamID(out, id)
	out.Array(len(x.fields))
	for _, b := range x.fields {
		out.Bulk(b)
	}
	return id, nil
}

// answerTaken answers what was claimed: entries, or their ids.
func (x *Executor) answerTaken(t *Task, k *keyState, all *reply) error {
	if command.StreamJustIDs(t.Call) {
		return t.answerIDs(all)
	}
	return x.answerEntries(t, k, all, false)
}

func (t *Task) answerIDs(all *reply) error {
	if all.kind != '*' || all.null {
		return seal.ErrAltered
	}
	t.Call.Out.Array(len(all.elems))
	for i := range all.elems {
		if err := t.answerOneID(&all.elems[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Task) answerOneID(r *reply) error {
	id, ok := idOf(r)
	if !ok {
		return seal.ErrAltered
	}
	command.AnswerStreamID(t.Call.Out, id)
	return nil
}

func answerClaimed(x *Executor, t *Task, k *keyState, r *reply) error {
	if err := t.noteConsumer(r); err != nil {
		return err
	}
	return x.answerTaken(t, k, &r.elems[1])
}

// answerAutoClaimed answers where to go on, what was claimed, and the ids of what is gone.
func answerAutoClaimed(x *Executor, t *Task, k *keyState, r *reply) error {
	if err := t.noteConsumer(r); err != nil {
		return err
	}
	all := &r.elems[1]
	if all.kind != '*' || len(all.elems) != 3 {
		return seal.ErrAltered
	}
	t.Call.Out.Array(3)
	if err := t.answerOneID(&all.elems[0]); err != nil {
		return err
	}
	if err := x.answerTaken(t, k, &all.elems[1]); err != nil {
		return err
	}
	return t.answerIDs(&all.elems[2])
}
