package identity_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// emergencies is a fixture with a user rescue of the role break-glass and a file of grants on the fixture's clock.
type emergencies struct {
	*fixture
	grants *identity.Grants
	token  []byte
	path   string
}

func newEmergencies(t *testing.T, confirmed bool) *emergencies {
	t.Helper()
	f := newFixture(t)
	dir, err := secret.OpenDir(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	e := &emergencies{fixture: f, path: dir.File(identity.GrantsFile)}
	e.grants = identity.OpenGrantsFor(e.path, dir, f.clock)
	e.token = f.add(t, identity.NewUser{Name: "rescue", Tenants: []string{"HOME"}, Attributes: map[string]string{"roles": "break-glass"}})
	if err := f.KeepEmergencies(e.grants, confirmed); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *emergencies) open(t *testing.T, life time.Duration) identity.Grant {
	t.Helper()
	g, err := e.grants.Open(identity.Grant{User: "rescue", Tenant: "T", Reason: "night shift, ward system down", OpenedBy: "ann"}, life)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (e *emergencies) login(t *testing.T) (*identity.Login, error) {
	t.Helper()
	return e.Login(t.Context(), from("rescue", e.token, "192.0.2.1"))
}

func TestEmergency(t *testing.T) {
	t.Parallel()
	e := newEmergencies(t, false)
	if _, err := e.login(t); identity.Reason(err) != "no-emergency" {
		t.Errorf("before: %v", err)
	}
	g := e.open(t, 30*time.Minute)
	l, err := e.login(t)
	if err != nil {
		t.Fatal(err)
	}
	u := l.User
	get, _ := e.set.ID("get")
	set, _ := e.set.ID("set")
	p := u.Permissions()
	if u.Home() != "T" || len(u.Tenants) != 1 || u.Purpose != identity.EmergencyPurpose || !l.EndsAt.Equal(g.EndsAt) || u.Emergency().ID != g.ID {
		t.Errorf("%+v until %v", u, l.EndsAt)
	}
	if p.WithKey(p.Paths(get), []byte("k"), identity.Read) == 0 || p.Paths(set) != 0 || u.MayState("treatment") {
		t.Error("it must read, and state nothing but the emergency")
	}
	generation := e.Generation()
	e.pass(30 * time.Minute)
	if _, ok := e.Renew(l); ok {
		t.Error("the login holds after the grant's end")
	}
	if _, err := e.Reload(); err != nil || e.Generation() == generation {
		t.Error("the end of a grant must be a change of users")
	}
	if _, err := e.login(t); identity.Reason(err) != "no-emergency" {
		t.Errorf("after: %v", err)
	}
	// What the file of users has is the user without the emergency, also when it is written meanwhile.
	e.open(t, time.Minute)
	e.update(t, func(d *identity.Draft) error { return d.Enable("rescue", true) })
	if u, _ := e.fixture.open(t).Lookup("rescue"); u.Home() != "HOME" {
		t.Error("the emergency was written into the users file")
	}
}

func TestEmergencyIsClosed(t *testing.T) {
	t.Parallel()
	e := newEmergencies(t, false)
	g := e.open(t, time.Hour)
	l, err := e.login(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.grants.Close(g.ID, "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, ok := e.Renew(l); ok {
		t.Error("the login holds after the grant was closed")
	}
	if _, err := e.grants.Close(g.ID, "ann"); !errors.Is(err, identity.ErrGrantOver) {
		t.Error(err)
	}
	if _, err := e.grants.Close("nosuch", "ann"); !errors.Is(err, identity.ErrNoGrant) {
		t.Error(err)
	}
}

func TestSecondPerson(t *testing.T) {
	t.Parallel()
	e := newEmergencies(t, true)
	g := e.open(t, time.Hour)
	if _, err := e.login(t); identity.Reason(err) != "no-emergency" {
		t.Errorf("unconfirmed: %v", err)
	}
	for _, same := range []string{"ann", "rescue"} {
		if _, err := e.grants.Confirm(g.ID, same); !errors.Is(err, identity.ErrSamePerson) {
			t.Errorf("%s confirms: %v", same, err)
		}
	}
	if _, err := e.grants.Confirm(g.ID, "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.login(t); err != nil {
		t.Errorf("confirmed: %v", err)
	}
	all, err := e.grants.List()
	if err != nil || len(all) != 1 || all[0].ConfirmedBy != "bob" || all[0].State(e.clock(), true) != identity.Open {
		t.Errorf("%+v %v", all, err)
	}
}

func TestGrantMistakes(t *testing.T) {
	t.Parallel()
	e := newEmergencies(t, false)
	f := func(reason, tenant string, life time.Duration) {
		t.Helper()
		if _, err := e.grants.Open(identity.Grant{User: "rescue", Tenant: tenant, Reason: reason, OpenedBy: "ann"}, life); err == nil {
			t.Errorf("%q %q %s is taken", reason, tenant, life)
		}
	}
	f("", "T", time.Hour)
	f("short", "T", time.Hour)
	f("a good reason", "T", 0)
	f("a good reason", "T", -time.Hour)
	f("a good reason", "T", 25*time.Hour)
	f("a good reason", "a:b", time.Hour)
}

// The file of grants is sealed, and one that was tampered with grants nothing and keeps nobody else out.
func TestGrantsFileIsSealed(t *testing.T) {
	t.Parallel()
	e := newEmergencies(t, false)
	other := e.add(t, identity.NewUser{Name: "other", Tenants: []string{"T"}})
	e.open(t, time.Hour)
	sealed, err := os.ReadFile(e.path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("ward")) || bytes.Contains(sealed, []byte("rescue")) {
		t.Error("the file shows what is in it")
	}
	sealed[len(sealed)-1] ^= 1
	if err := os.WriteFile(e.path, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := e.login(t); identity.Reason(err) != "no-emergency" {
		t.Error(err)
	}
	if _, err := e.Login(t.Context(), from("other", other, "192.0.2.1")); err != nil {
		t.Error(err)
	}
}
