package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// listQuicks are the commands on the ends and indexes of lists.
func listQuicks() map[string]*quick {
	push := func(name string) *quick {
		return &quick{kind: seal.List, write: true, name: name, args: sealElements, done: answerInt, told: command.Stored}
	}
	pop := func(name string) *quick {
		return &quick{kind: seal.List, write: true, name: name, accepts: countFits, args: plainArgs, done: answerElements, told: command.Deleted}
	}
	return map[string]*quick{
		"LPUSH": push("LPUSH"), "RPUSH": push("RPUSH"), "LPUSHX": push("LPUSH"), "RPUSHX": push("RPUSH"),
		"LPOP": pop("LPOP"), "RPOP": pop("RPOP"),
		"LSET": {kind: seal.List, write: true, name: "LSET", accepts: indexFits, args: sealAtIndex, done: answerSet, told: command.Stored,
			resizes: true, problem: resp.MsgIndexRange},
		"LTRIM":  {kind: seal.List, write: true, name: "LTRIM", accepts: integersFit, args: plainArgs, around: "LLEN", done: answerTrimmed, resizes: true},
		"LLEN":   {kind: seal.List, name: "LLEN", done: answerInt, told: command.Hit},
		"LINDEX": {kind: seal.List, name: "LINDEX", accepts: integersFit, args: plainArgs, done: answerElements, told: command.Hit},
		"LRANGE": {kind: seal.List, name: "LRANGE", accepts: integersFit, args: plainArgs, done: answerElements, told: command.Hit},
	}
}

func integersFit(args [][]byte) bool {
	for _, a := range args[2:] {
		if _, ok := command.ParseInt(a); !ok {
			return false
		}
	}
	return true
}

func indexFits(args [][]byte) bool { return integersFit(args[:3]) }

// countFits says whether LPOP's count is one that takes something.
func countFits(args [][]byte) bool {
	return len(args) == 2 || len(args) == 3 && integersFit(args) && args[2][0] != '-' && string(args[2]) != "0"
}

func plainArgs(_ *Executor, t *Task, _ *keyState) ([][]byte, error) { return t.Call.Args[2:], nil }

func sealElements(x *Executor, t *Task, k *keyState) ([][]byte, error) {
	return x.sealAll(k, t.Call.Args[2:])
}

// sealAtIndex seals the element of LSET; the index is in clear.
func sealAtIndex(x *Executor, t *Task, k *keyState) ([][]byte, error) {
	sealed, err := x.sealAll(k, t.Call.Args[3:])
	return append([][]byte{t.Call.Args[2]}, sealed...), err
}

func (x *Executor) sealAll(k *keyState, elements [][]byte) ([][]byte, error) {
	all := make([][]byte, 0, len(elements))
	for _, element := range elements {
		sealed, err := x.sealer.SealItem(nil, &k.entry, &k.coll, nil, element)
		if err != nil {
			return nil, err
		}
		all = append(all, sealed)
	}
	return all, nil
}

// answerElements answers one element or several, as the upstream did.
func answerElements(x *Executor, t *Task, k *keyState, r *reply) error {
	out := t.Call.Out
	switch {
	case r.kind == '*' && !r.null:
		out.Array(len(r.elems))
		for i := range r.elems {
			if err := x.answerElement(t, k, &r.elems[i]); err != nil {
				return err
			}
		}
		return nil
	case r.kind == '$' && r.null && t.shape.quick.name == "LINDEX":
		out.Null()
		return nil
	case r.null:
		return errEvicted
	}
	return x.answerElement(t, k, r)
}

func (x *Executor) answerElement(t *Task, k *keyState, r *reply) error {
	if r.kind != '$' || r.null {
		return seal.ErrAltered
	}
	plain, err := x.sealer.OpenItem(x.plain[:0], &k.entry, &k.coll, nil, r.text)
	if err != nil {
		return err
	}
	x.keep(plain)
	t.Call.Out.Bulk(plain)
	return nil
}

func answerSet(_ *Executor, t *Task, _ *keyState, r *reply) error {
	if r.kind != '+' {
		return seal.ErrAltered
	}
	t.Call.Out.Status("OK")
	return nil
}

// answerTrimmed tells by the list's length before and after whether anything was taken out.
func answerTrimmed(_ *Executor, t *Task, _ *keyState, r *reply) error {
	switch {
	case r.kind != ':' || r.n < 0 || t.length < 0:
		return seal.ErrAltered
	case t.length == 0:
		return errEvicted
	}
	t.Call.Told[0] = command.Stored
	if r.n != t.length {
		t.Call.Told[0] = command.Deleted
	}
	t.Call.Out.Status("OK")
	return nil
}
