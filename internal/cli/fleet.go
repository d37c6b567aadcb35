package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/fleet"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/register"
)

// catchingUp is how long a gateway that starts waits until it may serve PHI; then it starts all the same and refuses PHI
// until it may.
const catchingUp = 3 * time.Second

// usersRegister is the file that says who changed which user last.
const usersRegister = "users.register"

// noticesRegister is the file that says what tenants want to be told of.
const noticesRegister = "notices.register"

// lookAgainEvery is how often changes of the users file and of choices are looked for: it is a system call and a load.
const lookAgainEvery = 50 * time.Millisecond

// joinFleet makes this gateway act as one with the others in front of the upstream.
func (s *serving) joinFleet() error {
	f := s.front
	if f == nil {
		return nil
	}
	users, err := s.shareUsers()
	if err != nil {
		return err
	}
	rules, err := s.sharePolicy()
	if err != nil {
		return err
	}
	notices, err := s.shareNotices()
	if err != nil {
		return err
	}
	n := fleet.New(fleet.Options{
		Shared: []fleet.Shared{users, rules, notices},
		Name:   s.consents.keeper.Name(), Least: s.settings.Upstream.Gateways, Bus: f.peers, Journal: s.consents.keeper, Clock: f.clock, Log: s.log,
		Settle: s.consents.settle,
		News:   func(kind byte, body []byte) { s.gateway.News(kind-fleet.KindNews, body) },
	})
	f.fleet.Store(n)
	f.parts.Go(func() { n.Run(f.context) })
	f.parts.Go(func() { f.news.send(f.context, f.peers.Lag, n.Tell) })
	f.parts.Go(func() { every(f.context, tellNewsEvery, s.gateway.TellCounts) })
	f.parts.Go(func() { every(f.context, tellNewsEvery, s.gateway.TellUsage) })
	f.parts.Go(func() { every(f.context, gateway.TrackingEvery, s.gateway.KeepTracking) })
	s.awaitOthers(n)
	if err := s.beginPolicy(rules, n.Others() == 0); err != nil {
		return err
	}
	// What the others have told is the users' base, and what they do not know of this gateway's file.
	if err := users.Begin(); err != nil {
		return err
	}
	f.parts.Go(func() { s.lookAgain(users.Look, "a change of users cannot be written down for the other gateways") })
	f.parts.Go(func() {
		s.lookAgain(notices.Look, "what a tenant wants to be told of cannot be written down for the other gateways")
	})
	return nil
}

// shareUsers makes the users of all gateways the same.
func (s *serving) shareUsers() (*gateway.SharedUsers, error) {
	r, err := register.Open(register.Options{Path: s.dir.File(usersRegister), Origin: s.consents.keeper.Name(), Clock: s.front.clock, Grown: s.front.grown})
	if err != nil {
		return nil, fail(exitFailure, "restore the file from a backup, or remove it: then the other gateways' users are taken", err)
	}
	return s.gateway.ShareUsers(r)
}

// lookAgain looks for changes again and again, and complains once of each failure.
func (s *serving) lookAgain(look func() error, complaint string) {
	failed := false
	every(s.front.context, lookAgainEvery, func() {
		err := look()
		if err != nil && !failed {
			s.log.Error(complaint, "error", err)
		}
		failed = err != nil
	})
}

// shareNotices makes what tenants want to be told of the same at all gateways.
func (s *serving) shareNotices() (*gateway.SharedNotices, error) {
	r, err := register.Open(register.Options{Path: s.dir.File(noticesRegister), Origin: s.consents.keeper.Name(), Clock: s.front.clock, Keeps: true, Grown: s.front.grown})
	if err != nil {
		return nil, fail(exitFailure, "remove the file: then what the other gateways know is taken", err)
	}
	return s.gateway.ShareNotices(r), nil
}

// awaitOthers waits until PHI may be served, but not for ever.
func (s *serving) awaitOthers(n *fleet.Fleet) {
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
			return
		}
	}
	s.log.Info("in touch with the other gateways", "others", n.Others(), "name", s.consents.keeper.Name())
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
// erases what it may have stored since, and says how much that was: the keys' pseudonyms would be this gateway's own.
func (k *consentOffice) settle(ctx context.Context, c *consent.Change, late bool) (erased []consent.Erased, err error) {
	if late && c.Action == consent.Revoke {
		counts := map[string]uint64{}
		err = k.step.Erase(ctx, c, func(category string, _ []byte) { counts[category]++ }, func() error { return nil })
		for _, category := range slices.Sorted(maps.Keys(counts)) {
			erased = append(erased, consent.Erased{Category: category, Entries: counts[category], Keys: []string{}})
		}
	} else {
		err = k.step.Settle(ctx)
	}
	if err != nil {
		return nil, err
	}
	return erased, auditRecorder{k.gateway.Audit}.Record(c)
}
