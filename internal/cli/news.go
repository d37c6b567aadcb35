package cli

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/fleet"
	"github.com/lethe-cache/lethe/internal/gateway"
)

// newsQueue is what this gateway has to tell the others and has not sent yet. What clients make, such as messages, may come faster than
// the upstream passes it on. What gateways tell each other themselves, such as what tenants have used up, has a way of its own: whoever
// publishes hides none of it.
type newsQueue struct {
	own   chan news
	all   chan news // that clients make
	bytes atomic.Int64
}

// news is something for the other gateways.
type news struct {
	kind byte
	body []byte
}

const (
	queuedOwn       = 64 // some seconds: what is older would count for a time that has passed
	queuedNews      = 8192
	queuedNewsBytes = 16 << 20
	tellNewsEvery   = 100 * time.Millisecond

	// What clients make waits while the bus is so far behind, for a second each at most. States go out every 100 ms; a gateway that has
	// not heard itself for 900 ms serves no PHI, and what one tenant publishes must not lead to that.
	newsLag     = 250 * time.Millisecond
	newsPatient = time.Second
	newsLook    = 10 * time.Millisecond
)

func newNewsQueue() *newsQueue {
	return &newsQueue{own: make(chan news, queuedOwn), all: make(chan news, queuedNews)}
}

// tell queues news for the other gateways. It does not wait: when the upstream takes them more slowly than they come, they are
// lost, as a subscriber loses what it does not read in time.
func (q *newsQueue) tell(kind byte, body []byte) {
	if !gateway.MadeByClients(kind) {
		select {
		case q.own <- news{kind, body}:
		default:
			clear(body)
		}
		return
	}
	n := int64(len(body))
	if q.bytes.Add(n) <= queuedNewsBytes {
		select {
		case q.all <- news{kind, body}:
			return
		default:
		}
	}
	q.bytes.Add(-n)
	clear(body)
}

// send sends what is queued until ctx ends, by tell. lag is how far the bus is behind.
func (q *newsQueue) send(ctx context.Context, lag func() time.Duration, tell func(ctx context.Context, kind byte, body []byte) error) {
	say := func(x news) {
		_ = tell(ctx, fleet.KindNews+x.kind, x.body) // lost where the upstream cannot be reached
		clear(x.body)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-q.own:
			say(x)
		case x := <-q.all:
			q.wait(ctx, lag, say)
			say(x)
			q.bytes.Add(-int64(len(x.body)))
		}
	}
}

// wait waits while the bus is behind, and says meanwhile what does not wait.
func (q *newsQueue) wait(ctx context.Context, lag func() time.Duration, say func(news)) {
	if lag() <= newsLag {
		return
	}
	look, patience := time.NewTicker(newsLook), time.NewTimer(newsPatient)
	defer look.Stop()
	defer patience.Stop()
	for lag() > newsLag {
		select {
		case <-ctx.Done():
			return
		case <-patience.C:
			return
		case x := <-q.own:
			say(x)
		case <-look.C:
		}
	}
}
