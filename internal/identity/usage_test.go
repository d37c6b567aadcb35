package identity_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}})
	path := filepath.Join(t.TempDir(), identity.UsageFile)
	get, _ := f.set.ID("get")
	set, _ := f.set.ID("set")
	l, err := f.Login(t.Context(), from("app", token, "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	use := func(at time.Duration, ids ...int) {
		t.Helper()
		u := identity.OpenUsage(path, f.set)
		one := u.Of(l, day.Add(at))
		for _, id := range ids {
			one.Used(id)
		}
		if err := u.Save(); err != nil {
			t.Fatal(err)
		}
		if err := u.Save(); err != nil { // nothing to do
			t.Fatal(err)
		}
	}
	use(0, get)
	use(time.Hour, set, get)
	all, err := identity.ReadUsage(path)
	if err != nil {
		t.Fatal(err)
	}
	last := all["app"]
	u, _ := f.Lookup("app")
	if !last.At.Equal(day.Add(time.Hour)) || !last.Since.Equal(day) || last.Source != "192.0.2.1" || last.Method != identity.ByToken ||
		!slices.Equal(last.Commands, []string{"get", "set"}) || !last.Tokens[u.Tokens()[0].ID].Equal(last.At) {
		t.Errorf("%+v", last)
	}
}

// Of whom a provider vouches for, what it gave is noted too, so that a review can show it.
func TestUsageOfProviders(t *testing.T) {
	t.Parallel()
	f, _ := newStaff(t)
	l, err := f.Login(t.Context(), from("ann", []byte("annann"), "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), identity.UsageFile)
	usage := identity.OpenUsage(path, f.set)
	usage.Of(l, day)
	if err := usage.Save(); err != nil {
		t.Fatal(err)
	}
	all, err := identity.ReadUsage(path)
	if err != nil {
		t.Fatal(err)
	}
	seen, ok := identity.Seen(f.set, "ann", all["ann"])
	if !ok || seen.Provider() != identity.ByLDAP || seen.ACL(f.set) != l.User.ACL(f.set) || seen.Attribute("tenants") != "T" || seen.Attribute("roles") != "read-only" {
		t.Errorf("%+v of %+v", seen, all["ann"])
	}
	for _, last := range []identity.LastUse{{Method: identity.ByToken}, {Method: identity.ByLDAP}, {Method: identity.ByJWT, Tenants: []string{"T"}, Roles: []string{"break-glass"}}} {
		if _, ok := identity.Seen(f.set, "ann", last); ok {
			t.Errorf("%+v is somebody", last)
		}
	}
}
