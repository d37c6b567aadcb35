package cli

import (
	"context"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/fleet"
)

// catchingUp is how long a gateway that starts waits until it may serve PHI; then it starts all the same and refuses PHI
// until it may.
const catchingUp = 3 * time.Second

// joinFleet makes this gateway act as one with the others in front of the upstream.
func (s *serving) joinFleet() error {
	f := s.front
	if f == nil {
		return nil
	}
	n := fleet.New(fleet.Options{
		Name: s.consents.keeper.Name(), Least: s.settings.Upstream.Gateways, Bus: f.peers, Journal: s.consents.keeper, Clock: f.clock, Log: s.log,
		Settle: s.consents.settle,
		News:   func(kind byte, body []byte) { s.gateway.News(kind-fleet.KindNews, body) },
	})
	f.fleet.Store(n)
	f.parts.Go(func() { n.Run(f.context) })
	f.parts.Go(func() { f.tellNews(f.context, n) })
	users := s.gateway.WatchUsers()
	f.parts.Go(func() {
		every(f.context, tellNewsEvery, func() {
			s.gateway.TellCounts()
			users.Tell()
		})
	})
	ready := time.NewTimer(catchingUp)
	defer ready.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !n.Serves() {
		select {
		case <-look.C:
		case <-ready.C:
			s.log.Warn("not enough gateways are in touch, or the upstream does not pass their messages on; PHI is refused until they are",
				"others", n.Others(), "needed", s.settings.Upstream.Gateways)
			return nil
		}
	}
	s.log.Info("in touch with the other gateways", "others", n.Others(), "name", s.consents.keeper.Name())
	return nil
}

// news is something for the other gateways.
type news struct {
	kind byte
	body []byte
}

const (
	queuedNews    = 8192
	tellNewsEvery = 100 * time.Millisecond
)

// tell queues news for the other gateways. It does not wait: when the upstream takes them more slowly than they come, they are
// lost, as a subscriber loses what it does not read in time.
func (f *front) tell(kind byte, body []byte) {
	select {
	case f.news <- news{kind, body}:
	default:
		clear(body)
	}
}

// tellNews sends what is queued until ctx ends.
func (f *front) tellNews(ctx context.Context, n *fleet.Fleet) {
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-f.news:
			_ = n.Tell(ctx, fleet.KindNews+x.kind, x.body) // lost where the upstream cannot be reached
			clear(x.body)
		}
	}
}

// every does something again and again until ctx ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// received takes what another gateway has sent. Before the journal of consents is open nothing is taken: the others tell it
// again.
func (f *front) received(from uint64, kind byte, body []byte) {
	if n := f.fleet.Load(); n != nil {
		n.Received(from, kind, body)
	}
}

// serves reports whether PHI may be served.
func (f *front) serves() bool {
	n := f.fleet.Load()
	return n != nil && n.Serves()
}

func (f *front) grown() {
	if n := f.fleet.Load(); n != nil {
		n.Grown()
	}
}

// Await is for the keeper of consents.
func (f *front) Await(ctx context.Context, number uint64) ([]consent.Confirmation, error) {
	n := f.fleet.Load()
	if n == nil {
		return nil, fleet.ErrAlone
	}
	return n.Await(ctx, number)
}

// settle carries a change out here that another gateway has taken: what ran before it was in force has ended, and it is
// recorded. Entries are erased by the gateway that took it; when this one missed the change while it could have served, it
// erases what it may have stored since.
func (k *consentOffice) settle(ctx context.Context, c *consent.Change, late bool) error {
	var err error
	if late && c.Action == consent.Revoke {
		err = k.step.Erase(ctx, c, func(string, []byte) {})
	} else {
		err = k.step.Settle(ctx)
	}
	if err != nil {
		return err
	}
	return auditRecorder{k.gateway.Audit}.Record(c)
}
