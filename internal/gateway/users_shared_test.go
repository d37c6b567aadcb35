package gateway_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/register"
	"github.com/lethe-cache/lethe/internal/secret"
)

// sharing is a gateway that has its users in common with others.
type sharing struct {
	*harness
	*gateway.SharedUsers
	name string
}

// share joins a gateway's users with a new register; others are those that it is told of before it begins.
func share(t *testing.T, name string, others ...*sharing) *sharing {
	t.Helper()
	h := newHarness(t)
	r, err := register.Open(register.Options{Path: filepath.Join(h.dir, "users.register"), Origin: name, Clock: wall{h.clock}})
	if err != nil {
		t.Fatal(err)
	}
	users, err := h.gateway.ShareUsers(r)
	if err != nil {
		t.Fatal(err)
	}
	s := &sharing{h, users, name}
	for _, other := range others {
		s.from(other)
	}
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	return s
}

// wall is the wall clock of a harness.
type wall struct{ *clock }

func (w wall) Now() int64 { return w.Wall() }

// from takes what another gateway has and this one lacks.
func (s *sharing) from(other *sharing) {
	s.t.Helper()
	theirs, _ := other.State()
	for origin := range theirs {
		mine, _ := s.State()
		if body, _ := other.Since(origin, mine[origin]); body != nil {
			if err := s.Accept(body); err != nil {
				s.t.Errorf("%s of %s: %v", s.name, other.name, err)
			}
		}
	}
}

// change changes the file as `lethe user` does, a moment later, and tells the register.
func (s *sharing) change(f func(d *identity.Draft) error) {
	s.t.Helper()
	if err := s.gateway.Directory.Update(f); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Look(); err != nil {
		s.t.Fatal(err)
	}
}

// line is a user as the file of this gateway has it: "" for none.
func (s *sharing) line(user string) string {
	s.t.Helper()
	if _, err := s.gateway.Directory.Reload(); err != nil {
		s.t.Fatal(err)
	}
	all := s.gateway.Directory.Parts()
	var parts []string
	for _, name := range identity.PartsOf(user) {
		if all[name] != "" {
			parts = append(parts, all[name])
		}
	}
	return strings.Join(parts, " ")
}

func alike(t *testing.T, user string, all ...*sharing) string {
	t.Helper()
	for _, s := range all[1:] {
		if got, want := s.line(user), all[0].line(user); got != want {
			t.Errorf("%s has %q, %s %q", s.name, got, all[0].name, want)
		}
	}
	return all[0].line(user)
}

// A user that is added at one gateway, and whatever is changed of it, is the same at the other, down to its tokens; each
// change is in both audits.
func TestUsersAreShared(t *testing.T) {
	t.Parallel()
	a := share(t, "a")
	b := share(t, "b", a)
	var token, second secret.Bytes
	a.change(func(d *identity.Draft) (err error) {
		token, err = d.Add(identity.NewUser{Name: "x", Tenants: []string{"TENANT001", "TENANT002"}, Rules: "~* +@read (~a:* +set)",
			Attributes: map[string]string{"sources": "192.0.2.0/24", "owner": "jane@example.org", "rate": "7", "hours": "mon-fri/07:00-19:00"}})
		return err
	})
	if err := a.gateway.Directory.Update(func(d *identity.Draft) error {
		return d.Set("x", identity.Change{Attributes: map[string]string{"hours": ""}})
	}); err != nil {
		t.Fatal(err)
	}
	a.change(func(d *identity.Draft) (err error) {
		second, err = d.Rotate("x", identity.Rotation{Overlap: time.Hour})
		return err
	})
	b.from(a)
	if line := alike(t, "x", a, b); !strings.Contains(line, "rate=7") || strings.Count(line, "#sha256") != 2 {
		t.Errorf("the user is %q", line)
	}
	for _, given := range []secret.Bytes{token, second} {
		if got := b.as(b.gateway.NewSession("192.0.2.1:1", ""), "AUTH x "+string(given.Reveal())); got != "+OK\r\n" {
			t.Errorf("a token of the other gateway: %q", got)
		}
	}
	b.change(func(d *identity.Draft) error { return d.Set("x", identity.Change{Tenants: []string{"TENANT003"}}) })
	a.from(b)
	if line := alike(t, "x", a, b); !strings.Contains(line, "tenants=TENANT003 ") {
		t.Errorf("the user is %q", line)
	}
	b.change(func(d *identity.Draft) error { return d.Remove("x") })
	a.from(b)
	if line := alike(t, "x", a, b); line != "" {
		t.Errorf("the removed user is %q", line)
	}
	want := []string{"admin ok  user=x changed=elsewhere gateway=b", "admin ok  user=x removed=elsewhere gateway=b"}
	if got := elsewhere(a); !slices.Equal(got, want) {
		t.Errorf("a's audit has %q", got)
	}
	want = []string{"admin ok  user=app changed=elsewhere gateway=a", "admin ok  user=x added=elsewhere gateway=a"} // each had an app of its own
	if got := elsewhere(b); !slices.Equal(got, want) {
		t.Errorf("b's audit has %q", got)
	}
}

func elsewhere(s *sharing) (found []string) {
	for _, e := range s.events("*") {
		if strings.Contains(e, "=elsewhere") {
			found = append(found, e)
		}
	}
	return found
}

// Changes at two gateways at once: parts that only one has changed are as that one left them, in particular whether the
// user may come in; and a user who is removed at one does not come back enabled by a change at the other.
func TestUsersAreChangedAtTwoGatewaysAtOnce(t *testing.T) {
	t.Parallel()
	a := share(t, "a")
	b := share(t, "b", a)
	for _, name := range []string{"x", "y"} {
		a.change(func(d *identity.Draft) error {
			_, err := d.Add(identity.NewUser{Name: name, Tenants: []string{"TENANT001"}})
			return err
		})
	}
	b.from(a)
	a.change(func(d *identity.Draft) error { return d.Enable("x", false) })
	b.change(func(d *identity.Draft) error { _, err := d.Rotate("x", identity.Rotation{}); return err })
	a.change(func(d *identity.Draft) error { return d.Remove("y") })
	b.change(func(d *identity.Draft) error { return d.Set("y", identity.Change{Tenants: []string{"TENANT009"}}) })
	rotated := b.line("x")
	a.from(b)
	b.from(a)
	if line := alike(t, "x", a, b); !strings.HasSuffix(line, " off") || strings.TrimSuffix(line, " off") != strings.TrimSuffix(rotated, " on") {
		t.Errorf("x is %q, and was %q", line, rotated)
	}
	if line := alike(t, "y", a, b); line != "" && !strings.HasSuffix(line, " off") {
		t.Errorf("y is %q", line)
	}
}

// A gateway that begins beside others takes their users, whatever its own file says of them.
func TestANewGatewayTakesTheOthersUsers(t *testing.T) {
	t.Parallel()
	a := share(t, "a")
	a.change(func(d *identity.Draft) error { return d.Set("app", identity.Change{Tenants: []string{"TENANT007"}}) })
	b := share(t, "b", a) // its file has an app of its own
	a.from(b)
	if line := alike(t, "app", a, b); !strings.Contains(line, "tenants=TENANT007 ") {
		t.Errorf("app is %q", line)
	}
	if got := b.do("GET TENANT001:patient:1"); !strings.HasPrefix(got, "-") {
		t.Errorf("who was somebody else before is answered %q", got)
	}
}

// A certificate's name that two gateways gave to two users at once is nobody's, and a user who needed it is out.
func TestACertificateHasOneUser(t *testing.T) {
	t.Parallel()
	a := share(t, "a")
	b := share(t, "b", a)
	add := func(s *sharing, name string) {
		s.change(func(d *identity.Draft) error {
			_, err := d.Add(identity.NewUser{Name: name, Tenants: []string{"TENANT001"}, Attributes: map[string]string{"certificates": "cn:one"}})
			return err
		})
	}
	add(a, "x")
	add(b, "y")
	for range 3 {
		a.from(b)
		b.from(a)
	}
	x, y := alike(t, "x", a, b), alike(t, "y", a, b)
	for _, line := range []string{x, y} {
		if !strings.Contains(line, "cn:one") && !strings.HasSuffix(line, " off") {
			t.Errorf("a user without the certificate that it needed is %q", line)
		}
	}
	if strings.Contains(x, "cn:one") && strings.Contains(y, "cn:one") {
		t.Error("two users have one certificate")
	}
}

// What cannot be used changes nothing, and says so: the gateway does not count it as in force.
func TestUsersThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	a := share(t, "a")
	f := func(name, content string) {
		t.Helper()
		before := a.line("app")
		b := register.Batch{Origin: "b", Through: 1, Entries: []register.Entry{{Name: name, Content: content, At: 1 << 50, Origin: "b", Number: 1}}}
		err := a.Accept(encode(t, b))
		if known, _ := a.State(); err == nil || known["b"] != 0 || a.line("app") != before {
			t.Errorf("%q is %q: %v", name, content, err)
		}
	}
	f("app", "+@all ~* tenants=TENANT001\nuser evil on +@all ~*")
	f("app", "+nosuch tenants=TENANT001")
	f("app", "nosuch=1 tenants=TENANT001")
	f("app", "+@all ~*")
	f("app tokens", "#sha256:00:00,2026-01-01T00:00:00Z")
	f("app enabled", "on on\nuser y on")
	if err := a.Accept([]byte("{")); err == nil {
		t.Error("what is no batch is taken")
	}
}

// While the file cannot be written, nothing of another gateway is in force or known.
func TestUsersFileCannotBeWritten(t *testing.T) {
	t.Parallel()
	a := share(t, "a")
	b := share(t, "b", a)
	a.change(func(d *identity.Draft) error { return d.Enable("app", false) })
	file := filepath.Join(b.dir, identity.FileName)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	known, _ := a.State()
	body, _ := a.Since("a", 0)
	before, _ := b.State()
	if err := b.Accept(body); err == nil {
		t.Error("a change is taken into a file that is none")
	}
	if after, _ := b.State(); after["a"] != before["a"] || after["a"] == known["a"] {
		t.Errorf("known: %v, before %v", after, before)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	b.from(a)
	alike(t, "app", a, b)
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
