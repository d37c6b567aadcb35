package cli

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/fleet"
	"github.com/lethe-cache/lethe/internal/gateway"
)

// A client that publishes more than the upstream passes on fills no memory: what does not fit is lost, and overwritten. What was sent
// makes room.
func TestNewsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	q := newNewsQueue()
	const one, all = 1 << 20, 100
	taken := 0
	for range all {
		body := bytes.Repeat([]byte{'x'}, one)
		q.tell(0, body)
		if body[0] == 'x' && body[one-1] == 'x' {
			taken++
		}
	}
	if most := queuedNewsBytes / one; taken == 0 || taken > most {
		t.Errorf("%d of %d messages of 1 MiB wait, and %d may", taken, all, most)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sent := 0
	q.send(ctx, func() time.Duration { return 0 }, func(_ context.Context, kind byte, body []byte) error {
		if kind != fleet.KindNews || body[0] != 'x' {
			t.Error("something else is sent")
		}
		if sent++; sent == taken {
			cancel()
		}
		return nil
	})
	if sent != taken {
		t.Errorf("%d were taken and %d sent", taken, sent)
	}
	if q.tell(0, []byte("x")); len(q.all) != 1 || q.bytes.Load() != 1 {
		t.Error("there is no room behind what was sent")
	}
}

// While the bus is behind news wait, for a second each, so that the gateways go on hearing each other.
func TestNewsWaitForTheBus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		lag := func() time.Duration {
			if d := time.Since(began); d < 600*time.Millisecond || d > 5*time.Second {
				return newsLag + 1
			}
			return 0
		}
		ctx, cancel := context.WithCancel(t.Context())
		q := newNewsQueue()
		sent := []time.Duration{}
		go q.send(ctx, lag, func(context.Context, byte, []byte) error {
			sent = append(sent, time.Since(began))
			return nil
		})
		tell := func(n int, after, atLeast, atMost time.Duration) {
			t.Helper()
			<-time.After(after)
			sent = nil
			for range n {
				q.tell(0, []byte("x"))
			}
			<-time.After(4 * time.Second)
			synctest.Wait()
			if len(sent) != n || sent[0] < atLeast || sent[n-1] > atMost {
				t.Errorf("%d of %d were sent, at %v", len(sent), n, sent)
			}
		}
		tell(3, 0, 600*time.Millisecond, 620*time.Millisecond)
		tell(3, 2*time.Second, 7*time.Second, 9100*time.Millisecond) // it is broken: they go out all the same
		cancel()
		synctest.Wait()
	})
}

// What gateways tell each other themselves waits for nothing that clients make, and is not crowded out by it.
func TestOwnNewsDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const clients, own = 0, 2
		if !gateway.MadeByClients(clients) || gateway.MadeByClients(own) {
			t.Fatal("the kinds are others")
		}
		ctx, cancel := context.WithCancel(t.Context())
		q := newNewsQueue()
		sent := [3]int{}
		lag := func() time.Duration { return newsLag + 1 }
		for range 2 * queuedNews {
			q.tell(clients, []byte("x"))
		}
		go q.send(ctx, lag, func(_ context.Context, kind byte, body []byte) error {
			sent[kind-fleet.KindNews] += len(body)
			return nil
		})
		for range 100 {
			q.tell(own, []byte("x"))
			<-time.After(tellNewsEvery)
		}
		synctest.Wait()
		if sent[own] != 100 || sent[clients] < 9 || sent[clients] > 11 {
			t.Errorf("in ten seconds %d of 100 were sent, and %d of what clients made", sent[own], sent[clients])
		}
		cancel()
		synctest.Wait()
		body := []byte("x")
		for range 2 * queuedOwn {
			q.tell(own, body)
		}
		if len(q.own) > queuedOwn || body[0] != 0 {
			t.Error("what does not fit is kept")
		}
	})
}
