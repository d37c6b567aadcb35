package conformance

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const readmeHead = `# Conformance

Every command of Lethe is sent to a real redis-server and to Lethe, in RESP2 and in RESP3, and the replies have to be the
same bytes. So are malformed requests. The calls are in [testdata](testdata), a file for each of Redis's command groups;
[script_test.go](script_test.go) says how they are written. ` + "`go test ./conformance`" + ` runs all of it and needs a redis-server
(Debian's 7.0.15 is the reference: where it has a command, Lethe behaves as it does, and what newer versions have added comes on top;
calls that it does not know yet are marked @new, with the reply of a newer Redis).

Both run under [examples/policies/single-tenant.yaml](../examples/policies/single-tenant.yaml): one tenant, taken from the
credential, no PHI, a ceiling of a year. Under other policies, deadlines are what the policy grants (docs/policy.md).

The same package shows on the real binary what Redis has no counterpart for: tenants (tenants_test.go), erasure
(erasure_test.go), records that survive kill -9 (crash_test.go) and bad input (limits_test.go).

## Where the two differ

This list is made from exceptions.go by ` + "`go test ./conformance -run Readme -update`" + `. A difference that is not in it fails
the suite.

| name | commands | Redis | Lethe | why |
|---|---|---|---|---|
`

const otherUpstreams = `
## Other upstreams

What stands behind a gateway in the tests is the redis-server of the PATH. With a directory in front of it in which redis-server,
redis-cli and redis-sentinel are links to Valkey's programs, the same tests run in front of Valkey:

` + "```" + `console
$ export PATH=/opt/valkey-as-redis:$PATH LETHE_REFERENCE=/usr/bin/redis-server
$ go test ./internal/upstream
$ go test ./conformance -run 'Upstream|Gateways|Sentinels|Cluster|OverTLS|Migrate|Waiting|Blocked|NoElement|PopsDoNot|EachEntry|Consumers|RandomGroups'
` + "```" + `

Replies are compared with those of LETHE_REFERENCE, which is Redis 7.0.15; without it, of the redis-server of the PATH.

With Valkey 7.2.7 and 8.0.1, built from their sources, everything of internal/upstream passes, and of conformance all faults,
fail-overs and moves, streams and who waits among them. Three things differ:

- XSETID to an id below the greatest one that was deleted, without MAXDELETEDID: Redis 7.0 takes it, and Valkey, as Redis from 7.2 on,
  refuses it. So does Lethe in front of them. TestSameRepliesAsRedisInFrontOfAnUpstream, TestSameNoticesAsRedisInFrontOfAnUpstream and
  TestInFrontOfACluster tell of it, each with one case, and of nothing else.
- TestMigrate and TestMigrateOverTLSIntoAnUpstream read the scores of their source, which is Valkey then: ` + "`0.1`" + ` for 7.0's and Lethe's
  ` + "`0.10000000000000001`" + `.
- TestConsumersAsInRedis tells which consumers were seen: from 7.2 on also those that ask or claim in vain. Who is a consumer, and what it
  has, is the same.
`

const redisTestsHead = `
## Redis's own tests

` + "`make test-redis`" + ` runs Redis 7.0.15's own suite against Lethe: its source comes with apt, unchanged, and each unit of what
Lethe has runs in external-server mode against a server of its own, under the same policy. A bridge does TLS and AUTH for
it, and the setting redis_tests answers what the suite leans on: CONFIG SET, DEBUG, the encodings of values, short passwords. A
server with it does not start next to PHI.

The units auth, acl and acl-v2 are marked as not for external servers, for they want users of their own. A copy without the
mark runs, with [testdata/redistests/logins.tcl](testdata/redistests/logins.tcl) in front of the suite's client: it makes
passwords as long as tokens must be, puts one known token in the place of nopass, and lets a user who has everything send
ACL SETUSER, since these units have users give permissions to themselves, which Lethe refuses.

Of their 130 tests 111 pass, 18 fail and one is not run. Of the other units' 1,987 tests 1,922 pass, 58 fail and 7 are not run;
those that need a second database are left out.
These tests do not pass. The list is made from redis_failures.go; a failure that is not in it fails the run, and so does a
test in it that passes.
`

func readme() string {
	var b strings.Builder
	b.WriteString(readmeHead)
	for _, e := range exceptions() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", e.name, e.commands, e.redis, e.lethe, e.why)
	}
	b.WriteString(otherUpstreams)
	b.WriteString(redisTestsHead)
	why := ""
	for _, f := range redisFailures() {
		if f.why != why {
			why = f.why
			fmt.Fprintf(&b, "\n%s\n\n", why)
		}
		fmt.Fprintf(&b, "- `%s`: %s\n", f.unit, f.test)
	}
	return b.String()
}

func TestReadme(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.WriteFile("README.md", []byte(readme()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != readme() {
		t.Error("README.md is not what exceptions.go says; run: go test ./conformance -run Readme -update")
	}
}

// Scripts cite exceptions that exist, and each exception is shown by a script.
func TestExceptionsAreShown(t *testing.T) {
	t.Parallel()
	cited := map[string]bool{}
	for _, s := range scripts(t) {
		for _, c := range s.cases {
			for _, call := range c.calls {
				if call.how == except {
					cited[call.exception] = true
				}
			}
		}
	}
	for _, e := range exceptions() {
		if !cited[e.name] {
			t.Errorf("no script shows the exception %s", e.name)
		}
		delete(cited, e.name)
	}
	for name := range cited {
		t.Errorf("a script cites the exception %q, which exceptions.go does not have", name)
	}
}
