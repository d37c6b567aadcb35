package conformance

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// frontPair is a Lethe with these flags beside a redis-server that it is compared with.
func frontPair(t *testing.T, flags []string) *pair { return frontUnder(t, singleTenant, flags) }

func frontUnder(t *testing.T, policy string, flags []string) *pair {
	t.Helper()
	p := &pair{
		redis: testkit.StartRedis(t, testkit.RedisOptions{Reference: true}),
		lethe: testkit.StartLethe(t, testkit.LetheOptions{
			Policy: policy, Flags: flags,
			Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}},
		}),
	}
	p.redis.Dial(t).Do("ACL", "SETUSER", reader, "on", "nopass", "~*", "&*", "+@all") // for ACL GETUSER and its like
	return p
}

// sealedScripts runs the scripts of some groups in RESP3, and with -long all of them in both protocols. Where tag is not
// empty it is put before every key, so that in a cluster all keys of a call are in one slot.
func (p *pair) sealedScripts(t *testing.T, tag string, groups ...string) {
	t.Helper()
	protocols := []string{"3"}
	if *long {
		protocols = []string{"2", "3"}
	}
	table, sealed := command.NewTable(), map[string]bool{}
	for _, s := range scripts(t) {
		if !*long && !slices.Contains(groups, s.group) {
			continue
		}
		for _, protocol := range protocols {
			for _, c := range s.cases {
				if tag != "" {
					c = c.tagged(table, tag)
				}
				t.Run(s.group+" RESP"+protocol+" "+c.title, func(t *testing.T) { p.dial(t, protocol).runSealedCase(t, s, c, sealed) })
			}
		}
	}
	for name := range sealed {
		if !slices.Contains(sealedCommands, name) {
			t.Errorf("%s is answered SEALED here and not elsewhere", name)
		}
	}
}

// tagged puts a tag before the keys of a case. Calls of which the script says what Lethe answers end the case: that text
// has the keys as they were.
func (c testCase) tagged(table *command.Table, tag string) testCase {
	calls := c.calls
	c.calls = nil
	for _, call := range calls {
		if call.how == except || call.how == isNew {
			break
		}
		args := make([][]byte, len(call.args))
		for i, a := range call.args {
			args[i] = []byte(a)
		}
		call.args = slices.Clone(call.args)
		if spec, _ := table.Lookup(args); spec != nil && spec.ArityOK(len(args)) {
			refs, _ := spec.KeysOf(args, nil)
			for _, r := range refs {
				call.args[r.Arg] = tag + call.args[r.Arg]
			}
		}
		c.calls = append(c.calls, call)
	}
	return c
}

func clusterFlags(all []*testkit.Node) []string {
	var addresses []string
	for _, n := range all {
		addresses = append(addresses, n.Addr())
	}
	return []string{"--backend", "upstream", "--upstream-mode", "cluster", "--upstream-addresses", strings.Join(addresses, ","),
		"--upstream-tls", "off", "--upstream-plaintext", "on"}
}

// In front of a cluster the replies are the same; then slots move and a primary dies while clients read and write.
func TestInFrontOfACluster(t *testing.T) {
	t.Parallel()
	all := testkit.StartCluster(t)
	p := frontPair(t, clusterFlags(all[:2]))
	t.Run("scripts", func(t *testing.T) {
		p.sealedScripts(t, "{t}", "string", "hash", "list", "set", "sorted_set", "stream", "stream_groups", "expire", "generic",
			"transactions", "blocking")
	})
	t.Run("keys of several slots", func(t *testing.T) { p.severalSlots(t) })
	t.Run("scripts of clients", func(t *testing.T) { frontUnder(t, nothingSealed(t), clusterFlags(all[:2])).clusteredScripts(t) })
	t.Run("resharding under load", func(t *testing.T) {
		l := startTraffic(t, p.lethe)
		testkit.Reshard(t, all[0], all[1], 500)
		l.end()
		if l.refused.Load() != 0 {
			t.Errorf("%d commands were refused while slots moved", l.refused.Load())
		}
	})
	t.Run("transactions while slots move", func(t *testing.T) {
		second := joining(t, p.lethe, testkit.LetheOptions{Policy: singleTenant, Flags: clusterFlags(all[:2])})
		countsWhile(t, []*testkit.Lethe{p.lethe, second}, func() {
			testkit.Await(t, failOverTime, "nodes that agree", func() bool {
				return exec.Command("redis-cli", "--cluster", "check", all[0].Addr()).Run() == nil
			})
			testkit.Reshard(t, all[0], all[2], 4900) // so many that some of those counted in are among them
		})
	})
	t.Run("a primary is killed under load", func(t *testing.T) {
		l := startTraffic(t, p.lethe)
		all[1].Kill()
		testkit.Await(t, failOverTime, "a replica to take over", func() bool {
			return strings.Contains(all[0].Do("CLUSTER", "INFO"), "cluster_state:ok") && strings.Contains(all[0].Do("CLUSTER", "NODES"), "fail")
		})
		l.end()
		testkit.Await(t, failOverTime, "readiness", func() bool { status, _ := p.lethe.Get(t, "/readyz"); return status == 200 })
	})
}

// clusteredScripts runs scripts whose keys are in one slot, and has those refused whose keys are not.
func (p *pair) clusteredScripts(t *testing.T) {
	p.librariesScripts(t, "{t}")
	c := p.lethe.Dial(t, reader)
	for _, args := range [][]string{{"EVAL", "return redis.call('INCR', KEYS[1])", "2", "a", "b"}, {"EVAL", "return 1", "3", "{x}a", "{x}b", "c"}} {
		if got := c.Do(args...); !strings.HasPrefix(string(got.Str), "CROSSSLOT ") {
			t.Errorf("%q: %s", args, show(got.Raw))
		}
	}
	for _, key := range []string{"a", "b", "c", "d"} { // on all nodes
		if got := c.Do("EVAL", "redis.call('HSET', KEYS[2], 'f', 'v') return redis.call('INCR', KEYS[1])", "2", "{"+key+"}n", "{"+key+"}h"); got.Int != 1 {
			t.Errorf("%s: %s", key, show(got.Raw))
		}
		if got := string(c.Do("HGET", "{"+key+"}h", "f").Str); got != "v" {
			t.Errorf("%s: %q", key, got)
		}
	}
}

// severalSlots runs commands that Lethe spreads over the nodes, which answer them one by one.
func (p *pair) severalSlots(t *testing.T) {
	d := p.dial(t, "2")
	d.empty(t)
	for _, args := range [][]string{
		{"MSET", "a", "1", "b", "2", "c", "3", "d", "4"}, {"MGET", "a", "b", "c", "d", "none"}, {"EXISTS", "a", "b", "c", "none"},
		{"TOUCH", "a", "d"}, {"DBSIZE"}, {"DEL", "a", "b", "none"}, {"UNLINK", "c", "d"}, {"DBSIZE"},
	} {
		if problem := differ(call{args: args}, "2", d.redis.Do(args...), d.lethe.Do(args...)); problem != "" {
			t.Errorf("%q\n    %s", args, problem)
		}
	}
}

// Sentinels that ask for a token of their own tell where the primary is, and where the next one is when it dies.
func TestBehindSentinels(t *testing.T) {
	t.Parallel()
	const token = "of-the-sentinels"
	w := testkit.StartWatched(t, testkit.WatchedOptions{SentinelToken: token})
	file := tokenFile(t, token)
	p := frontPair(t, []string{"--backend", "upstream", "--upstream-mode", "sentinel", "--upstream-master", "lethe",
		"--upstream-addresses", strings.Join(w.Addresses(), ","), "--upstream-sentinel-token-file", file,
		"--upstream-tls", "off", "--upstream-plaintext", "on"})
	t.Run("scripts", func(t *testing.T) { p.sealedScripts(t, "", "string") })
	t.Run("the primary is killed under load", func(t *testing.T) {
		l := startTraffic(t, p.lethe)
		w.Primary.Kill()
		w.AwaitFailOver(t)
		l.end()
	})
}

// Writes that a fail-over has lost are lost: what they had replaced, however short before, is a miss, and not served again.
func TestWhatAFailOverLosesIsAMiss(t *testing.T) {
	t.Parallel()
	w := testkit.StartWatched(t, testkit.WatchedOptions{})
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: []string{"--backend", "upstream", "--upstream-mode", "sentinel",
		"--upstream-master", "lethe", "--upstream-addresses", strings.Join(w.Addresses(), ","), "--upstream-tls", "off", "--upstream-plaintext", "on"}})
	c := lethe.Dial(t, reader)
	write := func(value string) {
		t.Helper()
		if got := c.Do("SET", patient, value); string(got.Raw) != "+OK\r\n" {
			t.Fatalf("SET: %s", show(got.Raw))
		}
		if got := c.Do("HSET", patient+":h", "f", value); got.IsError() {
			t.Fatalf("HSET: %s", show(got.Raw))
		}
	}
	write("kept")
	testkit.Await(t, failOverTime, "a replica that has it", func() bool { return strings.Contains(w.Replica.Do("INFO", "keyspace"), "keys=3,") })
	w.Replica.Do("REPLICAOF", "127.0.0.1", "1")
	for i := range 20 {
		write(fmt.Sprint("lost ", i))
	}
	w.Primary.Kill()
	w.AwaitFailOver(t)
	for _, read := range [][]string{{"GET", patient}, {"HGET", patient + ":h", "f"}} {
		testkit.Await(t, failOverTime, "a miss, and no error", func() bool { return string(c.Do(read...).Raw) == "$-1\r\n" })
	}
	write("new")
	if got := c.Do("GET", patient); string(got.Str) != "new" {
		t.Errorf("afterwards: %s", show(got.Raw))
	}
}

// A redis-server that takes TLS 1.3 and tokens only serves like any other.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	s := startSecured(t, "TLSv1.3")
	p := frontPair(t, s.flags())
	p.sealedScripts(t, "", "string", "hash")
}
