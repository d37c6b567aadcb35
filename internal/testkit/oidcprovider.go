package testkit

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// OIDCProvider is npm's oidc-provider, run by node.
type OIDCProvider struct{ Issuer string }

// oidcSecret is the secret of every client of the provider.
const oidcSecret = "a-secret-of-the-test"

// StartOIDCProvider runs a script, whose tokens last for ttl seconds. The environment names the modules
// (LETHE_NODE_MODULES); it ends with the test.
func StartOIDCProvider(t testing.TB, script, ttl string) *OIDCProvider {
	t.Helper()
	modules := os.Getenv("LETHE_NODE_MODULES")
	if modules == "" {
		t.Fatal("LETHE_NODE_MODULES is not set: run make test-identity")
	}
	cmd := exec.Command("node", script)
	cmd.Env = append(os.Environ(), "MODULES="+modules, "CLIENT_SECRET="+oidcSecret, "TTL="+ttl)
	p := startProcess(t, "the OpenID provider", cmd, func(line string) bool { return strings.HasPrefix(line, "http://") })
	return &OIDCProvider{Issuer: p.awaitReady(t)}
}

// Token is an access token of a client for a resource.
func (p *OIDCProvider) Token(t testing.TB, client, resource string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"cache"}, "resource": {resource}}
	r, err := http.NewRequest(http.MethodPost, p.Issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(client, oidcSecret)
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
