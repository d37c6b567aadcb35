package upstream

import (
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// askWindow asks for the entries of a stream that the command looks at; false when it looks at none.
func (x *Executor) askWindow(t *Task, k *keyState) bool {
	if k.coll.Type != seal.Stream {
		return false
	}
	w, ok := t.window(k)
	if !ok {
		return false
	}
	k.lastID = w.LastID
	if w.LastID {
		x.askPair(t, k, "XINFO STREAM", nil)
		return true
	}
	name, first, last := "XRANGE", w.From, w.To
	if w.Backwards {
		name, first, last = "XREVRANGE", last, first
	}
	args := [][]byte{command.AppendStreamID(nil, first), command.AppendStreamID(nil, last)}
	if w.Count > 0 {
		args = append(args, []byte("COUNT"), strconv.AppendInt(nil, w.Count, 10))
	}
	if k.backwards = w.Backwards; t.careful {
		x.askOnce(k, "", name, args)
		return true
	}
	x.askPair(t, k, name, args)
	return true
}

// window is what a command looks at of the stream of one of its keys, all of it where the key is named more than once.
func (t *Task) window(k *keyState) (w command.StreamWindow, ok bool) {
	named := 0
	for i := range t.keys {
		if string(t.keys[i].record) != string(k.record) {
			continue
		}
		one, some := command.WindowOf(t.Call, i)
		if !some {
			continue
		}
		if named++; named == 1 {
			w = one
			continue
		}
		w.Count, w.LastID = 0, false
		if one.From.Before(w.From) {
			w.From = one.From
		}
	}
	return w, named > 0
}

// entries takes entries in the order of their ids, or against it.
func (l *loader) entries(all *reply, backwards bool) error {
	if all == nil || all.kind != '*' || all.null {
		return seal.ErrAltered
	}
	for i := range all.elems {
		e := &all.elems[i]
		if backwards {
			e = &all.elems[len(all.elems)-1-i]
		}
		if err := l.entry(e); err != nil {
			return err
		}
	}
	return nil
}

// entry opens an entry, whose id must be above those before.
func (l *loader) entry(r *reply) error {
	x, k := l.x, l.k
	id, box, ok := entryOf(r)
	if !ok || !l.stream.Info().Last.Before(id) {
		return seal.ErrAltered
	}
	l.size += len(box)
	defer func() { clear(x.fields) }()
	if err := x.openFields(k, box); err != nil {
		return err
	}
	l.stream.Add(id, x.fields)
	return nil
}

// openFields opens the fields of an entry, which are valid until the next is opened. Whoever has used them clears the slice.
func (x *Executor) openFields(k *keyState, box []byte) error {
	plain, err := x.sealer.OpenItem(x.plain[:0], &k.entry, &k.coll, nil, box)
	if err != nil {
		return err
	}
	x.keep(plain)
	x.fields, err = seal.ReadFields(x.fields[:0], plain)
	return err
}

// entryOf takes an entry apart: its id, and the box of its fields.
func entryOf(r *reply) (id engine.StreamID, box []byte, ok bool) {
	if r.kind != '*' || len(r.elems) != 2 {
		return id, nil, false
	}
	if id, ok = idOf(&r.elems[0]); !ok {
		return id, nil, false
	}
	pair := &r.elems[1]
	if pair.kind != '*' || len(pair.elems) != 2 || !pair.elems[0].isText() || len(pair.elems[0].text) != 0 || !pair.elems[1].isText() {
		return id, nil, false
	}
	return id, pair.elems[1].text, true
}

func idOf(r *reply) (id engine.StreamID, ok bool) {
	if !r.isText() {
		return id, false
	}
	return command.ParseStreamID(r.text)
}

func (r *reply) isText() bool { return r.kind == '$' && !r.null }
