//go:build oidcprovider

package oidc_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/oidc"
)

// realProvider runs npm's oidc-provider and returns its issuer and a way to get tokens from it. It needs node 20, and in
// $LETHE_NODE_MODULES a directory whose node_modules has oidc-provider 8:
//
//	npm install --prefix DIR oidc-provider@8
//	LETHE_NODE_MODULES=DIR/node_modules go test -tags oidcprovider ./internal/oidc
func realProvider(t *testing.T, ttl string) (issuer string, token func(resource string) string) {
	t.Helper()
	modules := os.Getenv("LETHE_NODE_MODULES")
	if modules == "" {
		t.Fatal("LETHE_NODE_MODULES is not set")
	}
	const secret = "a-secret-of-the-test"
	cmd := exec.Command("node", "testdata/provider.mjs")
	cmd.Env = append(os.Environ(), "MODULES="+modules, "CLIENT_SECRET="+secret, "TTL="+ttl)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if issuer = lines.Text(); strings.HasPrefix(issuer, "http://") {
			break
		}
	}
	if issuer == "" {
		t.Fatal("the provider did not start")
	}
	return issuer, func(resource string) string {
		t.Helper()
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"cache"}, "resource": {resource}}
		r, err := http.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("billing", secret)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var body struct {
			Token string `json:"access_token"`
		}
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.Token == "" {
			t.Fatalf("status %d, %v", answer.StatusCode, err)
		}
		return body.Token
	}
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
