package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runPolicy runs `lethe policy` with a user `ann` of TENANT001 and returns what it printed.
func runPolicy(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &environment{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	cmd := newPolicyCommand(env, func(name string) (string, []string, error) {
		if name != "ann" {
			return "", nil, errors.New("there is no such user")
		}
		return "TENANT001", []string{"TENANT001", "TENANT002"}, nil
	})
	cmd.SetArgs(args)
	cmd.SetOut(&errs)
	cmd.SetErr(&errs)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return out.String(), err
}

func exitCode(err error) int {
	var f *failure
	if errors.As(err, &f) {
		return f.code
	}
	return 0
}

func TestPolicyCheck(t *testing.T) {
	t.Parallel()
	f := func(src string, code int, want string) {
		t.Helper()
		got, err := runPolicy(t, src, "check", "-")
		if exitCode(err) != code || !strings.Contains(got, want) {
			t.Errorf("%q: got exit %d, %v and\n%s", src, exitCode(err), err, got)
		}
	}
	f("unmatched: phi", 0, "-: no mistakes; 5 categories, 0 rules, 0 warnings; sha256 ")
	f("unmatched: session", 0, "-:1:12: warning: keys that no rule fits are not treated as PHI\n  mend: ")
	f("categories:\n  phi: {ceiling: 10m}", 1, "-:2:18: the ceiling of category phi, 10m, is more than the 300 s that PHI may be kept\n  mend: ")
}

func TestPolicyCheckNamesTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("ttl: 5m\nunmatched: phy\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := runPolicy(t, "", "check", file)
	if exitCode(err) != exitFailure || err.Error() != "the policy has 2 mistakes" {
		t.Errorf("got %v", err)
	}
	want := file + ":1:1: the policy has no field \"ttl\"\n  mend: choose among version, categories, keys and unmatched\n" +
		file + ":2:12: there is no category \"phy\"\n  mend: did you mean phi?\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if _, err := runPolicy(t, "", "check", file+".missing"); exitCode(err) != exitFailure {
		t.Errorf("a missing file: got %v", err)
	}
	if _, err := runPolicy(t, "", "explain", "k", "--policy", file); err == nil ||
		err.Error() != "cannot load policy: "+file+":1:1: the policy has no field \"ttl\"" {
		t.Errorf("explain by a mistaken policy: got %v", err)
	}
}

func TestPolicyCheckJSON(t *testing.T) {
	t.Parallel()
	got, err := runPolicy(t, "unmatched: phy", "check", "-", "--json")
	if exitCode(err) != exitFailure {
		t.Errorf("got %v", err)
	}
	want := `{"file":"-","ok":false,"mistakes":[{"line":1,"column":12,"problem":"there is no category \"phy\"","mend":"did you mean phi?"}],"warnings":[]}`
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(got)); err != nil || strings.TrimSpace(compact.String()) != want {
		t.Errorf("got %s, %v", compact.String(), err)
	}
}

func TestPolicyExplain(t *testing.T) {
	t.Parallel()
	got, err := runPolicy(t, "", "explain", "TENANT001:patient:12345", "--user", "ann")
	if err != nil {
		t.Fatal(err)
	}
	want := `category   phi (PHI)
rule       line 15: {tenant}:patient:{subject}
tenant     "TENANT001", from the key
access     allowed
subject    "12345"
ceiling    5m, absolute
on excess  clamp
evict      true
audit      all

SET          granted  5m  the ceiling
SET EX 3600  clamped  5m  at most the ceiling
SET KEEPTTL  granted  5m  the deadline that there is, else the ceiling
HSET         granted  5m  the ceiling if it makes the key, else the deadline stays
EXPIRE 3600  clamped  5m  no later than the ceiling after the last whole write
PERSIST      clamped  5m  never without a deadline; no later than the ceiling after the last whole write
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestPolicyExplainAccess(t *testing.T) {
	t.Parallel()
	f := func(tenant, access string, args ...string) {
		t.Helper()
		got, err := runPolicy(t, "", append([]string{"explain", "--json"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		var e explanation
		if err := json.Unmarshal([]byte(got), &e); err != nil {
			t.Fatal(err)
		}
		if e.Tenant != tenant || e.Access != access {
			t.Errorf("%v: got %q, %q", args, e.Tenant, e.Access)
		}
	}
	f("TENANT001", "allowed", "spring:session:sessions:1", "--user", "ann")
	f("TENANT002", "allowed", "TENANT002:patient:1", "--user", "ann")
	f("TENANT003", "refused: the credential does not reach the tenant", "TENANT003:patient:1", "--user", "ann")
	f("TENANT002", "refused: the credential does not reach the tenant", "TENANT002:patient:1", "--tenant", "TENANT001")
	f("global", "reading only", "global:codesystem:icd10", "--user", "ann")
	f("global", "allowed", "global:codesystem:icd10", "--tenant", "global")
	f("global", "refused to everyone: PHI cannot belong to the tenant global", "anything", "--tenant", "global")
	f("", "depends on the credential: name one by --tenant", "anything")
	f("", "refused to everyone: the key names two tenants", "A:c::B:patient:1", "--user", "ann")
}

func TestPolicyExplainReadsTheKeyFromInput(t *testing.T) {
	t.Parallel()
	got, err := runPolicy(t, "TENANT001:session:abc\n", "explain", "-")
	if err != nil || !strings.Contains(got, "15m, idle, max_age 12h") {
		t.Errorf("got %v and\n%s", err, got)
	}
	if _, err := runPolicy(t, "", "explain", "k", "--user", "bob"); exitCode(err) != exitFailure {
		t.Errorf("an unknown user: got %v", err)
	}
}

func TestPolicyShowCanBeChecked(t *testing.T) {
	t.Parallel()
	f := func(args ...string) string {
		t.Helper()
		shown, err := runPolicy(t, "", append([]string{"show"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		report, err := runPolicy(t, shown, "check", "-")
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, report)
		}
		return report
	}
	if a, b := f(), f("--default"); a != b {
		t.Errorf("the built-in policy and its text differ:\n%s%s", a, b)
	}
}
