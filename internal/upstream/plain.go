package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// In categories with seal: off an integer is in clear, in the place of the sealed record, so that the upstream counts itself.
// Its name is a pseudonym all the same, and whatever is no integer is sealed as anywhere. An integer has no header: what it
// was when it was read is its digits and its deadline, and a write compares both. Two counters with the same of both are the
// same counter, so a write that succeeds has missed no count in between. Only the upstream keeps the deadline, so that what a
// gateway promises of it is what the upstream does.

// clearReadText answers what is there and until when.
const clearReadText = `#!lua flags=no-writes
return {redis.call('GET', KEYS[1]), redis.call('PEXPIRETIME', KEYS[1])}
`

// clearCountText adds to a counter, which gets its deadline in the same step where it has none. Numbers that Lua's do not hold
// exactly are answered as a text.
const clearCountText = `#!lua
local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIREAT', KEYS[1], ARGV[2]) end
if n > 9007199254740991 or n < -9007199254740991 then return redis.call('GET', KEYS[1]) end
return n
`

const refusedMixed = "SEALED entries with seal: off cannot be used together with others in one command"

// mixture reports whether some of the task's keys are of categories with seal: off, and whether some are of others.
func (t *Task) mixture() (clear, sealed bool) {
	for i := range t.Keys {
		clear = clear || t.Keys[i].Plain
		sealed = sealed || !t.Keys[i].Plain
	}
	return clear, sealed
}

// askPlain asks for what a key with seal: off has.
func (x *Executor) askPlain(k *keyState) int {
	l := x.lane
	op := l.eval(x.b.scripts.clearRead, k.slot, true, 1, 0)
	l.out = appendArg(l.out, k.record)
	l.end()
	return op
}

// plainReply takes the answer to askPlain, and reports whether parts of a collection were asked for.
func (x *Executor) plainReply(t *Task, k *keyState, r *reply) (more bool) {
	k.found, k.raw = false, nil
	value, at, ok := clearValue(r)
	if !ok {
		x.alarm(k, Altered)
		return false
	}
	if _, counts := command.ParseInt(value.text); value.null || !counts {
		return x.recordReply(t, k, value)
	}
	life := k.place.Life.Milliseconds()
	if at < 0 || at > x.now+life+overdueMillis { // somebody took the deadline away, or moved it
		x.alarm(k, Overdue)
		return false
	}
	k.found, k.raw, k.guard, k.ends = true, value.text, guardClear, at
	k.expect = [seal.HeaderBytes]byte{}
	k.digits = uint8(copy(k.expect[:], value.text))
	// When it was born nobody knows: as early as its deadline allows, so that no deadline can be lengthened.
	at = min(at, x.now+life)
	k.header = seal.Header{Type: seal.String, BornAt: at - life, Deadline: at}
	return false
}

// clearValue takes apart what clearReadText answers.
func clearValue(r *reply) (value *reply, at int64, ok bool) {
	if r.kind != '*' || len(r.elems) != 2 || r.elems[0].kind != '$' || r.elems[1].kind != ':' {
		return nil, 0, false
	}
	return &r.elems[0], r.elems[1].n, true
}

// count sends an INCR or its like as the upstream's own, so that many gateways can count at once, and reports whether the command
// is one. Policy is asked for the deadline of a new counter whether there is one or not.
func (x *Executor) count(t *Task) bool {
	c := t.Call
	by, ok := countsBy(c)
	if !ok || !t.Keys[0].Plain {
		return false // of what is no number the handler has the error
	}
	m, granted := c.Expiry.Whole(c, 0, command.Ask{}, engine.Entry{})
	if !granted {
		t.phase = phaseDone
		return true
	}
	k, l := &t.keys[0], x.lane
	t.phase, t.commits = phaseCount, t.commits[:0]
	k.op = l.eval(x.b.scripts.clearCount, k.slot, false, 1, 2)
	l.out = appendArg(l.out, k.record)
	l.out = appendArgInt(appendArgInt(l.out, by), c.Wall(m.ExpiresAt))
	l.end()
	return true
}

// countsBy is what a command adds to a counter.
func countsBy(c *command.Call) (by int64, ok bool) {
	switch c.Spec.RecordName() {
	case "INCR":
		return 1, true
	case "DECR":
		return -1, true
	case "INCRBY":
		return command.ParseInt(c.Args[2])
	case "DECRBY":
		by, ok = command.ParseInt(c.Args[2])
		return -by, ok && (-by != by || by == 0)
	}
	return 0, false
}

// counted takes the upstream's answer to count. What is there and no integer is sealed: the handler answers what it is.
func (x *Executor) counted(t *Task) {
	c, k := t.Call, &t.keys[0]
	o := &x.lane.ops[k.op]
	k.op, t.phase = -1, phaseDone
	n, ok := o.reply.n, o.err == nil && o.reply.kind == ':'
	if o.err == nil && o.reply.kind == '$' {
		n, ok = command.ParseInt(o.reply.text)
	}
	switch {
	case ok:
		c.Out.Int(n)
		c.Tell(0, command.Stored)
	case o.err == nil && o.reply.isError() && containsText(&o.reply, "overflow"):
		t.fail(resp.MsgIncrOverflow)
	case o.err == nil && o.reply.isError() && (containsText(&o.reply, "not an integer") || o.reply.errorIs("WRONGTYPE")):
		x.fetch(t)
	case t.failed(o):
	default:
		t.fail(msgUpstream)
	}
}
