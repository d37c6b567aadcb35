package upstream

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/command"
)

// A script is a transaction whose commands nobody knows before it runs, but whose keys are declared: they are loaded, the script runs
// in the gateway, each of its commands runs in the scratch store when it comes, and one step writes what has become of the
// entries if all of them are what they were. Otherwise it runs again from the start.

const msgUndeclared = "ERR in front of an upstream a script reaches the keys only that it is called with; give it this one among KEYS"

// Within runs a call of a script, on the entries of the transaction that the script is a part of. It is called while that runs,
// and waits for nothing. The call's Tx and Keys are replaced, as with Task.
func (x *Executor) Within(t *Task) {
	c, all := t.Call, x.running
	t.takeShape(x.b.shapes)
	t.mark = c.Out.Len()
	if _, sealed := t.mixture(); sealed && t.refused == "" {
		t.refused = refusedScripts
	}
	where, declared := x.find(all, t)
	if t.refused == "" && !declared {
		t.refused = msgUndeclared
	}
	x.runOne(all, t, where)
}

// find returns where the keys of a call are among a transaction's, and whether all of them are those of the script that runs.
func (x *Executor) find(t, one *Task) (where []int, all bool) {
	if t == nil {
		return nil, len(one.Keys) == 0
	}
	for i := range one.Keys {
		at, _, known := x.place(t, &one.Keys[i], one.Call.Args[one.Call.Refs[i].Arg])
		if !known || !slices.Contains(t.group.declared, at) {
			return nil, false
		}
		where = append(where, at)
	}
	return where, true
}

// takeTold has a script say of its keys what its commands have done to them.
func (t *Task) takeTold(told []command.Outcome, where []int) {
	for i, at := range where {
		t.Call.Told[i] = told[at]
	}
}
