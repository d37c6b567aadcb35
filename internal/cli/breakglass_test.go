package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/identity"
)

// runOther runs another command's line against the shell's data directory.
func (s *userShell) runOther(build func(*environment) *cobra.Command, stdin string, args ...string) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	env := &environment{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }}
	cmd := build(env)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append(args, "--data-dir", s.dir))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err := cmd.Execute()
	s.last.stdout, s.last.stderr, s.last.err, s.last.code, s.last.hint = stdout.String(), stderr.String(), err, 0, ""
	if err != nil {
		s.last.code = exitUsage
		var f *failure
		if errors.As(err, &f) {
			s.last.code, s.last.hint = f.code, f.hint
		}
	}
}

func (s *userShell) breakGlass(stdin string, args ...string) {
	s.t.Helper()
	s.runOther(func(env *environment) *cobra.Command {
		return newBreakGlassCommand(env, userTestSet{"get", "set", "keys"}, auditOpener)
	}, stdin, args...)
}

// issue adds a user and returns its token.
func (s *userShell) issue(args ...string) string {
	s.t.Helper()
	s.run("", append([]string{"add"}, args...)...)
	if s.last.err != nil {
		s.t.Fatal(s.last.err)
	}
	return strings.TrimSpace(s.last.stdout)
}

func TestBreakGlass(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.issue("rescue", "--tenants", "HOME", "--roles", "break-glass")
	s.issue("app", "--tenants", "T")
	officer := s.issue("officer", "--tenants", "T", "--roles", "privacy-officer")
	auditor := s.issue("auditor", "--tenants", "T", "--roles", "auditor")
	s.breakGlass("", "open", "--user", "app", "--tenant", "T", "--reason", "ward system down")
	s.bad(exitFailure, "no enabled user of that name with the role break-glass", "make one with `lethe user add NAME --tenants TENANT --roles break-glass`")
	s.breakGlass("", "open", "--user", "rescue", "--tenant", "T", "--reason", "ward system down", "--for", "48h")
	s.bad(exitFailure, "for that long", "give a time up to 24h, such as 30m")
	s.breakGlass("", "open", "--user", "rescue", "--tenant", "T", "--reason", "x")
	s.bad(exitFailure, "without a reason", "say in 8 to 1000 characters why it is needed, without patients' data")
	s.breakGlass("", "open", "--user", "rescue", "--tenant", "T", "--reason", "ward system down", "--for", "30m")
	id := strings.TrimSpace(s.last.stdout)
	if len(id) != 10 || s.last.err != nil || strings.Contains(s.last.stderr, "ward") {
		t.Fatalf("%q %q %v", s.last.stdout, s.last.stderr, s.last.err)
	}
	s.breakGlass(auditor, "confirm", id, "--as", "auditor")
	s.bad(exitFailure, "cannot confirm", "give the name and token of a user with the role privacy-officer")
	s.breakGlass(auditor, "confirm", id, "--as", "officer")
	s.bad(exitFailure, "cannot confirm", "give the name and token of a user with the role privacy-officer")
	s.breakGlass(officer, "confirm", "NOSUCHGRNT", "--as", "officer")
	s.bad(exitFailure, "there is no such emergency access", "`lethe break-glass list` shows the numbers")
	s.breakGlass(officer, "confirm", id, "--as", "officer")
	if s.last.err != nil {
		t.Fatal(s.last.err)
	}
	s.breakGlass("", "list", "--json")
	var all []grantJSON
	if err := json.Unmarshal([]byte(s.last.stdout), &all); err != nil || len(all) != 1 || all[0].State != identity.Open || all[0].ConfirmedBy != "officer" || all[0].Reason != "ward system down" {
		t.Errorf("%s %v", s.last.stdout, err)
	}
	s.breakGlass("", "close", id)
	if s.last.err != nil {
		t.Fatal(s.last.err)
	}
	s.breakGlass("", "close", id)
	s.bad(exitFailure, "is over", "open another one")
	s.breakGlass("", "list")
	if !strings.Contains(s.last.stdout, id+"  closed  rescue  T") {
		t.Error(s.last.stdout)
	}
}

// The report has what the user did while the access was open, and nothing of before.
func TestBreakGlassReport(t *testing.T) {
	t.Parallel()
	s := newUserShell(t)
	s.issue("rescue", "--tenants", "HOME", "--roles", "break-glass")
	s.breakGlass("", "open", "--user", "rescue", "--tenant", "T", "--reason", "ward system down")
	id := strings.TrimSpace(s.last.stdout)
	s.breakGlass("", "list", "--json")
	var all []grantJSON
	if err := json.Unmarshal([]byte(s.last.stdout), &all); err != nil {
		t.Fatal(err)
	}
	s.record(func(b *audit.Batch) {
		at := all[0].OpenedAt.UnixMilli()
		actor := &audit.Actor{User: "rescue", Method: "token", Purpose: identity.EmergencyPurpose}
		for i, key := range []string{"T:patient:1", "T:patient:2", "T:patient:1"} {
			b.Add(&audit.Record{At: at + int64(i), Actor: actor, Command: "GET", Action: audit.Read, Outcome: audit.Hit, Tenant: "T", Category: "phi",
				Key: []byte(key), Subject: []byte(key[len(key)-1:])})
		}
		b.Add(&audit.Record{At: at - 60_000, Actor: actor, Command: "GET", Action: audit.Read, Outcome: audit.Denied, Tenant: "T", Category: "phi", Key: []byte("before")})
		b.Add(&audit.Record{At: at, Actor: &audit.Actor{User: "app"}, Command: "GET", Action: audit.Read, Outcome: audit.Hit, Tenant: "T", Category: "phi", Key: []byte("other")})
	})
	s.breakGlass("", "report", id, "--json")
	var r emergencyReport
	if err := json.Unmarshal([]byte(s.last.stdout), &r); err != nil {
		t.Fatal(err, s.last.err)
	}
	if len(r.Events) != 3 || r.Subjects != 2 || r.Outcomes["read hit"] != 3 || len(r.Outcomes) != 1 || strings.Contains(s.last.stdout, "patient:1") {
		t.Errorf("%s", s.last.stdout)
	}
	s.breakGlass("", "report", id)
	if !strings.Contains(s.last.stdout, "3 records about 2 patients: read hit 3\n") || strings.Contains(s.last.stdout, "patient:1") {
		t.Error(s.last.stdout)
	}
	s.breakGlass("", "report", "NOSUCHGRNT")
	s.bad(exitFailure, "there is no such emergency access", "`lethe break-glass list` shows the numbers")
}
