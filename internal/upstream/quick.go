package upstream

import (
	"errors"
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// quick is a command that the upstream's own data structure serves on a live collection without this gateway having all of
// it. Where it does not fit (no entry, another type, arguments that are an error) the handler answers as for any other.
type quick struct {
	kind    seal.Type
	write   bool
	name    string // the upstream's command
	accepts func(args [][]byte) bool
	args    func(x *Executor, t *Task, k *keyState) ([][]byte, error)
	done    func(x *Executor, t *Task, k *keyState, r *reply) error
	told    command.Outcome
	several bool // it is for all of several keys; see stream_several.go
	first   bool // it is for the first of several keys that has such a collection; see quick_first.go
}

func (q *quick) fits(t *Task, k *keyState) bool {
	return (len(t.keys) == 1 || q.first || q.several) && (q.write || !t.careful) && k.found && k.header.Type == q.kind && (q.accepts == nil || q.accepts(t.Call.Args)) &&
		(q.kind != seal.Hash || k.coll.Flags&seal.TimedFields == 0) && (q.kind != seal.Stream || t.plan())
}

// quickReady chooses the key of the task's one step, and reports whether that can be sent.
func (t *Task) quickReady() bool {
	q := t.shape.quick
	switch {
	case q == nil:
		return false
	case q.first:
		t.quickKey = t.firstFit()
		return t.quickKey >= 0
	case q.several && len(t.keys) > 1:
		t.quickKey = 0
		return t.allFit()
	}
	t.quickKey = 0
	return len(t.keys) == 1 && t.keys[0].op < 0 && q.fits(t, &t.keys[0])
}

func (x *Executor) quickStart(t *Task) {
	q, k := t.shape.quick, &t.keys[t.quickKey]
	if q.kind == seal.Stream {
		x.streamQuick(t, q, k)
		return
	}
	var args [][]byte
	var err error
	if q.args != nil {
		args, err = q.args(x, t, k)
	}
	if err != nil {
		t.giveUp(msgNoKeys, Away)
		return
	}
	t.phase = phaseQuick
	if !q.write {
		x.askPair(t, k, q.name, args)
		t.quickOp = k.partsOp
		return
	}
	k.grows = 0
	if q.told == command.Stored {
		for _, a := range args {
			k.grows += int64(len(a))
		}
	}
	x.writes.reset()
	if !x.quickRecord(t, q, k) {
		return
	}
	for _, a := range args {
		x.writes.command(q.name, a)
	}
	if len(args) == 0 {
		x.writes.command(q.name)
	}
	n := 1 + x.compareBefore(t)
	if !x.mayJoin(t) {
		return
	}
	t.commits = t.commits[:0]
	x.commit(t, 0, n)
}

// quickRecord begins a write with the record, which every one of them seals again; false when the task has ended.
func (x *Executor) quickRecord(t *Task, q *quick, k *keyState) bool {
	kind := "part"
	if q.kind == seal.Stream {
		kind = "try"
	}
	next := k.coll
	next.Stamp = x.b.stamps.Next(t.Call.WallNow)
	if q.told == command.Stored {
		x.join(k, k.place.Subjects)
	}
	if t.tooMany() {
		return false
	}
	k.entry.Subjects = k.about
	if err := x.seal(k, &next, kind); err != nil {
		t.giveUp(msgNoKeys, Away)
		return false
	}
	return true
}

func (x *Executor) quickDone(t *Task) {
	q, k := t.shape.quick, &t.keys[t.quickKey]
	op := t.quickOp
	if q.write {
		op = t.commits[0].op
	}
	o := &x.lane.ops[op]
	if !q.write && x.quickMoved(t, k) {
		return
	}
	t.phase = phaseDone
	if t.streamRefused(o) {
		return
	}
	if o.err == nil && o.reply.isError() && !o.reply.errorIs("OOM") && !o.reply.errorIs("READONLY") && !o.reply.errorIs("MISCONF") {
		// The data is not of the type that the record says: somebody has put something else there.
		if len(t.keys) > 1 && q.several {
			t.planned, t.quickly = true, false // whose data it is shows when all of each is read
			x.again(t)
			return
		}
		x.alarm(k, Altered)
		x.execute(t)
		return
	}
	if t.failed(o) {
		return
	}
	result, ok := x.quickResult(t, o)
	if !ok {
		return
	}
	if err := q.done(x, t, k, result); err != nil {
		t.Call.Out.Truncate(t.mark)
		k = &t.keys[t.quickKey] // of several the one that is not as it should be
		if errors.Is(err, errGone) {
			x.again(t)
			return
		}
		if !q.write && !t.careful {
			t.careful = true
			x.again(t)
			return
		}
		x.alarm(k, Altered)
		if q.write {
			t.fail(msgUpstream)
			return
		}
		x.execute(t)
		return
	}
	if q.told != command.Untold {
		t.tellQuick()
	}
}

// quickResult takes the command's own result out of the reply; false when the task has ended or begins again.
func (x *Executor) quickResult(t *Task, o *op) (*reply, bool) {
	r := &o.reply
	switch {
	case !t.shape.quick.write:
		return r, true
	case r.kind != '*' || len(r.elems) == 0 || r.elems[0].kind != ':':
		t.fail(msgUpstream)
		return nil, false
	case r.elems[0].n != 1:
		x.again(t)
		return nil, false
	case len(r.elems) < 2+len(t.commits[0].entries):
		t.fail(msgUpstream)
		return nil, false
	}
	if t.shape.quick.kind == seal.Stream {
		n := len(t.commits[0].entries)
		if len(r.elems) != 1+n+len(t.steps) {
			t.fail(msgUpstream)
			return nil, false
		}
		x.noteAll(t.Call, &t.commits[0], r.elems[1:1+n])
		return &reply{kind: '*', elems: r.elems[1+n:]}, true
	}
	result := &r.elems[len(r.elems)-1]
	if t.shape.quick.told == command.Deleted {
		t.commits[0].entries[0].bytes = -textBytes(result)
	}
	x.noteAll(t.Call, &t.commits[0], r.elems[1:1+len(t.commits[0].entries)])
	return result, true
}

// textBytes is how many bytes of text a reply has.
func textBytes(r *reply) int64 {
	n := int64(len(r.text))
	for i := range r.elems {
		n += textBytes(&r.elems[i])
	}
	return n
}

// quickMoved reports whether the collection is not what it was when it was asked, and asks anew.
func (x *Executor) quickMoved(t *Task, k *keyState) bool {
	o := &x.lane.ops[k.op]
	k.op = -1
	switch {
	case o.err == nil && o.reply.errorIs("WRONGTYPE"):
		x.alarm(k, Altered)
		x.execute(t)
		return true
	case t.failed(o):
		return true
	case o.reply.kind != '$' || string(o.reply.text) != string(k.expect[:]) || x.mixed(k, o):
		x.again(t)
		return true
	}
	return false
}

// countQuick answers a collection's length.
func countQuick(kind seal.Type, name string) *quick {
	return &quick{kind: kind, name: name, told: command.Hit, done: answerInt}
}

func answerInt(_ *Executor, t *Task, _ *keyState, r *reply) error {
	if r.kind != ':' || r.n <= 0 {
		return seal.ErrAltered
	}
	t.Call.Out.Int(r.n)
	return nil
}

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
		"LLEN":   {kind: seal.List, name: "LLEN", done: answerInt, told: command.Hit},
		"LINDEX": {kind: seal.List, name: "LINDEX", accepts: integersFit, args: plainArgs, done: answerElements, told: command.Hit},
		"LRANGE": {kind: seal.List, name: "LRANGE", accepts: integersFit, args: plainArgs, done: answerElements, told: command.Hit},
	}
}

func integersFit(args [][]byte) bool {
	for _, a := range args[2:] {
		if n, err := strconv.ParseInt(string(a), 10, 64); err != nil || strconv.FormatInt(n, 10) != string(a) {
			return false
		}
	}
	return true
}

// countFits says whether LPOP's count is one that takes something.
func countFits(args [][]byte) bool {
	return len(args) == 2 || len(args) == 3 && integersFit(args) && args[2][0] != '-' && string(args[2]) != "0"
}

func plainArgs(_ *Executor, t *Task, _ *keyState) ([][]byte, error) { return t.Call.Args[2:], nil }

func sealElements(x *Executor, t *Task, k *keyState) ([][]byte, error) {
	all := make([][]byte, 0, len(t.Call.Args)-2)
	for _, element := range t.Call.Args[2:] {
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
