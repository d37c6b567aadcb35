package upstream

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Upstream is what all connections to one upstream share: where its nodes are, and which of them answer. It may be used
// concurrently.
type Upstream struct {
	options   Options
	nodes     dialer
	sentinels dialer

	layout   atomic.Pointer[layout]
	replicas atomic.Pointer[replicaSet]
	mu       sync.Mutex
	breakers map[string]*breaker

	refreshing sync.Mutex // held while the layout is learnt
	learntAt   time.Time  // by whoever holds refreshing
	failedAt   time.Time
}

// New returns an upstream that is not connected yet: connections are made when they are needed.
func New(o Options) (*Upstream, error) {
	o.defaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("cannot use the upstream: %w", err)
	}
	u := &Upstream{options: o, breakers: map[string]*breaker{}}
	u.nodes = dialer{tls: o.TLS, authorities: o.Authorities, credentials: o.Credentials, timeout: o.DialTimeout, maxReply: o.MaxReplyBytes,
		database: o.Database, inClear: o.InClear}
	u.sentinels = dialer{tls: o.SentinelTLS, authorities: o.Authorities, credentials: o.SentinelCredentials, timeout: o.DialTimeout, maxReply: 1 << 20}
	if o.Mode == Standalone {
		u.layout.Store(&layout{nodes: o.Addresses[:1]})
	}
	return u, nil
}

// Clustered reports whether keys are spread over several nodes, so that commands reach one slot at a time.
func (u *Upstream) Clustered() bool { return u.options.Mode == Cluster }

// slotOf is where a name lives; it only matters in a cluster.
func (u *Upstream) slotOf(name []byte) int {
	if !u.Clustered() {
		return 0
	}
	return slotOf(name)
}

// nodeOf is the address of the primary that has a slot, "" while nobody knows.
func (u *Upstream) nodeOf(slot int) string {
	if l := u.layout.Load(); l != nil {
		return l.nodeOf(slot)
	}
	return ""
}

// where returns the layout, learning it if it is not known.
func (u *Upstream) where(ctx context.Context) (*layout, error) {
	if l := u.layout.Load(); l != nil {
		return l, nil
	}
	return u.refresh(ctx, nil)
}

// refreshRest is how long a layout that was just learnt, or could not be, is left as it is.
const refreshRest = 50 * time.Millisecond

// refresh learns the layout anew, unless somebody else just has. seen is the layout that turned out to be wrong.
func (u *Upstream) refresh(ctx context.Context, seen *layout) (*layout, error) {
	if u.options.Mode == Standalone {
		return u.layout.Load(), nil
	}
	u.refreshing.Lock()
	defer u.refreshing.Unlock()
	if now := u.layout.Load(); now != seen && now != nil {
		return now, nil
	}
	if time.Since(u.learntAt) < refreshRest {
		return u.layout.Load(), nil
	}
	if time.Since(u.failedAt) < refreshRest {
		return nil, errNoLayout
	}
	l, err := u.discover(ctx, seen)
	if err != nil {
		u.failedAt = time.Now()
		return nil, err
	}
	u.learntAt = time.Now()
	u.layout.Store(l)
	return l, nil
}

// maxBreakers bounds the addresses that are remembered: an upstream can name as many as it likes.
const maxBreakers = 4096

func (u *Upstream) breaker(address string) *breaker {
	u.mu.Lock()
	defer u.mu.Unlock()
	b := u.breakers[address]
	if b == nil {
		if len(u.breakers) >= maxBreakers {
			clear(u.breakers) // what is really there is noticed again
		}
		b = &breaker{}
		u.breakers[address] = b
	}
	return b
}

// Down lists the nodes that did not answer when they were last tried; for health checks and metrics.
func (u *Upstream) Down() (addresses []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for address, b := range u.breakers {
		if b.open() {
			addresses = append(addresses, address)
		}
	}
	return addresses
}
