package upstream

import "github.com/lethe-cache/lethe/internal/command"

// overwrite runs a command that writes strings without looking, past the scratch store: the handler says what is to be written
// with which deadlines, and the values are sealed from the arguments into the request.
func (x *Executor) overwrite(t *Task) {
	c := t.Call
	t.phase = phaseDone
	t.commits = t.commits[:0]
	for i := range t.keys {
		t.keys[i].guard = guardAny
	}
	x.tx.Begin(c.Now, discard{})
	c.Aside = &x.aside
	c.Spec.Run(c)
	c.Aside = nil
	defer x.layAside()
	x.attribute(t, c, t.Keys, nil)
	if len(x.aside) == 0 || t.tooMany() {
		return
	}
	for i := range t.keys {
		t.keys[i].entry.Subjects = t.keys[i].about
	}
	if err := x.overwriteAll(t); err != nil {
		t.failSeal(err)
	}
}

// layAside lets go of the arguments that were written.
func (x *Executor) layAside() {
	clear(x.aside)
	x.aside = x.aside[:0]
}

func (x *Executor) overwriteAll(t *Task) error {
	if k := &t.keys[0]; len(t.keys) == 1 && !x.b.ledger.hasCollection(k) {
		return x.overwriteOne(t, k, &x.aside[0])
	}
	x.writes.reset()
	for i := range x.aside {
		w := &x.aside[i]
		if x.overwritten(t, i) {
			continue // a key that is named twice
		}
		if err := x.putString(t.Call, t.stateOf(nil, w.Key), w.Meta, w.Value); err != nil {
			return err
		}
	}
	x.send(t)
	return nil
}

// overwritten reports whether what was laid aside is replaced by what was laid aside later.
func (x *Executor) overwritten(t *Task, i int) bool {
	name := t.keys[x.aside[i].Key].record
	for j := i + 1; j < len(x.aside); j++ {
		if string(t.keys[x.aside[j].Key].record) == string(name) {
			return true
		}
	}
	return false
}

// overwriteOne adds the SET of a string to the batch, which is sealed where it is sent from.
func (x *Executor) overwriteOne(t *Task, k *keyState, w *command.Written) error {
	l, size := x.lane, x.sealedBytes(k, w.Value)
	if size+replyBytes > x.b.upstream.options.MaxReplyBytes {
		return errValueLarge
	}
	h := x.headerWith(t.Call, w.Meta)
	op := l.begin(k.slot, false, 5)
	l.out = appendArgString(l.out, "SET")
	l.out = appendBulkHead(appendArg(l.out, k.record), size)
	from := len(l.out)
	var err error
	if l.out, err = x.sealer.SealString(l.out, &k.entry, &h, w.Value); err != nil {
		l.undo(op)
		return err
	}
	if len(l.out)-from != size {
		panic("BUG: a record has another length than was said")
	}
	c := oneMore(&t.commits)
	c.op, c.plain, c.entries = op, true, c.entries[:0]
	p := oneMore(&c.entries)
	p.k, p.gone, p.check, p.clear, p.header = k, false, false, false, h
	p.record = append(p.record[:0], l.out[from:from+h.NameEnd()]...)
	p.bytes, p.grows, p.sized = int64(len(k.record)+size), false, -1
	l.out = append(l.out, '\r', '\n')
	l.out = appendArgInt(appendArgString(l.out, "PXAT"), h.Deadline)
	l.end()
	t.phase = phaseCommit
	return nil
}
