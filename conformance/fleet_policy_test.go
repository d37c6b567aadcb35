package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// notesPolicy is a policy of a version, in which notes live so long.
func notesPolicy(version int, ceiling string) string {
	return fmt.Sprintf("version: %d\ncategories:\n  notes: {ceiling: %s, phi: true}\nkeys:\n  - {match: \"{tenant}:note:{id}\", category: notes}\n", version, ceiling)
}

// A policy file that is exchanged at one gateway is in force at all within a second, and stays so: an older file, at a gateway
// that starts later or is put back, widens nothing.
func TestAPolicyIsInForceAtEveryGateway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := testkit.LetheOptions{Flags: upstreamFlags(behind), Policy: write("one", notesPolicy(1, "4m"))}
	one := testkit.StartLethe(t, o)
	o.Policy = write("two", notesPolicy(1, "4m"))
	two := joining(t, one, o)
	a, b := one.Dial(t, reader), two.Dial(t, reader)
	const note = "TENANT001:note:1"
	ttl := func(on *testkit.Client) int64 {
		expect(t, on, "+OK", "SET", note, "v", "EX", "3600")
		return on.Do("TTL", note).Int
	}
	if n := ttl(b); n < 230 || n > 240 {
		t.Fatalf("a note lives for %d s", n)
	}
	write("one", notesPolicy(2, "30s"))
	soon(t, "the policy is in force at both", func() bool { return ttl(a) <= 30 && ttl(b) <= 30 })
	write("two", notesPolicy(1, "5m"))
	soon(t, "the older file is noticed", func() bool { return strings.Contains(two.Log(), "the policy file is not in force") })
	if x, y := ttl(a), ttl(b); x > 30 || y > 30 {
		t.Errorf("after an older file notes live for %d and %d s", x, y)
	}
	o.Policy = write("three", notesPolicy(1, "5m"))
	three := joining(t, one, o)
	if n := ttl(three.Dial(t, reader)); n > 30 {
		t.Errorf("at a gateway that starts with an older file notes live for %d s", n)
	}
	two.Kill(t)
	write("one", notesPolicy(3, "20s"))
	soon(t, "the next policy is in force", func() bool { return ttl(a) <= 20 })
	o.Policy = filepath.Join(dir, "two")
	two = two.Restart(t, o)
	if n := ttl(two.Dial(t, reader)); n > 20 {
		t.Errorf("at a gateway that was away notes live for %d s", n)
	}
	write("one", "version: 4\nnosuch: field\n")
	soon(t, "the mistake is told", func() bool { return strings.Contains(one.Log(), "the policy file cannot be used") })
	if n := ttl(a); n > 20 {
		t.Errorf("after a mistake notes live for %d s", n)
	}
}

// A gateway that cannot take the policy of the others serves no PHI.
func TestAGatewayThatCannotTakeThePolicyServesNoPHI(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := testkit.LetheOptions{Flags: upstreamFlags(behind)}
	both := fleetOf(t, 2, o)
	a, b := both[0].Dial(t, reader), both[1].Dial(t, reader)
	expect(t, b, "$-1", "GET", patient)
	// What it cannot write down it does not count as in force.
	register := filepath.Join(both[1].DataDir, "policy.register")
	if err := os.RemoveAll(register); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(register, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte(notesPolicy(7, "1m")), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Policy = policy
	three := joining(t, both[0], o)
	expect(t, three.Dial(t, reader), "$-1", "GET", patient)
	soon(t, "it refuses PHI", func() bool { return strings.HasPrefix(string(b.Do("GET", patient).Raw), "-CONSENT") })
	expect(t, a, "$-1", "GET", patient)
	if err := os.RemoveAll(register); err != nil {
		t.Fatal(err)
	}
	soon(t, "it serves again", func() bool { return !b.Do("GET", patient).IsError() })
}
