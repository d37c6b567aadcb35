package upstream

import (
	"hash/maphash"
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// writes gathers what one command changes: for each entry its new record and the commands on its data, all sealed.
type writes struct {
	bytes   []byte
	entries []write
	calls   []call
}

// write is the change of one entry.
type write struct {
	k        *keyState
	gone     bool
	check    bool   // it is only compared
	clear    bool   // it is an integer that is not sealed
	kind     string // as commitBody knows it
	header   seal.Header
	from, to int // of the record in bytes
	calls    int // index of its first call
}

// call is a command on an entry's data: its name, and where its arguments begin and end in bytes.
type call struct {
	name string
	args []span
}

type span struct{ from, to int }

// callArgs is how many arguments are put into one call: below what Lua takes, and even.
const callArgs = 1000

func (w *writes) reset() {
	clear(w.calls)
	w.bytes, w.entries, w.calls = w.bytes[:0], w.entries[:0], w.calls[:0]
	if cap(w.bytes) > keptWriteBytes {
		w.bytes = nil
	}
}

// mark and back take back the last entry.
func (w *writes) mark() [3]int { return [3]int{len(w.bytes), len(w.entries), len(w.calls)} }

func (w *writes) back(m [3]int) {
	w.bytes, w.entries, w.calls = w.bytes[:m[0]], w.entries[:m[1]], w.calls[:m[2]]
}

func (w *writes) begin() int { return len(w.bytes) }

func (w *writes) put(k *keyState, h seal.Header, kind string, from int) {
	if sealed, err := seal.ParseHeader(w.bytes[from:]); err == nil {
		h = sealed
	}
	w.entries = append(w.entries, write{k: k, kind: kind, header: h, from: from, to: len(w.bytes), calls: len(w.calls)})
}

// clear adds an integer in clear.
func (w *writes) clear(k *keyState, h seal.Header, value []byte) {
	from := w.begin()
	w.bytes = append(w.bytes, value...)
	w.entries = append(w.entries, write{k: k, clear: true, kind: "string", header: h, from: from, to: len(w.bytes), calls: len(w.calls)})
}

func (w *writes) remove(k *keyState) {
	w.entries = append(w.entries, write{k: k, gone: true, calls: len(w.calls)})
}

// check adds an entry that must be what it was, and stays.
func (w *writes) check(k *keyState) {
	w.entries = append(w.entries, write{k: k, check: true, kind: "none", calls: len(w.calls)})
}

// command adds a command on the data of the last entry, or more arguments to its last one.
func (w *writes) command(name string, args ...[]byte) {
	last := len(w.calls) - 1
	if last < w.entries[len(w.entries)-1].calls || w.calls[last].name != name || len(w.calls[last].args)+len(args) > callArgs {
		w.calls = append(w.calls, call{name: name})
		last++
	}
	for _, a := range args {
		from := len(w.bytes)
		w.bytes = append(w.bytes, a...)
		w.calls[last].args = append(w.calls[last].args, span{from, len(w.bytes)})
	}
}

// alone adds a command on the data of the last entry that is never joined with the one before.
func (w *writes) alone(name string, args ...[]byte) {
	w.calls = append(w.calls, call{name: name})
	if len(args) > 0 {
		w.command(name, args...)
	}
}

// callsOf returns the calls of the i-th entry.
func (w *writes) callsOf(i int) []call {
	end := len(w.calls)
	if i+1 < len(w.entries) {
		end = w.entries[i+1].calls
	}
	return w.calls[w.entries[i].calls:end]
}

// sum is a number that changes when a field or a score does.
func (x *Executor) sum(first uint64, value []byte) uint64 {
	return maphash.Bytes(x.seed, x.joined(first, value)) | 1
}

// pending is what the ledger is told when a commit has happened.
type pending struct {
	k      *keyState
	gone   bool
	check  bool
	clear  bool
	header seal.Header
	record []byte // of a string only what is before the value
	bytes  int64  // that the entry takes
	grows  bool   // or that it takes more than before
	sized  int    // the op that asks how large the parts are, of a collection that another gateway has counted; -1: none
}

// send adds the commit of what was gathered to the batch.
func (x *Executor) send(t *Task) {
	w := &x.writes
	t.commits = t.commits[:0]
	if len(w.entries) == 0 || !x.mayWrite(t) {
		return
	}
	t.phase = phaseCommit
	for from := 0; from < len(w.entries); {
		to := len(w.entries)
		if x.b.upstream.Clustered() {
			for to = from + 1; to < len(w.entries) && w.entries[to].k.slot == w.entries[from].k.slot; to++ {
			}
			if to < len(w.entries) && !t.shape.split || from > 0 && !t.shape.split {
				t.fail(msgCrossSlot)
				x.lane.take(t.commits)
				return
			}
		}
		x.commit(t, from, to)
		from = to
	}
}

// commit is one step upstream and what follows from it.
type commit struct {
	op      int
	plain   bool // a plain SET or UNLINK, not the script
	entries []pending
}

// commit adds the step that writes some of the entries.
func (x *Executor) commit(t *Task, from, to int) {
	w, c := &x.writes, oneMore(&t.commits)
	c.entries = c.entries[:0]
	for i := from; i < to; i++ {
		e := &w.entries[i]
		p := oneMore(&c.entries)
		p.record = p.record[:0]
		p.k, p.gone, p.check, p.clear, p.header = e.k, e.gone, e.check, e.clear, e.header
		p.bytes, p.grows, p.sized = 0, false, -1
		if record := w.bytes[e.from:e.to]; !e.gone && !e.check && !e.clear {
			if e.header.Type == seal.String {
				record = record[:e.header.NameEnd()]
			}
			p.record = append(p.record, record...)
			p.bytes, p.grows = w.size(i)
		}
	}
	if e := &w.entries[from]; to-from == 1 && e.k.guard == guardAny && len(w.callsOf(from)) == 0 && !x.b.ledger.hasCollection(e.k) {
		c.op, c.plain = x.simple(e), true
		return
	}
	c.op, c.plain = x.scripted(from, to), false
	for i := range c.entries {
		if p := &c.entries[i]; p.grows && (p.k.resized || !x.b.ledger.counts(p.k)) {
			p.sized = x.askSize(p.k)
		}
	}
}

// size is how many bytes the i-th entry takes, its names included, or how many more where only parts of it were written.
func (w *writes) size(i int) (bytes int64, grows bool) {
	e := &w.entries[i]
	switch e.kind {
	case "string":
		return int64(len(e.k.record) + e.to - e.from), false
	case "part", "try":
		return e.k.grows, true
	}
	end := len(w.bytes) // a collection's parts are behind its record
	for j := len(w.entries) - 1; j > i; j-- {
		if next := &w.entries[j]; next.to > 0 {
			end = next.from
		}
	}
	return int64(len(e.k.names) + end - e.from), false
}

// askSize asks the upstream how large the parts of a collection are. It may lie: then the tenant's account is wrong, and nothing
// else.
func (x *Executor) askSize(k *keyState) int {
	l := x.lane
	op := l.begin(k.slot, true, 3)
	l.out = appendArg(appendArgString(appendArgString(l.out, "MEMORY"), "USAGE"), k.data)
	l.end()
	return op
}

// sizeOf is what askSize has found, with the record and the names; where that makes no sense, what the entry has grown by.
func (x *Executor) sizeOf(p *pending) int64 {
	o := &x.lane.ops[p.sized]
	if o.err != nil || o.reply.kind != ':' || o.reply.n <= 0 {
		return p.bytes
	}
	return o.reply.n + int64(len(p.k.names)+len(p.record))
}

// oneMore makes a slice longer by one and returns the new element, which has the memory of an earlier one where there is any.
func oneMore[T any](all *[]T) *T {
	n := len(*all)
	if n == cap(*all) {
		var none T
		*all = append(*all, none)
	}
	*all = (*all)[:n+1]
	return &(*all)[n]
}

// simple is the one command that does for a string that is written without looking.
func (x *Executor) simple(e *write) int {
	l := x.lane
	if e.gone {
		x.unlink(e.k)
		return len(l.ops) - 1
	}
	op := l.begin(e.k.slot, false, 5)
	l.out = appendArg(appendArgString(l.out, "SET"), e.k.record)
	l.out = appendArg(l.out, x.writes.bytes[e.from:e.to])
	l.out = appendArgInt(appendArgString(l.out, "PXAT"), e.header.Deadline)
	l.end()
	return op
}

// scripted is the call of the script for entries of one slot.
func (x *Executor) scripted(from, to int) int {
	w, l := &x.writes, x.lane
	script := x.b.scripts.remove
	args := 0
	for i := from; i < to; i++ {
		args += 1 + 4
		for _, c := range w.callsOf(i) {
			args += 2 + len(c.args)
		}
		if !w.entries[i].gone && !w.entries[i].check {
			script = x.b.scripts.commit
		}
	}
	op := l.eval(script, w.entries[from].k.slot, false, 2*(to-from), args)
	for i := from; i < to; i++ {
		l.out = appendArg(appendArg(l.out, w.entries[i].k.record), w.entries[i].k.data)
	}
	for i := from; i < to; i++ {
		l.out = appendGuard(l.out, w.entries[i].k)
	}
	for i := from; i < to; i++ {
		e := &w.entries[i]
		if e.gone {
			l.out = appendArgString(appendArgString(appendArgString(l.out, "-"), "0"), "string")
		} else {
			l.out = appendArg(l.out, w.bytes[e.from:e.to])
			l.out = appendArgString(appendArgInt(l.out, e.header.Deadline), e.kind)
		}
		calls := w.callsOf(i)
		l.out = appendArgInt(l.out, int64(len(calls)))
		for _, c := range calls {
			l.out = appendArgString(appendArgInt(l.out, int64(len(c.args))), c.name)
			for _, a := range c.args {
				l.out = appendArg(l.out, w.bytes[a.from:a.to])
			}
		}
	}
	l.end()
	return op
}

func appendGuard(b []byte, k *keyState) []byte {
	switch k.guard {
	case guardAny:
		return appendArgString(b, "*")
	case guardHeader:
		if len(k.also) > 0 {
			b = appendBulkHead(b, len(k.expect)+len(k.also))
			return append(append(append(b, k.expect[:]...), k.also...), '\r', '\n')
		}
		return appendArg(b, k.expect[:])
	case guardClear:
		var text [64]byte
		have := append(strconv.AppendInt(append(text[:0], '='), k.ends, 10), ' ')
		return appendArg(b, append(have, k.expect[:k.digits]...))
	default:
		return appendArgString(b, "")
	}
}

// committed looks at what the upstream says of a task's commits.
func (x *Executor) committed(t *Task) {
	t.phase = phaseDone
	for i := range t.commits {
		c := &t.commits[i]
		o := &x.lane.ops[c.op]
		if t.failed(o) {
			if i > 0 {
				t.Undone = 0 // other slots were written
			}
			if o.undone() {
				i++
			}
			x.doubt(t, i)
			return
		}
		if c.plain {
			if !c.entries[0].gone && (o.reply.kind != '+' || string(o.reply.text) != "OK") {
				t.fail(msgUpstream)
				x.doubt(t, i)
				return
			}
			x.noteAll(t.Call, c, nil)
			continue
		}
		r := &o.reply
		if r.kind != '*' || len(r.elems) == 0 || r.elems[0].kind != ':' {
			t.fail(msgUpstream)
			x.doubt(t, i)
			return
		}
		if r.elems[0].n == 0 {
			x.doubt(t, i+1)
			x.again(t)
			return
		}
		if len(r.elems) < 1+len(c.entries) {
			t.fail(msgUpstream)
			x.doubt(t, i)
			return
		}
		x.noteAll(t.Call, c, r.elems[1:1+len(c.entries)])
	}
}

// doubt tells the ledger of a task's commits, from one on, that nobody knows whether they were made.
func (x *Executor) doubt(t *Task, from int) {
	for i := from; i < len(t.commits); i++ {
		for j := range t.commits[i].entries {
			if e := &t.commits[i].entries[j]; !e.gone && !e.check && !e.clear {
				x.b.ledger.doubt(e, x.b.stamps.Next(t.Call.WallNow), t.Call.WallNow)
			}
		}
	}
}

// noteAll tells the ledger what has been written; there says of each entry whether it is there now.
func (x *Executor) noteAll(c *command.Call, done *commit, there []reply) {
	for i := range done.entries {
		e := &done.entries[i]
		if e.check || there != nil && there[i].n == unchanged {
			continue
		}
		e.k.wrote, e.k.there = true, !e.gone && (there == nil || there[i].n != 0)
		if e.k.guard == guardClear && (e.clear || !e.k.there) {
			continue // integers in clear are in no ledger
		}
		if !e.k.there || e.clear {
			x.b.ledger.deleted(e.k, x.b.stamps.Next(c.WallNow), c.WallNow+e.k.place.Life.Milliseconds())
			continue
		}
		growth := e.bytes
		if e.sized >= 0 {
			e.bytes, e.grows = x.sizeOf(e), false
		}
		grown, taken := x.b.ledger.wrote(e, x.b.stamps.Next(c.WallNow), c.WallNow)
		if taken && e.sized >= 0 {
			grown = min(grown, growth) // the rest has counted at another gateway
		}
		if taken {
			grown = max(grown, 0) // what there is less of counts there until that gateway knows, and may be written there again
		}
		x.spent.add(e.k.account, grown)
	}
}
