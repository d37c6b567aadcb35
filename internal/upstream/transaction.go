package upstream

import (
	"bytes"
	"hash/maphash"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// A transaction loads every entry that its commands name, runs all handlers in the scratch store, and writes what has become
// of the entries in one step, provided that none of them has changed meanwhile: what was only read is compared too. A script is a
// call of one that runs others while it runs: see within.go.

// Watched is what an entry was when a client began to watch it. The name is a copy; call Clear when nobody watches any more.
type Watched struct {
	Place Place
	ID    engine.TenantID
	name  []byte
	mark  [seal.HeaderBytes]byte
	ends  int64 // of an integer in clear
	there bool
}

// Clear overwrites the name.
func (w *Watched) Clear() { clear(w.name) }

// Watch looks at the entries of a call, whose handler it does not run. problem is the error to answer, "" for none.
func (x *Executor) Watch(c *command.Call, keys []Place) (all []Watched, problem string) {
	t := &Task{Call: c, Keys: keys, shape: &shape{need: needRecord}}
	t.mark = c.Out.Len()
	x.lane.reset()
	t.reuse(len(keys))
	for i := range t.keys {
		if x.identify(t, i) != nil {
			return nil, msgNoKeys
		}
		k := &t.keys[i]
		if k.place.Plain {
			k.op = x.askPlain(k)
			continue
		}
		k.op = x.lane.begin(k.slot, true, 4)
		x.lane.out = appendArg(appendArgString(x.lane.out, "GETRANGE"), k.record)
		x.lane.out = appendArgInt(appendArgInt(x.lane.out, 0), seal.HeaderBytes-1)
		x.lane.end()
	}
	x.lane.run()
	for i := range t.keys {
		k := &t.keys[i]
		o := &x.lane.ops[k.op]
		w := Watched{Place: keys[i], ID: c.Keys[i].Tenant, name: append([]byte(nil), k.entry.Name...)}
		if o.err != nil || !w.take(&o.reply) {
			return nil, msgUnreachable
		}
		all = append(all, w)
	}
	return all, ""
}

// take notes what the upstream has of the entry, and reports whether that makes sense.
func (w *Watched) take(r *reply) bool {
	if value, at, ok := clearValue(r); ok {
		if _, counts := command.ParseInt(value.text); counts {
			w.there, w.ends = true, at
			copy(w.mark[:], value.text)
			return true
		}
		r = value
	}
	w.there = len(r.text) >= seal.HeaderBytes
	copy(w.mark[:], r.text)
	return r.kind == '$'
}

// group is a transaction on its way.
type group struct {
	tasks   []*Task
	index   map[uint64]int // of each key by a hash of tenant and name; see place
	where   [][]int        // of each key of each task the index among the transaction's
	watched []int          // of each watched entry
	watches []Watched
	begin   func() bool
	ran     bool

	declared []int // of the script that runs, its keys among the transaction's
}

// Transaction runs calls as one. Each has its reply in its own Out when ran is true. It is false when a watched entry has
// changed, or with a problem: then nothing has happened, or in the case of a lost connection nobody knows, and problem is
// the error to answer. begin is called before each time that the calls run, for they run again when somebody else was faster:
// what an earlier time has led to is to be taken back. It returns false when there is to be no other time.
func (x *Executor) Transaction(tasks []*Task, watches []Watched, begin func() bool) (ran bool, problem string) {
	if len(tasks) == 0 {
		return true, ""
	}
	first := tasks[0].Call
	c := &command.Call{Out: resp.NewWriter(0), Now: first.Now, WallNow: first.WallNow, Spec: &command.Spec{}}
	t := &Task{Call: c, shape: &shape{need: needWhole}, group: &group{tasks: tasks, watches: watches, begin: begin}}
	t.gather(x.b.shapes)
	x.lane.reset()
	x.now = x.b.clock.Now()
	t.until = x.now + x.b.upstream.options.Timeout.Milliseconds()
	defer x.tidy()
	if problem = x.unite(t); problem != "" {
		return false, problem
	}
	x.fetch(t)
	if len(t.keys) == 0 {
		x.execute(t)
	}
	for x.lane.waiting() {
		x.turn()
		x.step(t)
	}
	failpoint.Here(failpoint.TransactionWritten)
	if c.Failed {
		return false, errorText(c.Out.Bytes())
	}
	return t.group.ran, ""
}

// errorText is the text of an error reply.
func errorText(b []byte) string {
	if len(b) < 3 {
		return msgUpstream
	}
	return string(b[1 : len(b)-2])
}

// gather finds the shapes of the calls.
func (t *Task) gather(all map[string]*shape) {
	for _, one := range t.group.tasks {
		one.takeShape(all)
		one.mark = one.Call.Out.Len()
	}
}

// place returns where a key is among a transaction's; if it is not there, the hash under which the index would have it. The index
// holds no names: those of a map are on Go's heap, and stay there until the collector comes.
func (x *Executor) place(t *Task, p *Place, name []byte) (at int, hash uint64, known bool) {
	var h maphash.Hash
	h.SetSeed(x.seed)
	h.WriteString(p.Tenant)
	h.WriteByte(0)
	h.Write(name)
	for hash = h.Sum64(); ; hash++ {
		at, known = t.group.index[hash]
		if !known || t.Keys[at].Tenant == p.Tenant && bytes.Equal(t.Call.Args[at], name) {
			return at, hash, known
		}
	}
}

// unite makes one list of the keys of all calls and watches.
func (x *Executor) unite(t *Task) string {
	g, c := t.group, t.Call
	g.index = map[uint64]int{}
	add := func(name []byte, place Place, key engine.Key) int {
		at, hash, known := x.place(t, &place, name)
		if known {
			return at
		}
		at = len(c.Keys)
		g.index[hash] = at
		c.Args = append(c.Args, name)
		c.Refs = append(c.Refs, command.KeyRef{Arg: at})
		c.Keys = append(c.Keys, key)
		c.Told = append(c.Told, command.Untold)
		t.Keys = append(t.Keys, place)
		return at
	}
	for _, one := range g.tasks {
		var where []int
		for i := range one.Keys {
			where = append(where, add(one.Call.Args[one.Call.Refs[i].Arg], one.Keys[i], one.Call.Keys[i]))
		}
		g.where = append(g.where, where)
	}
	for i := range g.watches {
		w := &g.watches[i]
		g.watched = append(g.watched, add(w.name, w.Place, engine.Key{Tenant: w.ID}))
	}
	t.reuse(len(t.Keys))
	t.doom()
	for i := range t.keys {
		if x.identify(t, i) != nil {
			return msgNoKeys
		}
		if t.keys[i].slot != t.keys[0].slot {
			return msgCrossSlot
		}
	}
	return ""
}

// doom notes which keys the transaction deletes before it does anything else with them.
func (t *Task) doom() {
	named := make([]bool, len(t.keys))
	for n, one := range t.group.tasks {
		name := one.Call.Spec.RecordName()
		deletes := one.refused == "" && (name == "DEL" || name == "UNLINK")
		for _, at := range t.group.where[n] {
			t.keys[at].doomed = t.keys[at].doomed || deletes && !named[at]
			named[at] = true
		}
	}
}

// unchanged reports whether the watched entries are what they were.
func (g *group) unchanged(t *Task) bool {
	for i, at := range g.watched {
		w, k := &g.watches[i], &t.keys[at]
		there := k.guard == guardHeader || k.guard == guardClear
		if there != w.there || there && (k.expect != w.mark || k.guard == guardClear && k.ends != w.ends) {
			return false
		}
	}
	return true
}

// runGroup runs the handlers one after another on the loaded entries and sends what became of them.
func (x *Executor) runGroup(t *Task) {
	g := t.group
	failpoint.Here(failpoint.TransactionLoaded)
	g.ran = false // whatever an earlier time has led to was not written
	if !g.unchanged(t) {
		return
	}
	if !g.begin() {
		t.giveUp(msgBusy, Outrun)
		return
	}
	x.running = t
	defer func() { x.running = nil }()
	for n, one := range g.tasks {
		x.runOne(t, one, g.where[n])
	}
	g.ran = true
	if t.tooMany() {
		return
	}
	x.writes.reset()
	for i := range t.keys {
		at := len(x.writes.entries)
		if err := x.change(t, i); err != nil {
			t.failSeal(err)
			return
		}
		if len(x.writes.entries) == at && len(t.keys) > 1 {
			x.writes.check(&t.keys[i])
		}
	}
	x.send(t)
}

func (x *Executor) runOne(t, one *Task, where []int) {
	c := one.Call
	c.Out.Truncate(one.mark)
	c.Failed, c.Tx, one.Withdrawn, one.inside, c.Notes = false, x.tx, false, true, c.Notes[:0]
	for i := range c.Told {
		c.Told[i] = command.Untold
	}
	if one.refused != "" {
		c.Error(one.refused)
		return
	}
	for _, at := range where {
		if t.keys[at].barred {
			c.Error(MsgWithdrawn)
			one.Withdrawn = true
			return
		}
	}
	for i, at := range where {
		category := c.Keys[i].Category
		c.Keys[i] = t.Call.Keys[at]
		c.Keys[i].Name, c.Keys[i].Category = c.Args[c.Refs[i].Arg], category
	}
	if c.Notices != 0 {
		c.Before()
	}
	script := one.shape.refuse == refusedScripts
	if script {
		t.group.declared = where
	}
	c.Spec.Run(c)
	if script {
		one.takeTold(t.Call.Told, where)
	}
	if c.Notices != 0 {
		c.After()
	}
	one.remember(t, where)
	if !script { // whose commands have said whom the entries are about
		x.attribute(t, c, one.Keys, where)
	}
	for i, at := range where {
		if told := c.Told[i]; told == command.Stored || told == command.Deleted {
			t.Call.Told[at] = told
		}
	}
}

// remember keeps what a call of a transaction has seen of its keys.
func (t *Task) remember(all *Task, where []int) {
	t.keys = t.keys[:0]
	for _, at := range where {
		k := all.keys[at]
		t.keys = append(t.keys, keyState{place: k.place, record: k.record, guard: k.guard, expect: k.expect, digits: k.digits})
	}
}
