package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/fleet"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/seal"
	"github.com/lethe-cache/lethe/internal/secret"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// front is what a server has in front of an upstream: the data keys, the other gateways, and the way to the upstream.
type front struct {
	clock   *seal.Clock
	ring    *seal.Ring
	up      *upstream.Upstream
	bus     *upstream.Bus
	peers   *seal.Peers
	fleet   atomic.Pointer[fleet.Fleet] // nil until the journal of consents is open
	news    *newsQueue                  // for the other gateways
	backend *upstream.Backend
	look    *outlook

	context context.Context // of what goes on as long as the server runs
	stop    context.CancelFunc
	parts   sync.WaitGroup
}

// sealClock is the time that sealed deadlines are in, as the gateway's: it never goes back either.
type sealClock struct{ *seal.Clock }

// Wall is the same: what is sealed must fit what is granted.
func (c sealClock) Wall() int64 { return c.Now() }

// Micros is the wall clock, unless that was set backwards.
func (c sealClock) Micros() int64 { return max(c.Now()*1000, time.Now().UnixMicro()) }

// Ahead is nothing.
func (sealClock) Ahead() int64 { return 0 }

const (
	// hearing is how long the gateway waits for the upstream's pub/sub before it starts without.
	hearing = 2 * time.Second
	// greeting is how long other gateways have to answer before this one believes to be the first. They greet four times a
	// second.
	greeting = time.Second
)

// openUpstream makes the way to the upstream and the data keys. Nothing is connected yet.
func (s *serving) openUpstream() error {
	if s.settings.Backend != config.BackendUpstream {
		return nil
	}
	o, err := upstreamOptions(&s.settings.Upstream)
	if err != nil {
		return err
	}
	f := &front{clock: &seal.Clock{}, news: newNewsQueue()}
	if f.up, err = upstream.New(o); err != nil {
		return fail(exitFailure, upstream.Mend(err), err)
	}
	cluster, err := clusterSecret(s.dir)
	if err != nil {
		return err
	}
	f.ring, err = seal.NewRing(cluster.Reveal(), f.clock)
	cluster.Clear()
	if err != nil {
		return err
	}
	f.look = newOutlook(f.up, s.log)
	f.bus = upstream.NewBus(f.up)
	if f.peers, err = seal.NewPeers(f.ring, f.bus, f.received); err != nil {
		f.ring.Close()
		return err
	}
	s.front = f
	return nil
}

// gatewayClock is the clock that all deadlines are on.
func (s *serving) gatewayClock() gateway.Clock {
	if s.front == nil {
		return gateway.SystemClock{}
	}
	return sealClock{s.front.clock}
}

// useUpstream joins the gateway with the upstream, and this gateway with the others. It waits a moment for them: without
// their keys everything that is upstream already would be a miss.
func (s *serving) useUpstream() error {
	f := s.front
	if f == nil {
		return nil
	}
	g := s.gateway
	f.backend = upstream.NewBackend(f.up, f.ring, f.clock, g.UpstreamSink())
	succession := f.backend.NewSuccession(f.peers, g.CategoryOf)
	g.UseUpstream(&gateway.Upstream{
		NewExecutor: func() gateway.Executor { return f.backend.NewExecutor(policy.MostCategories) },
		InTouch:     f.serves,
		Tell:        f.news.tell,
		Stamp:       f.backend.Stamp,
		Ended:       f.backend.Ended,
		Health:      f.look.Health,
		Near:        f.backend.Near,
		Accounts:    f.backend.Accounts(),
		Succession:  succession,
		Follow:      f.backend.Follow,
		Await:       f.backend.Await,
		Persists:    s.settings.Upstream.KeptKeys != "",
	})
	f.backend.Hear(g.UpstreamHearer())
	ctx, stop := context.WithCancel(context.Background())
	f.context, f.stop = ctx, stop
	f.parts.Go(func() { f.bus.Listen(ctx, func(m []byte) { f.peers.Received(m) }) })
	f.look.once() // so that a mistake in the settings is told before the log says that it serves
	select {
	case <-f.bus.Ready():
	case <-time.After(hearing):
	}
	keys, origins, err := s.keepKeys()
	if err != nil {
		return err
	}
	if err := f.peers.Join(ctx, greeting); err != nil {
		return fmt.Errorf("cannot begin to seal: %w", err)
	}
	if keys != nil {
		if f.peers.Len() == 0 { // others that are there have taken over what there was to take
			succession.Orphans(origins)
		}
		f.parts.Go(func() { keys.run(ctx, succession.Orphans) })
	}
	f.parts.Go(func() { f.peers.Run(ctx) })
	f.parts.Go(func() { f.backend.Run(ctx) })
	f.parts.Go(func() { succession.Run(ctx) })
	f.parts.Go(func() { f.look.run(ctx) })
	return nil
}

// obey keeps entries back whose values are about patients who have withdrawn their consent.
func (f *front) obey(c *consent.Store) {
	if f != nil {
		f.backend.Obey(c)
	}
}

// close ends what goes on in front of the upstream and erases the data keys. The loops must have ended.
func (f *front) close() {
	if f == nil {
		return
	}
	if f.stop != nil {
		f.stop()
		f.parts.Wait()
	}
	f.ring.Close()
}

// clusterSecretFile is what all gateways in front of one upstream share.
const clusterSecretFile = "cluster.secret"

// clusterSecret reads the secret, or makes one for a first gateway. Others are given a copy of the file.
func clusterSecret(dir *secret.Dir) (secret.Bytes, error) {
	path := dir.File(clusterSecretFile)
	data, err := secret.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data = make([]byte, 32)
		rand.Read(data)
		err = secret.WriteFile(path, data)
	}
	if err != nil {
		return secret.Bytes{}, fmt.Errorf("cannot use the cluster secret: %w", err)
	}
	return secret.New(data), nil
}
