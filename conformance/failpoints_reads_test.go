package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// transactions are changes of more than one step that must happen as one.
func transactions() []change {
	halves := func(key string) []string { return []string{"MGET", key, key + ":too"} }
	return []change{
		{"transaction", "", func(key string, n int) [][]string {
			return [][]string{{"MULTI"}, {"SET", key, state(n)}, {"SET", key + ":too", state(n)}, {"EXEC"}}
		}, halves, state},
		{"watched", "", func(key string, n int) [][]string {
			return [][]string{{"WATCH", key, key + ":too"}, {"MULTI"}, {"GET", key}, {"SET", key, state(n)}, {"COPY", key, key + ":too", "REPLACE"}, {"EXEC"}}
		}, halves, state},
		{"rebuilt", "", func(key string, n int) [][]string {
			return [][]string{{"MULTI"}, {"DEL", key}, {"RPUSH", key, state(n)}, {"RPUSH", key, state(n)}, {"EXEC"}}
		}, func(key string) []string { return []string{"LRANGE", key, "0", "-1"} }, state},
	}
}

func killTransacting(t *testing.T, d *doomed, p failpoint.Point) {
	d.killUnderLoad(t, p, transactions()...)
}

// scripted are changes by scripts: of two entries at once, and of a count, which is in clear upstream and has no record.
func scripted() []change {
	return []change{
		{"script", "lock", func(key string, n int) [][]string {
			return [][]string{{"EVAL", "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('SET', KEYS[2], ARGV[1])", "2", key, key + ":too", state(n)}}
		}, func(key string) []string { return []string{"MGET", key, key + ":too"} }, state},
		{"count", "rate", func(key string, _ int) [][]string {
			return [][]string{{"EVAL", "return redis.call('INCR', KEYS[1])", "1", key}}
		}, func(key string) []string { return []string{"GET", key} }, strconv.Itoa},
	}
}

// startUnsealed starts gateways with entries that scripts reach.
func startUnsealed(t *testing.T, binary string) *doomed {
	t.Helper()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	return startDoomedWith(t, behind, testkit.LetheOptions{Binary: binary, Policy: unsealed(t), Flags: upstreamFlags(behind), Users: scripters()})
}

func killScripting(t *testing.T, d *doomed, p failpoint.Point) { d.killUnderLoad(t, p, scripted()...) }

// startAside starts gateways that have a near cache and may read from a replica.
func startAside(t *testing.T, binary string) *doomed {
	t.Helper()
	policy := nearPolicyFile(t)
	primary := testkit.StartNode(t)
	testkit.StartNode(t, "--replicaof", "127.0.0.1 "+fmt.Sprint(primary.Port))
	return startDoomedWith(t, primary, testkit.LetheOptions{Binary: binary, Policy: policy, Flags: []string{
		"--backend", "upstream", "--upstream-addresses", primary.Addr(), "--upstream-tls", "off", "--upstream-plaintext", "on",
		"--upstream-near-cache", "16MiB", "--upstream-replica-reads", "on"}})
}

// killReadingAside kills the gateway while it reads what the other one changes, from its near cache and a replica. Every read that
// it has answered is in its audit; what it had kept is gone with it, so that it reads the last value when it is back.
func killReadingAside(t *testing.T, d *doomed, p failpoint.Point) {
	d.rounds++
	key := fmt.Sprintf("global:codesystem:%d", d.rounds)
	writer, c := d.witness.Dial(t, mover.Name), d.mortal.Dial(t, mover.Name)
	recorded := d.reads(t)
	expect(t, writer, "+OK", "SET", key, "0")
	var answered atomic.Int64
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			c.Send(testkit.Command("GET", key))
			got, err := c.Receive(patience)
			if err != nil || got.IsError() {
				return
			}
			answered.Add(1)
		}
	}()
	soon(t, "the gateway reads", func() bool { return answered.Load() > 100 })
	d.arm(t, p)
	last := 0
	for dead := false; !dead; {
		last++
		expect(t, writer, "+OK", "SET", key, strconv.Itoa(last))
		select {
		case <-over:
			dead = true
		case <-time.After(20 * time.Millisecond): // the near cache has the value meanwhile
		}
	}
	d.awaitDeath(t)
	if n := d.reads(t) - recorded; n < int(answered.Load()) {
		t.Errorf("%d reads were answered and %d are recorded", answered.Load(), n)
	}
	for _, at := range []*testkit.Lethe{d.witness, d.mortal} {
		c := at.Dial(t, mover.Name)
		soon(t, "the last value is read", func() bool { return string(c.Do("GET", key).Str) == strconv.Itoa(last) })
		for range 20 {
			if got := string(c.Do("GET", key).Str); got != strconv.Itoa(last) {
				t.Errorf("%q is read after the last value, which is %d", got, last)
			}
		}
	}
	d.resumed(t)
}

// reads is how many reads of reference data the audit of the gateway that is killed has.
func (d *doomed) reads(t *testing.T) int {
	t.Helper()
	out, stderr, code := d.mortal.CLI(t, "", "audit", "search", "--category", "reference", "--outcome", "hit", "--limit", "0", "--json")
	if code != 0 {
		t.Fatalf("audit search: %s", stderr)
	}
	return strings.Count(out, "\n")
}
