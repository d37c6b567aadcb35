package upstream

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Backend is what the executors of one process share. It may be used concurrently.
type Backend struct {
	upstream *Upstream
	ring     *seal.Ring
	clock    *seal.Clock
	sink     Sink
	ledger   *ledger
	accounts *Accounts
	scripts  *scripts
	shapes   map[string]*shape
	stamps   *seal.Stamps
	near     *near // nil: there is none
	follows  *follows
	links    *links
	consents Consents // nil: nobody's is withdrawn

	elsewhere elsewhere
	inherited inherited

	mu      sync.Mutex
	unknown map[uint64]time.Time // data keys that no peer had when it was asked
}

// NewBackend joins an upstream and a ring. clock is the ring's.
func NewBackend(u *Upstream, r *seal.Ring, clock *seal.Clock, s Sink) *Backend {
	b := &Backend{upstream: u, ring: r, clock: clock, sink: s, stamps: r.Stamps(), ledger: newLedger(r.Stamps(), r.Ours), scripts: newScripts(), shapes: shapes(), unknown: map[uint64]time.Time{}}
	b.accounts = newAccounts(b.ledger)
	if max := u.options.NearBytes; max > 0 {
		b.near = newNear(max)
	}
	b.follows = &follows{u: u, byName: map[nearName]*follow{}}
	b.links = &links{u: u, near: b.near, follows: b.follows, byAddress: map[string]*link{}}
	b.follows.links = b.links
	return b
}

// Executor runs calls against the upstream. One goroutine at a time uses it; it keeps a connection to each node that it
// talks to.
type Executor struct {
	b       *Backend
	lane    *lane
	now     int64 // Unix milliseconds, of the last look at the clock: before the batch was made, or when its replies were there
	sealer  *seal.Sealer
	scratch *engine.Store // entries are here in clear while their command runs
	tx      *engine.Tx
	plain   []byte // for plaintext; its first dirty bytes are cleared at the end of each wave
	dirty   int
	dummy   [16]byte
	seed    maphash.Seed
	writes  writes
	spent   spending
	aside   []command.Written // by the command that runs
	order   order
	running *Task           // the transaction whose calls run
	fields  [][]byte        // of the entry of a stream that is being opened
	held    []seal.Subjects // patients of entries, cleared at the end of each wave
	nearOff bool            // the round writes what may be kept near, or read from replicas
	one     [1]*Task
}

// scratchBytes bounds what one executor's commands may hold in clear together.
const scratchBytes = 1 << 30

// NewExecutor returns an executor. categories is how many the policy has.
func (b *Backend) NewExecutor(categories int) *Executor {
	x := &Executor{b: b, lane: newLane(b.upstream), sealer: seal.NewSealer(b.ring),
		seed: maphash.MakeSeed(), scratch: engine.New(engine.Options{MaxMemory: scratchBytes, Categories: categories, OneShard: true})}
	x.tx, x.order = x.scratch.NewTx(), newOrder()
	rand.Read(x.dummy[:])
	x.one[0] = &Task{}
	return x
}

// Close ends the executor's connections and gives its memory back.
func (x *Executor) Close() {
	x.lane.dropAll()
	x.scratch.Close()
	x.tidy()
	x.sealer.Forget()
}

// tidy clears what plaintext was opened into, lets go of a buffer that one large value has made, and has what was written count.
func (x *Executor) tidy() {
	x.spent.flush()
	clear(x.plain[:x.dirty])
	x.dirty = 0
	for _, about := range x.held {
		clear(about)
	}
	clear(x.held)
	x.held = x.held[:0]
	if cap(x.plain) > keptPlainBytes {
		x.plain = nil
	}
}

const keptPlainBytes = 64 << 10

// keep notes that plaintext was appended to the buffer's beginning, and takes the larger buffer over that it may have needed.
func (x *Executor) keep(plain []byte) {
	if cap(plain) > cap(x.plain) {
		clear(x.plain[:x.dirty])
		x.dirty = 0
		x.plain = plain[:0]
	}
	x.plain, x.dirty = x.plain[:cap(x.plain)], max(x.dirty, len(plain))
}

const (
	askPeers   = 500 * time.Millisecond // how long a read waits for a data key that peers may have, which a busy machine needs
	forgetMiss = 5 * time.Second
	maxUnknown = 4096
)

// fetchKey waits a moment for a data key that a peer may have, and reports whether it came.
func (b *Backend) fetchKey(id uint64) bool {
	b.fetchKeys(id)
	return b.ring.Has(id)
}

// fetchKeys waits a moment for data keys that peers may have, for all of them together. What nobody had is not asked for
// again for some seconds: entries of before the last start are misses at once.
func (b *Backend) fetchKeys(ids ...uint64) {
	type wanted struct {
		id   uint64
		came <-chan struct{}
	}
	var all []wanted
	for _, id := range ids {
		if b.ring.Has(id) {
			continue
		}
		b.mu.Lock()
		at, known := b.unknown[id]
		b.mu.Unlock()
		if known && time.Since(at) < forgetMiss {
			continue
		}
		if came := b.ring.Want(id); came != nil {
			all = append(all, wanted{id, came})
		}
	}
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), askPeers)
	defer cancel()
	for _, w := range all {
		select {
		case <-w.came:
			continue
		case <-ctx.Done():
		}
		b.ring.GiveUp(w.id)
		if b.ring.Has(w.id) { // it came at the last moment
			continue
		}
		b.mu.Lock()
		if len(b.unknown) >= maxUnknown {
			clear(b.unknown)
		}
		b.unknown[w.id] = time.Now()
		b.mu.Unlock()
	}
}
