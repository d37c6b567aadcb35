package conformance

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// inFront starts a Lethe in front of a redis-server of its own, and beside it the one that it is compared with.
func inFront(t *testing.T, policy string) (*pair, *testkit.Redis) {
	t.Helper()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	p := &pair{
		redis: testkit.StartRedis(t, testkit.RedisOptions{Reference: true}),
		lethe: testkit.StartLethe(t, testkit.LetheOptions{
			Policy: policy, Flags: upstreamFlags(behind),
			Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}},
		}),
	}
	p.redis.Dial(t).Do("ACL", "SETUSER", reader, "on", "nopass", "~*", "&*", "+@all") // for ACL GETUSER and its like
	return p, behind
}

func upstreamFlags(r *testkit.Redis) []string {
	return []string{"--backend", "upstream", "--upstream-addresses", r.Socket, "--upstream-tls", "off", "--upstream-plaintext", "on"}
}

// The scripts that the embedded engine is held against hold in front of an upstream too. Where sealed data cannot serve a
// command the answer is SEALED, for the commands of sealedCommands and no others; what follows in such a case is not compared.
func TestSameRepliesAsRedisInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	p, _ := inFront(t, singleTenant)
	sealed := map[string]bool{}
	for _, s := range scripts(t) {
		t.Run(s.group, func(t *testing.T) {
			for _, protocol := range []string{"2", "3"} {
				for _, c := range s.cases {
					t.Run("RESP"+protocol+" "+c.title, func(t *testing.T) { p.dial(t, protocol).runSealedCase(t, s, c, sealed) })
				}
			}
		})
	}
	if got := slices.Sorted(maps.Keys(sealed)); !slices.Equal(got, sealedCommands) {
		t.Errorf("answered SEALED:\n%q\nexpected:\n%q", got, sealedCommands)
	}
}

// countsInside is the one difference beside SEALED: Redis keeps the last PFCOUNT inside the value, where GET shows it. In
// front of an upstream a reading command writes nothing.
const countsInside = "hyperloglog"

// sealedCommands are the commands that end a case with SEALED. EXEC has one of the others inside.
var sealedCommands = []string{
	"BITCOUNT", "BITFIELD", "BITOP", "BITPOS", "EVAL", "EVALSHA", "EVAL_RO",
	"EXEC", "GETRANGE", "HINCRBY", "INCR", "INCRBYFLOAT", "LCS", "MEMORY", "MIGRATE", "MOVE", "OBJECT",
	"PFDEBUG", "SETBIT", "SORT", "SORT_RO",
}

// sealedBlocks is the case whose approximate trims depend on how many entries are in a block of the upstream's: sealed ones are
// longer, so that there are fewer.
const sealedBlocks = "Approximate trims of more than a block"

// undeclared is in the answer to scripts that name keys which they were not called with.
const undeclared = "in front of an upstream a script reaches the keys only that it is called with"

// runSealedCase runs the calls of a case until one is answered SEALED.
func (d *duo) runSealedCase(t *testing.T, s *script, c testCase, sealed map[string]bool) {
	if c.title == sealedBlocks {
		return
	}
	d.empty(t)
	for _, call := range c.calls {
		redis, lethe := d.redis.Do(call.args...), d.lethe.Do(call.args...)
		if strings.Contains(string(lethe.Raw), undeclared) {
			return
		}
		if strings.HasPrefix(string(lethe.Str), "SEALED ") || strings.Contains(string(lethe.Raw), "-SEALED ") {
			sealed[strings.ToUpper(call.args[0])] = true
			return
		}
		if s.group == countsInside && (call.args[0] == "GET" || call.args[0] == "GETRANGE") {
			continue
		}
		if problem := differ(call, d.protocol, redis, lethe); problem != "" {
			t.Errorf("testdata/%s.txt:%d: %q\n    %s", s.group, call.line, call.args, problem)
			return
		}
	}
}
