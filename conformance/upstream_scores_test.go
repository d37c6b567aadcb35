package conformance

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// scoredGroups are those in which sorted sets are.
var scoredGroups = []string{"sorted_set", "geo", "blocking", "generic", "scan", "dump", "expire", "transactions"}

// With scores in clear everything holds that holds with sealed ones, in front of one redis-server and of a cluster.
func TestSameRepliesAsRedisWithScoresInClear(t *testing.T) {
	t.Parallel()
	p, _ := inFront(t, everythingWith(t, "clear_scores: true"))
	p.sealedScripts(t, "", scoredGroups...)
}

func TestSameRepliesAsRedisWithScoresInClearInACluster(t *testing.T) {
	t.Parallel()
	flags := []string{"--backend", "upstream", "--upstream-mode", "cluster", "--upstream-addresses", testkit.StartCluster(t)[0].Addr(),
		"--upstream-tls", "off", "--upstream-plaintext", "on"}
	frontUnder(t, everythingWith(t, "clear_scores: true"), flags).sealedScripts(t, "{tag}", "sorted_set", "geo", "blocking")
}

// The records of who has seen and removed members of large sorted sets are those of the embedded engine.
func TestScoresInClearAreRecorded(t *testing.T) {
	t.Parallel()
	policy := writePolicy(t, "categories:\n  queue: {ceiling: 1h, phi: false, clear_scores: true}\nunmatched: queue\n")
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	var records [2]string
	for i, flags := range [][]string{nil, upstreamFlags(behind)} {
		lethe := testkit.StartLethe(t, testkit.LetheOptions{Policy: policy, Flags: flags, Users: []testkit.User{mover}})
		c := lethe.Dial(t, mover.Name)
		for _, line := range []string{"ZADD z 1 a 2 b 3 c 4 d", "ZRANGE z 0 1", "ZRANGEBYSCORE z 5 6", "ZRANK z none", "ZCOUNT z 1 2", "ZPOPMIN z", "ZPOPMIN z 0",
			"ZREMRANGEBYSCORE z 9 10", "ZREMRANGEBYRANK z 0 0", "ZRANGE none 0 1", "ZPOPMAX none", "BZPOPMIN none z 1", "ZMPOP 1 z MIN COUNT 9", "EXISTS z"} {
			c.Do(strings.Fields(line)...)
		}
		out, stderr, exit := lethe.CLI(t, "", "audit", "search", "--user", mover.Name, "--limit", "0")
		if exit != 0 {
			t.Fatalf("audit search: %d %s", exit, stderr)
		}
		for line := range strings.Lines(out) {
			if f := strings.Fields(line); len(f) > 8 && f[0] != "SEQUENCE" && f[7] != "intended" { // user, tenant, category, command, action, outcome
				records[i] += strings.Join(f[2:8], " ") + "\n"
			}
		}
	}
	if records[0] != records[1] || strings.Count(records[0], "\n") < 14 {
		t.Errorf("recorded by the engine:\n%sin front of an upstream:\n%s", records[0], records[1])
	}
}
