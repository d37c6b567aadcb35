package gateway

import (
	"bytes"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Executor runs commands where entries are kept in an upstream: *upstream.Executor. A worker has one of its own, so it need
// not be safe for concurrent use.
type Executor interface {
	// Batch runs calls together; each has its reply and its outcomes when Batch returns.
	Batch(tasks []*upstream.Task)
	// Transaction runs calls as one, provided that what is watched has not changed; problem is the error to answer. Before each
	// time that they run it calls begin, which says whether they may.
	Transaction(tasks []*upstream.Task, watches []upstream.Watched, begin func() bool) (ran bool, problem string)
	// Within runs a call of a script that is a part of the transaction that runs.
	Within(t *upstream.Task)
	// Watch looks at the entries of a call.
	Watch(c *command.Call, keys []upstream.Place) (all []upstream.Watched, problem string)
	// Keyspace runs SCAN, KEYS, DBSIZE, RANDOMKEY, and what CLUSTER tells of keys, and reports whether the command is one of them.
	Keyspace(c *command.Call, tenants []upstream.Tenant) bool
	// Flush deletes every entry of a tenant.
	Flush(tenant string, f func(name []byte)) (int, error)
	// Erase deletes the entries of a tenant that match, by their names or by whom their values are about. due is called when
	// some have matched, before they are deleted.
	Erase(tenant string, match func(name []byte, about upstream.Subjects) bool, due func()) (int, error)
	// Close ends its connections and clears what it holds.
	Close()
}

// Upstream is where entries are when they are not in the gateway's store.
type Upstream struct {
	NewExecutor func() Executor
	// InTouch reports whether this gateway is in touch with the others and has what they have revoked. It is asked before and
	// after each round's commands.
	InTouch func() bool
	// Tell gives news to the other gateways. It must not block, and may lose them; it clears the body. nil: there are no others.
	Tell func(kind byte, body []byte)
	// Stamp numbers what ends an entry, and Ended is told of an entry that another gateway has ended at a stamp of its own. nil:
	// there are no others.
	Stamp func() uint64
	Ended func(tenant string, name []byte, stamp uint64)
	// Health is how the upstream was when it was last looked at.
	Health func() upstream.Health
	// Accounts are what tenants' entries take at all gateways together; nil: nothing is counted.
	Accounts *upstream.Accounts
	// Succession takes over the entries of gateways that have gone; nil: there are no others.
	Succession *upstream.Succession
	// Near is what the near cache does.
	Near func() upstream.NearStats
	// Follow has UpstreamHearer told when an entry is not any more what a task has seen of its key i. It does not block.
	Follow func(t engine.TenantID, key []byte, task *upstream.Task, i int) upstream.Following
	// Await is Follow for a gateway that looks again from time to time whatever it hears.
	Await func(t engine.TenantID, key []byte, task *upstream.Task, i int) upstream.Following
	// Persists says that data keys of categories that survive a restart can be kept.
	Persists bool
}

// UpstreamState is how the gateway gets on with its upstream, for metrics.
type UpstreamState struct {
	upstream.Health
	InTouch bool
	Near    upstream.NearStats
	// Inherited and InheritedExpired are entries of gateways that have gone: taken over, and recorded as expired.
	Inherited, InheritedExpired uint64
}

// UpstreamState returns it; false without an upstream.
func (g *Gateway) UpstreamState() (UpstreamState, bool) {
	if g.upstream == nil {
		return UpstreamState{}, false
	}
	s := UpstreamState{Health: g.upstream.Health(), InTouch: g.upstream.InTouch(), Near: g.upstream.Near()}
	if g.upstream.Succession != nil {
		s.Inherited, s.InheritedExpired = g.upstream.Succession.Inherited()
	}
	return s, true
}

// UseUpstream makes the workers that are made from now on keep entries in an upstream, each by an executor of its own. The
// clock of the gateway must be the upstream's. It must be called before the first worker is made.
func (g *Gateway) UseUpstream(u *Upstream) {
	g.naming.Lock()
	defer g.naming.Unlock()
	g.upstream = u
	for _, t := range g.Tenants() {
		g.openAccount(t)
	}
}

// placeOf is what an executor has to know of a key.
func placeOf(p *placement) upstream.Place {
	c := p.category
	return upstream.Place{Tenant: p.tenant.Name, Account: p.tenant.account, Category: c.Name, Life: lifeOf(c), Plain: c.Seal == policy.SealOff,
		Integers: c.IntegersOnly(), Near: c.Near && !c.PHI, Replica: c.ReplicaReads && !c.PHI, Kept: c.Persist && !c.PHI, ClearScores: c.ClearScores && !c.PHI, Fenced: p.fenced, Subjects: p.about}
}

// lifeOf is the longest that an entry of a category can live from its birth, whatever extends its deadline.
func lifeOf(c *policy.Category) time.Duration {
	if c.Expiry == policy.Idle {
		return c.MaxAge
	}
	return c.Ceiling
}

// upstreamTenants are the tenants whose names commands without keys see.
func (s *Session) upstreamTenants() []upstream.Tenant {
	all := make([]upstream.Tenant, len(s.tenants))
	for i, t := range s.tenants {
		all[i] = upstream.Tenant{ID: t.ID, Name: t.Name}
	}
	return all
}

const (
	msgOutOfTouch    = "CONSENT this gateway is not in touch with the others, which may have revoked consents; entries with PHI are served again when it has caught up with them"
	msgTouchLost     = "CONSENT contact with the other gateways was lost before the answer; the command may or may not have run"
	msgSealedNotices = "SEALED whether a key is new is not known of every write upstream; leave out n"
	msgSealedInExec  = "SEALED the command cannot be a part of a transaction or a script where entries are kept in an upstream"
)

// namesUpstream are the commands without keys that look at entries or erase them.
var namesUpstream = map[string]bool{
	"SCAN": true, "KEYS": true, "DBSIZE": true, "RANDOMKEY": true, "FLUSHDB": true, "FLUSHALL": true,
	"CLUSTER|COUNTKEYSINSLOT": true, "CLUSTER|GETKEYSINSLOT": true,
}

// wantsNew reports whether a CONFIG SET asks for the events of new keys. Taking it in silence would leave clients waiting for
// what does not come: most values are written without a look at what was there.
func wantsNew(args [][]byte) bool {
	for i := 2; i+1 < len(args); i += 2 {
		if bytes.EqualFold(args[i], []byte("notify-keyspace-events")) && bytes.IndexByte(args[i+1], 'n') >= 0 {
			return true
		}
	}
	return false
}
