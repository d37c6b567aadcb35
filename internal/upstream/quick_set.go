package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Members and fields that are drawn at random are drawn by the upstream: it cannot tell what they are, only which it prefers.

// maxDrawn is how many may be drawn with repetitions; beyond, the handler draws from all of them.
const maxDrawn = 1000

func drawingQuicks() map[string]*quick {
	return map[string]*quick{
		"SPOP":        {kind: seal.Set, write: true, name: "SPOP", accepts: countFits, args: plainArgs, done: answerPoppedMembers, told: command.Deleted},
		"SRANDMEMBER": {kind: seal.Set, name: "SRANDMEMBER", accepts: drawFits, args: plainArgs, done: answerMembers, told: command.Hit, near: true},
		"ZRANDMEMBER": {kind: seal.SortedSet, clear: "ZRANDMEMBER", accepts: drawFits, args: plainArgs, done: answerMembers, told: command.Hit},
		"HRANDFIELD":  {kind: seal.Hash, name: "HRANDFIELD", accepts: drawFits, args: plainArgs, done: answerMembers, told: command.Hit, near: true},
	}
}

// drawFits says whether a count, which may be left out, is one that draws something; a negative one draws with repetitions.
func drawFits(args [][]byte) bool {
	if len(args) == 2 {
		return true
	}
	n, ok := command.ParseInt(args[2])
	return len(args) == 3 && ok && n != 0 && n >= -maxDrawn
}

// answerPoppedMembers is answerMembers for what RESP3 calls a set.
func answerPoppedMembers(x *Executor, t *Task, k *keyState, r *reply) error {
	if r.kind == '*' {
		t.Call.Out.Set(len(r.elems))
	}
	return x.appendMembers(t, k, r)
}

// answerMembers answers one member or field, or several.
func answerMembers(x *Executor, t *Task, k *keyState, r *reply) error {
	if r.kind == '*' {
		t.Call.Out.Array(len(r.elems))
	}
	return x.appendMembers(t, k, r)
}

func (x *Executor) appendMembers(t *Task, k *keyState, r *reply) error {
	all := r.elems
	switch {
	case r.null || r.kind == '*' && len(all) == 0:
		return errEvicted
	case r.kind == '$':
		all = []reply{*r}
	case r.kind != '*':
		return seal.ErrAltered
	}
	for i := range all {
		if all[i].kind != '$' || all[i].null {
			return seal.ErrAltered
		}
		name, err := x.sealer.OpenMember(x.plain[:0], &k.entry, &k.coll, all[i].text)
		if err != nil {
			return err
		}
		x.keep(name)
		t.Call.Out.Bulk(name)
	}
	return nil
}
