package upstream

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// store seals what a handler changed and sends it.
func (x *Executor) store(t *Task) {
	x.writes.reset()
	x.attribute(t, t.Call, t.Keys, nil)
	if t.tooMany() {
		return
	}
	for i := range t.keys {
		if t.repeated(i) {
			continue
		}
		if err := x.change(t, i); err != nil {
			t.failSeal(err)
			return
		}
	}
	x.send(t)
}

// errValueLarge says that a value would not be read again, because its reply would be larger than replies may be.
var errValueLarge = errors.New("the value is too large")

// errNotInteger says that a category that takes integers was given something else.
var errNotInteger = errors.New("the value is no integer")

// replyBytes is what a reply takes beside the value.
const replyBytes = 32

func (t *Task) failSeal(err error) {
	switch {
	case errors.Is(err, errValueLarge):
		t.fail(refusedValue)
	case errors.Is(err, errNotInteger):
		t.fail(refusedIntegers)
	default:
		t.giveUp(msgNoKeys, Away)
	}
}

// repeated reports whether a key was named before in the same command.
func (t *Task) repeated(i int) bool {
	for j := range i {
		if string(t.keys[j].record) == string(t.keys[i].record) {
			return true
		}
	}
	return false
}

// toldOf is what became of an entry, which may be named more than once: SORT l STORE l changes the second.
func (t *Task) toldOf(i int) command.Outcome {
	told := t.Call.Told[i]
	for j := i + 1; j < len(t.keys); j++ {
		if now := t.Call.Told[j]; (now == command.Stored || now == command.Deleted) && string(t.keys[j].record) == string(t.keys[i].record) {
			told = now
		}
	}
	return told
}

// change adds to the writes what has become of one entry.
func (x *Executor) change(t *Task, i int) error {
	c, k := t.Call, &t.keys[i]
	e := x.tx.Peek(&c.Keys[i])
	k.entry.Subjects = k.about
	told := t.toldOf(i)
	wrote := told == command.Stored || told == command.Deleted
	switch {
	case k.found && k.windowed:
		return x.putWindow(t, k, i, e)
	case !e.Exists():
		if k.found || k.guard == guardAny && told == command.Deleted {
			x.writes.remove(k)
		}
		return nil
	case e.Kind() == engine.String:
		if k.found && k.header.Type == seal.String && told != command.Stored && e.Meta() == k.meta {
			return nil
		}
		return x.putString(c, k, e.Meta(), e.String())
	case !k.found || k.header.Type != typeOf(e.Kind()):
		return x.putCollection(c, k, i, e)
	case t.shape.need == needItems:
		return x.putItems(t, k, i, e)
	case t.shape.need == needElement:
		return x.putMoved(t, k, i, e)
	case k.header.Type == seal.Stream && k.parts != nil:
		return x.changeStream(c, k, i, e)
	case wrote && (k.parts != nil || k.doomed):
		return x.putCollection(c, k, i, e)
	case e.Meta() != k.meta:
		return x.putRecord(c, k, e)
	}
	return nil
}

func typeOf(k engine.Kind) seal.Type {
	switch k {
	case engine.Hash:
		return seal.Hash
	case engine.Set:
		return seal.Set
	case engine.List:
		return seal.List
	case engine.ZSet:
		return seal.SortedSet
	case engine.Stream:
		return seal.Stream
	case engine.String:
		return seal.String
	default:
		panic("BUG: a value of a kind that has no sealed form")
	}
}

// headerOf is the header of an entry that is written now.
func (x *Executor) headerOf(c *command.Call, e engine.Entry) seal.Header {
	h := x.headerWith(c, e.Meta())
	h.Type = typeOf(e.Kind())
	return h
}

func (x *Executor) headerWith(c *command.Call, m engine.Meta) seal.Header {
	return seal.Header{BornAt: max(c.Wall(m.BornAt), 0), Deadline: c.Wall(m.ExpiresAt), Stamp: x.b.stamps.Next(c.WallNow)}
}

func (x *Executor) putString(c *command.Call, k *keyState, m engine.Meta, value []byte) error {
	if _, ok := command.ParseInt(value); ok && k.place.Plain {
		x.writes.clear(k, seal.Header{Type: seal.String, Deadline: c.Wall(m.ExpiresAt)}, value)
		return nil
	}
	if k.place.Integers {
		return errNotInteger
	}
	if x.sealedBytes(k, value)+replyBytes > x.b.upstream.options.MaxReplyBytes {
		return errValueLarge
	}
	h := x.headerWith(c, m)
	from := x.writes.begin()
	var err error
	x.writes.bytes, err = x.sealer.SealString(x.writes.bytes, &k.entry, &h, value)
	x.writes.put(k, h, "string", from)
	return err
}

// sealedBytes is the length of a string's record.
func (x *Executor) sealedBytes(k *keyState, value []byte) int {
	return seal.SealedString(len(k.entry.Name), len(value)) + k.labelBytes()
}

// putRecord changes the deadline of a collection.
func (x *Executor) putRecord(c *command.Call, k *keyState, e engine.Entry) error {
	next := k.coll
	next.Header = x.headerOf(c, e)
	next.Flags = k.coll.Flags
	k.grows = 0
	return x.seal(k, &next, "part")
}

func (x *Executor) seal(k *keyState, c *seal.Collection, kind string) error {
	from := x.writes.begin()
	var err error
	x.writes.bytes, err = x.sealer.SealCollection(x.writes.bytes, &k.entry, c)
	x.writes.put(k, c.Header, kind, from)
	return err
}

// born begins a collection of which no part is upstream yet.
func (x *Executor) born(c *command.Call, k *keyState, e engine.Entry) (*seal.Collection, error) {
	h := x.headerOf(c, e)
	return x.sealer.NewCollection(&k.entry, h, h.BornAt+k.place.Life.Milliseconds())
}

// putCollection writes a collection whole, as a new one: parts of its former life do not open in it.
func (x *Executor) putCollection(c *command.Call, k *keyState, i int, e engine.Entry) error {
	if k.place.Integers {
		return errNotInteger
	}
	coll, err := x.born(c, k, e)
	if err != nil {
		return err
	}
	p := parts{x: x, c: c, k: k, coll: coll, entry: e, key: &c.Keys[i]}
	if coll.Type == seal.Hash && p.timed() {
		coll.Flags |= seal.TimedFields
	}
	if coll.Type == seal.SortedSet && k.place.ClearScores {
		coll.Flags |= seal.ClearScores
	}
	if err := x.seal(k, coll, "whole"); err != nil {
		return err
	}
	p.all()
	return p.err
}

// putItems writes the parts that the command named and changed.
func (x *Executor) putItems(t *Task, k *keyState, i int, e engine.Entry) error {
	c := t.Call
	k.grows = 0
	next := k.coll
	next.Header = x.headerOf(c, e)
	next.Flags = k.coll.Flags
	p := parts{x: x, c: c, k: k, coll: &next, entry: e, key: &c.Keys[i]}
	first, step := t.shape.items(c.Args)
	if next.Type == seal.Hash && p.timed() {
		next.Flags |= seal.TimedFields
	}
	at := x.writes.mark()
	if err := x.seal(k, &next, "part"); err != nil {
		return err
	}
	changed := e.Meta() != k.meta || next.Flags != k.coll.Flags || k.grown
	for j := range k.members {
		changed = p.item(c.Args[first+j*step], j) || changed
	}
	if !changed {
		x.writes.back(at)
	}
	return p.err
}

// parts turns parts of a collection in the scratch store into commands on its sealed form.
type parts struct {
	x     *Executor
	c     *command.Call
	k     *keyState
	coll  *seal.Collection
	entry engine.Entry
	key   *engine.Key
	err   error
}

func (p *parts) hash() (h engine.HashValue) { h, p.err = p.x.tx.HashAt(p.key); return h }
func (p *parts) set() (s engine.SetValue)   { s, p.err = p.x.tx.SetAt(p.key); return s }
func (p *parts) zset() (z engine.ZSetValue) { z, p.err = p.x.tx.ZSetAt(p.key); return z }
func (p *parts) list() (l engine.ListValue) { l, p.err = p.x.tx.ListAt(p.key); return l }

// timed reports whether a field has a deadline of its own.
func (p *parts) timed() bool {
	h := p.hash()
	found := false
	h.Each(func(field, _ []byte) bool {
		_, timed, _ := h.Deadline(field)
		found = found || timed
		return !found
	})
	return found
}

// all adds every part.
func (p *parts) all() {
	switch p.coll.Type {
	case seal.Hash:
		h := p.hash()
		h.Each(func(field, value []byte) bool {
			p.put(p.member(field), p.deadlineOf(&h, field), value)
			return p.err == nil
		})
	case seal.Set:
		s := p.set()
		s.Each(func(member []byte) bool {
			p.add("SADD", p.member(member))
			return p.err == nil
		})
	case seal.List:
		l := p.list()
		it := l.Iter(0, false)
		defer it.Close()
		for it.Next() {
			p.add("RPUSH", p.sealItem(nil, it.Element()))
		}
	case seal.SortedSet:
		z := p.zset()
		it := z.Iter(0, false)
		for it.Next() {
			p.put(p.member(it.Member()), math.Float64bits(it.Score()), nil)
		}
	case seal.Stream:
		p.stream()
	}
}

// item adds what has become of the part that the command named j-th, and reports whether that is anything.
func (p *parts) item(name []byte, j int) bool {
	switch p.coll.Type {
	case seal.Hash:
		h := p.hash()
		value, there := h.Get(name)
		if !there {
			return p.gone("HDEL", j)
		}
		return p.changed(j, p.deadlineOf(&h, name), value)
	case seal.SortedSet:
		z := p.zset()
		score, there := z.Score(name)
		if !there {
			return p.gone(p.removeScored(), j)
		}
		return p.changed(j, math.Float64bits(score), nil)
	case seal.Set:
		s := p.set()
		if !s.Contains(name) {
			return p.gone("SREM", j)
		}
		if p.k.before[j] == 0 {
			p.add("SADD", p.k.members[j])
			p.k.grows += int64(len(p.k.members[j]))
		}
		return p.k.before[j] == 0
	}
	return false
}

// removeScored is the upstream's command that takes a member of a sorted set out.
func (p *parts) removeScored() string {
	if p.coll.Flags&seal.ClearScores != 0 {
		return "ZREM"
	}
	return "HDEL"
}

func (p *parts) gone(remove string, j int) bool {
	if p.k.before[j] == 0 {
		return false
	}
	p.add(remove, p.k.members[j])
	p.k.grows -= p.wasBytes(j)
	return true
}

// changed adds a field if it is not what it was.
func (p *parts) changed(j int, first uint64, value []byte) bool {
	if p.x.sum(first, value) == p.k.before[j] {
		return false
	}
	from := len(p.x.writes.bytes)
	p.put(p.k.members[j], first, value)
	p.k.grows += int64(len(p.x.writes.bytes) - from)
	if p.k.before[j] != 0 {
		p.k.grows -= p.wasBytes(j)
	}
	return true
}

// wasBytes is what a part takes that is there, with its value where it has one.
func (p *parts) wasBytes(j int) int64 {
	return int64(len(p.k.members[j]) + len(p.k.parts.elems[j].text))
}

// deadlineOf is the deadline of a field in Unix milliseconds, 0 for none.
func (p *parts) deadlineOf(h *engine.HashValue, field []byte) uint64 {
	at, timed, _ := h.Deadline(field)
	if !timed {
		return 0
	}
	return uint64(p.c.Wall(at))
}

func (p *parts) member(name []byte) []byte {
	sealed, err := p.x.sealer.SealMember(nil, &p.k.entry, p.coll, name)
	if err != nil {
		p.err = err
	}
	return sealed
}

func (p *parts) sealItem(place, plain []byte) []byte {
	sealed, err := p.x.sealer.SealItem(nil, &p.k.entry, p.coll, place, plain)
	if err != nil {
		p.err = err
	}
	return sealed
}

// put adds a field or a score: eight bytes, and the field's value.
func (p *parts) put(sealed []byte, first uint64, value []byte) {
	if p.coll.Flags&seal.ClearScores != 0 {
		p.add("ZADD", command.AppendScore(nil, math.Float64frombits(first)), sealed)
		return
	}
	p.add("HSET", sealed, p.sealItem(sealed, p.x.joined(first, value)))
}

func (p *parts) add(name string, args ...[]byte) { p.x.writes.command(name, args...) }

// joined is eight bytes and a value in the buffer for plaintext.
func (x *Executor) joined(first uint64, value []byte) []byte {
	if need := 8 + len(value); cap(x.plain) < need {
		x.keep(make([]byte, 0, 2*need))
	}
	joined := append(binary.LittleEndian.AppendUint64(x.plain[:0], first), value...)
	x.keep(joined)
	return joined
}
