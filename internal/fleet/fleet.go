package fleet

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

// Bus carries messages to the other gateways of the cluster; *seal.Peers is one. Nobody else can read or make them, but they
// can be lost.
type Bus interface {
	// Broadcast sends to all others.
	Broadcast(ctx context.Context, kind byte, body []byte) error
	// InTouch returns since when this gateway hears itself without a break, on the Clock; 0: it does not.
	InTouch() (since int64)
	// Heard returns the numbers of the others of which a message came within so many milliseconds.
	Heard(within int64) []uint64
}

// Journal is where changes of consent are kept; *consent.Keeper is one.
type Journal interface {
	Known() map[string]uint64
	Since(gateway string, after uint64, most int) ([]consent.Change, error)
	Force(all []consent.Change) (lacking []consent.Change)
	Accept(all []consent.Change) (fresh []consent.Change, err error)
}

// Clock tells Unix milliseconds and never goes back.
type Clock interface{ Now() int64 }

// Options are what a Fleet joins.
type Options struct {
	Name    string // of this gateway, as others know it
	Least   int    // how many gateways must be in touch, this one included, before patients' data is served
	Bus     Bus
	Journal Journal
	Shared  []Shared // what else is the same everywhere
	Clock   Clock
	Log     *slog.Logger
	// Settle returns when no command that began before the change was in force is running here. It is called when a change of
	// another gateway is in force and written down; late says that the change is older than what a gateway in touch can have
	// missed, so that entries may have been stored here meanwhile; what of them was erased here is told to the gateway that took
	// the change, for its receipt.
	Settle func(ctx context.Context, c *consent.Change, late bool) ([]consent.Erased, error)
	// News takes what another gateway told, by kind. It must not block or keep the body.
	News func(kind byte, body []byte)
}

// Fleet is this gateway among the others. Its methods may be called concurrently.
type Fleet struct {
	o    Options
	wake chan struct{}
	come chan []consent.Change // from others, to write down
	bits chan sharedBatch      // the same of what is shared

	mu       sync.Mutex
	members  map[uint64]*member // by number of the process
	twin     int64              // when another gateway was heard that has this one's name
	erased   []erasure          // of late
	settled  map[string]uint64  // by gateway, how many of its changes are in force here and what ran before them has ended
	since    int64              // the contact that caughtUp is about
	caughtUp bool
	served   bool              // it was so once
	behind   int64             // since when it is known that another gateway has changes that are not here; 0: none has
	even     int64             // when none of those had any that are not here
	changed  chan struct{}     // closed and replaced when a member has told something
	told     uint64            // of the own changes, how many were broadcast
	spread   map[string]uint64 // by what is shared, the last own change of it that was broadcast
}

const (
	stateEvery   = 100 * time.Millisecond
	settleMillis = 400  // after contact was made: every gateway has greeted within it
	owedMillis   = 2000 // how long a gateway that was there before contact broke is waited for
	behindMillis = 500  // how long this gateway may lack what another one has
	silentMillis = 900  // a gateway of which nothing comes for longer does not hear the others either
	roster       = 3_600_000
	queued       = 256
)

// The kinds of messages. Those from KindNews on are News.
const (
	kindState byte = iota + 1
	kindChanges
	kindWant
	kindShared
	kindWantShared
	KindNews
)

// New returns this gateway's part of the fleet. Received may be called at once.
func New(o Options) *Fleet {
	f := &Fleet{o: o, wake: make(chan struct{}, 1), come: make(chan []consent.Change, queued), bits: make(chan sharedBatch, queued), members: map[uint64]*member{},
		settled: o.Journal.Known(), changed: make(chan struct{}), told: o.Journal.Known()[o.Name], spread: map[string]uint64{}}
	for _, s := range o.Shared {
		known, _ := s.State()
		f.spread[s.Name()] = known[o.Name]
	}
	return f
}

// Run tells the others how things are until ctx ends, and then that this gateway leaves.
func (f *Fleet) Run(ctx context.Context) {
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { f.acceptAll(ctx) })
	parts.Go(func() { f.acceptShared(ctx) })
	tick := time.NewTicker(stateEvery)
	defer tick.Stop()
	for {
		f.tellChanges(ctx)
		f.tellShared(ctx)
		f.sendState(ctx, false)
		f.askForMissing(ctx)
		f.askForShared(ctx)
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stateEvery)
			f.sendState(ctx, true)
			cancel()
			return
		case <-tick.C:
		case <-f.wake:
		}
	}
}

// Grown makes Run tell the others what is new in the journal or in what is shared. It does not block.
func (f *Fleet) Grown() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Tell broadcasts news of a kind from KindNews on. News can be lost: nothing that must not be missed is one.
func (f *Fleet) Tell(ctx context.Context, kind byte, body []byte) error {
	return f.o.Bus.Broadcast(ctx, kind, body)
}

// Received takes what another gateway has sent. It does not block.
func (f *Fleet) Received(from uint64, kind byte, body []byte) {
	switch kind {
	case kindState:
		var s state
		if json.Unmarshal(body, &s) == nil && s.sound() {
			f.heard(from, &s)
		}
	case kindChanges:
		var all []consent.Change
		if json.Unmarshal(body, &all) == nil {
			f.force(all)
		}
	case kindWant:
		var w want
		if json.Unmarshal(body, &w) == nil && w.To == f.o.Name {
			f.wanted(from, w.Have)
		}
	case kindShared:
		f.queueShared(body)
	case kindWantShared:
		var w wantShared
		if json.Unmarshal(body, &w) == nil && w.To == f.o.Name {
			f.sharedWanted(from, &w)
		}
	default:
		if f.o.News != nil && kind >= KindNews {
			f.o.News(kind, body)
		}
	}
}

func (f *Fleet) send(ctx context.Context, kind byte, message any) {
	body, err := json.Marshal(message)
	if err != nil {
		panic("BUG: cannot encode a message between gateways: " + err.Error())
	}
	_ = f.o.Bus.Broadcast(ctx, kind, body) // what is not sent is not heard, and the next state shows it
	clear(body)
}
