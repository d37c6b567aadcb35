package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

const weakHash = "pbkdf2-sha256:1000:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

const weakUsers = `version: 1
users:
  - name: app
    enabled: true
    tenants: [TENANT001]
    rules: ""
    created: 2026-01-31T15:04:05Z
    tokens:
      - hash: ` + weakHash + `
        created: 2026-01-31T15:04:05Z
`

// The policies that are given as examples are right.
func TestExamplePolicies(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../examples/policies/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		if out, err := exec.Command(os.Getenv(testkit.BinaryVariable), "policy", "check", file).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	}
}

// Settings, policies and users that are not understood stop the start, and the message says where and how to mend it.
func TestMistakesStopTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := func(what string, flags []string, users string, wants ...string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			if err := os.Chmod(data, 0o700); err != nil {
				t.Fatal(err)
			}
			if users != "" {
				if err := os.WriteFile(filepath.Join(data, "users.yaml"), []byte(users), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := append([]string{"serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, flags...)
			out, err := exec.Command(os.Getenv(testkit.BinaryVariable), args...).CombinedOutput()
			if err == nil {
				t.Error("the server starts")
			}
			for _, want := range append(wants, "lethe: error:", "hint:") {
				if !strings.Contains(string(out), want) {
					t.Errorf("the message does not contain %q:\n%s", want, out)
				}
			}
			if strings.Contains(string(out), "ready") {
				t.Errorf("it says that it is ready:\n%s", out)
			}
		})
	}
	f("unknown setting", []string{"--config", write("a.yaml", "listne: 127.0.0.1:0\n")}, "", "a.yaml:1", "listen")
	f("unknown setting in a group", []string{"--config", write("b.yaml", "audit:\n  durabilty: disk\n")}, "", "b.yaml:2", "audit.durability")
	f("bad value", []string{"--config", write("c.yaml", "limits:\n  connections: many\n")}, "", "c.yaml:2", "limits.connections")
	f("unknown flag", []string{"--liste", "x"}, "", "unknown flag")
	f("bad address", []string{"--listen", "nowhere"}, "")
	f("PHI for an hour", []string{"--policy", write("d.yaml", "categories:\n  phi: {ceiling: 1h}\n")}, "", "300 s")
	f("a rule that no key reaches", []string{"--policy", write("e.yaml",
		"keys:\n  - {match: \"{tenant}:**\", category: phi}\n  - {match: \"{tenant}:session:{id}\", category: session}\n")}, "", "no key reaches")
	f("overlapping rules", []string{"--policy", write("f.yaml",
		"keys:\n  - {match: \"{tenant}:{kind}:count\", category: reference}\n  - {match: \"{tenant}:patient:{subject}\", category: phi}\n")}, "", "would not be PHI")
	f("missing policy", []string{"--policy", filepath.Join(dir, "none.yaml")}, "", "policy")
	// The file holds hashes of tokens only: what can be weak in it is the hash. `lethe user add` refuses weak tokens.
	f("a weak hash of a token", nil, weakUsers, "users.yaml:", "too weak")
	f("a token that is not hashed", nil, strings.Replace(weakUsers, weakHash, "changeme", 1), "users.yaml:", "not a token's hash")
}
