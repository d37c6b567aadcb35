package upstream

import (
	"errors"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// phase is what a task waits for.
type phase uint8

const (
	phaseNamed phase = iota + 1
	phaseFetch
	phaseQuick
	phaseCommit
	phaseCount
	phaseBehind
	phaseDone
)

// guard is what a commit must find in place of an entry.
type guard uint8

const (
	guardAbsent guard = iota
	guardAny
	guardHeader
	guardClear // an integer in clear, and its deadline
)

// keyState is one key of a task.
type keyState struct {
	place   *Place
	account *Account
	entry   seal.Entry
	slot    int
	note    *note  // as it was when the entry was about to be written: to be on its way from memory when it has been
	names   []byte // the upstream's: record, and data behind
	record  []byte
	data    []byte

	op      int    // in the batch; -1: none
	partsOp int    // of the parts, where they were asked for beside the header; else -1
	near    bool   // the record is the near cache's
	cached  bool   // the op asked for the parts of the collection that raw is the record of
	asked   uint64 // a stamp of when the record was asked for
	stands  bool   // it is known to have been read when all that was made before it had come
	raw     []byte
	parts   *reply // of the collection
	found   bool
	guard   guard
	expect  [seal.HeaderBytes]byte
	digits  uint8 // of an integer in clear, which expect has then
	ends    int64 // the upstream's deadline of that
	header  seal.Header
	coll    seal.Collection
	meta    engine.Meta // as it was loaded
	members [][]byte    // the sealed forms of the items that the command names
	before  []uint64    // of each item what it was; 0: absent

	also      []byte       // headers that may be there as well as the expected one; see order.go
	was       *streamState // of a stream that was loaded as a whole
	windowed  bool         // of a sorted set what the command looks at was asked for
	backwards bool         // its entries were asked for in this order
	lastID    bool         // only its last id was
	resized   bool         // how large it is upstream is asked for: nobody knows what was taken out
	doomed    bool         // the first command of the transaction that names it deletes it: of a collection its record will do

	about  seal.Subjects // whom the value is about, as the record says and the command makes it
	grown  bool          // the command has added to them
	grows  int64         // by how many bytes the parts that were written are more than those that were there
	wrote  bool          // the command has changed the entry, which is
	there  bool          // there since, or is not
	barred bool          // one of them has withdrawn the consent: commands of a transaction that name the entry are refused
}

// quickAttempts is how often a command is tried, at least, when others are faster. Beyond that it depends on the time, and on whether
// it may come again later.
const quickAttempts = 10

const (
	msgBusy        = "TRYAGAIN the key is being written by too many at once; try again"
	msgUnreachable = "UPSTREAM the upstream cannot be reached; try again"
	msgLost        = "UPSTREAM the connection was lost before the answer; the command may or may not have run"
	msgNoKeys      = "SEALED there are no data keys; try again"
	msgUpstream    = "UPSTREAM the upstream refused the command"
	msgNotOnDisk   = "UPSTREAM the upstream cannot write to its disk and takes no writes"
	msgReadOnly    = "READONLY You can't write against a read only replica."
	msgCrossSlot   = "CROSSSLOT Keys in request don't hash to the same slot"
)

// Handles reports whether calls of a command belong here: those with keys, and FLUSHDB's like are the gateway's, by way of
// Scan and Flush.
func (x *Executor) Handles(s *command.Spec) bool { return len(s.Keys) > 0 }

// Refusal is the error that a command gets in front of an upstream instead of running, "" when it runs; for documentation.
func Refusal(recordName string) string {
	s := shapes()[recordName]
	switch {
	case s == nil:
		return refusedUnknown
	default:
		return s.refuse
	}
}

// Unsealed reports whether a command that is refused runs on entries of categories with seal: off; for documentation.
func Unsealed(recordName string) bool {
	s := shapes()[recordName]
	return s != nil && s.refuse != "" && s.need != 0
}

// Run runs one call.
func (x *Executor) Run(c *command.Call, keys []Place) {
	t := x.one[0]
	t.Call, t.Keys = c, keys
	x.Batch(x.one[:])
	t.Call, t.Keys = nil, nil
}

// Batch runs calls together: what they ask of the upstream goes out in one write and comes back in one wait, as far as their
// order allows. Calls of one session run in the order in which they are given; each has an Out of its own.
func (x *Executor) Batch(tasks []*Task) {
	for len(tasks) > 0 {
		n := x.waveLen(tasks)
		x.wave(tasks[:n])
		tasks = tasks[n:]
	}
}

// waveLen is how many of the tasks may run together: behind one that takes several steps no other of its session may.
func (x *Executor) waveLen(tasks []*Task) int {
	var long map[uint64]bool
	for i, t := range tasks {
		t.takeShape(x.b.shapes)
		if long[t.Session] {
			return i
		}
		if !t.single() && len(tasks) > 1 {
			if long == nil {
				long = map[uint64]bool{}
			}
			long[t.Session] = true
		}
	}
	return len(tasks)
}

// single reports whether the task surely takes one step.
func (t *Task) single() bool {
	return t.refused != "" || t.blind || t.shape.need == needRecord && !t.Call.Spec.IsWrite()
}

// takeShape finds the command's shape.
func (t *Task) takeShape(all map[string]*shape) {
	name := t.Call.Spec.RecordName()
	t.shape = all[name]
	t.steps, t.planned = nil, false
	clear, sealed := t.mixture()
	t.blind = t.shape != nil && !clear && (t.shape.need == needNothing || name == "SET" && !looksFirst(t.Call.Args))
	switch {
	case t.shape == nil:
		t.refused = refusedUnknown
	case t.shape.refuse != "" && (sealed || t.shape.need == 0 || t.Call.Spec.ReachesBeyondKeys(t.Call.Args)):
		t.refused = t.shape.refuse
	case clear && sealed:
		t.refused = refusedMixed
	default:
		t.refused = ""
	}
}

func (x *Executor) wave(tasks []*Task) {
	x.lane.reset()
	x.now, x.nearOff = x.b.clock.Now(), false
	x.order.begin()
	defer x.tidy()
	for _, t := range tasks {
		x.name(t)
	}
	for _, t := range tasks {
		x.start(t)
	}
	for x.lane.waiting() || x.order.waiting > 0 {
		x.turn()
		for i, t := range tasks {
			if i += aheadTasks; i < len(tasks) {
				x.approach(tasks[i])
			}
			x.step(t)
		}
	}
}

// aheadTasks is how many tasks ahead what is known of entries is asked of memory, which others have had the caches of meanwhile.
const aheadTasks = 4

func (x *Executor) approach(t *Task) {
	if len(t.keys) > 0 && t.phase != phaseDone {
		x.b.ledger.approach(&t.keys[0])
	}
}

// turn sends the batch and waits for its replies.
func (x *Executor) turn() {
	x.lane.run()
	x.order.turned()
	x.now = x.b.clock.Now()
}

// name makes the names of a task's keys. What is known of them is on its way from memory while those of the next are made.
func (x *Executor) name(t *Task) {
	c := t.Call
	t.phase = phaseNamed
	t.mark, t.attempts, t.Withdrawn, t.Doubtful, t.Undone, t.inside = c.Out.Len(), 0, false, false, 0, false
	t.until = x.now + x.b.upstream.options.Timeout.Milliseconds()
	t.behind, t.gaveWay, t.joins, t.careful = nil, false, false, false
	switch {
	case t.refused != "":
		t.fail(t.refused)
		return
	case len(c.Refs) != len(t.Keys):
		panic("BUG: a call's keys and places differ in number")
	}
	t.reuse(len(t.Keys))
	for i := range t.keys {
		if err := x.identify(t, i); err != nil {
			t.giveUp(msgNoKeys, Away)
			return
		}
		x.b.ledger.approach(&t.keys[i])
	}
	c.Tx = x.tx
}

// start asks for what a task needs.
func (x *Executor) start(t *Task) {
	if t.phase != phaseNamed {
		return // it has failed
	}
	x.wroteNear(t)
	switch {
	case x.count(t):
	case t.blind:
		x.overwrite(t)
	default:
		x.fetch(t)
	}
}

// reuse makes room for n keys in what an earlier use of the task has left.
func (t *Task) reuse(n int) {
	if cap(t.keys) < n {
		t.keys = make([]keyState, n)
		return
	}
	t.keys = t.keys[:n]
	for i := range t.keys {
		t.keys[i] = keyState{names: t.keys[i].names}
	}
}

func (x *Executor) identify(t *Task, i int) error {
	c, k := t.Call, &t.keys[i]
	name := c.Args[c.Refs[i].Arg]
	k.place = &t.Keys[i]
	if k.account = k.place.Account; k.account == nil {
		k.account = x.b.accounts.Of(k.place.Tenant, 0)
	}
	k.entry = seal.Entry{Tenant: k.place.Tenant, Category: k.place.Category, Name: name, Kept: k.place.Kept}
	if err := x.sealer.Identify(&k.entry); err != nil {
		return err
	}
	k.names = k.entry.AppendNames(k.names[:0])
	k.record, k.data = k.names[:seal.KeyNameBytes:seal.KeyNameBytes], k.names[seal.KeyNameBytes:]
	k.slot, k.op = x.slot(k.record), -1
	old := &c.Keys[i]
	*old = x.scratch.Key(old.Tenant, old.Category, name)
	return nil
}

// slot is where a name lives; it only matters in a cluster.
func (x *Executor) slot(name []byte) int { return x.b.upstream.slotOf(name) }

// step goes on with a task whose replies are there.
func (x *Executor) step(t *Task) {
	switch t.phase {
	case phaseFetch:
		x.fetched(t)
	case phaseQuick:
		x.quickDone(t)
	case phaseCommit:
		x.committed(t)
	case phaseCount:
		x.counted(t)
	case phaseBehind:
		x.isNext(t)
	}
}

// fail ends a task with an error instead of what it may have answered already.
func (t *Task) fail(text string) {
	c := t.Call
	c.Out.Truncate(t.mark)
	for i := range c.Told {
		c.Told[i] = command.Untold
	}
	c.Error(text)
	t.phase = phaseDone
}

// giveUp is fail for a task that has changed nothing and may be tried again.
func (t *Task) giveUp(text string, why Undone) {
	t.fail(text)
	t.Undone = why
}

// again begins a task anew, because somebody else has changed an entry meanwhile.
func (x *Executor) again(t *Task) {
	if !x.outrun(t) {
		x.anew(t)
	}
}

// outrun counts that somebody else was faster, and reports whether that was the last attempt: then the task has ended.
func (x *Executor) outrun(t *Task) bool {
	t.attempts++
	if t.attempts < quickAttempts || !t.Returns && x.now < t.until {
		return false
	}
	t.giveUp(msgBusy, Outrun)
	return true
}

// anew begins a task anew.
func (x *Executor) anew(t *Task) {
	c := t.Call
	c.Out.Truncate(t.mark)
	c.Failed = false
	for i := range t.keys {
		c.Told[i] = command.Untold
		k := &t.keys[i]
		k.wrote = false
		k.near = false
		k.also = nil
		k.op, k.cached, k.raw, k.parts, k.found, k.guard, k.members, k.before = -1, false, nil, nil, false, guardAbsent, nil, nil
		k.windowed = false
	}
	if t.blind {
		panic("BUG: a command that compares nothing has found something else")
	}
	c.Notes = c.Notes[:0]
	x.fetch(t)
}

// undone reports whether a command that failed has surely done nothing.
func (o *op) undone() bool {
	if o.err != nil {
		return !errors.Is(o.err, errLost)
	}
	return o.reply.errorIs("OOM") || o.reply.errorIs("READONLY") || o.reply.errorIs("MISCONF") || o.reply.errorIs("CROSSSLOT")
}

// failed ends a task whose command did not get a useful reply.
func (t *Task) failed(o *op) bool {
	switch {
	case errors.Is(o.err, errLost):
		t.fail(msgLost)
		t.Doubtful = true
	case o.err != nil:
		t.giveUp(msgUnreachable, Away)
	case !o.reply.isError():
		return false
	case o.reply.errorIs("OOM"):
		t.fail(resp.MsgOOM)
	case o.reply.errorIs("READONLY"):
		t.giveUp(msgReadOnly, Away)
	case o.reply.errorIs("MISCONF"):
		t.fail(msgNotOnDisk)
	case o.reply.errorIs("CROSSSLOT"):
		t.fail(msgCrossSlot)
	default:
		t.fail(msgUpstream) // the upstream's text may be anything
	}
	return true
}
