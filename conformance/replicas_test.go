package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// With the settings and the policy for it, replicas answer reads of reference data; of PHI never.
func TestReplicaReads(t *testing.T) {
	t.Parallel()
	policy := nearPolicyFile(t)
	primary := testkit.StartNode(t)
	replica := testkit.StartNode(t, "--replicaof", "127.0.0.1 "+fmt.Sprint(primary.Port))
	l := testkit.StartLethe(t, testkit.LetheOptions{Policy: policy, Users: []testkit.User{mover}, Flags: []string{
		"--backend", "upstream", "--upstream-addresses", primary.Addr(), "--upstream-tls", "off", "--upstream-plaintext", "on",
		"--upstream-replica-reads", "on"}})
	asked := func() bool {
		stats := replica.Must("INFO", "commandstats")
		return strings.Contains(stats, "cmdstat_get:") || strings.Contains(stats, "cmdstat_mget:")
	}
	c := l.Dial(t, mover.Name)
	f := func(key string) {
		t.Helper()
		if got := c.Do("GET", key); string(got.Str) != "v" {
			t.Fatalf("GET: %s", show(got.Raw))
		}
	}
	const code = "global:codesystem:icd10"
	c.Do("SET", code, "v")
	c.Do("SET", patient, "v")
	soon(t, "the replica answers for reference data", func() bool { f(code); return asked() })
	replica.Must("CONFIG", "RESETSTAT")
	for range 20 {
		f(patient)
	}
	if asked() {
		t.Error("the replica was asked for PHI")
	}
}
