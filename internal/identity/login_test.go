package identity_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

// named is a verified certificate with a common name.
func named(cn string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: cn}}
}

// from is an attempt with a token from an address.
func from(name string, token []byte, source string) identity.Attempt {
	return identity.Attempt{Name: name, Token: token, Source: netip.MustParseAddr(source)}
}

// Conditions are held against a good credential only, and the audit learns which of them refused.
func TestLoginConditions(t *testing.T) {
	t.Parallel()
	f := newFixture(t) // it is Thursday, 1 January 2026, 00:00 UTC
	users := map[string]map[string]string{
		"plain": {}, "near": {"sources": "10.0.0.0/8,2001:db8::/32"}, "night": {"hours": "22:00-06:00"}, "day": {"hours": "07:00-19:00"},
		"brief": {"ends": "2026-01-02"}, "card": {"certificates": "cn:card"}, "rescue": {"roles": "break-glass"},
	}
	tokens := map[string][]byte{}
	for name, attributes := range users {
		tokens[name] = f.add(t, identity.NewUser{Name: name, Tenants: []string{"T"}, Attributes: attributes})
	}
	g := func(a identity.Attempt, reason, end string) {
		t.Helper()
		l, err := f.Login(t.Context(), a)
		fast, fastErr := f.LoginFast(a)
		if (err == nil) != (fastErr == nil) || identity.Reason(err) != identity.Reason(fastErr) {
			t.Errorf("%s: Login says %v, LoginFast %v", a.Name, err, fastErr)
		}
		if err != nil {
			if !errors.Is(err, identity.ErrDenied) || identity.Reason(err) != reason || err.Error() != identity.ErrDenied.Error() {
				t.Errorf("%s: %v (%s), want %q", a.Name, err, identity.Reason(err), reason)
			}
			return
		}
		got := ""
		if !l.EndsAt.IsZero() {
			got = l.EndsAt.UTC().Format(time.RFC3339)
		}
		if reason != "" || got != end || fast.EndsAt != l.EndsAt || l.Method != identity.ByToken {
			t.Errorf("%s: in until %q by %s, want refused %q, end %q", a.Name, got, l.Method, reason, end)
		}
	}
	good := func(name, source string) identity.Attempt { return from(name, tokens[name], source) }
	g(good("plain", "192.0.2.1"), "", "")
	g(good("near", "10.1.2.3"), "", "")
	g(good("near", "::ffff:10.1.2.3"), "", "")
	g(good("near", "2001:db8::5"), "", "")
	g(good("near", "192.0.2.1"), "source", "")
	g(identity.Attempt{Name: "near", Token: tokens["near"]}, "source", "")
	g(from("near", tokens["plain"], "10.1.2.3"), "", "") // the wrong token: no reason
	g(good("night", "192.0.2.1"), "", "2026-01-01T06:00:00Z")
	g(good("day", "192.0.2.1"), "hours", "")
	g(good("brief", "192.0.2.1"), "", "2026-01-02T00:00:00Z")
	g(good("card", "192.0.2.1"), "certificate", "")
	g(good("rescue", "192.0.2.1"), "no-emergency", "")
	withCard := good("card", "192.0.2.1")
	withCard.Certificate = named("card")
	g(withCard, "", "")
	withCard.Certificate = named("plain")
	g(withCard, "certificate", "")
	f.pass(24 * time.Hour)
	g(good("brief", "192.0.2.1"), "ended", "")
	f.update(t, func(d *identity.Draft) error { return d.Enable("plain", false) })
	g(good("plain", "192.0.2.1"), "disabled", "")
}

// Renew is what ends connections: each way in which a login can end.
func TestRenew(t *testing.T) {
	t.Parallel()
	// g logs in, does something, and wants the login to hold or not.
	g := func(what string, attributes map[string]string, expires time.Duration, do func(*fixture), holds bool) {
		t.Helper()
		f := newFixture(t)
		n := identity.NewUser{Name: "x", Tenants: []string{"T"}, Attributes: attributes}
		if expires != 0 {
			n.ExpiresAt = f.clock().Add(expires)
		}
		l, err := f.Login(t.Context(), from("x", f.add(t, n), "192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := f.Renew(l); !ok {
			t.Errorf("%s: does not hold before", what)
		}
		do(f)
		next, ok := f.Renew(l)
		if ok != holds || ok && next.User.Name != "x" {
			t.Errorf("%s: holds %v", what, ok)
		}
	}
	update := func(change func(d *identity.Draft) error) func(*fixture) {
		return func(f *fixture) { f.update(t, change) }
	}
	pass := func(d time.Duration) func(*fixture) { return func(f *fixture) { f.pass(d) } }
	set := func(attributes map[string]string) func(*fixture) {
		return update(func(d *identity.Draft) error { return d.Set("x", identity.Change{Attributes: attributes}) })
	}
	g("nothing", nil, 0, func(*fixture) {}, true)
	g("another rule", nil, 0, update(func(d *identity.Draft) error { rules := "~a +get"; return d.Set("x", identity.Change{Rules: &rules}) }), true)
	g("disabled", nil, 0, update(func(d *identity.Draft) error { return d.Enable("x", false) }), false)
	g("removed", nil, 0, update(func(d *identity.Draft) error { return d.Remove("x") }), false)
	rotate := func(overlap time.Duration) func(d *identity.Draft) error {
		return func(d *identity.Draft) error {
			_, err := d.Rotate("x", identity.Rotation{Overlap: overlap})
			return err
		}
	}
	g("token replaced, both good", nil, 0, update(rotate(time.Hour)), true)
	g("token replaced, the old one over", nil, 0, func(f *fixture) { f.update(t, rotate(time.Hour)); f.pass(time.Hour) }, false)
	g("token replaced at once", nil, 0, update(rotate(0)), false)
	g("token expired", nil, time.Hour, pass(time.Hour), false)
	g("user ended", map[string]string{"ends": "2026-01-02"}, 0, pass(24*time.Hour), false)
	g("hours over", map[string]string{"hours": "00:00-06:00"}, 0, pass(6*time.Hour), false)
	g("source no longer allowed", nil, 0, set(map[string]string{"sources": "10.0.0.0/8"}), false)
	g("a certificate is wanted now", nil, 0, set(map[string]string{"certificates": "cn:x"}), false)
}

// Without a connection all conditions but the address count.
func TestAuthenticateHoldsConditions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]struct {
		attributes map[string]string
		good       bool
	}{
		"near": {map[string]string{"sources": "10.0.0.0/8"}, true}, "day": {map[string]string{"hours": "07:00-19:00"}, false},
		"over": {map[string]string{"ends": "2025-01-01"}, false}, "card": {map[string]string{"certificates": "cn:card"}, false},
		"rescue": {map[string]string{"roles": "break-glass"}, false},
	} {
		token := f.add(t, identity.NewUser{Name: name, Tenants: []string{"T"}, Attributes: c.attributes})
		_, err := f.Authenticate(name, token)
		_, fast := f.AuthenticateFast(name, token)
		if (err == nil) != c.good || (fast == nil) != c.good {
			t.Errorf("%s: %v %v", name, err, fast)
		}
	}
}

// A users file that cannot be read lets nobody in, and ends nobody who is in, by token or by certificate.
func TestBrokenFileEndsNobody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}})
	f.add(t, identity.NewUser{Name: "card", Tenants: []string{"T"}, NoToken: true, Attributes: map[string]string{"certificates": "cn:card"}})
	attempts := []identity.Attempt{from("app", token, "192.0.2.1"), {Certificate: named("card")}}
	var in []*identity.Login
	for _, a := range attempts {
		l, err := f.Login(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, l)
	}
	if err := os.WriteFile(f.path, []byte("broken: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range attempts {
		if _, err := f.Login(t.Context(), a); err == nil || errors.Is(err, identity.ErrDenied) {
			t.Errorf("let in, or blamed: %v", err)
		}
		if _, ok := f.Renew(in[i]); !ok {
			t.Error("ended")
		}
	}
}

func TestByCertificate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, certificates := range map[string]string{
		"cn": "cn:Billing", "dns": "dns:app.example.org", "exact": "uri:spiffe://td/ns/a/sa/x", "below": "uri:spiffe://td/ns/a/*", "td": "uri:spiffe://td/*",
	} {
		f.add(t, identity.NewUser{Name: name, Tenants: []string{"T"}, NoToken: true, Attributes: map[string]string{"certificates": certificates}})
	}
	g := func(cn, dns, uri, want string) {
		t.Helper()
		cert := &x509.Certificate{Subject: pkix.Name{CommonName: cn}}
		if dns != "" {
			cert.DNSNames = strings.Split(dns, ",")
		}
		if uri != "" {
			u, err := url.Parse(uri)
			if err != nil {
				t.Fatal(err)
			}
			cert.URIs = []*url.URL{u}
		}
		u, ok := f.ByCertificate(cert)
		if got := ""; ok {
			got = u.Name
			if got != want {
				t.Errorf("%s %s %s: %s, want %q", cn, dns, uri, got, want)
			}
		} else if want != "" {
			t.Errorf("%s %s %s: nobody, want %s", cn, dns, uri, want)
		}
	}
	g("Billing", "", "", "cn")
	g("billing", "", "", "")
	g("", "app.example.org", "", "dns")
	g("", "APP.example.org", "", "dns")
	g("", "other.example.org,app.example.org", "", "dns")
	g("app.example.org", "", "", "") // a DNS name in the common name is no DNS name
	g("", "Billing", "", "")
	g("", "", "spiffe://td/ns/a/sa/x", "exact")
	g("", "", "spiffe://td/ns/a/sa/y", "below")
	g("", "", "spiffe://td/ns/ab", "td")
	g("", "", "spiffe://td", "")
	g("", "", "spiffe://tdx/ns", "")
	g("Billing", "app.example.org", "", "") // two users' names
	g("Nobody", "app.example.org", "", "dns")
	g("", "", "", "")
}

// A certificate's identity cannot be had without it: by no token, and by no AUTH at all where the user has none.
func TestCertificateCannotBeClaimed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "card", Tenants: []string{"T"}, NoToken: true, Attributes: map[string]string{"certificates": "cn:card"}})
	other := f.add(t, identity.NewUser{Name: "other", Tenants: []string{"T"}})
	for _, token := range []string{"", "nopass", "card", string(other), strings.Repeat("x", 16)} {
		for _, shown := range []*x509.Certificate{nil, named("other"), named("Card")} {
			if _, err := f.Login(t.Context(), identity.Attempt{Name: "card", Token: []byte(token), Certificate: shown}); !errors.Is(err, identity.ErrDenied) {
				t.Errorf("%q with another certificate: %v", token, err)
			}
		}
	}
	if _, err := f.Login(t.Context(), identity.Attempt{Name: "card"}); !errors.Is(err, identity.ErrDenied) {
		t.Error(err)
	}
	l, err := f.Login(t.Context(), identity.Attempt{Certificate: named("card")})
	if err != nil || l.User.Name != "card" || l.Method != identity.ByCertificate {
		t.Fatal(err)
	}
	f.update(t, func(d *identity.Draft) error {
		return d.Set("card", identity.Change{Attributes: map[string]string{"certificates": "cn:new"}})
	})
	if _, ok := f.Renew(l); ok {
		t.Error("a certificate that is no longer the user's holds")
	}
}
