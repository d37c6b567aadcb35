package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/admin"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/secret"
)

// runConsent runs one `lethe consent` command line on a data directory.
func runConsent(stdin, dataDir string, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := newConsentCommand(&environment{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }})
	cmd.SetArgs(append(args, "--data-dir", dataDir))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.Execute()
	return out.String(), errs.String(), err
}

// noConnections is a server without any.
type noConnections struct{}

func (noConnections) Sessions(func(*gateway.Session) bool) {}
func (noConnections) Connections() int                     { return 0 }

// newConsentOffice is the consent of a server that has everything but sockets. It ends with the test.
func newConsentOffice(t *testing.T) (office *consentOffice, dataDir string) {
	t.Helper()
	dir, err := secret.OpenDir(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	trail, err := openAuditLog(dir, config.Audit{Durability: config.DurabilityProcess}, log)
	if err != nil {
		t.Fatal(err)
	}
	table := command.NewTable()
	users, err := identity.OpenDirectory(dir.File(identity.FileName), table)
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Default()
	store := engine.New(engine.Options{Categories: len(p.Categories())})
	g := gateway.New(gateway.Parts{Table: table, Store: store, Policy: p, Directory: users, Audit: trail, Log: log, Clock: gateway.SystemClock{}})
	g.Server = noConnections{}
	t.Cleanup(func() {
		if err := trail.Close(); err != nil {
			t.Error(err)
		}
		store.Close()
	})
	if office, err = openConsents(dir, g, trail, log, nil); err != nil {
		t.Fatal(err)
	}
	return office, dir.Path()
}

// put stores an entry of TENANT001 as if a client had.
func put(o *consentOffice, key string) {
	g := o.gateway
	tx := g.Store.NewTx()
	now := g.Clock.Now()
	tx.Begin(now, nil)
	k := g.Store.Key(g.Tenant("TENANT001").ID, 0, []byte(key))
	tx.Lock([]engine.Key{k})
	tx.SetString(&k, engine.Meta{BornAt: now, ExpiresAt: now + time.Minute.Milliseconds()}, []byte("x"))
	tx.Unlock()
}

func TestARunningServerConfirmsTheCommandLine(t *testing.T) {
	t.Parallel()
	office, dir := newConsentOffice(t)
	put(office, "TENANT001:patient:12345")
	put(office, "TENANT001:patient:2")
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { office.watch(ctx); close(ended) }()
	defer func() { stop(); <-ended }()

	stdout, stderr, err := runConsent("12345\n", dir, "revoke", "--tenant", "TENANT001", "--subject", "-", "--reason", "patient-request")
	if err != nil || !consent.IsID(strings.TrimSpace(stdout)) || !strings.Contains(stderr, "1 entries erased\n") {
		t.Fatalf("%q %q %v", stdout, stderr, err)
	}
	if !office.store.Live("TENANT001", []byte("12345")) || office.gateway.Store.Total().Entries != 1 {
		t.Error("it is not in force, or erased something else")
	}
	receipt, _, err := runConsent("", dir, "receipt", strings.TrimSpace(stdout), "--json")
	if err != nil || !json.Valid([]byte(receipt)) || strings.Contains(receipt, "12345") {
		t.Errorf("receipt %q, %v", receipt, err)
	}
	if _, _, err := runConsent("", dir, "restore", "--tenant", "TENANT001", "--subject", "12345", "--reason", "other"); err != nil {
		t.Error(err)
	}
	if office.store.Live("TENANT001", []byte("12345")) {
		t.Error("it is not restored")
	}
}

func TestAServerThatDoesNotConfirm(t *testing.T) {
	t.Parallel()
	_, dir := newConsentOffice(t)
	_, _, err := runConsent("", dir, "revoke", "--tenant", "TENANT001", "--subject", "1", "--reason", "other", "--wait", "1ms")
	var f *failure
	if !errors.As(err, &f) || f.code != exitFailure || !strings.Contains(err.Error(), "has not confirmed it") || f.hint == "" {
		t.Errorf("error %v", err)
	}
	list, _, err := runConsent("", dir, "list", "--tenant", "TENANT001")
	if err != nil || !strings.Contains(list, "in force, not confirmed") {
		t.Errorf("list %q, %v", list, err)
	}
}

func TestOfficersOfTheAdminAPI(t *testing.T) {
	t.Parallel()
	office, _ := newConsentOffice(t)
	tokens := map[string][]byte{}
	for _, u := range []identity.NewUser{
		{Name: "app", Tenants: []string{"TENANT001"}},
		{Name: "jane", Tenants: []string{"TENANT001", "TENANT002"}, Attributes: map[string]string{"roles": "privacy-officer"}},
	} {
		err := office.gateway.Directory.Update(func(d *identity.Draft) error {
			token, err := d.Add(u)
			tokens[u.Name] = token.Reveal()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	desk := newAdminDesk(office.gateway, slog.New(slog.DiscardHandler))
	f := func(user string, token []byte, want error) *admin.Officer {
		t.Helper()
		who, err := desk.officer(context.Background(), admin.Credential{User: user, Token: bytes.Clone(token), Source: netip.MustParseAddr("192.0.2.1")}, admin.RightConsent)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", user, err, want)
		}
		return who
	}
	f("app", tokens["app"], admin.ErrNotOfficer)
	f("app", tokens["jane"], admin.ErrDenied)
	f("nobody", tokens["jane"], admin.ErrDenied)
	who := f("jane", tokens["jane"], nil)
	if who == nil || who.Home != "TENANT001" || !who.Reaches("TENANT002") || who.Reaches("TENANT003") {
		t.Fatalf("officer %+v", who)
	}
	c, _, err := office.Take(context.Background(), consent.Order{
		Action: consent.Revoke, Tenant: "TENANT001", Subject: "1", Reason: consent.Legal, By: who.Name, Method: who.Method})
	if err != nil {
		t.Fatal(err)
	}
	if tenant, _, err := office.Receipt(c.ID); err != nil || tenant != "TENANT001" {
		t.Errorf("receipt of %q, %v", tenant, err)
	}
	if list, err := office.List(who.Reaches); err != nil || len(list) != 1 || list[0].Name != "" {
		t.Errorf("list %+v, %v", list, err)
	}
}
