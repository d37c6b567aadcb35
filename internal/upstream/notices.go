package upstream

import (
	"sync"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Notify has the call note what became of its keys, as its Notices say, once it has ended. What a call of a transaction did
// was noted when it ran.
func (t *Task) Notify() {
	c := t.Call
	if t.inside || c.Notices == 0 || c.Failed {
		return
	}
	before, after := make([]bool, len(t.keys)), make([]bool, len(t.keys))
	for i := range t.keys {
		k := &t.keys[i]
		before[i] = k.found
		switch {
		case k.wrote:
			after[i] = k.there
		case k.place.Plain: // a string: to delete anything of it is to delete it
			after[i] = c.Told[i] == command.Stored || k.found && c.Told[i] != command.Deleted
		default:
			after[i] = k.found
		}
	}
	c.Changed(before, after)
}

// elsewhere is what this process is told of entries that other gateways have ended.
type elsewhere struct {
	mu     sync.Mutex
	sealer *seal.Sealer
}

// Stamp is a stamp of now, for Ended at other gateways.
func (b *Backend) Stamp() uint64 { return b.stamps.Next(b.clock.Now()) }

// Ended notes that another gateway has deleted an entry, or met its deadline, at a stamp: what this gateway had written before
// is that one's to tell of.
func (b *Backend) Ended(tenant string, name []byte, stamp uint64) {
	b.elsewhere.mu.Lock()
	defer b.elsewhere.mu.Unlock()
	if b.elsewhere.sealer == nil {
		b.elsewhere.sealer = seal.NewSealer(b.ring)
	}
	b.ended(&seal.Entry{Tenant: tenant, Name: name}, stamp)
	b.ended(&seal.Entry{Tenant: tenant, Name: name, Kept: true}, stamp) // which of the two it was is not said
}

func (b *Backend) ended(e *seal.Entry, stamp uint64) {
	if b.elsewhere.sealer.Identify(e) != nil {
		return
	}
	id := e.Pseudonym()
	p := b.ledger.part(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.notes.get(&id); n != nil && n.stamp < stamp {
		n.own = false
		n.discount(partOf(id))
	}
}
