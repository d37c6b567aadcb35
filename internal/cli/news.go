package cli

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/fleet"
)

// newsQueue is what this gateway has to tell the others and has not sent yet. What clients publish is among it, and may come faster
// than the upstream passes it on.
type newsQueue struct {
	all   chan news
	bytes atomic.Int64
}

// news is something for the other gateways.
type news struct {
	kind byte
	body []byte
}

const (
	queuedNews      = 8192
	queuedNewsBytes = 16 << 20
	tellNewsEvery   = 100 * time.Millisecond

	// News wait while the bus is so far behind, for a second each at most. States go out every 100 ms; a gateway that has not heard
	// itself for 900 ms serves no PHI, and what one tenant publishes must not lead to that.
	newsLag     = 250 * time.Millisecond
	newsPatient = time.Second
	newsLook    = 10 * time.Millisecond
)

func newNewsQueue() *newsQueue { return &newsQueue{all: make(chan news, queuedNews)} }

// tell queues news for the other gateways. It does not wait: when the upstream takes them more slowly than they come, they are
// lost, as a subscriber loses what it does not read in time.
func (q *newsQueue) tell(kind byte, body []byte) {
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

// send sends what is queued until ctx ends. lag is how far the bus is behind.
func (q *newsQueue) send(ctx context.Context, lag func() time.Duration, tell func(ctx context.Context, kind byte, body []byte) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-q.all:
			q.wait(ctx, lag)
			_ = tell(ctx, fleet.KindNews+x.kind, x.body) // lost where the upstream cannot be reached
			q.bytes.Add(-int64(len(x.body)))
			clear(x.body)
		}
	}
}

// wait waits while the bus is behind.
func (q *newsQueue) wait(ctx context.Context, lag func() time.Duration) {
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
		case <-look.C:
		}
	}
}
