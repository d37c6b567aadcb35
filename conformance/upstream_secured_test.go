package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// secured is a redis-server that takes TLS, client certificates and tokens only, as an upstream on another machine should.
type secured struct {
	*testkit.Redis
	authority *testkit.Authority
	dir       string
	token     string // the file of the user lethe's
	direct    *testkit.Client
}

func tokenFile(t *testing.T, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// upstreamRules are what the upstream's user needs, as docs/operations.md has them.
var upstreamRules = []string{"~l:*", "&lethe:gateways", "+@all", "-@admin", "-@dangerous"}

func startSecured(t *testing.T, protocols string) *secured {
	t.Helper()
	s := &secured{authority: testkit.NewAuthority(t), dir: t.TempDir(), token: tokenFile(t, "first")}
	cert, key := s.authority.Issue(t, "localhost").Files(t, s.dir)
	s.Redis = testkit.StartRedis(t, testkit.RedisOptions{TLS: true, Flags: []string{
		"--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", s.authority.File(t, s.dir),
		"--tls-auth-clients", "yes", "--tls-protocols", protocols}})
	s.direct = s.Dial(t)
	s.must(t, append([]string{"ACL", "SETUSER", "lethe", "on", ">first"}, upstreamRules...)...)
	s.must(t, "ACL", "SETUSER", "default", "off")
	return s
}

// must runs an operator's command over the unix socket, on a connection from before the default user was locked out.
func (s *secured) must(t *testing.T, args ...string) {
	t.Helper()
	if r := s.direct.Do(args...); r.IsError() {
		t.Fatalf("%s: %s", args[0], r.Str)
	}
}

// flags are the settings that reach it; more are added, or replace them.
func (s *secured) flags(more ...string) []string {
	flags := map[string]string{
		"addresses": strings.Replace(s.Addr, "127.0.0.1", "localhost", 1), "ca": filepath.Join(s.dir, "authority.pem"),
		"cert": filepath.Join(s.dir, "cert.pem"), "key": filepath.Join(s.dir, "key.pem"), "user": "lethe", "token-file": s.token,
	}
	for i := 0; i < len(more); i += 2 {
		flags[more[i]] = more[i+1]
	}
	all := []string{"--backend", "upstream"}
	for name, value := range flags {
		if value != "" {
			all = append(all, "--upstream-"+name, value)
		}
	}
	return all
}
