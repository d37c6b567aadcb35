package gateway_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/register"
	"github.com/lethe-cache/lethe/internal/secret"
)

// enters adds a user and returns a session of it with its link.
func (f *front) enters(user, tenants, rules string) (*gateway.Session, *link) {
	f.t.Helper()
	var token secret.Bytes
	err := f.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Add(identity.NewUser{Name: user, Tenants: strings.Split(tenants, ","), Rules: rules})
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	s, l := f.gateway.NewSession("192.0.2.1:3", "192.0.2.2:6380"), &link{}
	s.Attach(l)
	if got := f.by(s, "AUTH "+user+" "+string(token.Reveal())); got != "+OK\r\n" {
		f.t.Fatalf("%q", got)
	}
	return s, l
}

// by runs calls of a session in one round.
func (f *front) by(s *gateway.Session, calls ...string) string {
	f.t.Helper()
	mine := f.session
	defer func() { f.session = mine }()
	f.session = s
	return f.round(calls...)
}

// hears attaches a subscriber, who is a new user, to the events of keys.
func (f *front) hears(user, tenant, rules string) *link {
	f.t.Helper()
	s, l := f.enters(user, tenant, rules)
	if got := f.by(s, "PSUBSCRIBE __keyevent@0__:*"); !strings.Contains(got, "psubscribe") {
		f.t.Fatalf("%q", got)
	}
	return l
}

// What expires upstream is told here and at the other gateway when it is recorded, to who may read it; what a patient who has
// withdrawn the consent had is named to nobody.
func TestExpirationsUpstreamAreTold(t *testing.T) {
	a, b := joined(t)
	for _, x := range []*front{a, b} {
		if got := x.round("CONFIG SET notify-keyspace-events Ex"); got != "+OK\r\n" {
			t.Fatalf("%q", got)
		}
	}
	store := consent.NewStore(a.clock, time.Minute)
	a.gateway.Consent = a.gateway.NewConsent(store)
	here, there := a.hears("hears", "TENANT001", "+@all ~* &*"), b.hears("hears", "TENANT001", "+@all ~* &*")
	narrow, stranger := b.hears("narrow", "TENANT001", "+@all ~mine:* &*"), b.hears("stranger", "TENANT002", "+@all ~* &*")
	expires := func(key string) {
		a.gateway.UpstreamSink().Expired("TENANT001", "phi", []byte(key), a.clock.Wall())
		a.gateway.UpstreamSink().Commit()
	}
	expires(p1)
	const want = "*4\r\n$8\r\npmessage\r\n$16\r\n__keyevent@0__:*\r\n$22\r\n__keyevent@0__:expired\r\n$19\r\n" + p1 + "\r\n"
	for name, got := range map[string]string{"here": a.receive(here), "there": b.receive(there)} {
		if got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := b.receive(narrow) + b.receive(stranger); got != "" {
		t.Errorf("who may not read it received %q", got)
	}
	store.Apply(&consent.Change{ID: "ABCDEFGHIJKLMNOPQRST", Action: consent.Revoke, Tenant: "TENANT001", Subject: "1", Since: a.clock.Wall()})
	expires(p1 + ":labs")
	if got := a.receive(here) + b.receive(there); got != "" {
		t.Errorf("of a patient without consent: %q", got)
	}
}

// What a tenant chooses at one gateway holds at the other, and after a restart, until it is changed at either.
func TestChoicesOfEventsAreShared(t *testing.T) {
	join := func(x *front, name, dir string) *gateway.SharedNotices {
		t.Helper()
		r, err := register.Open(register.Options{Path: filepath.Join(dir, "notices.register"), Origin: name, Clock: wall{x.clock}, Keeps: true})
		if err != nil {
			t.Fatal(err)
		}
		return x.gateway.ShareNotices(r)
	}
	tell := func(from, to *gateway.SharedNotices, origin string) {
		t.Helper()
		if err := from.Look(); err != nil {
			t.Fatal(err)
		}
		known, _ := to.State()
		if body, _ := from.Since(origin, known[origin]); body != nil {
			if err := to.Accept(body); err != nil {
				t.Error(err)
			}
		}
	}
	has := func(x *front, want string) {
		t.Helper()
		if got := x.round("CONFIG GET notify-keyspace-events"); !strings.HasSuffix(got, "\r\n"+want+"\r\n") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	dir := t.TempDir()
	a, b := newFront(t), newFront(t)
	atA, atB := join(a, "a", dir), join(b, "b", t.TempDir())
	a.round("CONFIG SET notify-keyspace-events Egx")
	tell(atA, atB, "a")
	has(b, "gxE")
	again := newFront(t)
	join(again, "a", dir)
	has(again, "gxE")
	b.round("CONFIG SET notify-keyspace-events Kx")
	tell(atB, atA, "b")
	has(a, "xK")
	if err := atA.Accept([]byte("{")); err == nil {
		t.Error("what is no batch is taken")
	}
}
