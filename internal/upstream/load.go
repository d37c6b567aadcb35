package upstream

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// discard is the scratch store's sink: what expires there has not expired anywhere else.
type discard struct{}

func (discard) Removed(engine.Removal) {}

// execute opens what was fetched into the scratch store, lets the handler run there, and sends what it changed. Nothing of
// the entries is left in the scratch store afterwards, which overwrites what it frees.
func (x *Executor) execute(t *Task) {
	c := t.Call
	t.phase = phaseDone
	c.Beside = nil
	x.tx.Begin(c.Now, discard{})
	x.tx.Lock(c.Keys)
	defer x.tx.Unlock()
	defer x.empty(t)
	defer t.recoverMemory()
	for i := range t.keys {
		switch err := x.load(t, i); {
		case errors.Is(err, errAnotherLife):
			x.again(t)
			return
		case err != nil:
			t.failOpen(err)
			return
		}
	}
	switch {
	case t.group != nil:
		x.runGroup(t)
	default:
		c.Spec.Run(c)
		if c.Spec.IsWrite() {
			x.store(t)
		}
	}
}

// errAnotherLife says that parts of a collection did not open, which an honest upstream can cause: the collection was made anew
// between its header and its parts. They are read in one step then.
var errAnotherLife = errors.New("the parts may be of another life of the collection")

// recoverMemory answers a command for which the system has no memory, so that others of its batch go on.
func (t *Task) recoverMemory() {
	if p := recover(); p != nil {
		if !engine.IsNoMemory(p) {
			panic(p)
		}
		t.fail(resp.MsgOOM)
	}
}

func (x *Executor) empty(t *Task) {
	for i := range t.Call.Keys {
		x.tx.Delete(&t.Call.Keys[i])
	}
}

// errEvicted says that a collection has no parts, though its record is there. An honest upstream has evicted them: it does not know that
// they belong together.
var errEvicted = errors.New("the parts of a collection are gone")

var errLoadLarge = errors.New("the entry is too large to be opened as a whole")

func (t *Task) failOpen(err error) {
	if errors.Is(err, errLoadLarge) {
		t.fail(refusedLarge)
		return
	}
	t.giveUp(msgNoKeys, Away)
}

// load puts one entry into the scratch store. What does not open is absent, with an alarm where it should have opened.
func (x *Executor) load(t *Task, i int) error {
	c, k := t.Call, &t.keys[i]
	key := &c.Keys[i]
	if !k.found || x.tx.Peek(key).Exists() { // a key that is named twice
		return nil
	}
	if t.shape.need == needElement && t.repeated(i) { // what it has was not believed where it was named first
		return nil
	}
	if !x.lives(c, k) {
		return nil
	}
	k.meta = engine.Meta{BornAt: c.Engine(k.header.BornAt), ExpiresAt: c.Engine(k.header.Deadline), Category: key.Category}
	if k.guard == guardClear {
		x.tx.SetString(key, k.meta, k.raw)
		return nil
	}
	if k.header.Type == seal.String {
		x.loadString(k, key)
		return nil
	}
	err := x.loadCollection(t, i, key)
	if err != nil && k.partsOp >= 0 && !t.careful {
		x.tx.Delete(key)
		t.careful = true
		return errAnotherLife
	}
	if errors.Is(err, seal.ErrAltered) || errors.Is(err, engine.ErrWrongKind) {
		x.tx.Delete(key)
		x.alarm(k, Altered)
		return nil
	}
	if errors.Is(err, errEvicted) {
		x.tx.Delete(key)
		x.evicted(k)
		return nil
	}
	if errors.Is(err, seal.ErrNoKey) { // its slice ended at this very moment
		x.tx.Delete(key)
		k.found = false
		return nil
	}
	return err
}

// loadString opens a value straight into the scratch store's memory.
func (x *Executor) loadString(k *keyState, key *engine.Key) {
	n := k.header.ValueBytes(len(k.raw))
	if n < 0 {
		x.alarm(k, Altered)
		return
	}
	for attempt := range 2 {
		e := x.tx.NewString(key, k.meta, n)
		_, _, err := x.sealer.OpenString(e.String()[:0:n], &k.entry, k.raw, x.now)
		if x.believe(k, err) {
			return
		}
		x.tx.Delete(key)
		if attempt > 0 || !x.fetchKey(k, err) {
			return
		}
		x.now = x.b.clock.Now() // peers were waited for
	}
}

// loadCollection makes the collection with the parts that were fetched. Where these are not all there is a part that nobody
// names, so that the handler finds the collection even if it finds nothing in it.
func (x *Executor) loadCollection(t *Task, i int, key *engine.Key) error {
	k := &t.keys[i]
	l := loader{x: x, k: k, key: key}
	whole := t.shape.need == needWhole || t.shape.need == needWindow
	if err := l.create(!whole || k.parts == nil); err != nil {
		return err
	}
	if k.parts == nil {
		return nil
	}
	if t.shape.need == needElement {
		return l.taken(t)
	}
	if k.parts.kind != '*' || k.parts.null {
		return seal.ErrAltered
	}
	if t.shape.need == needItems {
		return l.items(t)
	}
	switch {
	case k.coll.Type == seal.Stream:
		return l.streamParts(t)
	case k.windowed:
		return l.window(t, i)
	case k.clearScores() && len(k.parts.elems) > 0:
		return l.scored(k.parts.elems)
	}
	err := l.whole()
	if err == nil && l.hash.Exists() && l.hash.Len() == 0 { // the deadlines of all fields have passed
		x.tx.Delete(key)
		k.found = false
	}
	return err
}

// loader fills one collection.
type loader struct {
	x    *Executor
	k    *keyState
	key  *engine.Key
	hash engine.HashValue
	set  engine.SetValue
	list engine.ListValue
	zset engine.ZSetValue

	stream engine.StreamValue
	size   int
	parts  int // of a stream
}

func (l *loader) create(dummy bool) (err error) {
	tx, m := l.x.tx, l.k.meta
	switch l.k.coll.Type {
	case seal.Hash:
		if l.hash, err = tx.HashAt(l.key); err == nil {
			l.hash.Create(m)
		}
		if err == nil && dummy {
			l.hash.Set(l.x.dummy[:], nil)
		}
	case seal.Set:
		if l.set, err = tx.SetAt(l.key); err == nil {
			l.set.Create(m)
		}
		if err == nil && dummy {
			l.set.Add(l.x.dummy[:])
		}
	case seal.List:
		if l.list, err = tx.ListAt(l.key); err == nil {
			l.list.Create(m)
		}
		if err == nil && dummy {
			l.list.Push(false, l.x.dummy[:])
		}
	case seal.SortedSet:
		if l.zset, err = tx.ZSetAt(l.key); err == nil {
			l.zset.Create(m)
		}
		if err == nil && dummy {
			l.zset.Add(l.x.dummy[:], 0)
		}
	case seal.Stream:
		if l.stream, err = tx.StreamAt(l.key); err == nil {
			l.stream.Create(m)
		}
	default:
		return seal.ErrAltered
	}
	return err
}

// items takes the parts that the command names, in its order.
func (l *loader) items(t *Task) error {
	k := l.k
	if len(k.parts.elems) != len(k.members) {
		return seal.ErrAltered
	}
	args := t.Call.Args
	first, step := t.shape.items(args)
	k.before = make([]uint64, len(k.members))
	for j, part := range k.parts.elems {
		name := args[first+j*step]
		switch {
		case k.coll.Type == seal.Set:
			if part.n == 1 {
				l.set.Add(name)
				k.before[j] = 1
			}
		case part.kind != '$':
			return seal.ErrAltered
		case !part.null:
			sum, err := l.pair(name, k.members[j], part.text)
			if err != nil {
				return err
			}
			k.before[j] = sum
		}
	}
	return nil
}

// whole takes all parts.
func (l *loader) whole() error {
	k, elems := l.k, l.k.parts.elems
	pairs := k.coll.Type == seal.Hash || k.coll.Type == seal.SortedSet
	if len(elems) == 0 {
		return errEvicted
	}
	if pairs && len(elems)%2 != 0 {
		return seal.ErrAltered
	}
	for j := 0; j < len(elems); j++ {
		if elems[j].kind != '$' || elems[j].null {
			return seal.ErrAltered
		}
		if l.size += len(elems[j].text); l.size > l.x.b.upstream.options.MaxLiftBytes {
			return errLoadLarge
		}
		var err error
		switch {
		case k.coll.Type == seal.List:
			err = l.element(false, elems[j].text)
		case !pairs:
			err = l.member(elems[j].text, nil)
		case elems[j+1].kind != '$' || elems[j+1].null:
			err = seal.ErrAltered
		default:
			l.size += len(elems[j+1].text)
			err = l.member(elems[j].text, elems[j+1].text)
			j++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// element adds an element at one end.
func (l *loader) element(front bool, sealed []byte) error {
	x := l.x
	plain, err := x.sealer.OpenItem(x.plain[:0], &l.k.entry, &l.k.coll, nil, sealed)
	if err != nil {
		return err
	}
	x.keep(plain)
	l.list.Push(front, plain)
	return nil
}

// member opens a member, and the value that belongs to it where there is one.
func (l *loader) member(sealed, value []byte) error {
	x := l.x
	name, err := x.sealer.OpenMember(nil, &l.k.entry, &l.k.coll, sealed)
	if err != nil {
		return err
	}
	defer clear(name)
	if value == nil {
		l.set.Add(name)
		return nil
	}
	_, err = l.pair(name, sealed, value)
	return err
}

// pair opens the value of a hash's field, or the score of a member, and returns a number that changes when it does. Both
// begin with eight bytes: the field's own deadline in Unix milliseconds, 0 for none, or the score.
func (l *loader) pair(name, sealedName, sealed []byte) (uint64, error) {
	x := l.x
	if l.k.clearScores() {
		score, err := scoreOf(&reply{kind: '$', text: sealed})
		if err != nil {
			return 0, err
		}
		l.zset.Add(name, score)
		return x.sum(math.Float64bits(score), nil), nil
	}
	plain, err := x.sealer.OpenItem(x.plain[:0], &l.k.entry, &l.k.coll, sealedName, sealed)
	if err != nil {
		return 0, err
	}
	x.keep(plain)
	if len(plain) < 8 {
		return 0, seal.ErrAltered
	}
	first := binary.LittleEndian.Uint64(plain)
	if l.k.coll.Type == seal.SortedSet {
		score := math.Float64frombits(first)
		if len(plain) != 8 || math.IsNaN(score) {
			return 0, seal.ErrAltered
		}
		l.zset.Add(name, score)
	} else if !l.field(name, plain[8:], int64(first)) {
		return 0, nil
	}
	return maphash.Bytes(x.seed, plain) | 1, nil
}

// field puts a field into the hash, unless its own deadline has passed.
func (l *loader) field(name, value []byte, deadline int64) bool {
	at := deadline - l.k.header.Deadline + l.k.meta.ExpiresAt // on the engine's clock
	if deadline != 0 && at <= l.x.tx.Now() {
		return false
	}
	l.hash.Set(name, value)
	if deadline != 0 {
		l.hash.SetDeadline(name, at)
	}
	return true
}
