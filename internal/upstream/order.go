package upstream

import "github.com/lethe-cache/lethe/internal/seal"

// Many clients write one entry: a queue, a stream, the hash of an index. In one round of a loop there may be hundreds of their
// commands, and since each write compares the record with what was read, of those that go out together only the first would
// succeed. So the writes of one entry have an order, and none is sent that would fail for one before it.
//
// Commands that the upstream's own list or stream serves go out together all the same: a loop's requests reach a node in their
// order, and a write may also find what one of those before it leaves, as far as they succeed and change anything. What any
// other command does depends on what it reads, so it waits until it is the next; of strings it looks once more before, behind
// the write that was first, for there is often nothing left to do (SET NX). None of that counts as an attempt: only other
// gateways, and other loops, make a command give up.
type order struct {
	writing map[nearName]*Task    // of this turn: whose write of the record is on its way
	chains  map[nearName]*chained // of this turn
	last    map[nearName]*Task    // of this wave: the last that waits to write the record
	waiting int                   // commands that wait
}

// chained is a record that writes of this turn have read, and the headers that they leave there.
type chained struct {
	read  [seal.HeaderBytes]byte
	leave []byte
}

// maxChained is how many writes one more may find.
const maxChained = 64

func newOrder() order {
	return order{writing: map[nearName]*Task{}, chains: map[nearName]*chained{}, last: map[nearName]*Task{}}
}

// turned begins a turn.
func (o *order) turned() {
	clear(o.writing)
	clear(o.chains)
}

// begin begins a wave.
func (o *order) begin() {
	o.turned()
	clear(o.last)
	o.waiting = 0
}

// before is a task whose write of an entry is on its way and would make this one fail, and the entry's name; nil if there is none.
func (o *order) before(t *Task, w *writes) (other *Task, name nearName) {
	for i := range w.entries {
		k := w.entries[i].k
		if k.guard == guardAny {
			continue
		}
		name = nearName(k.record)
		if other = o.writing[name]; other != nil && other != t {
			return other, name
		}
	}
	return nil, name
}

// takes notes what a task is about to write. Who writes without looking stands in nobody's way: it is before all or behind all.
func (o *order) takes(t *Task, w *writes) {
	for i := range w.entries {
		if e := &w.entries[i]; !e.check && e.k.guard != guardAny {
			o.writing[nearName(e.k.record)] = t
		}
	}
}

// mayWrite reports whether the task's gathered writes may be sent in this turn. Where they may not the task has been begun anew, or
// waits.
func (x *Executor) mayWrite(t *Task) bool {
	if other, name := x.order.before(t, &x.writes); other != nil {
		x.giveWay(t, other, name)
		return false
	}
	x.order.takes(t, &x.writes)
	t.joins = false
	return true
}

// mayJoin is mayWrite for commands that the upstream's own list or stream serves. Those before it in a chain have read the same
// record, so that theirs says what was read but for the stamp; a write that makes the entry be about more patients says more, and
// nobody joins it.
func (x *Executor) mayJoin(t *Task) bool {
	o, w := &x.order, &x.writes
	for i := range w.entries {
		e := &w.entries[i]
		name := nearName(e.k.record)
		other := o.writing[name]
		if other == nil {
			continue
		}
		if c := o.chain(other, name); e.check || c == nil || c.read != e.k.expect || len(c.leave) >= maxChained*seal.HeaderBytes {
			x.giveWay(t, other, name)
			return false
		}
	}
	o.takes(t, w)
	t.joins = true
	for i := range w.entries {
		e := &w.entries[i]
		name := nearName(e.k.record)
		c := o.chains[name]
		switch {
		case e.check || c == nil:
		case e.k.grown:
			e.k.also = c.leave
			delete(o.chains, name)
			t.joins = false
		default:
			e.k.also = c.leave
			c.leave = append(c.leave, w.bytes[e.from:e.from+seal.HeaderBytes]...)
		}
	}
	return true
}

// chain returns the chain of an entry that another task writes in this turn; nil if nobody may join it. It begins with the second.
func (o *order) chain(other *Task, name nearName) *chained {
	if c := o.chains[name]; c != nil || !other.joins {
		return c
	}
	for i := range other.commits {
		for j := range other.commits[i].entries {
			e := &other.commits[i].entries[j]
			if e.check || nearName(e.k.record) != name {
				continue
			}
			if e.k.grown {
				return nil
			}
			c := &chained{read: e.k.expect}
			c.leave = append(c.leave, e.record[:seal.HeaderBytes]...)
			o.chains[name] = c
			return c
		}
	}
	return nil
}

// giveWay has a task look again behind another one's write, or wait until it is the next.
func (x *Executor) giveWay(t, other *Task, name nearName) {
	if !t.gaveWay && t.shape.need == needRecord {
		t.gaveWay = true
		x.anew(t)
		return
	}
	if last := x.order.last[name]; last != nil && last.phase != phaseDone {
		other = last
	}
	for b := other; b != nil; b = b.behind {
		if b == t { // they wait for each other's entries
			x.again(t)
			return
		}
	}
	t.behind, t.phase = other, phaseBehind
	x.order.last[name] = t
	x.order.waiting++
}

// isNext goes on with a task that waits, once the one before it has ended.
func (x *Executor) isNext(t *Task) {
	if t.behind.phase != phaseDone {
		return
	}
	outrun := t.behind.Undone == Outrun
	t.behind = nil
	x.order.waiting--
	if outrun && t.Returns {
		t.giveUp(msgBusy, Outrun) // others are at this entry: it comes again behind the one before it
		return
	}
	x.anew(t)
}
