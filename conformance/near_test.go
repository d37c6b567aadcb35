package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

const nearPolicy = `
categories:
  reference: {near: true, replica_reads: true}
keys:
  - {match: "{tenant}:patient:{subject}", category: phi}
  - {match: "global:codesystem:{id}", category: reference}
`

// What is kept near is what the policy says, PHI never; every read of it is recorded; what another gateway writes is seen.
func TestNearCache(t *testing.T) {
	t.Parallel()
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte(nearPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	flags := append(upstreamFlags(behind), "--upstream-near-cache", "16MiB")
	one := testkit.StartLethe(t, testkit.LetheOptions{Policy: policy, Flags: flags, Users: []testkit.User{mover}})
	two := joining(t, one, testkit.LetheOptions{Policy: policy, Flags: flags})

	const code = "global:codesystem:icd10"
	a, b := one.Dial(t, mover.Name), two.Dial(t, mover.Name)
	b.Do("SET", code, "first")
	b.Do("SET", patient, "canary")
	reads := 0
	read := func(want string) bool {
		reads++
		if got := a.Do("GET", patient); string(got.Str) != "canary" {
			t.Fatalf("GET: %s", show(got.Raw))
		}
		return string(a.Do("GET", code).Str) == want
	}
	soon(t, "the near cache answers", func() bool { return read("first") && one.Metric(t, "lethe_near_cache_hits_total") >= 20 })
	if got := one.Metric(t, "lethe_near_cache_entries"); got != 1 {
		t.Errorf("%v entries are kept near, want the one that is no PHI", got)
	}
	b.Do("SET", code, "second")
	soon(t, "the other gateway's write is seen", func() bool { return read("second") })
	if got := one.Metric(t, "lethe_near_cache_invalidations_total"); got < 1 {
		t.Errorf("the upstream told of %v changes", got)
	}
	for _, category := range []string{"reference", "phi"} {
		out, stderr, exit := one.CLI(t, "", "audit", "search", "--category", category, "--outcome", "hit", "--limit", "0", "--json")
		if got := strings.Count(out, "\n"); exit != 0 || got != reads {
			t.Errorf("%s: %d reads are recorded, want %d: %d %.300s", category, got, reads, exit, stderr)
		}
	}
}
