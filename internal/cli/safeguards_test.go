package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/profile"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

// safeguards runs `lethe safeguards ARGS` and returns what it printed and its exit code.
func safeguards(t *testing.T, parts safeguardsParts, args ...string) (stdout string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &environment{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	cmd := newSafeguardsCommand(env, parts)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err := cmd.Execute()
	if err == nil {
		return out.String(), 0
	}
	var f *failure
	if errors.As(err, &f) {
		return out.String(), f.code
	}
	return out.String(), exitUsage
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSafeguardsExitCodes(t *testing.T) {
	t.Parallel()
	f := func(want int, has string, args ...string) {
		t.Helper()
		out, code := safeguards(t, safeguardsParts{}, args...)
		if code != want || !strings.Contains(out, has) {
			t.Errorf("%q ends with %d and prints\n%s\nwant %d and %q", args, code, out, want, has)
		}
	}
	bad := file(t, "main.tf", "resource \"aws_elasticache_replication_group\" \"a\" {\n  transit_encryption_mode = \"preferred\"\n}\n")
	good := file(t, "users.acl", "user default off\n")
	broken := file(t, "main.tf", "resource {")
	empty := t.TempDir()
	f(1, "ENC-TLS-01", "scan", bad)
	f(1, "mend  set `transit_encryption_enabled = true`", "scan", bad)
	f(0, "0 resources", "scan", empty)
	f(0, "1 resource, profile hipaa-strict: 0 failed", "scan", good)
	f(0, "PASS", "scan", "--all", good)
	f(3, "not read: ", "scan", broken)
	f(1, "not read: ", "scan", broken, bad)
	f(3, "not read: ", "scan", filepath.Join(empty, "gone"))
	f(0, "profile seed", "scan", "--profile", "seed", good)
	f(1, `"ruleId": "ENC-TLS-01"`, "scan", "--form", "sarif", bad)
	f(1, `"complete": true`, "scan", "--form", "json", bad)
	f(2, "", "scan")
	f(2, "", "scan", "--form", "pdf", good)
	f(2, "", "scan", "--fail-on", "none", good)
	f(2, "", "scan", "--profile", "lax", good)
	f(2, "", "scan", "redis://:secret@host")
	f(2, "", "scan", "ftp://host")
	f(2, "", "scan", "aws")
	f(2, "", "scan", "--baseline", filepath.Join(empty, "none.json"), good)
	f(2, "", "")
	f(0, "ENC-REST-01", "rules")
	f(0, "AUTH token is rotated", "rules", "auth-04")
	f(0, `"id": "DATA-01"`, "rules", "--json")
	f(2, "", "rules", "NO-01")
	f(0, "Create the AUTH token", "raci")
	f(0, "RefuseMemcached", "raci", "--group")
	f(2, "", "raci", "--policy", "scan")
}

func TestSafeguardsBaseline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code := filepath.Join(dir, "main.tf")
	known := filepath.Join(t.TempDir(), "known.json")
	write := func(text string) {
		if err := os.WriteFile(code, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("resource \"aws_elasticache_replication_group\" \"a\" {}\n")
	if out, exit := safeguards(t, safeguardsParts{}, "scan", dir, "--write-baseline", known); exit != 0 {
		t.Fatalf("writing ends with %d: %s", exit, out)
	}
	write("# moved down\n\nresource \"aws_elasticache_replication_group\" \"a\" {}\n")
	if out, exit := safeguards(t, safeguardsParts{}, "scan", dir, "--baseline", known); exit != 0 || !strings.Contains(out, "in the baseline") {
		t.Errorf("with a baseline it ends with %d: %s", exit, out)
	}
	write("resource \"aws_elasticache_replication_group\" \"b\" {}\n")
	if out, exit := safeguards(t, safeguardsParts{}, "scan", dir, "--baseline", known); exit != 1 {
		t.Errorf("a new group ends with %d: %s", exit, out)
	}
}

func TestSafeguardsParts(t *testing.T) {
	t.Parallel()
	own := file(t, "own.yaml", "custom:\n  - {id: OURS-01, title: Ours, severity: high, pass: \"true\"}\n")
	acl := file(t, "users.acl", "user default off\n")
	if _, code := safeguards(t, safeguardsParts{}, "scan", "--profile", own, acl); code != 2 {
		t.Errorf("custom rules without a compiler end with %d", code)
	}
	parts := safeguardsParts{
		policy:  func(purpose string) ([]byte, error) { return []byte("{" + purpose + "}"), nil },
		compile: func([]profile.Custom) ([]rules.Rule, error) { return nil, nil },
		more:    []*cobra.Command{{Use: "plan", RunE: func(*cobra.Command, []string) error { return nil }}},
	}
	for _, args := range [][]string{{"raci", "--policy", "scan"}, {"scan", "--profile", own, acl}, {"plan"}} {
		if out, code := safeguards(t, parts, args...); code != 0 {
			t.Errorf("%q ends with %d: %s", args, code, out)
		}
	}
}
