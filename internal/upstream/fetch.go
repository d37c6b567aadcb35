package upstream

import (
	"errors"
	"math"
	"strings"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/seal"
)

// fetch asks for the records of a task's keys, and in the same step for the parts of a collection whose record this gateway
// knows already: the upstream gives them only if it still has that record.
func (x *Executor) fetch(t *Task) {
	t.phase = phaseFetch
	for i := range t.keys {
		k := &t.keys[i]
		if x.fromNear(t, k) {
			continue
		}
		if t.shape.need == needElement && i == 0 {
			x.askElement(t, k)
			continue
		}
		if t.attempts == 0 && !k.place.Plain && !k.doomed && (t.shape.quick != nil || t.shape.need >= needItems) {
			if known := x.b.ledger.collection(nil, k); known != nil && x.adopt(k, known) {
				if t.shape.quick != nil && t.shape.quick.fits(t, k) {
					continue // its own step brings what it needs
				}
				if x.askParts(t, k) {
					continue
				}
			}
		}
		x.askRecord(k)
		x.lane.ops[k.op].replica = x.mayAskReplica(t, k)
	}
	if len(t.keys) > 0 && !t.asks() {
		x.proceed(t)
	}
}

// asks reports whether something is asked for that a key needs.
func (t *Task) asks() bool {
	for i := range t.keys {
		if t.keys[i].op >= 0 {
			return true
		}
	}
	return false
}

// proceed runs a command for which everything is here.
func (x *Executor) proceed(t *Task) {
	switch {
	case !x.mayServe(t), x.askRest(t):
	case t.quickReady():
		x.quickStart(t)
	case t.shape.direct && t.group == nil:
		x.direct(t)
	default:
		x.execute(t)
	}
}

func (x *Executor) askRecord(k *keyState) { x.ask(k, false) }

func (x *Executor) ask(k *keyState, alone bool) {
	k.cached, k.asked = false, x.b.stamps.Next(x.now)
	if k.place.Plain {
		k.op = x.askPlain(k)
		return
	}
	k.op = x.lane.get(k.slot, k.record, alone)
}

// adopt takes a record as the key's, if it opens.
func (x *Executor) adopt(k *keyState, record []byte) bool {
	if x.sealer.OpenCollection(&k.coll, &k.entry, record, x.now) != nil {
		return false
	}
	k.raw, k.found, k.header, k.guard = record, true, k.coll.Header, guardHeader
	copy(k.expect[:], record)
	return true
}

// askParts asks for the parts that the command needs of a collection; false when it needs none.
func (x *Executor) askParts(t *Task, k *keyState) bool {
	switch {
	case t.shape.need == needItems:
		read := itemCommand(k)
		if read == "" || !x.sealMembers(t, k) {
			return false
		}
		if t.careful {
			x.askOnce(k, "", read, k.members)
			return true
		}
		x.askPair(t, k, read, k.members)
	case t.shape.need == needElement:
		return x.takeElement(t, k)
	case t.shape.need == needWindow && k.coll.Type == seal.SortedSet:
		return x.askMembers(t, k)
	case t.shape.need == needWindow:
		return x.askWindow(t, k)
	case t.shape.need == needWhole:
		x.askWhole(k)
		x.wholeFromReplica(t, k)
	default:
		return false
	}
	return true
}

// wholeFromReplica lets a replica answer the script that was just asked for, where one may. A replica that does not know
// the script would be no use, and nobody tells it, so it goes there in full.
func (x *Executor) wholeFromReplica(t *Task, k *keyState) {
	if x.mayAskReplica(t, k) {
		o := &x.lane.ops[k.op]
		o.replica = true
		x.lane.spellOut(o)
	}
}

// askPair asks for the header of the record and behind it for parts of the data. It is no single step, and need not be: when
// the header is the expected one, parts of that life of the collection are what they were then or later, and parts of
// another life do not open. read may be a command and its subcommand.
func (x *Executor) askPair(t *Task, k *keyState, read string, args [][]byte) {
	l := x.lane
	k.op, k.cached, k.asked = l.begin(k.slot, true, 4), true, x.b.stamps.Next(x.now)
	l.out = appendArg(appendArgString(l.out, "GETRANGE"), k.record)
	l.out = appendArgInt(appendArgInt(l.out, 0), seal.HeaderBytes-1)
	l.end()
	if name, sub, two := strings.Cut(read, " "); two {
		k.partsOp = l.begin(k.slot, true, 3+len(args))
		l.out = appendArgString(appendArgString(l.out, name), sub)
	} else {
		k.partsOp = l.begin(k.slot, true, 2+len(args))
		l.out = appendArgString(l.out, read)
	}
	l.out = appendArg(l.out, k.data)
	for _, a := range args {
		l.out = appendArg(l.out, a)
	}
	l.end()
	if x.mayAskReplica(t, k) {
		l.ops[k.op].replica, l.ops[k.partsOp].replica = true, true
	}
}

// mixed reports whether parts came from a replica and the header did not: they may be of before it.
func (x *Executor) mixed(k *keyState, header *op) bool {
	return x.lane.ops[k.partsOp].replica && !header.replica
}

// askWhole asks for all parts in one step, which looks first how many they are.
func (x *Executor) askWhole(k *keyState) {
	size, read := wholeCommand(k) // of a stream, what the script says itself
	var args [][]byte
	switch {
	case k.clearScores():
		args = [][]byte{{'0'}, {'-', '1'}, []byte("WITHSCORES")}
	case k.coll.Type == seal.List:
		args = [][]byte{{'0'}, {'-', '1'}}
	}
	x.askOnce(k, size, read, args)
}

// askOnce asks for parts of the data in one step with the record, where that is the expected one: for not more than the limit by a
// command that tells the size, unless that is empty.
func (x *Executor) askOnce(k *keyState, size, read string, args [][]byte) {
	l := x.lane
	k.op = l.eval(x.b.scripts.read, k.slot, true, 2, 4+len(args))
	l.out = appendArg(appendArg(l.out, k.record), k.data)
	l.out = appendArg(l.out, k.expect[:])
	l.out = appendArgString(l.out, size)
	l.out = appendArgInt(l.out, int64(x.b.upstream.options.MaxLiftItems))
	l.out = appendArgString(l.out, read)
	for _, a := range args {
		l.out = appendArg(l.out, a)
	}
	l.end()
	k.cached, k.partsOp, k.asked = true, -1, x.b.stamps.Next(x.now)
}

func itemCommand(k *keyState) string {
	switch {
	case k.clearScores():
		return "ZMSCORE"
	case k.coll.Type == seal.Hash, k.coll.Type == seal.SortedSet:
		return "HMGET"
	case k.coll.Type == seal.Set:
		return "SMISMEMBER"
	}
	return ""
}

func wholeCommand(k *keyState) (size, read string) {
	switch {
	case k.clearScores():
		return "ZCARD", "ZRANGE"
	case k.coll.Type == seal.Set:
		return "SCARD", "SMEMBERS"
	case k.coll.Type == seal.List:
		return "LLEN", "LRANGE"
	case k.coll.Type == seal.Stream:
		return "XLEN", "XINFO"
	default:
		return "HLEN", "HGETALL"
	}
}

// sealMembers makes the sealed forms of the items that the command names; false when it names none, or too many.
func (x *Executor) sealMembers(t *Task, k *keyState) bool {
	args := t.Call.Args
	first, step := t.shape.items(args)
	k.members = k.members[:0]
	for i := first; i < len(args); i += step {
		sealed, err := x.sealer.SealMember(nil, &k.entry, &k.coll, args[i])
		if err != nil {
			return false
		}
		k.members = append(k.members, sealed)
	}
	return len(k.members) > 0 && len(k.members) <= maxArgs
}

// maxArgs is how many arguments Lua's unpack surely takes.
const maxArgs = 7000

// fetched looks at what came, asks for what is still missing, and runs the command when there is nothing.
func (x *Executor) fetched(t *Task) {
	more := false
	for i := range t.keys {
		k := &t.keys[i]
		if k.op < 0 {
			continue
		}
		o := &x.lane.ops[k.op]
		k.op = -1
		if o.replica {
			failpoint.Here(failpoint.ReplicaAnswered)
		}
		if o.err == nil && o.reply.errorIs("WRONGTYPE") {
			x.alarm(k, Altered)
			continue
		}
		if t.failed(o) {
			return
		}
		if k.cached && k.partsOp >= 0 {
			next, ok := x.pairReply(t, k, o)
			if !ok {
				return
			}
			more = more || next
			continue
		}
		if k.cached {
			next, ok := false, false
			if r := &o.reply; o.replica && (r.kind != '*' || len(r.elems) == 0 || r.elems[0].n == 0) {
				next, ok = x.askAnew(t, k) // the replica has another record, which may be an older one
			} else {
				next, ok = x.cachedReply(t, k, r)
			}
			if !ok {
				return
			}
			more = more || next
			continue
		}
		if o.shared && o.reply.null && x.b.ledger.expects(k, x.now) {
			// It may be no string any more, which is a lie, and not the same as nothing.
			x.ask(k, true)
			more = true
			continue
		}
		if o.replica && x.behind(k, &o.reply) {
			x.askRecord(k)
			more = true
			continue
		}
		if k.place.Plain {
			more = x.plainReply(t, k, &o.reply) || more
		} else {
			more = x.recordReply(t, k, &o.reply) || more
		}
		if t.phase == phaseDone {
			return
		}
	}
	if more {
		return
	}
	for i := range t.keys {
		x.keepNear(t, &t.keys[i])
	}
	x.proceed(t)
}

// pairReply takes the answers to askPair. Where the record is another one it is asked for.
func (x *Executor) pairReply(t *Task, k *keyState, header *op) (more, ok bool) {
	if header.reply.kind != '$' || string(header.reply.text) != string(k.expect[:]) || x.mixed(k, header) {
		return x.askAnew(t, k)
	}
	o := &x.lane.ops[k.partsOp]
	if o.err == nil && o.reply.errorIs("WRONGTYPE") {
		x.alarm(k, Altered)
		return false, true
	}
	if t.failed(o) {
		return false, false
	}
	k.parts = &o.reply
	x.b.ledger.confirmed(k)
	return false, true
}

// askAnew asks the primary for the record of an entry that is not what it was thought to be.
func (x *Executor) askAnew(t *Task, k *keyState) (more, ok bool) {
	k.found, k.guard = false, guardAbsent
	if x.outrun(t) {
		return false, false
	}
	x.askRecord(k)
	return true, true
}

// cachedReply takes the answer to askWhole: the parts, or another record than this gateway thought.
func (x *Executor) cachedReply(t *Task, k *keyState, r *reply) (more, ok bool) {
	if r.kind != '*' || len(r.elems) == 0 || r.elems[0].kind != ':' {
		x.alarm(k, Altered)
		return false, true
	}
	switch {
	case r.elems[0].n == 1 && len(r.elems) == 2:
		k.parts = &r.elems[1]
		x.b.ledger.confirmed(k)
		return false, true
	case r.elems[0].n == 2:
		t.fail(refusedLarge)
		return false, false
	case r.elems[0].n == 0 && k.place.Plain:
		return x.askAnew(t, k) // until when an integer lives was not asked
	case r.elems[0].n == 0:
		k.found, k.guard, k.cached = false, guardAbsent, false
		none := reply{kind: '$', null: true}
		have := &none
		if len(r.elems) == 2 {
			have = &r.elems[1]
		}
		if x.outrun(t) {
			return false, false
		}
		return x.recordReply(t, k, have), true
	}
	x.alarm(k, Altered)
	return false, true
}

// recordReply takes a record, and reports whether parts of its collection were asked for.
func (x *Executor) recordReply(t *Task, k *keyState, r *reply) (more bool) {
	k.found, k.raw = false, nil
	if r.kind != '$' {
		x.alarm(k, Altered)
		return false
	}
	if r.null {
		return false
	}
	k.raw = r.text
	h, err := seal.ParseHeader(r.text)
	if err != nil {
		x.alarm(k, Altered)
		return false
	}
	copy(k.expect[:], r.text)
	k.header, k.guard = h, guardHeader
	if h.Type == seal.String {
		k.found = true // it is opened when it is loaded
		return false
	}
	err = x.sealer.OpenCollection(&k.coll, &k.entry, k.raw, x.now)
	if !x.believe(k, err) {
		if !x.fetchKey(k, err) || !x.believe(k, x.sealer.OpenCollection(&k.coll, &k.entry, k.raw, x.b.clock.Now())) {
			return false
		}
	}
	k.header = k.coll.Header
	if k.doomed {
		return false
	}
	if t.shape.quick != nil && t.shape.quick.fits(t, k) {
		return false
	}
	return x.askParts(t, k)
}

// fetchKey asks peers for the data key of a record that could not be opened, if it was for the lack of it, and reports whether it is
// here now; it may have come since.
func (x *Executor) fetchKey(k *keyState, err error) bool {
	return errors.Is(err, seal.ErrNoKey) && k.guard == guardHeader && x.b.fetchKey(k.header.KeyID)
}

// overdue is how late an upstream may be with a deletion: clocks differ.
const overdueMillis = 2000

// believe says what the outcome of opening a record means: it is the entry, or there is none.
func (x *Executor) believe(k *keyState, err error) bool {
	h := &k.header
	k.found = false
	switch {
	case err == nil && x.b.ledger.saw(k, h, k.raw):
		k.found = true
		x.b.stamps.Observe(h.Stamp)
		return true
	case err == nil:
		x.alarm(k, Replayed)
	case errors.Is(err, seal.ErrExpired):
		if x.b.clock.Now()-h.Deadline > overdueMillis {
			x.alarm(k, Overdue)
		}
	case errors.Is(err, seal.ErrNoKey):
		// Of before the last start, or of a slice that is over: nobody can open it any more. It is overwritten as it is. What
		// says itself that it should be gone is a lie, whoever wrote that.
		if x.b.clock.Now()-h.Deadline > overdueMillis {
			x.alarm(k, Overdue)
		}
	default:
		x.alarm(k, Altered)
	}
	return false
}

// alarm tells of a lie about an entry, treats the entry as absent and removes what is there, so that it lies but once.
func (x *Executor) alarm(k *keyState, a Alarm) {
	k.found, k.guard, k.raw, k.parts = false, guardAbsent, nil, nil
	if x.b.sink != nil {
		x.b.sink.Alarm(a, k.place.Tenant, k.place.Category, k.entry.Name)
	}
	x.unlink(k)
}

// evicted treats an entry as absent of which only the record is there, and removes that, unless there is another one by now.
func (x *Executor) evicted(k *keyState) {
	k.found, k.guard, k.raw, k.parts = false, guardAbsent, nil, nil
	l := x.lane
	l.eval(x.b.scripts.end, k.slot, false, 2, 2)
	l.out = appendArg(appendArg(appendArg(l.out, k.record), k.data), k.expect[:])
	l.out = appendArgInt(l.out, math.MaxInt64)
	l.end()
}

// unlink removes what the upstream has under an entry's names, without waiting for more than the batch.
func (x *Executor) unlink(k *keyState) {
	l := x.lane
	l.begin(k.slot, false, 3)
	l.out = appendArg(appendArg(appendArgString(l.out, "UNLINK"), k.record), k.data)
	l.end()
}
