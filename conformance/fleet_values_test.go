package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// searchedPolicy has a category whose values are searched for patients, and one whose are not.
const searchedPolicy = `categories:
  bundles: {ceiling: 2m, phi: true, subjects: values}
keys:
  - {match: "{tenant}:bundle:**", category: bundles}
  - {match: "{tenant}:patient:{subject}", category: phi}
unmatched: phi
`

func searched(t *testing.T, flags []string) testkit.LetheOptions {
	t.Helper()
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte(searchedPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	return testkit.LetheOptions{Policy: policy, Flags: flags, Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}}}}
}

// G7 for patients whom only values name: what one gateway has written is kept back and erased at a revocation that another takes,
// which started after it was written.
func TestPatientsInValuesAreRevokedAtEveryGateway(t *testing.T) {
	t.Parallel()
	t.Run("standalone", func(t *testing.T) {
		t.Parallel()
		behind := testkit.StartRedis(t, testkit.RedisOptions{})
		left := func(t *testing.T) int { return int(behind.Dial(t).Do("DBSIZE").Int) }
		revokeByValues(t, upstreamFlags(behind), left)
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		all := testkit.StartCluster(t)
		left := func(t *testing.T) (n int) {
			for _, node := range all[:3] {
				n += int(node.Dial(t).Do("DBSIZE").Int)
			}
			return n
		}
		revokeByValues(t, clusterFlags(all[:2]), left)
	})
}

func revokeByValues(t *testing.T, flags []string, left func(*testing.T) int) {
	const (
		first   = `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}`
		second  = `{"resourceType":"Observation","subject":{"reference":"Patient/2"}}`
		nobody  = `{"resourceType":"CodeSystem","id":"1"}`
		refused = "-CONSENT the consent for"
	)
	o := searched(t, flags)
	one := testkit.StartLethe(t, o)
	a := one.Dial(t, reader)
	const b = "TENANT001:bundle:{x}"
	expect(t, a, "+OK", "SET", b+"page", first)
	expect(t, a, ":1", "HSET", b+"hash", "f", second)
	expect(t, a, "+OK", "SET", b+"code", nobody)
	expect(t, a, "+OK", "SET", patient, "by its key")
	expect(t, a, ":1", "COPY", b+"page", "TENANT001:other:{x}copy") // into a category that is not searched
	expect(t, a, "-CONSENT values of this category", "APPEND", b+"page", "more")

	two := joining(t, one, o)
	c := two.Dial(t, reader)
	expect(t, c, ":1", "HSET", b+"hash", "g", first) // which is about both then
	expect(t, c, ":1", "RPUSH", b+"list", second)
	expect(t, c, "+OK", "MULTI")
	expect(t, c, "+QUEUED", "SET", b+"other", second)
	expect(t, c, "+QUEUED", "RPUSH", b+"list", nobody)
	expect(t, c, "*2\r\n+OK\r\n:2", "EXEC")

	r := decide(t, two, "revoke", "1")
	for _, gateway := range []*testkit.Client{a, c} {
		for _, key := range []string{b + "page", b + "hash", "TENANT001:other:{x}copy", patient} {
			if got := answer(gateway, "", "TYPE", key); string(got.Str) != "none" && !strings.HasPrefix(string(got.Raw), refused) {
				t.Errorf("TYPE after the revocation: %s", show(got.Raw))
			}
		}
		expect(t, gateway, "$38\r\n"+nobody, "GET", b+"code")
		expect(t, gateway, "$66\r\n"+second, "GET", b+"other")
		expect(t, gateway, refused, "SET", b+"page", first)
		expect(t, gateway, refused, "RPUSH", b+"list", first)
		expect(t, gateway, ":2", "LLEN", b+"list")
	}
	if n := left(t); n != 4 { // code, other, list and what is in it
		t.Errorf("%d keys are left upstream, want 4", n)
	}
	erased := map[string]int{}
	for _, g := range r.Gateways {
		for _, e := range g.Erased {
			erased[e.Category] += e.Entries
		}
		if g.ConfirmedAt == "" {
			t.Errorf("the gateway %s has not confirmed", g.Name)
		}
	}
	if len(r.Gateways) != 2 || erased["bundles"] != 2 || erased["phi"] != 2 {
		t.Errorf("the receipt of %d gateways says %v, want 2 bundles and 2 of phi", len(r.Gateways), erased)
	}

	decide(t, one, "restore", "1")
	expect(t, a, "$-1", "GET", b+"page")
	expect(t, c, "-CONSENT", "SET", b+"page", first)
	decide(t, one, "revoke", "2")
	if n := left(t); n != 1 {
		t.Errorf("%d keys are left upstream after the second revocation, want 1", n)
	}
}
