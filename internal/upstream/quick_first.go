package upstream

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Blocking pops take an element of the first of their keys that has a list. That is one step like the pop of one key: the list
// is one that is known, and the upstream compares, in the same step, that the keys before it still have none. The handler
// answers where no key has a list, which is where a connection begins to wait.

func blockingQuicks() map[string]*quick {
	pop := func(name string) *quick {
		return &quick{kind: seal.List, write: true, name: name, first: true, accepts: timeoutFits, done: answerPopped, told: command.Deleted}
	}
	return map[string]*quick{"BLPOP": pop("LPOP"), "BRPOP": pop("RPOP")}
}

// manyPop is LMPOP or BLMPOP, whose number of keys is the argument at an index.
func manyPop(at int) *quick {
	words := func(args [][]byte) [][]byte {
		if n, ok := command.ParseInt(args[at]); ok && n > 0 && n < int64(len(args)-at) {
			return args[at+1+int(n):]
		}
		return nil
	}
	return &quick{kind: seal.List, write: true, first: true, told: command.Deleted, done: answerPoppedMany,
		named: func(args [][]byte) string {
			front, _ := endNamed(words(args)[0])
			return atEnd(front, "LPOP", "RPOP")
		},
		accepts: func(args [][]byte) bool {
			w := words(args)
			if len(w) == 0 || at > 1 && !command.TimeoutFits(args[1]) {
				return false
			}
			_, ok := endNamed(w[0])
			if len(w) == 3 {
				n, isNumber := command.ParseInt(w[2])
				return ok && bytes.EqualFold(w[1], []byte("COUNT")) && isNumber && n > 0
			}
			return ok && len(w) == 1
		},
		args: func(_ *Executor, t *Task, _ *keyState) ([][]byte, error) {
			if w := words(t.Call.Args); len(w) == 3 {
				return w[2:], nil
			}
			return [][]byte{{'1'}}, nil
		},
	}
}

func timeoutFits(args [][]byte) bool { return command.TimeoutFits(args[len(args)-1]) }

// firstFit is the key of the task's one step: the first that has a list; less than 0 where the handler has to answer, and
// while records are still asked for. A connection that has waited waits for lists: a key of another type is as good as none.
func (t *Task) firstFit() int {
	for i := range t.keys {
		if t.keys[i].op >= 0 {
			return -1
		}
	}
	for i := range t.keys {
		k := &t.keys[i]
		switch {
		case !k.found || t.Call.Retry && k.header.Type != t.shape.quick.kind:
		case t.shape.quick.fits(t, k):
			return i
		default:
			return -1
		}
	}
	return -1
}

// compareBefore has the keys before the chosen one compared in its step, and returns how many. What is on other nodes of a
// cluster cannot be.
func (x *Executor) compareBefore(t *Task) (n int) {
	for i := range t.quickKey {
		if k := &t.keys[i]; k.slot == t.keys[t.quickKey].slot || !x.b.upstream.Clustered() {
			x.writes.check(k)
			n++
		}
	}
	return n
}

// tellQuick notes what became of the task's keys, as the handler would.
func (t *Task) tellQuick() {
	for i := range t.keys {
		switch {
		case i == t.quickKey:
			t.Call.Told[i] = t.shape.quick.told
		case i > t.quickKey:
			t.Call.Told[i] = command.Unchanged
		case !t.keys[i].found:
			t.Call.Told[i] = command.Miss
		}
	}
}

// answerPoppedMany answers the name of the key and the elements.
func answerPoppedMany(x *Executor, t *Task, k *keyState, r *reply) error {
	switch {
	case r.null || r.kind == '*' && len(r.elems) == 0:
		return errEvicted
	case r.kind != '*':
		return seal.ErrAltered
	}
	t.Call.Out.Array(2)
	t.Call.Out.Bulk(k.entry.Name)
	return answerElements(x, t, k, r)
}

// answerPopped answers the name of the key and the element.
func answerPopped(x *Executor, t *Task, k *keyState, r *reply) error {
	if r.null {
		return errEvicted
	}
	t.Call.Out.Array(2)
	t.Call.Out.Bulk(k.entry.Name)
	return x.answerElement(t, k, r)
}
