package upstream

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/seal"
)

// near keeps records of strings, and small hashes and sets whole, as the upstream has them, sealed, so that reading them again asks nobody. Everything that a
// record has to pass when it comes from the upstream it passes when it comes from here: it is opened, its own deadline holds,
// and the ledger says whether it was replaced.
//
// What it holds is true because the upstream tells of every change: each record is read once more, over a connection that
// the upstream has promised to tell (link.go), and leaves when it does. When that connection is lost, everything that
// came over it leaves. It may be used concurrently.
type near struct {
	max   int64
	parts [nearParts]nearPart

	hits, misses, told, resets atomic.Uint64
}

const (
	nearParts = 16
	// nearOverhead is what an entry takes beside name and record.
	nearOverhead = 160
)

type nearName = [seal.KeyNameBytes]byte

type nearPart struct {
	mu      sync.Mutex
	entries map[nearName]*nearEntry
	order   []*nearEntry // in the order in which they came; those that are read go to its end when room is needed
	bytes   int64
}

type nearEntry struct {
	name     nearName
	record   []byte // never changed, nor is what follows
	parts    *parted
	large    bool // it is not kept, and not worth being asked for again until it changes
	deadline int64
	from     *link // the connection that tells of changes
	used     bool
	gone     bool
}

func (e *nearEntry) size() int64 {
	n := int64(len(e.record) + seal.KeyNameBytes + nearOverhead)
	if e.parts != nil {
		n += e.parts.size
	}
	return n
}

func newNear(max int64) *near {
	n := &near{max: max}
	for i := range n.parts {
		n.parts[i].entries = map[nearName]*nearEntry{}
	}
	return n
}

// part finds a name's part. The last characters of a name are those of a keyed hash.
func (n *near) part(name *nearName) *nearPart { return &n.parts[name[seal.KeyNameBytes-2]%nearParts] }

// get returns what is kept of a name that the node at an address has, nil if it is not here or its deadline has passed. Its
// record and parts may be read.
func (n *near) get(name *nearName, address string, now int64) *nearEntry {
	p := n.part(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[*name]
	if e == nil {
		return nil
	}
	if e.deadline <= now || e.from.address != address {
		p.drop(e)
		return nil
	}
	e.used = true
	if e.large {
		return nil
	}
	return e
}

// knows reports whether there is no use in asking for a name.
func (n *near) knows(name *nearName) bool {
	p := n.part(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.entries[*name] != nil
}

// put keeps what a link has brought: a record, and the parts of a collection.
func (n *near) put(name *nearName, record []byte, h *seal.Header, parts *parted, from *link) {
	e := &nearEntry{name: *name, record: record, parts: parts, deadline: h.Deadline, from: from}
	limit := n.max / nearParts
	if e.large = e.size() > limit/4 || h.Type != seal.String && parts == nil; e.large {
		e.record, e.parts = nil, nil
	}
	p := n.part(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(p.entries[*name])
	for p.bytes+e.size() > limit {
		p.evict()
	}
	p.entries[*name] = e
	p.order = append(p.order, e)
	p.bytes += e.size()
}

// evict drops the entry that has been here longest without having been read since it was last looked at.
func (p *nearPart) evict() {
	for {
		e := p.order[0]
		p.order = p.order[1:]
		switch {
		case e.gone:
		case e.used:
			e.used = false
			p.order = append(p.order, e)
		default:
			p.drop(e)
			return
		}
	}
}

func (p *nearPart) drop(e *nearEntry) {
	if e == nil || e.gone {
		return
	}
	e.gone = true
	delete(p.entries, e.name)
	p.bytes -= e.size()
	if len(p.order) > 2*len(p.entries)+64 {
		kept := make([]*nearEntry, 0, len(p.entries))
		for _, x := range p.order {
			if !x.gone {
				kept = append(kept, x)
			}
		}
		p.order = kept
	}
}

// remove forgets a name that the upstream has told of, by its record's, which counts, or by that of its data.
func (n *near) remove(name *nearName, counts bool) {
	if counts {
		n.told.Add(1)
	}
	p := n.part(name)
	p.mu.Lock()
	p.drop(p.entries[*name])
	p.mu.Unlock()
}

// clear forgets what came over a link; everything for nil.
func (n *near) clear(from *link) {
	for i := range n.parts {
		p := &n.parts[i]
		p.mu.Lock()
		for _, e := range p.entries {
			if from == nil || e.from == from {
				p.drop(e)
			}
		}
		p.mu.Unlock()
	}
}

// expire takes out what has ended of one part by chance, so that what nobody reads does not stay for long.
func (n *near) expire(now int64) {
	p := &n.parts[rand.N(nearParts)]
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.entries {
		if e.deadline <= now {
			p.drop(e)
		}
	}
}

// NearStats says what the near cache does.
type NearStats struct {
	Hits, Misses  uint64 // of reads that it could have answered
	Invalidations uint64 // changes that the upstream told of
	Resets        uint64 // connections that were lost, and with them what had come over them
	Entries       int
	Bytes         int64
	Limit         int64 // 0: there is none
}

// Near says what the near cache does; the zero NearStats where there is none.
func (b *Backend) Near() (s NearStats) {
	n := b.near
	if n == nil {
		return s
	}
	s = NearStats{Hits: n.hits.Load(), Misses: n.misses.Load(), Invalidations: n.told.Load(), Resets: n.resets.Load(), Limit: n.max}
	for i := range n.parts {
		p := &n.parts[i]
		p.mu.Lock()
		s.Entries += len(p.entries)
		s.Bytes += p.bytes
		p.mu.Unlock()
	}
	return s
}
