package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/admin"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// staffed is a whole server with a user of each kind, that asks for client certificates and takes tokens without.
type staffed struct {
	*serving
	t      *testing.T
	tokens map[string]string
	ca     *testkit.Authority
	files  string // where the authority and its list are
	ward   *testkit.Certificate
	clinic *testkit.Certificate
}

func startStaffed(t *testing.T) *staffed {
	t.Helper()
	x := &staffed{t: t, tokens: map[string]string{}, ca: testkit.NewAuthority(t), files: t.TempDir()}
	x.ward, x.clinic = x.ca.Issue(t, "ward.example.org"), x.ca.Issue(t, "clinic.example.org")
	settings, mistakes := config.Load("", map[string]string{
		"data-dir": filepath.Join(t.TempDir(), "data"), "listen": "127.0.0.1:0", "admin-listen": "127.0.0.1:0",
		"tls-client-ca": x.ca.File(t, x.files), "tls-client-crl": x.ca.Revoke(t, x.files), "tls-client-auth": "optional",
	}, func(string) string { return "" })
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	s, err := start(settings, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	x.serving = s
	x.add(identity.NewUser{Name: "service", Tenants: []string{"TENANT001"}})
	x.add(identity.NewUser{Name: "monitor", Tenants: []string{"TENANT001"}, Rules: "-@all +acl|list"})
	for _, role := range []string{"operator", "auditor", "privacy-officer", "read-only", "break-glass"} {
		x.add(identity.NewUser{Name: role, Tenants: []string{"TENANT001"}, Attributes: map[string]string{"roles": role}})
	}
	x.add(identity.NewUser{Name: "elsewhere", Tenants: []string{"TENANT002"}, Attributes: map[string]string{"roles": "auditor"}})
	for _, name := range []string{"ward", "clinic"} {
		x.add(identity.NewUser{Name: name, Tenants: []string{"TENANT001"}, NoToken: true,
			Attributes: map[string]string{"roles": "auditor", "certificates": "dns:" + name + ".example.org"}})
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.close()
	})
	return x
}

func (x *staffed) add(u identity.NewUser) {
	x.t.Helper()
	err := x.gateway.Directory.Update(func(d *identity.Draft) error {
		token, err := d.Add(u)
		x.tokens[u.Name] = string(token.Reveal())
		return err
	})
	if err != nil {
		x.t.Fatal(err)
	}
}

// client connects with certificates.
func (x *staffed) client(shown ...tls.Certificate) *http.Client {
	x.t.Helper()
	roots, err := authorities(x.dir.File("ca.pem"))
	if err != nil {
		x.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: shown}}
	x.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask sends a request as a user, "" for none, and tells whether it went over a connection that was open.
func (x *staffed) ask(c *http.Client, user, path string) (status int, body string, reused bool, err error) {
	x.t.Helper()
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), "GET", "https://"+x.adminListener.Addr().String()+path, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, x.tokens[user])
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", reused, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), reused, err
}

// Each right of the table of roles opens what it names, and nothing else does.
func TestRightsGateTheAdminAPI(t *testing.T) {
	t.Parallel()
	x := startStaffed(t)
	c := x.client()
	f := func(user string, audit, consents int) {
		t.Helper()
		for path, want := range map[string]int{"/v1/audit": audit, "/v1/consents": consents} {
			if status, body, _, err := x.ask(c, user, path); err != nil || status != want {
				t.Errorf("%s %s: %d %s %v, want %d", user, path, status, body, err, want)
			}
		}
	}
	f("", 401, 401)
	f("service", 403, 403)
	f("monitor", 403, 403)
	f("read-only", 403, 403)
	f("operator", 403, 403)
	f("auditor", 200, 403)
	f("privacy-officer", 403, 200)
	f("break-glass", 401, 401) // no emergency is open

	desk := newAdminDesk(x.gateway, slog.New(slog.DiscardHandler))
	for user, want := range map[string]error{"operator": nil, "monitor": nil, "auditor": nil, "service": admin.ErrNotOfficer, "privacy-officer": admin.ErrNotOfficer} {
		_, err := desk.officer(t.Context(), admin.Credential{User: user, Token: []byte(x.tokens[user]), Source: netip.MustParseAddr("192.0.2.1")}, admin.RightOperate)
		if err != want {
			t.Errorf("metrics as %s: %v, want %v", user, err, want)
		}
	}
}

// An auditor reads the records of his own tenants, his own reading among them.
func TestAuditOverTheAdminAPI(t *testing.T) {
	t.Parallel()
	x := startStaffed(t)
	c := x.client()
	x.ask(c, "service", "/v1/audit") // a denial that the auditor finds
	find := func(user, words string) (lines []map[string]any) {
		t.Helper()
		status, body, _, err := x.ask(c, user, "/v1/audit?"+words)
		if err != nil || status != 200 {
			t.Fatalf("%s: %d %s %v", words, status, body, err)
		}
		for line := range strings.Lines(body) {
			var one map[string]any
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, one)
		}
		return lines
	}
	if got := find("auditor", "user=service&outcome=denied"); len(got) != 1 || got[0]["command"] != "AUDIT" {
		t.Errorf("denials %v", got)
	}
	if got := find("auditor", "user=auditor&action=admin&since=1h&tenant=TENANT001&limit=2"); len(got) != 2 || got[0]["detail"] != "search" {
		t.Errorf("own reading %v", got)
	}
	if got := find("elsewhere", "user=auditor"); len(got) != 0 {
		t.Errorf("another tenant's auditor reads %v", got)
	}
	for _, words := range []string{"tenant=TENANT002", "action=nothing", "since=yesterday", "limit=0", "limit=1000000", "colour=red", "user=a&user=b"} {
		if status, body, _, _ := x.ask(c, "auditor", "/v1/audit?"+words); status != 400 {
			t.Errorf("%s: %d %s", words, status, body)
		}
	}
}

// An auditor on another machine has the command line and a token, and nothing of the data directory.
func TestAuditSearchOfAServer(t *testing.T) {
	t.Parallel()
	x := startStaffed(t)
	run := func(stdin string, args ...string) (stdout, stderr string, code int) {
		var out, errs bytes.Buffer
		args = append([]string{"audit", "search", "--server", "https://" + x.adminListener.Addr().String(), "--ca", x.dir.File("ca.pem")}, args...)
		code = Run(args, strings.NewReader(stdin), &out, &errs, func(string) string { return "" })
		return out.String(), errs.String(), code
	}
	x.ask(x.client(), "service", "/v1/audit")
	out, errs, code := run(x.tokens["auditor"]+"\n", "--as", "auditor", "--user", "service", "--since", "1h")
	if code != 0 || !strings.Contains(out, "SEQUENCE") || strings.Count(out, "service") != 1 || !strings.Contains(out, "denied") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	out, errs, code = run(x.tokens["auditor"], "--as", "auditor", "--user", "service", "--json")
	if code != 0 || !strings.HasPrefix(out, `{"sequence":`) {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if out, errs, code = run(x.tokens["service"], "--as", "service"); code != exitFailure || out != "" || !strings.Contains(errs, "it needs the role auditor") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if out, errs, code = run("wrong", "--as", "auditor"); code != exitFailure || !strings.Contains(errs, "the user or token is wrong") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if _, errs, code = run("", "--as", "auditor", "--reveal"); code != exitUsage {
		t.Errorf("%d %s", code, errs)
	}
}

// The admin listener judges certificates as the clients' listener does, takes up a new revocation list while it runs, and
// drops nobody but who is on it.
func TestAdminListenerHonoursCertificates(t *testing.T) {
	t.Parallel()
	x := startStaffed(t)
	ward, clinic := x.client(x.ward.TLS()), x.client(x.clinic.TLS())
	f := func(c *http.Client, want int, wantReused bool) {
		t.Helper()
		if status, body, reused, err := x.ask(c, "", "/v1/audit?limit=1"); err != nil || status != want || reused != wantReused {
			t.Errorf("%d %s %v, over an open connection %t", status, body, err, reused)
		}
	}
	f(ward, 200, false)
	f(clinic, 200, false)
	stranger := x.client(testkit.NewAuthority(t).Issue(t, "ward.example.org").TLS())
	if status, _, _, err := x.ask(stranger, "", "/healthz"); err == nil {
		t.Errorf("a stranger's certificate: %d", status)
	}
	x.ca.Revoke(t, x.files, x.ward)
	x.reloadTrust()
	f(ward, 403, true)
	if status, _, _, err := x.ask(ward, "", "/healthz"); err == nil {
		t.Errorf("a new connection with a revoked certificate: %d", status)
	}
	f(clinic, 200, true)
}
