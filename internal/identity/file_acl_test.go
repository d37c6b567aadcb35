package identity_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

// newACLFixture is a fixture whose file is in Redis's syntax.
func newACLFixture(t *testing.T, text string) (*fixture, error) {
	t.Helper()
	base := newFixture(t)
	f := &fixture{set: base.set, path: filepath.Join(t.TempDir(), "users.acl"), now: base.now}
	if text != "" {
		if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := identity.OpenDirectoryFor(f.path, f.set, f.clock, testIterations, 1)
	f.Directory = d
	return f, err
}

// Users that were written in one form are the same when they are read again, whichever form it is.
func TestACLFileRoundTrip(t *testing.T) {
	t.Parallel()
	f, err := newACLFixture(t, "")
	if err != nil {
		t.Fatal(err)
	}
	token := f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T", "U"}, ExpiresAt: f.clock().Add(1e12)})
	f.add(t, identity.NewUser{Name: "chosen", Tenants: []string{"T"}, Token: chosen("correct-horse-battery"), Rules: "off ~a:* %R~b:* &c +get (+set ~d:*)"})
	if err := f.setUser(t, "", "x", "on tenants=T sources=10.0.0.0/8 hours=mon/07:00-08:00 roles=read-only rate=5 owner=me@example.org"); err != nil {
		t.Fatal(err)
	}
	again := f.open(t)
	for _, u := range f.Users() {
		o, ok := again.Lookup(u.Name)
		if !ok || o.ACL(f.set) != u.ACL(f.set) || fmt.Sprint(o.Tokens(), o.Tenants, o.CreatedAt, o.Enabled) != fmt.Sprint(u.Tokens(), u.Tenants, u.CreatedAt, u.Enabled) {
			t.Errorf("%s: %+v\n%+v", u.Name, o, u)
		}
		for _, name := range identity.AttributeNames() {
			if o.Attribute(name) != u.Attribute(name) {
				t.Errorf("%s %s: %q, was %q", u.Name, name, o.Attribute(name), u.Attribute(name))
			}
		}
	}
	if _, err := again.Authenticate("app", token); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "correct-horse") || !strings.Contains(string(text), "\nuser x on resetchannels -@all roles=") && !strings.Contains(string(text), "\nuser x on ") {
		t.Errorf("%s", text)
	}
}

func TestACLFileMistakes(t *testing.T) {
	t.Parallel()
	g := func(text, want string) {
		t.Helper()
		_, err := newACLFixture(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error quotes the file: %v", err)
		}
	}
	g("user\n", ":1: the line is no user")
	g("\n# comment\nusr app on\n", ":3: the line is no user")
	g("user a on ~*\n", ":1: cannot use a user without a tenant")
	g("user a on tenants=T nopass\n", "nopass")
	g("user a on tenants=T >hunter2hunter2hunter2\n", "a token stands in clear")
	g("user a on tenants=T #"+strings.Repeat("a", 64)+"\n", "is not a token's hash")
	g("user a on tenants=T +nosuch\n", "no command")
	g("user a on tenants=T sources=hunter2\n", "the sources")
	g("user a on tenants=T roles=auditor +get\n", "both data and")
	g("user a on tenants=T\nuser a off tenants=T\n", ":2: the user a is here twice")
	g("user a on tenants=T certificates=cn:x\nuser b on tenants=T certificates=cn:x\n", ":2: two users")
	g("user a/b on tenants=T\n", ":1: cannot use the user name")
	g("user a on tenants=T created=hunter2\n", "created is not a time")
}

func FuzzACLFile(f *testing.F) {
	f.Add("user app on ~* &* +@all tenants=T\n")
	f.Add("user app off (+get ~a) sources=10.0.0.0/8 hours=mon/07:00-08:00@UTC tenants=T,U roles=read-only\n\n# x\n")
	set := newCommandTable(realCommands)
	f.Fuzz(func(t *testing.T, text string) {
		users, mistakes := identity.ParseACLFile([]byte(text), set, testIterations)
		if len(mistakes) > 0 {
			return
		}
		out, err := identity.FormatACLFile(users)
		if err != nil {
			t.Fatal(err)
		}
		again, mistakes := identity.ParseACLFile(out, set, testIterations)
		if len(mistakes) > 0 || len(again) != len(users) {
			t.Fatalf("%q became %q: %+v", text, out, mistakes)
		}
		for i := range users {
			if users[i].ACL(set) != again[i].ACL(set) {
				t.Fatalf("%q became %q", users[i].ACL(set), again[i].ACL(set))
			}
		}
	})
}
