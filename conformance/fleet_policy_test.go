package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A gateway does not see the patients in values that others wrote, so a policy that wants them searched stops the start.
func TestSearchedValuesAreRefusedInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	const text = "categories:\n  bundles: {ceiling: 2m, phi: true, subjects: values}\nkeys:\n  - {match: \"{tenant}:bundle:**\", category: bundles}\nunmatched: phi\n"
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := testkit.PrepareLethe(t, testkit.LetheOptions{})
	_, stderr, code := l.CLI(t, "", "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--policy", policy,
		"--backend", "upstream", "--upstream-addresses", filepath.Join(t.TempDir(), "none"), "--upstream-tls", "off", "--upstream-plaintext", "on")
	if code != 2 || !strings.Contains(stderr, "cannot serve the category bundles in front of an upstream") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
