package identity_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

// staff is a provider of people whose password is their name twice.
type staff struct {
	method identity.Method
	clock  func() time.Time

	mu     sync.Mutex
	people map[string]identity.Claim
	down   bool
	checks atomic.Int32
}

func (p *staff) Method() identity.Method { return p.method }

func (p *staff) Takes(_ string, credential []byte) bool {
	return p.method == identity.ByLDAP || bytes.HasPrefix(credential, []byte("eyJ"))
}

func (p *staff) Check(ctx context.Context, name string, credential []byte) (identity.Claim, error) {
	p.checks.Add(1)
	if string(credential) != name+name {
		return identity.Claim{}, identity.ErrDenied
	}
	return p.Again(ctx, identity.Claim{Name: name})
}

func (p *staff) Again(_ context.Context, c identity.Claim) (identity.Claim, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return c, errors.New("the directory does not answer")
	}
	found, ok := p.people[c.Name]
	if !ok {
		return c, identity.ErrDenied
	}
	found.Name, found.GoodUntil, found.Renewal = c.Name, p.clock().Add(time.Minute), time.Minute
	return found, nil
}

func (p *staff) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func newStaff(t *testing.T) (*fixture, *staff) {
	t.Helper()
	f := newFixture(t)
	p := &staff{method: identity.ByLDAP, clock: f.clock, people: map[string]identity.Claim{
		"ann": {Tenants: []string{"T"}, Roles: []string{"read-only"}, Purpose: "treatment"},
	}}
	f.Use(p)
	return f, p
}

func TestProvider(t *testing.T) {
	t.Parallel()
	f, p := newStaff(t)
	local := f.add(t, identity.NewUser{Name: "local", Tenants: []string{"T"}})
	if _, err := f.LoginFast(from("ann", []byte("annann"), "192.0.2.1")); !errors.Is(err, identity.ErrSlow) {
		t.Errorf("the first time: %v", err)
	}
	l, err := f.Login(t.Context(), from("ann", []byte("annann"), "192.0.2.1"))
	if err != nil || l.User.Name != "ann" || l.Method != identity.ByLDAP || l.User.Purpose != "treatment" || !l.EndsAt.Equal(f.clock().Add(time.Minute)) {
		t.Fatalf("%+v %v", l, err)
	}
	if _, err := f.LoginFast(from("ann", []byte("annann"), "192.0.2.1")); err != nil || p.checks.Load() != 1 {
		t.Errorf("the second time: %v after %d checks", err, p.checks.Load())
	}
	for _, a := range []identity.Attempt{from("ann", []byte("wrong"), "192.0.2.1"), from("bob", []byte("bobbob"), "192.0.2.1"),
		from("ann", make([]byte, 20_000), "192.0.2.1")} {
		if _, err := f.Login(t.Context(), a); !errors.Is(err, identity.ErrDenied) {
			t.Errorf("%s: %v", a.Name, err)
		}
	}
	// A name of the users file is never asked for elsewhere, whatever is typed.
	before := p.checks.Load()
	if _, err := f.Login(t.Context(), from("local", []byte("locallocal"), "192.0.2.1")); !errors.Is(err, identity.ErrDenied) || p.checks.Load() != before {
		t.Error("a local user's mistyped token went to the provider")
	}
	if _, err := f.Login(t.Context(), from("local", local, "192.0.2.1")); err != nil {
		t.Error(err)
	}
}

// Whoever the provider no longer knows is out with the next question; and after the claim's time where it cannot be asked.
func TestProviderRenews(t *testing.T) {
	t.Parallel()
	f, p := newStaff(t)
	login := func() *identity.Login {
		t.Helper()
		l, err := f.Login(t.Context(), from("ann", []byte("annann"), "192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := login()
	holds := func(want bool, when string) {
		t.Helper()
		if next, ok := f.Renew(l); ok != want {
			t.Errorf("%s: holds %v", when, ok)
		} else if ok {
			l = next
		}
	}
	for range 5 { // in use, it goes on
		f.pass(40 * time.Second)
		f.RenewClaims(t.Context())
		holds(true, "renewed")
	}
	generation := f.Generation()
	p.set(func() { p.people["ann"] = identity.Claim{Tenants: []string{"U"}, Roles: []string{"application"}} })
	f.pass(40 * time.Second)
	f.RenewClaims(t.Context())
	holds(true, "changed")
	if l.User.Home() != "U" || f.Generation() == generation {
		t.Errorf("the change is not seen: %+v", l.User)
	}
	p.set(func() { delete(p.people, "ann") })
	generation = f.Generation()
	f.pass(40 * time.Second)
	f.RenewClaims(t.Context())
	holds(false, "gone")
	if f.Generation() == generation {
		t.Error("connections are not told")
	}
	p.set(func() { p.people["ann"] = identity.Claim{Tenants: []string{"T"}, Roles: []string{"read-only"}} })
	l = login()
	p.set(func() { p.down = true })
	f.pass(40 * time.Second)
	f.RenewClaims(t.Context())
	holds(true, "the provider is down, the time is not over")
	f.pass(20 * time.Second)
	f.RenewClaims(t.Context())
	holds(false, "the provider is down, and the time is over")
}

// What a provider claims is held against Lethe's own rules.
func TestProviderClaims(t *testing.T) {
	t.Parallel()
	f, p := newStaff(t)
	f.add(t, identity.NewUser{Name: "off", Tenants: []string{"T"}, Rules: "off"})
	g := func(name string, c identity.Claim, allowed bool) {
		t.Helper()
		p.set(func() { p.people[name] = c })
		_, err := f.Login(t.Context(), from(name, []byte(name+name), "192.0.2.1"))
		if (err == nil) != allowed || err != nil && !errors.Is(err, identity.ErrDenied) {
			t.Errorf("%s %+v: %v", name, c, err)
		}
	}
	tenants, roles := []string{"T"}, []string{"read-only"}
	g("a1", identity.Claim{Tenants: tenants, Roles: roles}, true)
	g("ann@example.org", identity.Claim{Tenants: tenants, Roles: roles}, true)
	g("a2", identity.Claim{Roles: roles}, false)
	g("a3", identity.Claim{Tenants: tenants}, false)
	g("a4", identity.Claim{Tenants: []string{"a:b"}, Roles: roles}, false)
	g("a5", identity.Claim{Tenants: tenants, Roles: []string{"king"}}, false)
	g("a6", identity.Claim{Tenants: tenants, Roles: []string{"application", "auditor"}}, false)
	g("a7", identity.Claim{Tenants: tenants, Roles: []string{"break-glass"}}, false)
	g("a8", identity.Claim{Tenants: tenants, Roles: roles, Purpose: "fun"}, false)
	g("a b", identity.Claim{Tenants: tenants, Roles: roles}, false)
	g("@ann", identity.Claim{Tenants: tenants, Roles: roles}, false)
	g("off", identity.Claim{Tenants: tenants, Roles: roles}, false)
}

// A user who is added to the file, enabled or disabled, ends those whom a provider vouches for under its name.
func TestFileOverridesProvider(t *testing.T) {
	t.Parallel()
	f, _ := newStaff(t)
	l, err := f.Login(t.Context(), from("ann", []byte("annann"), "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	f.add(t, identity.NewUser{Name: "ann", Tenants: []string{"T"}, Rules: "off"})
	if _, ok := f.Renew(l); ok {
		t.Error("still in")
	}
	if _, err := f.Login(t.Context(), from("ann", []byte("annann"), "192.0.2.1")); !errors.Is(err, identity.ErrDenied) {
		t.Error(err)
	}
}

// A pool of connections that begin at once asks once.
func TestProviderIsAskedOnce(t *testing.T) {
	t.Parallel()
	f, p := newStaff(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f.Use(&slowStaff{staff: p, release: release})
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := f.Login(t.Context(), from("ann", []byte("annann"), "192.0.2.1")); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(release)
		group.Wait()
	})
	if n := p.checks.Load(); n != 1 {
		t.Errorf("%d checks", n)
	}
}

// slowStaff answers when it is told to.
type slowStaff struct {
	*staff
	release chan struct{}
}

func (p *slowStaff) Check(ctx context.Context, name string, credential []byte) (identity.Claim, error) {
	<-p.release
	return p.staff.Check(ctx, name, credential)
}
