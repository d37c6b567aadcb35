package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Provider vouches for users that the users file does not have: an OpenID provider, an LDAP directory.
type Provider interface {
	// Method is what audit records call it.
	Method() Method
	// Takes tells by their form alone whether a name and a credential are for this provider.
	Takes(name string, credential []byte) bool
	// Check verifies a credential, which stays the caller's. The error is an ErrDenied, or why the provider cannot tell.
	Check(ctx context.Context, name string, credential []byte) (Claim, error)
	// Again looks up an identity that Check has claimed, without its credential. A provider whose claims end by themselves
	// returns the claim as it is.
	Again(ctx context.Context, c Claim) (Claim, error)
}

// Claim is what a provider says of a user.
type Claim struct {
	Name    string
	Tenants []string // the home first
	Roles   []string
	Purpose string
	// GoodUntil is how long the claim may be relied on without asking again; never zero.
	GoodUntil time.Time
	// Renewal is by how much Again can carry GoodUntil further; zero: it cannot.
	Renewal time.Duration
	Private any // the provider's own
}

// claim is a Claim in use, with the user that was assembled from it. Logins share it, so that whoever was found gone is
// gone for all of them.
type claim struct {
	provider  Provider
	source    Claim                // guarded by providers.mu
	user      atomic.Pointer[User] // nil: no longer vouched for
	goodUntil atomic.Int64         // Unix nanoseconds
	usedAt    atomic.Int64         // Unix nanoseconds
}

// providers are the providers of a directory, and what they have said lately.
type providers struct {
	all     []Provider
	known   *verifiedTokens // for its keyed hash only
	changes atomic.Uint64   // users that changed or went
	turns   chan struct{}

	mu      sync.Mutex
	claims  map[tokenMAC]*claim
	flights map[tokenMAC]*asking
	waiting int
}

// asking is one question to a provider and those who wait for its answer.
type asking struct {
	done  chan struct{}
	claim *claim
	err   error
}

const (
	maxClaims      = 20_000 // remembered; beyond, the oldest go and are asked for again
	askedAtOnce    = 16
	askedWaiting   = 256
	checkTimeout   = 10 * time.Second
	maxCredential  = 16 << 10
	defaultName    = "default" // whom AUTH with one argument names
	maxExternalLen = 128
)

func newProviders() *providers {
	return &providers{known: newVerifiedTokens(), turns: make(chan struct{}, askedAtOnce), claims: map[tokenMAC]*claim{}, flights: map[tokenMAC]*asking{}}
}

// Use makes the directory ask providers about users that its file does not have, in this order. It must be called before
// the first login.
func (d *Directory) Use(all ...Provider) { d.elsewhere.all = all }

// provider chooses who checks an attempt: nil for the users file. A name that the file has is never asked for elsewhere,
// unless what is shown cannot be a token: then whose it is stands in it.
func (d *Directory) provider(a Attempt) Provider {
	if len(a.Token) == 0 || len(d.elsewhere.all) == 0 {
		return nil
	}
	_, local := d.now.Load().byName[a.Name]
	for _, p := range d.elsewhere.all {
		if p.Takes(a.Name, a.Token) && (!local || p.Method() == ByJWT) {
			return p
		}
	}
	return nil
}

// recalled answers from what providers have said lately.
func (d *Directory) recalled(a Attempt) (*Login, error) {
	e := d.elsewhere
	mac := e.known.mac(a.Name, a.Token)
	e.mu.Lock()
	c := e.claims[mac]
	e.mu.Unlock()
	if c == nil {
		return nil, ErrSlow
	}
	l, err := d.claimed(c, a)
	if err != nil {
		return nil, ErrSlow
	}
	return l, nil
}

// loginElsewhere asks a provider, once for all who ask the same at the same time.
func (d *Directory) loginElsewhere(ctx context.Context, p Provider, a Attempt) (*Login, error) {
	if len(a.Token) > maxCredential {
		return nil, ErrDenied
	}
	e := d.elsewhere
	mac := e.known.mac(a.Name, a.Token)
	e.mu.Lock()
	f, running := e.flights[mac]
	if !running {
		if e.waiting >= askedWaiting {
			e.mu.Unlock()
			return nil, ErrBusy
		}
		f = &asking{done: make(chan struct{})}
		e.flights[mac] = f
		e.waiting++
	}
	e.mu.Unlock()
	if running {
		<-f.done
	} else {
		f.claim, f.err = d.ask(ctx, p, a)
		d.landed(mac, f)
	}
	if f.err != nil {
		return nil, f.err
	}
	return d.claimed(f.claim, a)
}

func (d *Directory) landed(mac tokenMAC, f *asking) {
	e := d.elsewhere
	e.mu.Lock()
	delete(e.flights, mac)
	e.waiting--
	if f.err == nil {
		if len(e.claims) >= maxClaims {
			clear(e.claims) // logins keep their claims; who comes anew is asked for again
		}
		e.claims[mac] = f.claim
	}
	e.mu.Unlock()
	close(f.done)
}

// ask asks the provider and assembles the user.
func (d *Directory) ask(ctx context.Context, p Provider, a Attempt) (*claim, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	select {
	case d.elsewhere.turns <- struct{}{}:
		defer func() { <-d.elsewhere.turns }()
	case <-ctx.Done():
		return nil, ErrBusy
	}
	source, err := p.Check(ctx, a.Name, a.Token)
	if err != nil {
		return nil, err
	}
	if a.Name != source.Name && a.Name != defaultName && a.Name != "" {
		return nil, &Denial{Reason: "name"}
	}
	user, err := d.assemble(p, source)
	if err != nil {
		return nil, err
	}
	c := &claim{provider: p, source: source}
	c.user.Store(user)
	c.goodUntil.Store(source.GoodUntil.UnixNano())
	return c, nil
}

// assemble makes a user of a claim: its permissions are those of its roles, and nothing else.
func (d *Directory) assemble(p Provider, c Claim) (*User, error) {
	deny := func(reason string) (*User, error) { return nil, &Denial{Reason: reason} }
	if _, local := d.now.Load().byName[c.Name]; local {
		return deny("name-taken") // an enabled one, whose token is another; or a disabled one, which keeps this name out
	}
	if !validExternalName(c.Name) || c.GoodUntil.IsZero() {
		return deny("name")
	}
	u, reason := vouched(d.set, p.Method(), c)
	if reason != "" {
		return deny(reason)
	}
	u.CreatedAt = d.opts.clock()
	return u, nil
}

// vouched makes a user of what a provider says, or says which part of it cannot be used.
func vouched(set CommandSet, method Method, c Claim) (u *User, reason string) {
	u = &User{Name: c.Name, Enabled: true, Owner: c.Name, method: method}
	for name, value := range map[string]string{"tenants": strings.Join(c.Tenants, ","), "roles": strings.Join(c.Roles, ","), "purpose": c.Purpose} {
		a, _ := findAttribute(name)
		if err := a.set(u, value); err != nil {
			return nil, name
		}
	}
	if len(u.Roles) == 0 || u.HasRole(BreakGlass) {
		return nil, "roles" // emergencies are opened for users of the file, who are known before they need one
	}
	if err := u.compile(set); err != nil {
		return nil, "roles"
	}
	return u, ""
}

// Seen is a user whom a provider vouched for when it was in last, as it was then; false for what is no such user's use. It
// is for people who review access, and lets nobody in.
func Seen(set CommandSet, name string, last LastUse) (*User, bool) {
	if last.Method != ByJWT && last.Method != ByLDAP || !validExternalName(name) {
		return nil, false
	}
	u, reason := vouched(set, last.Method, Claim{Name: name, Tenants: last.Tenants, Roles: last.Roles})
	return u, reason == ""
}

// Provider is the provider that vouches for the user, "" for a user of the users file.
func (u *User) Provider() Method { return u.method }

// validExternalName accepts what names of the users file may have, and the @ of addresses.
func validExternalName(name string) bool {
	return name != "" && len(name) <= maxExternalLen && nameStart(name[0]) &&
		strings.IndexFunc(name, func(r rune) bool { return !nameRune(r) && r != '@' && r != '+' }) < 0
}

// claimed makes a login of a claim that still holds.
func (d *Directory) claimed(c *claim, a Attempt) (*Login, error) {
	now := d.opts.clock()
	c.usedAt.Store(now.UnixNano())
	user, end := c.user.Load(), time.Unix(0, c.goodUntil.Load())
	if user == nil || !now.Before(end) {
		return nil, ErrDenied
	}
	if _, taken := d.now.Load().byName[user.Name]; taken {
		return nil, &Denial{Reason: "name-taken"}
	}
	l := &Login{User: user, Method: c.provider.Method(), attempt: a, claim: c, EndsAt: end}
	l.attempt.Token = nil
	return d.settle(l)
}

func (d *Directory) renewElsewhere(l *Login) (*Login, bool) {
	next, err := d.claimed(l.claim, l.attempt)
	return next, err == nil
}

// RenewClaims asks providers again about users whose time is half over and who are in use; it is called about every
// second, in a goroutine of its own since it waits for them. Those whom nobody asked about end by time.
func (d *Directory) RenewClaims(ctx context.Context) {
	now := d.opts.clock()
	for _, c := range d.due(now) {
		ask, cancel := context.WithTimeout(ctx, checkTimeout)
		next, err := c.provider.Again(ask, c.source)
		cancel()
		var user *User
		if err == nil {
			user, err = d.assemble(c.provider, next)
		}
		switch {
		case errors.Is(err, ErrDenied):
			c.user.Store(nil)
			d.elsewhere.changes.Add(1)
		case err == nil:
			d.elsewhere.mu.Lock()
			c.source = next
			d.elsewhere.mu.Unlock()
			c.goodUntil.Store(next.GoodUntil.UnixNano())
			if old := c.user.Load(); old == nil || !old.sameAs(user) {
				c.user.Store(user)
				d.elsewhere.changes.Add(1)
			}
		}
		// Where the provider cannot be reached the claim stays as it is, and ends by time.
	}
}

// due lists the claims to ask about, and forgets those that are over.
func (d *Directory) due(now time.Time) (due []*claim) {
	e := d.elsewhere
	e.mu.Lock()
	defer e.mu.Unlock()
	for mac, c := range e.claims {
		end := time.Unix(0, c.goodUntil.Load())
		switch {
		case c.user.Load() == nil || !now.Before(end):
			delete(e.claims, mac)
		case end.Sub(now) < c.source.Renewal/2 && now.Sub(time.Unix(0, c.usedAt.Load())) < 2*c.source.Renewal:
			due = append(due, c)
		}
	}
	return due
}

// sameAs reports whether two users of a provider may do the same.
func (u *User) sameAs(other *User) bool {
	return fmt.Sprint(u.Tenants, u.Roles, u.Purpose) == fmt.Sprint(other.Tenants, other.Roles, other.Purpose)
}
