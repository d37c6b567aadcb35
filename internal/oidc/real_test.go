//go:build oidcprovider

package oidc_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/oidc"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// realProvider runs npm's oidc-provider. It needs node 20, and in $LETHE_NODE_MODULES a directory whose node_modules has
// oidc-provider 8:
//
//	npm install --prefix DIR oidc-provider@8
//	LETHE_NODE_MODULES=DIR/node_modules go test -tags oidcprovider ./internal/oidc
func realProvider(t *testing.T, ttl string) (issuer string, token func(resource string) string) {
	t.Helper()
	p := testkit.StartOIDCProvider(t, "testdata/provider.mjs", ttl)
	return p.Issuer, func(resource string) string { t.Helper(); return p.Token(t, "billing", resource) }
}

func TestRealProvider(t *testing.T) {
	issuer, token := realProvider(t, "600")
	p, err := oidc.New(oidc.Options{Issuer: issuer, Audience: "lethe", Algorithms: []string{"RS256"}})
	if err != nil {
		t.Fatal(err)
	}
	good := token("urn:lethe")
	c, err := p.Check(t.Context(), "", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "billing" || !slices.Equal(c.Tenants, []string{"TENANT001"}) || !slices.Equal(c.Roles, []string{"application"}) || c.Purpose != "treatment" {
		t.Errorf("%+v", c)
	}
	if left := time.Until(c.GoodUntil); left < 9*time.Minute || left > 11*time.Minute {
		t.Errorf("good for %s", left)
	}
	if _, err := p.Check(t.Context(), "", []byte(token("urn:other"))); !errors.Is(err, identity.ErrDenied) {
		t.Errorf("a token for another audience: %v", err)
	}
	if _, err := p.Check(t.Context(), "", []byte(good[:len(good)-8]+"AAAAAAAA")); !errors.Is(err, identity.ErrDenied) {
		t.Errorf("a changed signature: %v", err)
	}
	pinned, err := oidc.New(oidc.Options{Issuer: issuer, Audience: "lethe", Algorithms: []string{"ES256"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pinned.Check(t.Context(), "", []byte(good)); !errors.Is(err, identity.ErrDenied) {
		t.Errorf("an algorithm that is not pinned: %v", err)
	}
	elsewhere, _ := realProvider(t, "600")
	other, err := oidc.New(oidc.Options{Issuer: elsewhere, Audience: "lethe", Algorithms: []string{"RS256"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Check(t.Context(), "", []byte(good)); !errors.Is(err, identity.ErrDenied) {
		t.Errorf("another issuer's token: %v", err)
	}
}

// What the provider signed ends when it says so.
func TestRealTokenEnds(t *testing.T) {
	issuer, token := realProvider(t, "60")
	now := time.Now()
	p, err := oidc.New(oidc.Options{Issuer: issuer, Audience: "lethe", Algorithms: []string{"RS256"}, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	good := []byte(token("urn:lethe"))
	if _, err := p.Check(t.Context(), "", good); err != nil {
		t.Fatal(err)
	}
	now = now.Add(62 * time.Second)
	if _, err := p.Check(t.Context(), "", good); !errors.Is(err, identity.ErrDenied) {
		t.Error(err)
	}
}
