package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

func TestUserAttributes(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.run("", "add", "jane", "--tenants", "T", "--roles", "auditor", "--owner", "jane@example.org", "--sources", "10.0.0.0/8", "--hours", "mon-fri/07:00-19:00")
	if s.last.err != nil {
		t.Fatal(s.last.err)
	}
	s.run("", "show", "jane")
	for _, want := range []string{"roles      auditor\n", "owner      jane@example.org\n", "sources    10.0.0.0/8\n", "hours      mon-fri/07:00-19:00\n"} {
		if !strings.Contains(s.last.stdout, want) {
			t.Errorf("no %q in\n%s", want, s.last.stdout)
		}
	}
	s.run("", "set", "jane", "--hours", "", "--rate", "50")
	s.good("", "lethe: changed the user jane\n")
	s.run("", "show", "jane", "--json")
	if strings.Contains(s.last.stdout, "hours") || !strings.Contains(s.last.stdout, `"rate": "50"`) || !strings.Contains(s.last.stdout, `"owner": "jane@example.org"`) {
		t.Error(s.last.stdout)
	}
	s.run("", "set", "jane", "--rules", "+get")
	s.bad(exitFailure, "both data and the administration of audit", "make two users: 45 CFR 164.308(a)(4) wants access to be no wider than the task")
	s.run("", "set", "jane", "--roles", "king")
	s.bad(exitFailure, "a role that Lethe does not know", "write some of application, read-only, operator, auditor, privacy-officer, break-glass")
	s.run("", "add", "pod", "--tenants", "T", "--certificates", "uri:spiffe://td/pod", "--no-token")
	s.good("", "lethe: added the user pod\n")
	s.run("", "add", "pod2", "--tenants", "T", "--no-token")
	s.bad(exitUsage, "comes with a certificate", "give --certificates, and neither --token-stdin nor --expires")
	s.run("", "add", "pod2", "--tenants", "T", "--certificates", "uri:spiffe://td/pod")
	s.bad(exitFailure, "another user has", "take it from the other user first")
}

// A file in Redis's syntax is used where its name says so.
func TestUsersFileInRedisSyntax(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	file := filepath.Join(t.TempDir(), "users.acl")
	s.run("", "add", "app", "--tenants", "T", "--users-file", file)
	token := strings.TrimSpace(s.last.stdout)
	text, err := secret.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\nuser app on #sha256:") {
		t.Fatalf("%s %v", text, err)
	}
	d, err := identity.OpenDirectory(file, userTestSet{"get", "set", "keys"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Authenticate("app", []byte(token)); err != nil {
		t.Error(err)
	}
}

// What a server has noted of last uses is shown.
func TestUserLastUsed(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.run("", "add", "app", "--tenants", "T")
	token := strings.TrimSpace(s.last.stdout)
	set := userTestSet{"get", "set", "keys"}
	d, err := identity.OpenDirectory(filepath.Join(s.dir, identity.FileName), set)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Login(t.Context(), identity.Attempt{Name: "app", Token: []byte(token)})
	if err != nil {
		t.Fatal(err)
	}
	usage := identity.OpenUsage(filepath.Join(s.dir, identity.UsageFile), set)
	usage.Of(l, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err := usage.Save(); err != nil {
		t.Fatal(err)
	}
	s.run("", "list")
	if !strings.Contains(s.last.stdout, "2026-01-02T03:04:05Z\n") {
		t.Error(s.last.stdout)
	}
	s.run("", "show", "app")
	if strings.Count(s.last.stdout, "2026-01-02T03:04:05Z") != 2 {
		t.Error(s.last.stdout)
	}
}
