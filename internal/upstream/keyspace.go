package upstream

import (
	"errors"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Tenant is a tenant whose entries a command without keys may see.
type Tenant struct {
	ID   engine.TenantID
	Name string
}

// A cursor is the number of the tenant and of the node, and the upstream's own cursor, which has as many bits as its table of
// keys has.
const cursorBits = 40

// walkTime bounds a walk over everything: an upstream that lies can make one endless.
const walkTime = 30 * time.Second

var errCursor = errors.New("the upstream's cursor is larger than any table")

// Keyspace runs SCAN, KEYS, DBSIZE, RANDOMKEY, and what CLUSTER tells of keys, for some tenants: the names that are upstream are opened into the scratch
// store, without values, and the handler answers from there. It reports whether the command is one of them.
//
// All but SCAN and RANDOMKEY walk over the whole upstream, whoever's it is.
func (x *Executor) Keyspace(c *command.Call, tenants []Tenant) bool {
	w := walk{x: x, c: c, tenants: tenants, by: time.Now().Add(walkTime)}
	switch c.Spec.RecordName() {
	case "SCAN":
		w.scan()
	case "KEYS", "DBSIZE", "CLUSTER|COUNTKEYSINSLOT", "CLUSTER|GETKEYSINSLOT":
		w.everything()
	case "RANDOMKEY":
		w.random()
	default:
		return false
	}
	return true
}

// walk is one command without keys.
type walk struct {
	x       *Executor
	c       *command.Call
	tenants []Tenant
	by      time.Time // when a walk over everything gives up
	found   [][]byte  // names in clear; cleared at the end
	err     error
}

// scan answers one page. The handler is given the page as if it were everything, and its cursor is replaced.
func (w *walk) scan() {
	c := w.c
	cursor, ok := command.ParseDigits(c.Args[1])
	if !ok {
		c.Tx = w.x.tx
		c.Spec.Run(c) // has the error
		return
	}
	nodes := w.x.nodes()
	at, within := cursor>>cursorBits, cursor&(1<<cursorBits-1)
	next := uint64(0)
	steps := uint64(len(w.tenants) * len(nodes))
	// One answer has the pages of several nodes where they have little: clients of a small keyspace see all of it at once, as
	// they would of one node, and nobody is sent from one empty page to the next.
	for pages := 0; at < steps && pages < maxPages && len(w.found) < pageSize && w.err == nil; pages++ {
		within = w.page(w.tenants[at/uint64(len(nodes))], nodes[at%uint64(len(nodes))], within, pageSize)
		if within == 0 {
			at++
		}
		if next = 0; at < steps {
			next = at<<cursorBits | within
		}
	}
	mark := c.Out.Len()
	args := c.Args
	c.Args = append(append([][]byte{args[0], []byte("0")}, args[2:]...), []byte("COUNT"), []byte(strconv.Itoa(2*(pageSize+len(w.found)))))
	w.answer()
	c.Args = args
	w.replaceCursor(mark, next)
}

const (
	pageSize = 1000 // how many names one step asks for
	maxPages = 16   // steps for one answer
)

// replaceCursor puts the real cursor where the handler answered that there is no more.
func (w *walk) replaceCursor(mark int, next uint64) {
	const zero = "*2\r\n$1\r\n0\r\n"
	out := w.c.Out
	answer := out.Bytes()[mark:]
	if w.c.Failed || next == 0 || len(answer) < len(zero) || string(answer[:len(zero)]) != zero {
		return
	}
	rest := append([]byte(nil), answer[len(zero):]...)
	out.Truncate(mark)
	out.Array(2)
	out.BulkUint(next)
	out.Raw(rest)
	clear(rest)
}

func (w *walk) everything() {
	for _, t := range w.tenants {
		for _, node := range w.x.nodes() {
			for cursor := uint64(0); ; {
				if cursor = w.page(t, node, cursor, pageSize); cursor == 0 {
					break
				}
			}
		}
	}
	w.answer()
}

// random asks for keys by chance until one is a tenant's, and walks where chance does not help.
func (w *walk) random() {
	x := w.x
	x.lane.reset()
	const tries = 16
	for _, node := range x.nodes() {
		for range tries {
			x.lane.command(node.slot, true, "RANDOMKEY")
		}
	}
	x.lane.run()
	var names [][]byte
	for i := range x.lane.ops {
		if o := &x.lane.ops[i]; o.err == nil && o.reply.kind == '$' && seal.IsRecordName(o.reply.text) {
			names = append(names, append([]byte(nil), o.reply.text...))
		}
	}
	for _, t := range w.tenants {
		w.open(t, names)
	}
	if len(w.found) == 0 {
		w.everything()
		return
	}
	w.answer()
}

// answer runs the handler on what was found.
func (w *walk) answer() {
	c, x := w.c, w.x
	defer func() {
		for _, name := range w.found {
			clear(name)
		}
		x.tx.Begin(c.Now, discard{})
		for _, t := range w.tenants {
			x.tx.Flush(t.ID, func(engine.Entry) {})
		}
	}()
	if w.err != nil {
		c.Error(msgUnreachable)
		return
	}
	c.Tx = x.tx
	c.Spec.Run(c)
}

// node is one primary, by a slot that it has.
type node struct{ slot int }

func (x *Executor) nodes() (all []node) {
	l := x.b.upstream.layout.Load()
	if l == nil || l.bySlot == nil {
		return []node{{0}}
	}
	seen := map[int16]bool{}
	for slot, n := range l.bySlot {
		if n >= 0 && !seen[n] {
			seen[n] = true
			all = append(all, node{slot})
		}
	}
	return all
}

// page loads the names of one step of the upstream's SCAN and returns its cursor.
func (w *walk) page(t Tenant, n node, cursor uint64, count int) uint64 {
	x := w.x
	if w.err == nil && time.Now().After(w.by) {
		w.err = errUnreachable
	}
	if w.err != nil {
		return 0
	}
	prefix, err := x.sealer.TenantPrefix(nil, t.Name)
	if err != nil {
		w.err = err
		return 0
	}
	x.lane.reset()
	x.lane.command(n.slot, true, "SCAN", strconv.FormatUint(cursor, 10), "MATCH", string(prefix)+"*", "COUNT", strconv.Itoa(count))
	x.lane.run()
	o := &x.lane.ops[0]
	if o.err != nil || o.reply.kind != '*' || len(o.reply.elems) != 2 || o.reply.elems[1].kind != '*' {
		w.err = errUnreachable
		return 0
	}
	next, err := strconv.ParseUint(string(o.reply.elems[0].text), 10, 64)
	if err != nil || next >= 1<<cursorBits {
		w.err = errCursor
		return 0
	}
	var names [][]byte
	for i := range o.reply.elems[1].elems {
		if name := o.reply.elems[1].elems[i].text; seal.IsRecordName(name) {
			names = append(names, append([]byte(nil), name...))
		}
	}
	w.open(t, names)
	return next
}

// headBytes is enough of a record for a name of 200 bytes.
const headBytes = 268

// open asks for the beginnings of records and loads the names in them.
func (w *walk) open(t Tenant, names [][]byte) {
	asked := w.x.b.stamps.Next(w.x.b.clock.Now())
	heads, err := w.x.heads(names)
	if err != nil {
		w.err = err
		return
	}
	for i, name := range names {
		w.load(t, name, heads[i], asked)
	}
}

// heads returns as much of each record as its name takes, empty where there is none, valid until the lane's next batch.
func (x *Executor) heads(names [][]byte) ([][]byte, error) {
	x.lane.reset()
	for _, name := range names {
		x.askHead(name, headBytes)
	}
	x.lane.run()
	heads, at := make([][]byte, len(names)), make([]int, len(names))
	long := false
	for i, name := range names {
		o := &x.lane.ops[i]
		if o.err != nil {
			return nil, o.err
		}
		if at[i], heads[i] = i, o.reply.text; o.reply.kind != '$' {
			heads[i] = nil
		}
		if h, err := seal.ParseHeader(heads[i]); err == nil && h.NameEnd() > headBytes && len(heads[i]) == headBytes {
			at[i], long = len(x.lane.ops), true
			x.askHead(name, h.NameEnd())
		}
	}
	if !long {
		return heads, nil
	}
	x.lane.run()
	for i := range names {
		o := &x.lane.ops[at[i]]
		if o.err != nil {
			return nil, o.err
		}
		if o.reply.kind == '$' {
			heads[i] = o.reply.text
		}
	}
	return heads, nil
}

func (x *Executor) askHead(name []byte, n int) {
	l := x.lane
	l.begin(x.slot(name), true, 4)
	l.out = appendArg(appendArgString(l.out, "GETRANGE"), name)
	l.out = appendArgInt(appendArgInt(l.out, 0), int64(n-1))
	l.end()
}

// load puts an entry without its value into the scratch store, if the name opens, nothing newer is known and the deadline has not
// passed. What does not open is somebody else's, or a lie that whoever reads the entry is told of. asked is a stamp of when the head
// was asked for.
func (w *walk) load(t Tenant, name, head []byte, asked uint64) {
	x, c := w.x, w.c
	h, real, about, err := x.sealer.OpenName(nil, t.Name, name, head)
	if err != nil {
		return
	}
	w.found = append(w.found, real)
	hidden := x.withdrawn(t.Name, about) || x.fenced(t.Name, about)
	clear(about)
	id, _ := seal.PseudonymOf(name)
	if hidden || h.Deadline <= x.b.clock.Now() || x.b.ledger.replayed(id, &h, asked) {
		return
	}
	key := x.scratch.Key(t.ID, 0, real)
	x.tx.Begin(c.Now, discard{})
	keys := []engine.Key{key}
	x.tx.Lock(keys)
	defer x.tx.Unlock()
	m := engine.Meta{BornAt: max(c.Engine(h.BornAt), 0), ExpiresAt: c.Engine(h.Deadline)}
	if x.tx.Peek(&key).Exists() || m.ExpiresAt <= c.Now {
		return
	}
	if h.Type == seal.String {
		x.tx.NewString(&key, m, 0)
		return
	}
	l := loader{x: x, k: &keyState{meta: m}, key: &key}
	l.k.coll.Type = h.Type
	_ = l.create(true)
}
