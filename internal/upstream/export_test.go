package upstream

import (
	"bytes"
	"context"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// LoadStream opens what an upstream answers to XINFO STREAM FULL of an entry with a record, and says when its consumers were active.
func (x *Executor) LoadStream(tenant, category, name string, record, full []byte) (active map[string]int64, err error) {
	k := &keyState{entry: seal.Entry{Tenant: tenant, Category: category, Name: []byte(name)}}
	if err := x.sealer.Identify(&k.entry); err != nil {
		return nil, err
	}
	if err := x.sealer.OpenCollection(&k.coll, &k.entry, record, x.b.clock.Now()); err != nil {
		return nil, err
	}
	r := reader{src: bytes.NewReader(full), max: 1 << 20}
	v, err := r.next()
	if err != nil {
		return nil, err
	}
	k.parts = &v
	k.meta = engine.Meta{ExpiresAt: 1 << 40}
	key := x.scratch.Key(0, 0, k.entry.Name)
	keys := []engine.Key{key}
	x.tx.Begin(0, discard{})
	x.tx.Lock(keys)
	defer x.tx.Unlock()
	defer x.tx.Delete(&keys[0])
	l := loader{x: x, k: k, key: &keys[0]}
	if err := l.create(false); err != nil {
		return nil, err
	}
	if err := l.wholeStream(); err != nil {
		return nil, err
	}
	active = map[string]int64{}
	l.stream.EachGroup(func(g engine.StreamGroup) bool {
		g.EachConsumer(func(c engine.StreamConsumer) bool {
			active[string(c.Name())] = c.ActiveAt()
			return true
		})
		return true
	})
	return active, nil
}

// NewLooseAccounts returns accounts of a process that has no upstream.
func NewLooseAccounts() *Accounts { return newAccounts(newLedger(&seal.Stamps{}, nil)) }

// Look is what Run does four times a second, at an instant in Unix milliseconds.
func (s *Succession) Look(now int64) { s.look(context.Background(), now) }

// QueueRests says of instants at which a queue looks, in Unix milliseconds, whether it rests then.
func QueueRests(at ...int64) (rests []bool) {
	var q queue
	for _, now := range at {
		rests = append(rests, q.resting(now))
	}
	return rests
}

// KeyHasCome reports what an executor answers that could not open a record a moment ago, and has its key meanwhile.
func (x *Executor) KeyHasCome(record []byte) bool {
	h, err := seal.ParseHeader(record)
	return err == nil && x.fetchKey(&keyState{header: h, guard: guardHeader}, seal.ErrNoKey)
}

// Notes are those of one part of the ledger, with a number and a record in each.
type Notes struct{ t notes }

// Put gives a pseudonym a number and a record; own says that this gateway has written it.
func (n *Notes) Put(id [16]byte, number int64, record []byte, own bool) {
	s := n.t.of(&id)
	if own {
		s = n.t.withAnnex(&id)
		s.n.names[0]++
	}
	s.n.deadline = number
	s.n.know(record, 1)
	n.t.approach(&id)
	s.n.approach()
}

// Get returns the number and the record of a pseudonym.
func (n *Notes) Get(id [16]byte) (number int64, record []byte, ok bool) {
	if x := n.t.get(&id); x != nil {
		return x.deadline, x.record, true
	}
	return 0, nil, false
}

// Remove forgets a pseudonym.
func (n *Notes) Remove(id [16]byte) { n.t.remove(&id) }

// Len is how many pseudonyms there are, and how many slots for them.
func (n *Notes) Len() (used, slots int) { return n.t.used, len(n.t.slots) }

// Doubts are those of one part of the ledger.
type Doubts struct{ d doubts }

// NewDoubts are none.
func NewDoubts() *Doubts { return &Doubts{doubts{of: map[[16]byte]doubt{}}} }

// Add takes up a write with a stamp and a deadline, which one that is made after another stamp replaces.
func (x *Doubts) Add(id [16]byte, stamp uint64, deadline int64, until uint64, now int64) {
	x.d.add(&id, &seal.Header{Stamp: stamp, Deadline: deadline}, until, now)
}

// Settle notes a write that was made.
func (x *Doubts) Settle(id [16]byte, stamp uint64) { x.d.settle(&id, stamp) }

// Have reports whether a write is in doubt.
func (x *Doubts) Have(id [16]byte, stamp uint64) bool { return x.d.have(&id, stamp) }

// Len is of how many entries there are doubts.
func (x *Doubts) Len() int { return len(x.d.of) }
