package identity

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Method is how a user has shown who it is; audit records have it.
type Method string

// The methods.
const (
	ByToken       Method = "token"
	ByCertificate Method = "certificate"
	ByJWT         Method = "jwt"
	ByLDAP        Method = "ldap"
)

// Attempt is what a connection shows to say who it is.
type Attempt struct {
	Name   string
	Token  []byte     // the caller's; nothing keeps it
	Source netip.Addr // of the connection
	// Certificate is what the connection has shown and its handshake has verified, nil for none. With a nil Token it is the
	// whole attempt.
	Certificate *x509.Certificate
}

// Login is a user who is in, and how. It never changes; Renew gives the next one.
type Login struct {
	User   *User
	Method Method
	// EndsAt is when it ends whatever else happens: the token, the user, the hours or the JWT; zero: it does not by itself.
	EndsAt time.Time

	attempt Attempt  // without the token
	owner   string   // the user whose the certificate is, "" for nobody
	token   verifier // which of the user's tokens it was
	claim   *claim   // of a provider's user
}

// Denial is an ErrDenied with its reason, which is for the audit and not for the peer.
type Denial struct{ Reason string }

func (e *Denial) Error() string { return ErrDenied.Error() }

// Is makes every Denial an ErrDenied.
func (e *Denial) Is(target error) bool { return target == ErrDenied }

// Reason returns why a login was denied, as one word; "" where only ErrDenied itself is known.
func Reason(err error) string {
	if d := (*Denial)(nil); errors.As(err, &d) {
		return d.Reason
	}
	return ""
}

// Login decides whether an attempt is good: the credential first, then the user's conditions. It may wait for a slow hash
// or for a provider; see LoginFast. Errors are those of Authenticate.
func (d *Directory) Login(ctx context.Context, a Attempt) (*Login, error) {
	if p := d.provider(a); p != nil {
		return d.loginElsewhere(ctx, p, a)
	}
	for range maxTries {
		s := d.current()
		l, err := d.loginIn(s, a, true)
		if err != nil {
			return nil, err
		}
		// A slow hash takes long enough for the user to be disabled meanwhile.
		if now, fresh := d.fresh(); fresh && now == s {
			return l, nil
		}
	}
	return nil, ErrBusy
}

// LoginFast is Login where others wait: it takes microseconds, and returns ErrSlow where more is needed.
func (d *Directory) LoginFast(a Attempt) (*Login, error) {
	s, fresh := d.fresh()
	if !fresh {
		return nil, ErrSlow
	}
	if p := d.provider(a); p != nil {
		return d.recalled(a)
	}
	return d.loginIn(s, a, false)
}

// loginIn decides by one snapshot of the users file.
func (d *Directory) loginIn(s *snapshot, a Attempt, mayWait bool) (*Login, error) {
	owner := s.ownerOf(a.Certificate)
	if a.Token == nil && owner != "" {
		return d.loginCertified(s, a, owner)
	}
	user, t, err := d.match(s, a.Name, a.Token, mayWait)
	if err != nil {
		return nil, err
	}
	l := &Login{User: user, Method: ByToken, attempt: a, owner: owner, token: t.verifier, EndsAt: t.expiresAt}
	l.attempt.Token = nil
	return d.settle(l)
}

func (d *Directory) loginCertified(s *snapshot, a Attempt, owner string) (*Login, error) {
	if s.fault != nil {
		return nil, fmt.Errorf("cannot authenticate: %w", s.fault)
	}
	return d.settle(&Login{User: s.byName[owner], Method: ByCertificate, attempt: a, owner: owner})
}

// settle holds a login whose credential is good against the user's conditions, and says when it ends.
func (d *Directory) settle(l *Login) (*Login, error) {
	now := d.opts.clock()
	reason, end := l.User.admits(l.attempt.Source, l.owner, now)
	if reason != "" {
		return nil, &Denial{Reason: reason}
	}
	l.EndsAt = earlier(l.EndsAt, end)
	return l, nil
}

// admits says why the user may not be in from such an address, with the certificate of such a user and at such a time; ""
// when it may, and until when.
func (u *User) admits(source netip.Addr, owner string, now time.Time) (reason string, end time.Time) {
	switch {
	case !u.Enabled:
		return "disabled", end
	case !u.EndsAt.IsZero() && !now.Before(u.EndsAt):
		return "ended", end
	case u.HasRole(BreakGlass) && u.emergency == nil:
		return "no-emergency", end
	case len(u.Certificates) > 0 && owner != u.Name:
		return "certificate", end
	case len(u.Sources) > 0 && !slices.ContainsFunc(u.Sources, func(p netip.Prefix) bool { return p.Contains(source.Unmap().WithZone("")) }):
		return "source", end
	}
	end, in := u.Hours.Until(now)
	if !in {
		return "hours", end
	}
	return "", earlier(end, u.EndsAt)
}

// Admits says why a user with its credential could not be in from an address at a time, in the words of Reason; "" when
// it could. Whether it is enabled is left out, and so is what is not told: the zero Addr is any address, the zero time is now.
func (u *User) Admits(source netip.Addr, at time.Time) string {
	if at.IsZero() {
		at = time.Now()
	}
	c := *u
	c.Enabled = true
	if !source.IsValid() {
		c.Sources = nil
	}
	reason, _ := c.admits(source, u.Name, at)
	return reason
}

// MayReach reports whether the user's conditions let it reach entries of a category.
func (u *User) MayReach(category string) bool {
	return len(u.Categories) == 0 || slices.Contains(u.Categories, category)
}

// earlier is the earlier of two instants; the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Renew tells whether a login still holds, by the users as they are now, without a look at the file: false when the
// connection has to end. What it returns may be of a changed user.
func (d *Directory) Renew(l *Login) (*Login, bool) {
	if now := d.opts.clock(); !l.EndsAt.IsZero() && !now.Before(l.EndsAt) {
		return nil, false
	}
	if l.claim != nil {
		return d.renewElsewhere(l)
	}
	s := d.now.Load()
	user, ok := s.byName[l.User.Name]
	if !ok {
		return nil, false
	}
	// Whose the certificate is may have changed since the handshake.
	next := &Login{User: user, Method: l.Method, attempt: l.attempt, owner: s.ownerOf(l.attempt.Certificate), token: l.token}
	if l.Method == ByCertificate && next.owner != user.Name {
		return nil, false
	}
	if l.Method == ByToken {
		i := slices.IndexFunc(user.tokens, func(t token) bool { return t.verifier == l.token })
		if i < 0 || !user.tokens[i].valid(d.opts.clock()) {
			return nil, false
		}
		next.EndsAt = user.tokens[i].expiresAt
	}
	next, err := d.settle(next)
	return next, err == nil
}
