package upstream

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// LMOVE and its kin take one element, however long the lists are. It is read together with the records of both, opened into the
// scratch store, where the handler moves it as it always does, and sealed anew for the list that it goes to: an element opens in its
// own list only. One step takes it out there and puts it in here, so that it is never in both and never in none.

// ends says at which ends of their lists a command takes an element and puts it; false where its words are an error, which
// the handler has.
type ends func(args [][]byte) (fromFront, toFront, ok bool)

func lastToFirst([][]byte) (fromFront, toFront, ok bool) { return false, true, true }

func namedEnds(args [][]byte) (fromFront, toFront, ok bool) {
	fromFront, first := endNamed(args[3])
	toFront, second := endNamed(args[4])
	return fromFront, toFront, first && second
}

func endNamed(word []byte) (front, ok bool) {
	front = bytes.EqualFold(word, []byte("LEFT"))
	return front, front || bytes.EqualFold(word, []byte("RIGHT"))
}

// askElement asks for the record of the list that gives, and in the same exchange for the element, whatever the list's life is. The
// record is compared when the element is taken, so that both are of one moment or it begins again.
func (x *Executor) askElement(t *Task, k *keyState) {
	x.askRecord(k)
	k.partsOp = -1
	if index, ok := t.takenAt(); ok && !t.careful {
		l := x.lane
		k.partsOp = l.begin(k.slot, true, 3)
		l.out = appendArg(appendArg(appendArgString(l.out, "LINDEX"), k.data), index)
		l.end()
	}
}

// takenAt is the index of the element that the task takes.
func (t *Task) takenAt() (index []byte, ok bool) {
	fromFront, _, ok := t.shape.ends(t.Call.Args)
	if fromFront {
		return []byte("0"), ok
	}
	return []byte("-1"), ok
}

// takeElement takes the element that was asked for beside the record of the list that gives, or asks for it; false when there is
// nothing more to wait for.
func (x *Executor) takeElement(t *Task, k *keyState) (more bool) {
	index, ok := t.takenAt()
	switch {
	case !ok || k != &t.keys[0] || k.header.Type != seal.List:
	case t.careful:
		x.askOnce(k, "", "LINDEX", [][]byte{index})
		return true
	default:
		if o := &x.lane.ops[k.partsOp]; o.err == nil && o.reply.errorIs("WRONGTYPE") {
			x.alarm(k, Altered)
		} else if !t.failed(o) {
			k.parts = &o.reply
		}
	}
	return false
}

// taken loads the one element of a list that a command takes.
func (l *loader) taken(t *Task) error {
	switch r := l.k.parts; {
	case r.kind != '$':
		return seal.ErrAltered
	case r.null:
		return errEvicted
	}
	fromFront, _, _ := t.shape.ends(t.Call.Args)
	return l.element(fromFront, l.k.parts.text)
}

// putMoved writes what a move has made of a list that is there: the one that gives has one element less, the one that receives one
// more, and if it is one and the same the upstream turns it by itself.
func (x *Executor) putMoved(t *Task, k *keyState, i int, e engine.Entry) error {
	c := t.Call
	if told := c.Told[i]; told != command.Stored && told != command.Deleted {
		return nil
	}
	next := k.coll
	next.Header = x.headerOf(c, e)
	next.Flags = k.coll.Flags
	k.grows = 0
	if err := x.seal(k, &next, "part"); err != nil {
		return err
	}
	p := parts{x: x, c: c, k: k, coll: &next, entry: e, key: &c.Keys[i]}
	fromFront, toFront, _ := t.shape.ends(c.Args)
	switch {
	case i > 0:
		sealed := p.sealedAt(toFront)
		p.add(atEnd(toFront, "LPUSH", "RPUSH"), sealed)
		k.grows = int64(len(sealed))
	case t.repeated(1):
		p.add("LMOVE", k.data, []byte(atEnd(fromFront, "LEFT", "RIGHT")), []byte(atEnd(toFront, "LEFT", "RIGHT")))
	default:
		p.add(atEnd(fromFront, "LPOP", "RPOP"))
		k.grows = -int64(len(k.parts.text))
	}
	return p.err
}

func atEnd(front bool, first, last string) string {
	if front {
		return first
	}
	return last
}

// sealedAt seals the element at an end of the list in the scratch store.
func (p *parts) sealedAt(front bool) []byte {
	l := p.list()
	at := 0
	if !front {
		at = l.Len() - 1
	}
	it := l.Iter(at, !front)
	defer it.Close()
	it.Next()
	return p.sealItem(nil, it.Element())
}
