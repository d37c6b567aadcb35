package upstream

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// streamParts fills a stream with what was fetched of it: a range of its entries, or what XINFO STREAM FULL says.
func (l *loader) streamParts(t *Task) error {
	if described := t.shape.need != needWindow || l.k.lastID; described && l.k.parts.kind == '*' && len(l.k.parts.elems) == 0 {
		return errEvicted
	}
	if t.shape.need == needWindow {
		if l.k.lastID {
			last, err := l.k.parts.idAt("last-generated-id")
			l.stream.SetLast(last)
			return err
		}
		return l.entries(l.k.parts, l.k.backwards)
	}
	if err := l.wholeStream(); err != nil {
		return err
	}
	if t.group != nil || t.Call.Spec.IsWrite() {
		was := l.x.stateOf(&l.stream, engine.LastStreamID())
		l.k.was = &was
	}
	return nil
}

// valueOf returns the value of a name in a reply that is names and values in turn; nil when there is none. Nothing else is looked at,
// since servers tell more with each version.
func (r *reply) valueOf(name string) *reply {
	if r.kind != '*' || len(r.elems)%2 != 0 {
		return nil
	}
	for i := 0; i < len(r.elems); i += 2 {
		if r.elems[i].isText() && string(r.elems[i].text) == name {
			return &r.elems[i+1]
		}
	}
	return nil
}

// idAt and countAt are values that are an id, or a number that is not below a lowest one.
func (r *reply) idAt(name string) (id engine.StreamID, err error) {
	v := r.valueOf(name)
	if v == nil {
		return id, seal.ErrAltered
	}
	id, ok := idOf(v)
	if !ok {
		return id, seal.ErrAltered
	}
	return id, nil
}

func (r *reply) countAt(name string, lowest int64) (int64, error) {
	v := r.valueOf(name)
	if v == nil || v.kind != ':' || v.n < lowest {
		return 0, seal.ErrAltered
	}
	return v.n, nil
}

// arrayAt is a value that is an array.
func (r *reply) arrayAt(name string) ([]reply, error) {
	v := r.valueOf(name)
	if v == nil || v.kind != '*' || v.null {
		return nil, seal.ErrAltered
	}
	return v.elems, nil
}

func (l *loader) wholeStream() error {
	r := l.k.parts
	if err := l.entries(r.valueOf("entries"), false); err != nil {
		return err
	}
	last, err := r.idAt("last-generated-id")
	if err != nil {
		return err
	}
	deleted, err := r.idAt("max-deleted-entry-id")
	if err != nil {
		return err
	}
	added, err := r.countAt("entries-added", int64(l.stream.Len()))
	if err != nil {
		return err
	}
	if last.Before(l.stream.Top()) {
		return seal.ErrAltered
	}
	l.stream.SetLast(last)
	l.stream.SetDeleted(deleted)
	l.stream.SetAdded(uint64(added))
	groups, err := r.arrayAt("groups")
	if err != nil {
		return err
	}
	l.parts = int(l.stream.Len())
	for i := range groups {
		if err := l.group(&groups[i]); err != nil {
			return err
		}
	}
	return l.bounded()
}

// bounded refuses a stream that is too large to be opened as a whole.
func (l *loader) bounded() error {
	if o := &l.x.b.upstream.options; l.parts > o.MaxLiftItems || l.size > o.MaxLiftBytes {
		return errLoadLarge
	}
	return nil
}

// name opens the name of a group or of a consumer. It is valid until the next is opened.
func (l *loader) name(r *reply, kind seal.StreamName) ([]byte, error) {
	v := r.valueOf("name")
	if v == nil || !v.isText() {
		return nil, seal.ErrAltered
	}
	name, err := l.x.sealer.OpenStreamName(l.x.plain[:0], &l.k.entry, &l.k.coll, kind, v.text)
	if err == nil {
		l.x.keep(name)
		l.size += len(name)
	}
	return name, err
}

func (l *loader) group(r *reply) error {
	last, err := r.idAt("last-delivered-id")
	if err != nil {
		return err
	}
	read := int64(engine.UnknownRead)
	if v := r.valueOf("entries-read"); v != nil && !v.null {
		if read, err = r.countAt("entries-read", engine.UnknownRead); err != nil {
			return err
		}
	}
	consumers, err := r.arrayAt("consumers")
	if err != nil {
		return err
	}
	name, err := l.name(r, seal.GroupName)
	if err != nil {
		return err
	}
	if !l.stream.CreateGroup(name, last, read) {
		return seal.ErrAltered
	}
	g, _ := l.stream.Group(name)
	for i := range consumers {
		if err := l.consumer(g, &consumers[i]); err != nil {
			return err
		}
	}
	l.parts++
	return l.bounded()
}

func (l *loader) consumer(g engine.StreamGroup, r *reply) error {
	seen, err := r.countAt("seen-time", engine.NeverActive)
	if err != nil {
		return err
	}
	pending, err := r.arrayAt("pending")
	if err != nil {
		return err
	}
	// Redis 7.0 knows one time of a consumer: when it was last given something, if it has something.
	active := int64(engine.NeverActive)
	if r.valueOf("active-time") != nil {
		if active, err = r.countAt("active-time", engine.NeverActive); err != nil {
			return err
		}
	} else if len(pending) > 0 {
		active = seen
	}
	name, err := l.name(r, seal.ConsumerName)
	if err != nil {
		return err
	}
	c, made := g.CreateConsumer(name, seen)
	if !made {
		return seal.ErrAltered
	}
	c.Activate(active)
	for i := range pending {
		if err := l.delivered(c, &pending[i]); err != nil {
			return err
		}
	}
	l.parts++
	return l.bounded()
}

// delivered takes an entry that is pending: its id, when it was delivered last, and how often.
func (l *loader) delivered(c engine.StreamConsumer, r *reply) error {
	if r.kind != '*' || len(r.elems) != 3 || r.elems[1].kind != ':' || r.elems[2].kind != ':' {
		return seal.ErrAltered
	}
	id, ok := idOf(&r.elems[0])
	if _, known := c.Group().Find(id); !ok || known || id.IsZero() || r.elems[1].n < 0 || r.elems[2].n < 0 {
		return seal.ErrAltered
	}
	if l.parts++; l.parts > l.x.b.upstream.options.MaxLiftItems {
		return errLoadLarge
	}
	c.Deliver(id, r.elems[1].n, r.elems[2].n)
	return nil
}
