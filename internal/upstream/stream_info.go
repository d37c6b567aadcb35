package upstream

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// What a stream says of itself is answered field by field: names are opened, and stand in the order of what they say, since the
// upstream has them in that of their sealed forms.

// infoQuicks are the commands that describe streams and groups.
func infoQuicks() map[string]*quick {
	return map[string]*quick{
		"XPENDING":        {done: answerPending, told: command.Hit},
		"XINFO|STREAM":    {done: answerStreamInfo, told: command.Hit},
		"XINFO|GROUPS":    {done: answerGroups, told: command.Hit},
		"XINFO|CONSUMERS": {done: answerConsumers, told: command.Hit},
	}
}

// named is a part of a reply with its name in clear.
type named struct {
	name []byte
	r    *reply
}

// sortNamed opens the sealed names of all parts of a reply and sorts the parts by them. The caller clears the names.
func (x *Executor) sortNamed(k *keyState, all *reply, kind seal.StreamName, nameOf func(*reply) *reply) (parts []named, err error) {
	if all.kind != '*' || all.null {
		return nil, seal.ErrAltered
	}
	for i := range all.elems {
		v := nameOf(&all.elems[i])
		if v == nil || !v.isText() {
			return parts, seal.ErrAltered
		}
		name, err := x.sealer.OpenStreamName(nil, &k.entry, &k.coll, kind, v.text)
		if err != nil {
			return parts, err
		}
		parts = append(parts, named{name, &all.elems[i]})
	}
	slices.SortFunc(parts, func(a, b named) int { return bytes.Compare(a.name, b.name) })
	for i := 1; i < len(parts); i++ {
		if bytes.Equal(parts[i-1].name, parts[i].name) {
			return parts, seal.ErrAltered
		}
	}
	return parts, nil
}

func clearNames(parts []named) {
	for _, p := range parts {
		clear(p.name)
	}
}

func ofField(r *reply) *reply { return r.valueOf("name") }

// described writes fields of a description, until one of them is not what it should be.
type described struct {
	t   *Task
	r   *reply
	err error
}

func (d *described) text(name string, b []byte) {
	d.t.Call.Out.BulkString(name)
	d.t.Call.Out.Bulk(b)
}

func (d *described) number(name string) {
	n, err := d.r.countAt(name, 0)
	d.say(name, n, err)
}

func (d *described) say(name string, n int64, err error) {
	if d.err = firstError(d.err, err); d.err == nil {
		d.t.Call.Out.BulkString(name)
		d.t.Call.Out.Int(n)
	}
}

func (d *described) id(name string) {
	id, err := d.r.idAt(name)
	if d.err = firstError(d.err, err); d.err == nil {
		d.t.Call.Out.BulkString(name)
		command.AnswerStreamID(d.t.Call.Out, id)
	}
}

// known writes a number, or null where the server does not know it.
func (d *described) known(name string) {
	if v := d.r.valueOf(name); v != nil && v.null {
		d.t.Call.Out.BulkString(name)
		d.t.Call.Out.Null()
		return
	}
	v := d.r.valueOf(name)
	if v == nil || v.kind != ':' {
		d.err = firstError(d.err, seal.ErrAltered)
		return
	}
	d.say(name, v.n, nil)
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func answerStreamInfo(x *Executor, t *Task, k *keyState, r *reply) error {
	d := described{t: t, r: r}
	t.Call.Out.Map(10)
	d.number("length")
	d.number("radix-tree-keys")
	blocks, err := r.countAt("radix-tree-keys", 0)
	d.say("radix-tree-nodes", blocks+1, err) // as the embedded engine, which has no radix tree
	d.id("last-generated-id")
	d.id("max-deleted-entry-id")
	d.number("entries-added")
	d.id("recorded-first-entry-id")
	d.number("groups")
	for _, name := range []string{"first-entry", "last-entry"} {
		e := r.valueOf(name)
		if d.err != nil || e == nil {
			return firstError(d.err, seal.ErrAltered)
		}
		t.Call.Out.BulkString(name)
		if e.null {
			t.Call.Out.Null()
			continue
		}
		if _, err := x.answerEntry(t, k, e, false); err != nil {
			return err
		}
	}
	return nil
}

func answerGroups(x *Executor, t *Task, k *keyState, r *reply) error {
	return x.describeAll(t, k, r, seal.GroupName, 6, func(d *described) {
		d.number("consumers")
		d.number("pending")
		d.id("last-delivered-id")
		d.known("entries-read")
		d.known("lag")
	})
}

func answerConsumers(x *Executor, t *Task, k *keyState, r *reply) error {
	return x.describeAll(t, k, r, seal.ConsumerName, 4, func(d *described) {
		d.number("pending")
		d.number("idle")
		d.inactive()
	})
}

// describeAll answers a map of so many fields for each group or consumer, of which the first is its name.
func (x *Executor) describeAll(t *Task, k *keyState, r *reply, kind seal.StreamName, fields int, describe func(*described)) error {
	all, err := x.sortNamed(k, r, kind, ofField)
	defer clearNames(all)
	if err != nil {
		return err
	}
	t.Call.Out.Array(len(all))
	for _, one := range all {
		d := described{t: t, r: one.r}
		t.Call.Out.Map(fields)
		d.text("name", one.name)
		if describe(&d); d.err != nil {
			return d.err
		}
	}
	return nil
}

// inactive writes for how long a consumer was given nothing. Redis 7.0 does not know it: there a consumer that has something is
// taken to have been given it when it was last seen.
func (d *described) inactive() {
	if d.r.valueOf("inactive") != nil {
		n, err := d.r.countAt("inactive", math.MinInt64)
		if n < engine.NeverActive { // its clock was set back
			n = 0
		}
		d.say("inactive", n, err)
		return
	}
	pending, err := d.r.countAt("pending", 0)
	if d.err = firstError(d.err, err); d.err != nil {
		return
	}
	n := int64(engine.NeverActive)
	if pending > 0 {
		n, err = d.r.countAt("idle", 0)
	}
	d.say("inactive", n, err)
}

func answerPending(x *Executor, t *Task, k *keyState, r *reply) error {
	if len(t.Call.Args) == 3 {
		return x.answerPendingSummary(t, k, r)
	}
	if r.kind != '*' || r.null {
		return seal.ErrAltered
	}
	out := t.Call.Out
	out.Array(len(r.elems))
	for i := range r.elems {
		e := &r.elems[i]
		if e.kind != '*' || len(e.elems) != 4 || !e.elems[1].isText() || e.elems[2].kind != ':' || e.elems[3].kind != ':' {
			return seal.ErrAltered
		}
		out.Array(4)
		if err := t.answerOneID(&e.elems[0]); err != nil {
			return err
		}
		name, err := x.sealer.OpenStreamName(x.plain[:0], &k.entry, &k.coll, seal.ConsumerName, e.elems[1].text)
		if err != nil {
			return err
		}
		x.keep(name)
		out.Bulk(name)
		out.Int(max(e.elems[2].n, 0))
		out.Int(e.elems[3].n)
	}
	return nil
}

func (x *Executor) answerPendingSummary(t *Task, k *keyState, r *reply) error {
	if r.kind != '*' || len(r.elems) != 4 || r.elems[0].kind != ':' || r.elems[0].n < 0 {
		return seal.ErrAltered
	}
	out := t.Call.Out
	out.Array(4)
	out.Int(r.elems[0].n)
	if r.elems[0].n == 0 {
		out.Null()
		out.Null()
		out.NullArray()
		return nil
	}
	for i := 1; i <= 2; i++ {
		if err := t.answerOneID(&r.elems[i]); err != nil {
			return err
		}
	}
	all, err := x.sortNamed(k, &r.elems[3], seal.ConsumerName, func(e *reply) *reply {
		if e.kind != '*' || len(e.elems) != 2 {
			return nil
		}
		return &e.elems[0]
	})
	defer clearNames(all)
	if err != nil {
		return err
	}
	out.Array(len(all))
	for _, consumer := range all {
		n, err := strconv.ParseUint(string(consumer.r.elems[1].text), 10, 63)
		if err != nil {
			return seal.ErrAltered
		}
		out.Array(2)
		out.Bulk(consumer.name)
		out.BulkUint(n)
	}
	return nil
}
