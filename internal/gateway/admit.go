package gateway

import (
	"crypto/x509"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
)

// Bounds are what every user is held to beside its own conditions. The zero Bounds hold nobody to anything.
type Bounds struct {
	UserRate   int             // commands a second of a user that has no rate of its own; 0: no limit
	TenantRate int             // commands a second of all users at home in a tenant; 0: no limit
	Life       time.Duration   // after which a connection ends whoever's it is; 0: never
	AllowFrom  []netip.Prefix  // addresses that anybody may come from; none: all
	Usage      *identity.Usage // where last uses are noted; nil: nowhere
	// Revoked reports whether a certificate that was good at the handshake is revoked now; nil: none is.
	Revoked func(*x509.Certificate) bool
}

// access is what the gateway holds to decide and to end access.
type access struct {
	bounds  Bounds
	guard   *identity.Guard
	users   sync.Map // *allowance by name
	tenants sync.Map // *allowance by name
}

func (a *access) init(g *Gateway) {
	a.guard = identity.NewGuard()
}

// Bound sets the bounds. It must be called before the first connection is taken.
func (g *Gateway) Bound(b Bounds) { g.access.bounds = b }

// instant is the engine's clock for what needs a time and not a date: it never goes back.
func (g *Gateway) instant() time.Time { return time.UnixMilli(g.Clock.Now()) }

// mayComeFrom reports whether credentials from an address are looked at.
func (a *access) mayComeFrom(source netip.Addr) bool {
	source = source.WithZone("").Unmap()
	return len(a.bounds.AllowFrom) == 0 || slices.ContainsFunc(a.bounds.AllowFrom, func(p netip.Prefix) bool { return p.Contains(source) })
}

// allowance counts commands in seconds of the engine's clock, those that were refused not among them. A command that comes while
// another connection turns the second may be counted in either.
type allowance struct {
	limit  atomic.Int64
	second atomic.Int64
	n      atomic.Int64
	untold atomic.Int64 // admitted here, and not told to the other gateways yet
}

// take counts one and reports whether it is within the limit.
func (r *allowance) take(now int64) bool {
	r.turn(now)
	if r.n.Add(1) > r.limit.Load() {
		r.n.Add(-1)
		return false
	}
	r.untold.Add(1)
	return true
}

// turn begins a new second when there is one: a round that began in the one before does not bring that back. What gateways have
// admitted together beyond the limit, before they knew of each other, is taken from the seconds behind: whoever uses all of them has no
// more in the long run than at one.
func (r *allowance) turn(now int64) {
	second := now / millisecondsASecond
	if last := r.second.Load(); last < second && r.second.CompareAndSwap(last, second) {
		r.n.Add(-min(r.n.Load(), r.limit.Load()*(second-last)))
	}
}

// rateOf finds the counter of a name; nil where there is no limit.
func rateOf(all *sync.Map, name string, limit int) *allowance {
	if limit <= 0 {
		return nil
	}
	found, _ := all.LoadOrStore(name, &allowance{})
	r := found.(*allowance)
	r.limit.Store(int64(limit))
	return r
}

// applyBounds looks up what the session's user is held to.
func (s *Session) applyBounds() {
	b := &s.g.access.bounds
	limit := s.user.PerSecond
	if limit == 0 {
		limit = b.UserRate
	}
	s.rate = rateOf(&s.g.access.users, s.user.Name, limit)
	s.tenantRate = nil
	if s.home != nil {
		s.tenantRate = rateOf(&s.g.access.tenants, s.home.Name, b.TenantRate)
	}
	s.categories = nil
	if len(s.user.Categories) > 0 {
		all := s.g.Categories()
		s.categories = make([]bool, len(all))
		for i, c := range all {
			for _, name := range s.user.Categories {
				s.categories[i] = s.categories[i] || c.Name == name
			}
		}
	}
	if b.Usage != nil {
		s.used = b.Usage.Of(s.login, time.UnixMilli(s.g.Clock.Wall()))
	}
}

func (s *Session) mayReach(category uint16) bool {
	return s.categories == nil || int(category) < len(s.categories) && s.categories[category]
}

const (
	msgUserRate   = "QUOTA the user sends more commands a second than it may"
	msgTenantRate = "QUOTA the tenant's users send more commands a second than they may"
	msgCategory   = "NOPERM this user may not reach entries of this category"
	msgAllOf      = "NOPERM this user may reach some categories only, and the command is about all"
	msgPurpose    = "POLICY a purpose of use is required: state it with LETHE PURPOSE, or give the user a default"
)

// admit is the step behind authorise: what the user is held to beside permissions and tenants. Its order is from what
// everybody pays to what few do.
func (w *Worker) admit() bool {
	s, spec := w.session, w.call.Spec
	if s.user == nil || spec.Flags&command.NoAuth != 0 {
		return true
	}
	if w.outer == nil && s.waiter == nil && s.aside == nil { // a transaction, a script, what waits and what comes again were counted when they were sent
		switch now := w.call.Now; {
		case s.rate != nil && !s.rate.take(now):
			return w.refuse("quota", msgUserRate)
		case s.tenantRate != nil && !s.tenantRate.take(now):
			return w.refuse("quota", msgTenantRate)
		}
	}
	if s.used != nil {
		s.used.Used(spec.ID())
	}
	return (s.categories == nil || w.checkCategories()) && (!w.g.rules.Load().purpose || w.checkPurpose())
}

func (w *Worker) checkCategories() bool {
	for i := range w.placed {
		if !w.session.mayReach(w.placed[i].category.ID) {
			return w.refuse("key", msgCategory)
		}
	}
	// What reads names asks MayRead of each; what erases asks nobody.
	if spec := w.call.Spec; len(w.placed) == 0 && (spec.Action == command.ActionDelete || spec.Action == command.ActionWrite) {
		return w.refuse("key", msgAllOf)
	}
	return true
}

func (w *Worker) checkPurpose() bool {
	if w.session.statedPurpose() != "" {
		return true
	}
	for i := range w.placed {
		if w.placed[i].category.RequirePurpose {
			return w.refuse("policy", msgPurpose)
		}
	}
	// Names of keys are PHI too, and what has no keys is about all of them.
	if len(w.placed) == 0 && (w.call.Spec.Action == command.ActionList || w.call.Spec.Action == command.ActionDelete) {
		return w.refuse("policy", msgPurpose)
	}
	return true
}

// EndSessions ends connections whose time is over, and tells others in their own loops that the users have changed; it
// is called about every second, so that nobody stays in by being silent. 45 CFR 164.312(a)(2)(iii), automatic logoff.
func (g *Gateway) EndSessions() {
	generation, now, wall := g.Directory.Generation(), g.Clock.Now(), g.Clock.Wall()
	var ended audit.Batch
	g.Server.Sessions(func(s *Session) bool {
		x := s.standing.Load()
		if x == nil || s.link == nil {
			return true
		}
		reason := g.reasonToEnd(s, x, generation, now, wall)
		switch {
		case reason == "":
		case reason == changed:
			s.link.Do(func(w *Worker) { s.reconsider(w) })
		default:
			ended.Add(&audit.Record{
				At: wall, Action: audit.Connect, Outcome: audit.OK, Detail: "ended=" + reason, Tenant: x.login.User.Home(),
				Actor: &audit.Actor{User: x.login.User.Name, Method: string(x.login.Method), Source: s.about.source, Connection: s.about.id},
			})
			s.link.Close()
		}
		return true
	})
	if ended.Len() > 0 {
		if err := g.Audit.Commit(&ended); err != nil {
			g.Log.Error("the end of connections could not be recorded", "error", err)
		}
	}
}

// changed is no reason to end a connection yet.
const changed = "changed"

// reasonToEnd says why a connection has to end now, "" when it has not.
func (g *Gateway) reasonToEnd(s *Session, x *standing, generation uint64, now, wall int64) string {
	u := x.login.User
	idle, life := u.Logoff()
	if longest := g.access.bounds.Life; longest > 0 && (life == 0 || longest < life) {
		life = longest
	}
	switch at := x.login.EndsAt; {
	case x.certificate != nil && g.access.bounds.Revoked != nil && g.access.bounds.Revoked(x.certificate):
		return "revoked"
	case idle > 0 && now-max(s.about.active.Load(), x.since) >= idle.Milliseconds():
		return "idle"
	case life > 0 && now-x.since >= life.Milliseconds():
		return "life"
	case generation == x.generation && (at.IsZero() || wall < at.UnixMilli()):
		return ""
	}
	if _, ok := g.Directory.Renew(x.login); !ok {
		return "access"
	}
	return changed
}

// reconsider takes up a changed user in the connection's own loop, without a command. What the connection heard and may no
// longer hear ends it, as in Redis.
func (s *Session) reconsider(w *Worker) {
	if w == nil {
		return
	}
	mine := s.worker
	s.worker = w
	s.refresh()
	if s.user == nil || !s.mayStillHear() {
		s.link.Close()
	}
	s.worker = mine
}

// mayStillHear reports whether the user may hear everything that the connection hears.
func (s *Session) mayStillHear() bool {
	p := s.user.Permissions()
	for kind, list := range s.subscriptions {
		for _, x := range list {
			if command.SubscriptionKind(kind) == command.ToPattern && !p.ChannelPattern(x.name) ||
				command.SubscriptionKind(kind) != command.ToPattern && !p.Channel(x.name) {
				return false
			}
		}
	}
	return true
}
