package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"math"
	"net/netip"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
)

// who is whose a connection is. Its worker's goroutine uses it; standing may be read by any.
type who struct {
	user       *identity.User
	login      *identity.Login
	generation uint64 // of the directory when login was last held against it
	endsAt     int64  // Unix milliseconds; the end of login
	badLogins  int    // in a row

	certificate *x509.Certificate // that the connection has shown, nil for none
	purpose     string            // that was stated, "" for the user's own
	categories  []bool            // by category, which may be reached; nil: all
	used        *identity.UserUsage
	rate        *allowance // of the user; nil: no limit
	tenantRate  *allowance // of the home tenant; nil: no limit

	standing atomic.Pointer[standing]
}

// standing is what whoever ends connections has to know of one.
type standing struct {
	login      *identity.Login
	generation uint64
	since      int64 // of the login, in milliseconds of the engine's clock
	// certificate is what the connection has shown, nil for none: whoever is in with it ends when it is revoked.
	certificate *x509.Certificate
}

// refresh holds the login against the users as they are when something has changed, and against its own end, so that
// whoever is no longer in is out with the next command.
func (s *Session) refresh() {
	if s.user == nil {
		return
	}
	generation := s.g.Directory.Generation()
	if !s.stale(generation, s.worker.call.WallNow) {
		return
	}
	login, ok := s.g.Directory.Renew(s.login)
	if !ok {
		s.becomeNobody()
		s.worker.next.Close = true
		return
	}
	s.become(login, generation)
}

// stale reports whether the login has to be held against the users of a generation again.
func (s *Session) stale(generation uint64, wall int64) bool {
	return generation != s.generation || wall >= s.endsAt
}

// become makes the connection the login's user's.
func (s *Session) become(login *identity.Login, generation uint64) {
	user := login.User
	isNew := s.user == nil || s.user.Name != user.Name
	if isNew {
		s.purpose = ""
	}
	s.user, s.login, s.generation, s.endsAt = user, login, generation, math.MaxInt64
	if !login.EndsAt.IsZero() {
		s.endsAt = login.EndsAt.UnixMilli()
	}
	s.home, s.namesGlobal = nil, false
	s.tenants, s.ids = s.tenants[:0], s.ids[:0]
	for _, name := range user.Tenants {
		t := s.g.Tenant(name)
		if t == nil {
			continue
		}
		s.tenants = append(s.tenants, t)
		s.ids = append(s.ids, t.ID)
		s.namesGlobal = s.namesGlobal || name == GlobalTenant
	}
	if len(s.tenants) > 0 {
		s.home = s.tenants[0]
	}
	if s.purpose != "" && !user.MayState(s.purpose) {
		s.purpose = "" // the user was changed
	}
	s.setActor()
	s.applyBounds()
	if isNew && s.home != nil {
		s.home.usage.connections.Add(1)
	}
	s.about.setUser(user.Name)
	now := standing{login: login, generation: generation, since: s.g.Clock.Now(), certificate: s.certificate}
	if last := s.standing.Load(); last != nil && !isNew {
		now.since = last.since
	}
	s.standing.Store(&now)
}

// setActor makes the actor of the session's records: one changes its purpose by making another.
func (s *Session) setActor() {
	a := &audit.Actor{Source: s.about.source, Connection: s.about.id}
	if s.user != nil {
		a.User, a.Method, a.Purpose = s.user.Name, string(s.login.Method), s.statedPurpose()
	}
	s.actor = a
}

func (s *Session) becomeNobody() {
	s.user, s.login, s.home, s.namesGlobal, s.purpose = nil, nil, nil, false, ""
	s.categories, s.rate, s.tenantRate, s.used = nil, nil, nil, nil
	s.tenants, s.ids = s.tenants[:0], s.ids[:0]
	s.setActor()
	s.about.setUser("")
	s.standing.Store(nil)
}

// attempt is what the connection shows with a name and a token. Nothing else of it can be chosen by the client.
func (s *Session) attempt(name string, token []byte) identity.Attempt {
	return identity.Attempt{Name: name, Token: token, Source: s.address(), Certificate: s.certificate}
}

// address is where the connection comes from, without the port.
func (s *Session) address() netip.Addr {
	if at, err := netip.ParseAddrPort(s.about.source); err == nil {
		return at.Addr()
	}
	return netip.Addr{}
}

// Welcome says whether the connection is worth a handshake: see identity.Guard. Safe for concurrent use.
func (s *Session) Welcome() bool { return s.g.access.guard.Welcome(s.address(), s.g.instant()) }

// Login makes the connection the user's if the token is right and can be checked fast.
func (s *Session) Login(name string, token []byte) error {
	if !s.g.access.mayComeFrom(s.address()) {
		return s.loggedIn(name, nil, &identity.Denial{Reason: "address"})
	}
	if !s.g.access.guard.Admit(name, s.address(), s.g.instant()) {
		return s.loggedIn(name, nil, &identity.Denial{Reason: "too-soon"})
	}
	login, err := s.g.Directory.LoginFast(s.attempt(name, token))
	if errors.Is(err, identity.ErrSlow) {
		return command.ErrSlowToken
	}
	return s.loggedIn(name, login, err)
}

// LoginSlowly checks a token in a goroutine of its own while the connection waits.
func (s *Session) LoginSlowly(name string, token []byte, then func(*command.Call, error)) {
	attempt := s.attempt(name, append([]byte(nil), token...))
	var login *identity.Login
	var err error
	s.worker.next.Wait = func() {
		login, err = s.g.Directory.Login(context.Background(), attempt)
		clear(attempt.Token)
	}
	s.worker.next.Then = func(c *command.Call) { then(c, s.loggedIn(name, login, err)) }
}

// loggedIn ends an attempt: the connection is somebody's, or the failure counts.
func (s *Session) loggedIn(name string, login *identity.Login, err error) error {
	if err != nil {
		s.refuseLogin(name, err)
		return err
	}
	s.badLogins = 0
	s.g.access.guard.Succeeded(name, s.address(), s.g.instant())
	s.become(login, login.User.Generation())
	return nil
}

// refuseLogin counts a failure. The reason is for the record; the client learns only that it was refused.
func (s *Session) refuseLogin(name string, err error) {
	s.g.Stats.authFailures.Add(1)
	if s.badLogins++; s.badLogins >= badLoginsAllowed {
		s.Close()
	}
	reason := identity.Reason(err)
	locked := false
	if errors.Is(err, identity.ErrDenied) && reason != "too-soon" && reason != "address" {
		locked = s.g.access.guard.Failed(name, s.address(), s.g.instant())
	}
	s.noteBadToken(name)
	s.detail = "user=unknown"
	if _, known := s.g.Directory.Lookup(name); known {
		s.detail = "user=" + name // what is no user's name may be a token typed in the wrong place
	}
	if reason != "" {
		s.detail += " reason=" + reason
	}
	if locked {
		s.detail += " locked"
	}
	if !errors.Is(err, identity.ErrDenied) && !errors.Is(err, identity.ErrBusy) {
		s.g.Log.Error("a credential could not be checked", "error", err)
	}
}

// Certified is called once, in the connection's own loop and before its first command, with the certificate that the peer
// has shown and the handshake has verified. The connection is the certificate's user's then, and the log-in is recorded
// with the round. An attempt that fails leaves the connection nobody's; no other user can be had by this certificate.
func (w *Worker) Certified(s *Session, cert *x509.Certificate) {
	s.worker = w
	w.session = s
	s.certificate = cert
	user, ok := s.g.Directory.ByCertificate(cert)
	if !ok || !s.g.access.mayComeFrom(s.address()) {
		return
	}
	attempt := s.attempt("", nil)
	login, err := s.g.Directory.LoginFast(attempt)
	if errors.Is(err, identity.ErrSlow) {
		login, err = s.g.Directory.Login(context.Background(), attempt) // the files have changed this very moment
	}
	r := audit.Record{At: w.call.WallNow, Action: audit.Authenticate, Outcome: audit.OK, Detail: "certificate"}
	if err != nil {
		s.refuseLogin(user.Name, err)
		r.Outcome, r.Detail, s.detail = audit.Denied, s.detail, ""
	} else {
		s.g.access.guard.Succeeded(user.Name, s.address(), s.g.instant())
		s.become(login, login.User.Generation())
		r.Tenant = login.User.Home()
	}
	r.Actor = s.actor
	w.add(&r)
}

// MayRead reports whether the credential's key patterns allow reading a key, and its categories.
func (s *Session) MayRead(key []byte) bool {
	return s.user.Permissions().SomeKey(key, identity.Read) && (s.categories == nil || s.mayReach(s.g.Policy().Match(key).Category.ID)) &&
		!s.g.hides(s, key)
}

// May reports whether the user has rights of its roles.
func (s *Session) May(need identity.Rights) bool { return s.user != nil && s.user.Rights().Has(need) }
