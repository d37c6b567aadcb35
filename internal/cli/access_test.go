package cli

import (
	"encoding/csv"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// record writes records into the shell's audit log.
func (s *userShell) record(add func(*audit.Batch)) {
	s.t.Helper()
	dir, err := secret.OpenDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	log, err := openAuditLog(dir, config.Audit{Durability: config.DurabilityProcess, SegmentBytes: 1 << 20}, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	var b audit.Batch
	add(&b)
	if err := log.Commit(&b); err != nil {
		s.t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *userShell) access(stdin string, args ...string) {
	s.t.Helper()
	s.runOther(func(env *environment) *cobra.Command { return newAccessCommand(env, command.NewTable()) }, stdin, args...)
}

// full runs a user command with the real command table.
func (s *userShell) full(args ...string) string {
	s.t.Helper()
	s.runOther(func(env *environment) *cobra.Command { return newUserCommand(env, command.NewTable()) }, "", args...)
	if s.last.err != nil {
		s.t.Fatal(s.last.err)
	}
	return strings.TrimSpace(s.last.stdout)
}

func TestAccessReview(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.full("add", "good", "--tenants", "T", "--roles", "read-only", "--owner", "a@example.org", "--sources", "10.0.0.0/8", "--expires", "90d")
	s.full("add", "wild", "--tenants", "T,U", "--rules", "~* &* +@all")
	s.full("add", "jane", "--tenants", "T", "--roles", "auditor", "--owner", "=jane@example.org"[1:])
	s.full("add", "gone", "--tenants", "T", "--rules", "off")
	s.used("good", 40*24*time.Hour, "get")
	s.access("", "review", "--format", "json")
	var r accessReview
	if err := json.Unmarshal([]byte(s.last.stdout), &r); err != nil {
		t.Fatal(err, s.last.err)
	}
	found := map[string][]string{}
	for _, u := range r.Users {
		found[u.Name] = u.Findings
	}
	f := func(name string, want ...string) {
		t.Helper()
		if !slices.Equal(found[name], want) {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
	f("good", "has rights that it does not use")
	f("wild", "has no owner", "was never seen in use", "may run dangerous commands", "reaches several tenants", "may come from anywhere", "has a token that does not expire by itself")
	f("jane", "is a person's and has no end", "was never seen in use", "may run dangerous commands", "may come from anywhere", "has a token that does not expire by itself")
	f("gone", "has no owner", "is disabled: remove it when it is not needed")
	i := slices.IndexFunc(r.Users, func(u accessUser) bool { return u.Name == "good" })
	if u := r.Users[i]; slices.Contains(u.Unused, "string") || !slices.Contains(u.Unused, "hash") || slices.Contains(u.Unused, "write") || u.LastUsed == nil || len(u.Dangerous) != 0 {
		t.Errorf("%+v", u)
	}
	s.access("", "review")
	if !strings.Contains(s.last.stdout, r.Digest) || !strings.Contains(s.last.stdout, "wild  enabled") {
		t.Error(s.last.stdout)
	}
	s.access("", "review", "--format", "csv")
	rows, err := csv.NewReader(strings.NewReader(s.last.stdout)).ReadAll()
	if err != nil || len(rows) != 5 || rows[0][0] != "name" || rows[4][0] != "wild" {
		t.Errorf("%v %v", rows, err)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	s.access("", "review", "--format", "html")
	if !strings.HasPrefix(s.last.stdout, "<!DOCTYPE html>") || !strings.Contains(s.last.stdout, "<td>wild</td>") || strings.Contains(s.last.stdout, "&* ") {
		t.Error(s.last.stdout)
	}
	s.access("", "review", "--format", "pdf")
	s.bad(exitUsage, "there is no such format", "give --format table, csv, json or html")
}

// used notes that a user was in some time ago and has run commands since.
func (s *userShell) used(name string, ago time.Duration, commands ...string) {
	s.t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	s.uses(map[string]identity.LastUse{name: {At: now, Since: now.Add(-ago), Method: identity.ByToken, Source: "10.0.0.1", Commands: commands}})
}

// uses writes the file of last uses.
func (s *userShell) uses(all map[string]identity.LastUse) {
	s.t.Helper()
	text, err := json.Marshal(all)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := secret.WriteFile(filepath.Join(s.dir, identity.UsageFile), text); err != nil {
		s.t.Fatal(err)
	}
}

// Identities of providers are in the review when they have been in, with what their provider gave them.
func TestAccessReviewOfProviders(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.full("add", "ann", "--tenants", "T", "--roles", "read-only", "--owner", "a@example.org", "--sources", "10.0.0.0/8", "--expires", "90d")
	now := time.Now().UTC().Truncate(time.Second)
	since := now.Add(-40 * 24 * time.Hour)
	uses := map[string]identity.LastUse{
		"ann":             {At: now, Since: now, Method: identity.ByLDAP, Tenants: []string{"U"}, Roles: []string{"application"}}, // the file's now
		"bob@example.org": {At: now, Since: since, Method: identity.ByJWT, Tenants: []string{"T", "U"}, Roles: []string{"application"}, Commands: []string{"get"}},
		"eve":             {At: now.Add(-100 * 24 * time.Hour), Since: now, Method: identity.ByLDAP, Tenants: []string{"T"}, Roles: []string{"auditor"}},
		"removed":         {At: now, Since: since, Method: identity.ByToken},
	}
	s.uses(uses)
	review := func() (r accessReview) {
		t.Helper()
		s.access("", "review", "--format", "json")
		if err := json.Unmarshal([]byte(s.last.stdout), &r); err != nil {
			t.Fatal(err, s.last.err)
		}
		return r
	}
	r := review()
	var told []string
	for _, u := range r.Users {
		told = append(told, u.Name+" "+u.Provider+" "+strings.Join(u.Tenants, "+")+" "+u.Attributes["roles"]+": "+strings.Join(u.Findings, ", "))
	}
	want := []string{
		"ann  T read-only: ",
		"bob@example.org jwt T+U application: has rights that it does not use, reaches several tenants",
		"eve ldap T auditor: was not used for 90 days, may run dangerous commands",
	}
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
	if bob := r.Users[1]; !slices.Contains(bob.Unused, "hash") || slices.Contains(bob.Unused, "string") || bob.Owner != "bob@example.org" {
		t.Errorf("%+v", bob)
	}
	for form, cell := range map[string]string{"table": "bob@example.org  by jwt", "csv": "bob@example.org,by jwt", "html": "<td>bob@example.org</td><td>by jwt</td>"} {
		if s.access("", "review", "--format", form); !strings.Contains(s.last.stdout, cell) {
			t.Errorf("%s lacks %q:\n%s", form, cell, s.last.stdout)
		}
	}
	bob := uses["bob@example.org"]
	bob.At = bob.At.Add(-time.Hour)
	uses["bob@example.org"] = bob
	s.uses(uses)
	if review().Digest != r.Digest {
		t.Error("a login is a change of access")
	}
	bob.Roles = []string{"read-only"}
	uses["bob@example.org"] = bob
	s.uses(uses)
	if review().Digest == r.Digest {
		t.Error("another role is no change of access")
	}
}

func TestAccessApproval(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	app := s.full("add", "app", "--tenants", "T")
	jane := s.full("add", "jane", "--tenants", "T", "--roles", "auditor")
	s.access("", "review", "--format", "json")
	var r accessReview
	if err := json.Unmarshal([]byte(s.last.stdout), &r); err != nil {
		t.Fatal(err)
	}
	s.access(app, "approve", "--digest", r.Digest, "--as", "app")
	s.bad(exitFailure, "cannot approve", "give the name and token of a user with the role auditor or privacy-officer")
	s.access(app, "approve", "--digest", r.Digest, "--as", "jane")
	s.bad(exitFailure, "cannot approve", "give the name and token of a user with the role auditor or privacy-officer")
	s.used("app", time.Hour, "get") // a login is no change of access
	s.access(jane, "approve", "--digest", r.Digest, "--as", "jane", "--note", "Q1")
	if s.last.err != nil {
		t.Fatal(s.last.err)
	}
	record := s.last.stdout
	file := filepath.Join(t.TempDir(), "review.json")
	verify := func(text string, good bool, args ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.access("", append([]string{"verify", file}, args...)...)
		if (s.last.err == nil) != good || good && !strings.HasPrefix(s.last.stdout, "ok: jane approved the review "+r.Digest) {
			t.Errorf("%q %v", s.last.stdout, s.last.err)
		}
	}
	verify(record, true)
	verify(strings.Replace(record, `"Q1"`, `"Q2"`, 1), false)
	verify(strings.Replace(record, `"reviewer": "jane"`, `"reviewer": "john"`, 1), false)
	verify("{}", false)
	verify("x", false)
	var p approval
	if err := json.Unmarshal([]byte(record), &p); err != nil {
		t.Fatal(err)
	}
	verify(record, true, "--public-key", p.PublicKey)
	other := newUserShell(t)
	other.full("add", "app", "--tenants", "T")
	verifyElsewhere := func(args ...string) error {
		other.access("", append([]string{"verify", file}, args...)...)
		return other.last.err
	}
	if verifyElsewhere() == nil || verifyElsewhere("--public-key", p.PublicKey) != nil {
		t.Error("the key must be the directory's or the given one, never the record's own")
	}
	s.full("set", "app", "--rules", "~* +@read")
	s.access(jane, "approve", "--digest", r.Digest, "--as", "jane")
	s.bad(exitFailure, "access has changed since that review", "make a new review with `lethe access review`")
}
