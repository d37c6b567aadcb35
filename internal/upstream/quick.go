package upstream

import (
	"errors"
	"strings"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// quick is a command that the upstream's own data structure serves on a live collection without this gateway having all of
// it. Where it does not fit (no entry, another type, arguments that are an error) the handler answers as for any other.
type quick struct {
	kind    seal.Type
	write   bool
	name    string                     // the upstream's command
	clear   string                     // or of a sorted set with its scores in clear
	named   func(args [][]byte) string // or what it is called by the arguments
	accepts func(args [][]byte) bool
	args    func(x *Executor, t *Task, k *keyState) ([][]byte, error)
	done    func(x *Executor, t *Task, k *keyState, r *reply) error
	told    command.Outcome
	problem string // the one error that an honest upstream may have for it
	around  string // a command that tells the length before and after it
	resizes bool   // how large the collection is then has to be asked
	near    bool   // of what may be kept near it wants all
	several bool   // it is for all of several keys; see stream_several.go
	first   bool   // it is for the first of several keys that has such a collection; see quick_first.go
}

// fits reports whether the command runs in one step on what is known of a key's entry.
func (q *quick) fits(t *Task, k *keyState) bool {
	switch {
	case !k.found || k.header.Type != q.kind:
		return false
	case len(t.keys) > 1 && !q.first && !q.several:
		return false
	case t.careful && !q.write, q.near && k.place.Near: // all of it is read
		return false
	case q.accepts != nil && !q.accepts(t.Call.Args):
		return false
	case q.kind == seal.SortedSet:
		return q.reads(k) != ""
	case q.kind == seal.Hash:
		return k.coll.Flags&seal.TimedFields == 0
	case q.kind == seal.Stream:
		return t.plan()
	}
	return true
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
		x.askPair(t, k, q.reads(k), args)
		t.quickOp = k.partsOp
		return
	}
	k.grows = 0
	if q.told == command.Stored {
		for _, a := range args {
			k.grows += int64(len(a))
		}
	}
	k.resized = q.resizes
	x.writes.reset()
	if !x.quickRecord(t, q, k) {
		return
	}
	x.quickCommands(q, q.nameFor(t.Call.Args), args)
	n := 1 + x.compareBefore(t)
	if !x.mayJoin(t) {
		return
	}
	t.commits = t.commits[:0]
	x.commit(t, 0, n)
}

// reads is the upstream's command of one that changes nothing; "": there is none.
func (q *quick) reads(k *keyState) string {
	if k.clearScores() {
		return q.clear
	}
	return q.name
}

func (q *quick) nameFor(args [][]byte) string {
	if q.named != nil {
		return q.named(args)
	}
	return q.name
}

// quickCommands adds what the step does to the data.
func (x *Executor) quickCommands(q *quick, name string, args [][]byte) {
	if q.around != "" {
		x.writes.command(q.around)
	}
	for _, a := range args {
		x.writes.command(name, a)
	}
	if len(args) == 0 {
		x.writes.command(name)
	}
	if q.around != "" {
		x.writes.command(q.around)
	}
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
	if t.streamRefused(o) || t.quickRefused(o) {
		return
	}
	if o.err == nil && (o.reply.contradicts() || o.reply.hasNone()) {
		if len(t.keys) > 1 && q.several {
			t.planned, t.quickly = true, false // whose data it is shows when all of each is read
			x.again(t)
			return
		}
		if o.reply.hasNone() {
			x.evicted(k)
		} else {
			x.alarm(k, Altered)
		}
		if len(t.keys) > 1 {
			x.again(t) // what the others have is not here
			return
		}
		x.execute(t)
		return
	}
	if t.failed(o) {
		if !o.undone() {
			x.doubt(t, 0)
		}
		return
	}
	result, ok := x.quickResult(t, o)
	if !ok {
		return
	}
	if err := q.done(x, t, k, result); err != nil {
		t.Call.Out.Truncate(t.mark)
		k = &t.keys[t.quickKey] // of several the one that is not as it should be
		if errors.Is(err, errGone) || q.write && errors.Is(err, errEvicted) {
			x.again(t)
			return
		}
		if !q.write && !t.careful {
			t.careful = true
			x.again(t)
			return
		}
		if errors.Is(err, errEvicted) {
			x.evicted(k)
			x.execute(t)
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
		x.doubt(t, 0)
		return nil, false
	case r.elems[0].n != 1:
		x.again(t)
		return nil, false
	case len(r.elems) < 2+len(t.commits[0].entries):
		t.fail(msgUpstream)
		x.doubt(t, 0)
		return nil, false
	}
	if t.shape.quick.kind == seal.Stream {
		n := len(t.commits[0].entries)
		if len(r.elems) != 1+n+len(t.steps) {
			t.fail(msgUpstream)
			x.doubt(t, 0)
			return nil, false
		}
		x.noteAll(t.Call, &t.commits[0], r.elems[1:1+n])
		return &reply{kind: '*', elems: r.elems[1+n:]}, true
	}
	first := len(t.commits[0].entries) + 1
	t.length = r.elems[first].n
	result := &r.elems[len(r.elems)-1]
	if t.shape.quick.told == command.Deleted {
		t.commits[0].entries[0].bytes = -textBytes(result)
	}
	x.noteAll(t.Call, &t.commits[0], r.elems[1:1+len(t.commits[0].entries)])
	return result, true
}

// quickRefused answers the error that an honest upstream may have for a command on a collection that is as it should be.
func (t *Task) quickRefused(o *op) bool {
	problem := t.shape.quick.problem
	if problem == "" || o.err != nil || !o.reply.isError() || !strings.HasPrefix(string(o.reply.text), problem) {
		return false
	}
	t.Call.Error(problem)
	t.Call.Told[0] = command.Hit
	return true
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
	x.b.ledger.confirmed(k)
	return false
}

// countQuick answers a collection's length.
func countQuick(kind seal.Type, name, clear string) *quick {
	return &quick{kind: kind, name: name, clear: clear, told: command.Hit, done: answerInt}
}

func answerInt(_ *Executor, t *Task, _ *keyState, r *reply) error {
	switch {
	case r.kind != ':' || r.n < 0:
		return seal.ErrAltered
	case r.n == 0:
		return errEvicted
	}
	t.Call.Out.Int(r.n)
	return nil
}
