package gateway_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/secret"
)

// loginAs adds a user with attributes and returns a session of it that has a link, and whether the link was closed.
func (l *lab) loginAs(name, rules string, attributes map[string]string) (*gateway.Session, *bool) {
	l.t.Helper()
	var token secret.Bytes
	err := l.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Add(identity.NewUser{Name: name, Tenants: []string{"TENANTA"}, Rules: rules, Attributes: attributes})
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return l.open(name, string(token.Reveal()))
}

// open authenticates a new connection.
func (l *lab) open(name, token string) (*gateway.Session, *bool) {
	l.t.Helper()
	s := l.gateway.NewSession("192.0.2.1:1", "192.0.2.2:6380")
	closed := false
	s.Attach(&link{closed: func() { closed = true }})
	if got := l.aside(s, "AUTH", name, token); got != "+OK\r\n" {
		l.t.Fatalf("login of %s: %q", name, got)
	}
	l.sessions = append(l.sessions, s)
	return s, &closed
}

// ended lists why connections were ended.
func (l *lab) ended() string {
	return l.events(func(e *audit.Event) bool { return e.Action == audit.Connect && strings.HasPrefix(e.Detail, "ended=") })
}

func TestSilentConnectionsEnd(t *testing.T) {
	t.Parallel()
	// f opens a silent connection, does something, and wants it closed or not, and why.
	f := func(what string, attributes map[string]string, do func(*lab), reason string) {
		t.Helper()
		l := newLab(t)
		_, closed := l.loginAs("x", "", attributes)
		l.gateway.EndSessions()
		if *closed {
			t.Fatalf("%s: closed before", what)
		}
		do(l)
		l.gateway.EndSessions()
		want := ""
		if reason != "" {
			want = " TENANTA ended=" + reason + "\n"
		}
		if got := l.ended(); *closed != (reason != "") || got != want {
			t.Errorf("%s: closed %v, %q, want %q", what, *closed, got, want)
		}
	}
	update := func(change func(d *identity.Draft) error) func(*lab) {
		return func(l *lab) {
			if err := l.gateway.Directory.Update(change); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	later := func(d time.Duration) func(*lab) { return func(l *lab) { l.clock.now += d.Milliseconds() } }
	operator := map[string]string{"roles": "operator"}
	f("nothing", nil, func(*lab) {}, "")
	f("disabled", nil, update(func(d *identity.Draft) error { return d.Enable("x", false) }), "access")
	f("removed", nil, update(func(d *identity.Draft) error { return d.Remove("x") }), "access")
	f("token replaced", nil, update(func(d *identity.Draft) error { _, err := d.Rotate("x", identity.Rotation{}); return err }), "access")
	f("another user changed", nil, update(func(d *identity.Draft) error { return d.Enable("b", false) }), "")
	f("a service is idle", nil, later(24*time.Hour), "")
	f("a person is idle for a while", operator, later(15*time.Minute-time.Millisecond), "")
	f("a person is idle", operator, later(15*time.Minute), "idle")
	f("everybody's longest life", nil, func(l *lab) {
		l.gateway.Bound(gateway.Bounds{Life: time.Hour})
		l.clock.now += time.Hour.Milliseconds()
	}, "life")
}

// A person who works ends too when the longest life is over, and idleness counts from the last command.
func TestLongestLife(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s, closed := l.loginAs("x", "", map[string]string{"roles": "operator"})
	for range 12 * 6 {
		if *closed {
			t.Fatal("closed while working")
		}
		l.clock.now += (10 * time.Minute).Milliseconds()
		l.run(s, "PING")
		l.gateway.EndSessions()
	}
	if !*closed || l.ended() != " TENANTA ended=life\n" {
		t.Errorf("closed %v: %q", *closed, l.ended())
	}
}

// The end of a login is held against every command, so that a pipeline ends in its middle.
func TestLoginEndsBetweenCommands(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s, _ := l.loginAs("x", "", map[string]string{"ends": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	if got := l.run(s, "GET", "k"); got != "$-1\r\n" {
		t.Fatal(got)
	}
	if err := l.gateway.Directory.Update(func(d *identity.Draft) error { return d.Enable("x", false) }); err != nil {
		t.Fatal(err)
	}
	if got := l.run(s, "GET", "k"); !strings.HasPrefix(got, "-NOAUTH ") {
		t.Errorf("after the end: %q", got)
	}
}

// Who hears what it may no longer hear is ended.
func TestSubscriberLosesItsChannel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules string
		ends  bool
	}{{"&news:* +subscribe +@connection", false}, {"&other:* +subscribe +@connection", true}} {
		l := newLab(t)
		s, closed := l.loginAs("x", "&* +subscribe +@connection", nil)
		if got := l.run(s, "SUBSCRIBE", "news:1"); strings.HasPrefix(got, "-") {
			t.Fatal(got)
		}
		if err := l.gateway.Directory.Update(func(d *identity.Draft) error { return d.Set("x", identity.Change{Rules: &c.rules}) }); err != nil {
			t.Fatal(err)
		}
		l.gateway.EndSessions()
		l.receive(s.Link().(*link))
		if *closed != c.ends {
			t.Errorf("%s: closed %v", c.rules, *closed)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.gateway.Bound(gateway.Bounds{TenantRate: 10})
	l.clock.now = l.clock.now / 1000 * 1000
	s, _ := l.loginAs("x", "", map[string]string{"rate": "3"})
	other, _ := l.open2("y")
	f := func(s *gateway.Session, want string) {
		t.Helper()
		if got := l.admit(s, "GET", "k"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	const user, tenant = "-QUOTA the user sends more commands a second than it may\r\n", "-QUOTA the tenant's users send more commands a second than they may\r\n"
	for range 3 {
		f(s, "")
	}
	f(s, user)
	for range 7 {
		f(other, "")
	}
	f(other, tenant)
	l.clock.now += 1000
	f(s, "")
	f(other, "")
}

// Loops whose rounds began in different seconds take turns: the one that takes long brings nobody another second.
func TestARoundThatTakesLongTurnsNoSecondBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.gateway.Bound(gateway.Bounds{TenantRate: 10})
	second := l.clock.now / 1000 * 1000
	s, _ := l.open2("x")
	passed := 0
	for i := range 100 {
		if l.clock.now = second - int64(i%2); l.admit(s, "GET", "k") == "" {
			passed++
		}
	}
	if passed > 20 {
		t.Errorf("%d commands pass in two seconds of 10", passed)
	}
}

// open2 opens a connection of a user without attributes.
func (l *lab) open2(name string) (*gateway.Session, *bool) { return l.loginAs(name, "", nil) }

func TestCategoriesOfAUser(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s, _ := l.loginAs("x", "~* +@all", map[string]string{"categories": "session,reference"})
	f := func(want string, words ...string) {
		t.Helper()
		if got := l.admit(s, words...); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	f("", "GET", "TENANTA:session:1")
	f("", "GET", "global:codesystem:1")
	f("-NOPERM this user may not reach entries of this category\r\n", "GET", "TENANTA:patient:1")
	f("-NOPERM this user may not reach entries of this category\r\n", "MGET", "TENANTA:session:1", "unmatched")
	f("-NOPERM this user may reach some categories only, and the command is about all\r\n", "FLUSHALL")
	f("", "PING")
	a := l.connect("a")
	l.run(a, "SET", "TENANTA:session:1", "v")
	l.run(a, "SET", "TENANTA:patient:1", "v")
	if got := flat(l.run(s, "KEYS", "*")); got != "*1 $17 TENANTA:session:1" {
		t.Errorf("KEYS shows %q", got)
	}
}

func TestPurposeOfUse(t *testing.T) {
	t.Parallel()
	l := &lab{harness: newHarnessWith(t, strings.Replace(policy.DefaultYAML(), "ceiling: 5m", "require_purpose: true, ceiling: 5m", 1))}
	l.gateway.Server = l
	plain, _ := l.loginAs("plain", "~* +@all", nil)
	treating, _ := l.loginAs("treating", "~* +@all", map[string]string{"purpose": "treatment"})
	narrow, _ := l.loginAs("narrow", "~* +@all", map[string]string{"purposes": "payment"})
	f := func(s *gateway.Session, want string, words ...string) {
		t.Helper()
		if got := flat(l.run(s, words...)); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	g := func(s *gateway.Session, allowed bool, words ...string) {
		t.Helper()
		if got := l.admit(s, words...); (got == "") != allowed || !allowed && !strings.HasPrefix(got, "-POLICY a purpose of use is required") {
			t.Errorf("%q: %q", words, got)
		}
	}
	g(plain, false, "GET", "TENANTA:patient:1")
	g(plain, false, "KEYS", "*")
	g(plain, false, "FLUSHALL")
	g(plain, true, "GET", "TENANTA:session:1")
	g(plain, true, "PING")
	g(treating, true, "GET", "TENANTA:patient:1")
	f(plain, "$0 ", "LETHE", "PURPOSE")
	f(treating, "$9 treatment", "LETHE", "PURPOSE")
	f(plain, "-ERR the purpose of use is none that Lethe knows, or none that this user may state", "LETHE", "PURPOSE", "fun")
	f(plain, "+OK", "LETHE", "PURPOSE", "Payment")
	g(plain, true, "GET", "TENANTA:patient:1")
	f(narrow, "-ERR the purpose of use is none that Lethe knows, or none that this user may state", "LETHE", "PURPOSE", "treatment")
	f(narrow, "+OK", "LETHE", "PURPOSE", "payment")
	f(plain, "$-1", "GET", "TENANTA:patient:1")
	purposes := ""
	err := audit.Search(l.dir+"/audit", l.opener, audit.Query{User: "plain"}, func(e *audit.Event) error {
		purposes += fmt.Sprintf("%s=%s ", e.Command, e.Actor.Purpose)
		return nil
	})
	if err != nil || !strings.HasSuffix(purposes, "LETHE|PURPOSE= LETHE|PURPOSE=payment GET=payment ") {
		t.Errorf("records have the purposes %s (%v)", purposes, err)
	}
	f(plain, "+OK", "LETHE", "PURPOSE", "DEFAULT")
	g(plain, false, "GET", "TENANTA:patient:1")
}

func TestCertificateLogin(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	err := l.gateway.Directory.Update(func(d *identity.Draft) error {
		_, err := d.Add(identity.NewUser{Name: "card", Tenants: []string{"TENANTA"}, NoToken: true, Rules: "~* +@all", Attributes: map[string]string{"certificates": "cn:card"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	show := func(cn string) *gateway.Session {
		s := l.gateway.NewSession("192.0.2.1:1", "")
		l.worker.Begin()
		l.worker.Certified(s, &x509.Certificate{Subject: pkix.Name{CommonName: cn}})
		if err := l.worker.Commit(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := show("card")
	if got := flat(l.run(s, "ACL", "WHOAMI")); got != "$4 card" {
		t.Errorf("%q", got)
	}
	if got := l.events(func(e *audit.Event) bool { return e.Actor.Method == "certificate" && e.Action == audit.Authenticate }); got != " TENANTA certificate\n" {
		t.Errorf("recorded: %q", got)
	}
	if got := flat(l.run(show("unknown"), "ACL", "WHOAMI")); got != "-NOAUTH Authentication required." {
		t.Errorf("%q", got)
	}
	// The identity cannot be had without the certificate, and comes back with it after RESET by AUTH of nobody else.
	bare := l.gateway.NewSession("192.0.2.1:1", "")
	for _, token := range []string{"card", "nopass", "x"} {
		if got := l.aside(bare, "AUTH", "card", token); !strings.HasPrefix(got, "-WRONGPASS ") {
			t.Errorf("AUTH card %s: %q", token, got)
		}
	}
	if err := l.gateway.Directory.Update(func(d *identity.Draft) error { return d.Enable("card", false) }); err != nil {
		t.Fatal(err)
	}
	if got := flat(l.run(s, "GET", "k")); got != "-NOAUTH Authentication required." {
		t.Errorf("disabled: %q", got)
	}
	if got := flat(l.run(show("card"), "GET", "k")); got != "-NOAUTH Authentication required." {
		t.Errorf("disabled, anew: %q", got)
	}
}

// A connection that is open ends when its certificate is revoked, whoever it is then.
func TestRevokedCertificateEnds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	cert := &x509.Certificate{Subject: pkix.Name{CommonName: "card"}}
	revoked := false
	l.gateway.Bound(gateway.Bounds{Revoked: func(c *x509.Certificate) bool { return revoked && c == cert }})
	err := l.gateway.Directory.Update(func(d *identity.Draft) error {
		_, err := d.Add(identity.NewUser{Name: "card", Tenants: []string{"TENANTA"}, NoToken: true, Attributes: map[string]string{"certificates": "cn:card"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s, closed := l.gateway.NewSession("192.0.2.1:1", ""), false
	s.Attach(&link{closed: func() { closed = true }})
	l.sessions = append(l.sessions, s)
	l.worker.Begin()
	l.worker.Certified(s, cert)
	if err := l.worker.Commit(); err != nil {
		t.Fatal(err)
	}
	l.gateway.EndSessions()
	if closed {
		t.Error("closed before")
	}
	revoked = true
	l.gateway.EndSessions()
	if !closed || l.ended() != " TENANTA ended=revoked\n" {
		t.Errorf("closed %v, %q", closed, l.ended())
	}
}

// What is refused by a condition is told to the audit and not to the client.
func TestRefusedByCondition(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var token secret.Bytes
	err := l.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Add(identity.NewUser{Name: "near", Tenants: []string{"TENANTA"}, Attributes: map[string]string{"sources": "10.0.0.0/8"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := l.gateway.NewSession("192.0.2.1:1", "")
	if got := flat(l.aside(s, "AUTH", "near", string(token.Reveal()))); got != "-WRONGPASS invalid username-password pair or user is disabled." {
		t.Errorf("%q", got)
	}
	if got := l.events(func(e *audit.Event) bool { return e.Outcome == audit.Denied && e.Command == "AUTH" }); !strings.Contains(got, "user=near reason=source") {
		t.Errorf("recorded: %q", got)
	}
	inside := l.gateway.NewSession("10.1.1.1:1", "")
	if got := l.aside(inside, "AUTH", "near", string(token.Reveal())); got != "+OK\r\n" {
		t.Errorf("%q", got)
	}
}

func TestAddressesOfTheListener(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.gateway.Bound(gateway.Bounds{AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	var token secret.Bytes
	err := l.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Rotate("a", identity.Rotation{Overlap: time.Hour})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(source string, want bool) {
		t.Helper()
		got := l.aside(l.gateway.NewSession(source, ""), "AUTH", "a", string(token.Reveal()))
		if (got == "+OK\r\n") != want {
			t.Errorf("from %s: %q", source, got)
		}
	}
	f("10.1.1.1:1", true)
	f("[::ffff:10.1.1.1]:1", true)
	f("192.0.2.1:1", false)
	f("[2001:db8::1]:1", false)
	f("", false)
}

// Guessing becomes slow, and a right token is not looked at before its time.
func TestGuessingIsSlow(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var token secret.Bytes
	err := l.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Rotate("a", identity.Rotation{Overlap: time.Hour})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	try := func(source, token string) bool {
		s := l.gateway.NewSession(source+":1", "")
		return l.aside(s, "AUTH", "a", token) == "+OK\r\n"
	}
	wrong := string(identity.GenerateToken().Reveal())
	for range 8 {
		try("198.51.100.1", wrong)
	}
	if try("198.51.100.1", string(token.Reveal())) {
		t.Error("looked at too soon")
	}
	if !try("198.51.100.2", string(token.Reveal())) {
		t.Error("another address suffers")
	}
	l.clock.now += time.Minute.Milliseconds()
	if !try("198.51.100.1", string(token.Reveal())) {
		t.Error("the delay does not end")
	}
}

func TestErrPurpose(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if err := l.connect("a").StatePurpose("fun"); !errors.Is(err, gateway.ErrPurpose) {
		t.Error(err)
	}
}

// admit runs the steps up to admit and returns the error that stopped the command, "" for none.
func (l *lab) admit(s *gateway.Session, words ...string) string {
	l.t.Helper()
	return l.worker.Admit(s, strings.Join(words, " "))
}

// Listing shows what some alternative of the rules may read, and nothing else.
func TestListingFollowsAlternatives(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	for _, key := range []string{"a:1", "b:1", "c:1"} {
		l.run(a, "SET", key, "v")
	}
	s, _ := l.loginAs("x", "%R~a:* +keys (%R~b:* +get) (%W~c:* +set)", nil)
	if got := flat(l.run(s, "KEYS", "*")); got != "*2 $3 a:1 $3 b:1" && got != "*2 $3 b:1 $3 a:1" {
		t.Errorf("%q", got)
	}
}
