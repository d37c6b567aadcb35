package upstream

import (
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Categories with seal: off hold integers that the upstream counts itself. Their names are pseudonyms all the same; only the
// upstream keeps their deadlines, so that what a gateway promises of them is what the upstream does.

// plainCommit compares values with the expected ones and writes the new ones.
const plainCommit = `#!lua
local at, n = 1, #KEYS
local function take() at = at + 1; return ARGV[at - 1] end
for i = 1, n do
  local there, expect = take(), take()
  local have = redis.call('GET', KEYS[i])
  if (there == '1') ~= (have ~= false) or (have and have ~= expect) then return {0} end
end
for i = 1, n do
  local what, value, deadline = take(), take(), take()
  if what == '-' then redis.call('UNLINK', KEYS[i])
  elseif what == '+' then redis.call('SET', KEYS[i], value, 'PXAT', deadline) end
end
return {1}
`

const plainRead = `#!lua flags=no-writes
return {redis.call('GET', KEYS[1]), redis.call('PEXPIRETIME', KEYS[1])}
`

// plainCount adds to a counter, which gets its deadline in the same step where it has none.
const plainCount = `#!lua
local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIREAT', KEYS[1], ARGV[2]) end
return n
`

const refusedMixed = "SEALED entries with seal: off cannot be used together with others in one command"

func (x *Executor) allPlain(t *Task) bool {
	for i := range t.Keys {
		if !t.Keys[i].Plain {
			return false
		}
	}
	return len(t.Keys) > 0
}

func (x *Executor) somePlain(t *Task) bool {
	for i := range t.Keys {
		if t.Keys[i].Plain {
			return true
		}
	}
	return false
}

func (x *Executor) startPlain(t *Task) {
	if !x.allPlain(t) {
		t.fail(refusedMixed)
		return
	}
	t.phase = phasePlain
	t.commits = t.commits[:0]
	if x.count(t) {
		return
	}
	for i := range t.keys {
		k := &t.keys[i]
		l := x.lane
		k.op = l.eval(x.b.scripts.plainRead, k.slot, true, 1, 0)
		l.out = appendArg(l.out, k.record)
		l.end()
	}
}

// count sends an INCR or its like as the upstream's own, so that many gateways can count at once. Policy is asked for the
// deadline of a new counter whether there is one or not.
func (x *Executor) count(t *Task) bool {
	c := t.Call
	by, ok := int64(1), true
	switch c.Spec.RecordName() {
	case "INCR":
	case "DECR":
		by = -1
	case "INCRBY":
		by, ok = integer(c.Args[2])
	case "DECRBY":
		by, ok = integer(c.Args[2])
		ok = ok && -by != by || by == 0
		by = -by
	default:
		return false
	}
	if !ok {
		return false // the handler has the error
	}
	m, granted := c.Expiry.Whole(c, 0, command.Ask{}, engine.Entry{})
	if !granted {
		t.phase = phaseDone
		return true
	}
	k, l := &t.keys[0], x.lane
	op := l.eval(x.b.scripts.plainCount, k.slot, false, 1, 2)
	l.out = appendArg(l.out, k.record)
	l.out = appendArgInt(appendArgInt(l.out, by), c.Wall(m.ExpiresAt))
	l.end()
	t.commits = append(t.commits, commit{op: op, plain: true})
	return true
}

func integer(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == string(b)
}

func (x *Executor) plainDone(t *Task) {
	if len(t.commits) == 0 {
		x.plainExecute(t)
		return
	}
	o := &x.lane.ops[t.commits[0].op]
	t.phase = phaseDone
	c := t.Call
	if t.commits[0].plain {
		x.counted(t, o)
		return
	}
	if t.failed(o) {
		return
	}
	if o.reply.kind == '*' && len(o.reply.elems) == 1 && o.reply.elems[0].n == 1 {
		return
	}
	if t.attempts++; t.attempts >= maxAttempts {
		t.giveUp(msgBusy, Outrun)
		return
	}
	c.Out.Truncate(t.mark)
	c.Failed = false
	x.startPlain(t)
}

func (x *Executor) counted(t *Task, o *op) {
	c := t.Call
	switch {
	case o.err == nil && o.reply.kind == ':':
		c.Out.Int(o.reply.n)
		c.Tell(0, command.Stored)
	case o.err == nil && o.reply.isError() && containsText(&o.reply, "overflow"):
		t.fail(resp.MsgIncrOverflow)
	case o.err == nil && o.reply.isError() && containsText(&o.reply, "not an integer"):
		t.fail(resp.MsgNotInteger)
	case t.failed(o):
	default:
		t.fail(msgUpstream)
	}
}

// plainExecute runs the handler on the values that there are.
func (x *Executor) plainExecute(t *Task) {
	c := t.Call
	t.phase = phaseDone
	x.tx.Begin(c.Now, discard{})
	x.tx.Lock(c.Keys)
	defer x.tx.Unlock()
	defer x.empty(t)
	for i := range t.keys {
		o := &x.lane.ops[t.keys[i].op]
		if t.failed(o) {
			return
		}
		if !x.plainLoad(t, i, &o.reply) {
			t.fail(msgUpstream)
			return
		}
	}
	c.Spec.Run(c)
	if c.Spec.IsWrite() {
		x.plainStore(t)
	}
}

// plainLoad puts a value into the scratch store. When it was born nobody knows: as early as its deadline allows, so that no
// deadline can be lengthened.
func (x *Executor) plainLoad(t *Task, i int, r *reply) bool {
	c, k := t.Call, &t.keys[i]
	if r.kind != '*' || len(r.elems) != 2 || r.elems[0].kind != '$' || r.elems[1].kind != ':' {
		return false
	}
	if r.elems[0].null || x.tx.Peek(&c.Keys[i]).Exists() {
		return true
	}
	at := c.Engine(r.elems[1].n)
	life := k.place.Life.Milliseconds()
	if at <= c.Now || at > c.Now+life { // somebody took the deadline away, or moved it
		x.alarm(k, Overdue)
		return true
	}
	k.found, k.raw = true, r.elems[0].text
	copy(k.expect[:], k.raw) // it is compared with nothing here; see Task.seen
	k.meta = engine.Meta{BornAt: max(at-life, 0), ExpiresAt: at, Category: c.Keys[i].Category}
	x.tx.SetString(&c.Keys[i], k.meta, k.raw)
	return true
}

func (x *Executor) plainStore(t *Task) {
	c, l := t.Call, x.lane
	for i := range t.keys {
		e := x.tx.Peek(&c.Keys[i])
		switch {
		case !e.Exists():
		case e.Kind() != engine.String:
			t.fail(refusedPlain)
			return
		default:
			if _, ok := integer(e.String()); !ok && c.Told[i] == command.Stored {
				t.fail(refusedText)
				return
			}
		}
		if t.keys[i].slot != t.keys[0].slot {
			t.fail(msgCrossSlot)
			return
		}
	}
	t.phase = phasePlain
	op := l.eval(x.b.scripts.plainCommit, t.keys[0].slot, false, len(t.keys), 5*len(t.keys))
	for i := range t.keys {
		l.out = appendArg(l.out, t.keys[i].record)
	}
	for i := range t.keys {
		there := "0"
		if t.keys[i].found {
			there = "1"
		}
		l.out = appendArg(appendArgString(l.out, there), t.keys[i].raw)
	}
	for i := range t.keys {
		e := x.tx.Peek(&c.Keys[i])
		if e.Exists() {
			l.out = appendArgInt(appendArg(appendArgString(l.out, "+"), e.String()), c.Wall(e.Meta().ExpiresAt))
		} else {
			l.out = appendArgString(appendArgString(appendArgString(l.out, "-"), ""), "0")
		}
	}
	l.end()
	t.commits = append(t.commits, commit{op: op})
}
