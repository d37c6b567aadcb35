package conformance

import (
	"fmt"
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

func nearPolicyFile(t *testing.T) string {
	t.Helper()
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte(nearPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	return policy
}

// nearFleet is two gateways that may keep reference data near.
func nearFleet(t *testing.T) (one, two *testkit.Lethe, behind *testkit.Redis) {
	t.Helper()
	behind = testkit.StartRedis(t, testkit.RedisOptions{})
	flags := append(upstreamFlags(behind), "--upstream-near-cache", "16MiB")
	both := fleetOf(t, 2, testkit.LetheOptions{Policy: nearPolicyFile(t), Flags: flags, Users: []testkit.User{mover}})
	return both[0], both[1], behind
}

// What is kept near is what the policy says, PHI never; every read of it is recorded; what another gateway writes is seen.
func TestNearCache(t *testing.T) {
	t.Parallel()
	one, two, _ := nearFleet(t)

	const code = "global:codesystem:icd10"
	a, b := one.Dial(t, mover.Name), two.Dial(t, mover.Name)
	b.Do("SET", code, "first")
	b.Do("SET", patient, "canary")
	reads := 0
	read := func(want string) bool {
		reads++
		if got := answer(a, "", "GET", patient); string(got.Str) != "canary" {
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

// A hash changes at one gateway in the same moment in which another one reads it to keep it. In the end both say the same of it:
// each is changed once, so that nothing mends a change that was missed.
func TestNearCacheOfHashesMissesNothing(t *testing.T) {
	t.Parallel()
	one, two, _ := nearFleet(t)
	reads, writes := one.Dial(t, mover.Name), two.Dial(t, mover.Name)
	const names = 300
	name := func(i int) string { return fmt.Sprint("global:codesystem:h", i) }
	for i := range names {
		writes.Do("HSET", name(i), "f", "old", "g", "old")
		reads.Send(testkit.Command("HGET", name(i), "f"))
		if i%2 == 0 {
			writes.Do("HSET", name(i), "f", "new")
		} else {
			writes.Do("PEXPIRE", name(i), "1000000")
		}
		if _, err := reads.Receive(patience); err != nil {
			t.Fatal(err)
		}
	}
	soon(t, "hashes are kept", func() bool {
		reads.Do("HGET", name(names-1), "f")
		return one.Metric(t, "lethe_near_cache_entries") > names/4
	})
	for i := range names {
		soon(t, "both say the same", func() bool {
			return string(reads.Do("HGETALL", name(i)).Raw) == string(writes.Do("HGETALL", name(i)).Raw) &&
				string(reads.Do("PEXPIRETIME", name(i)).Raw) == string(writes.Do("PEXPIRETIME", name(i)).Raw)
		})
	}
}
