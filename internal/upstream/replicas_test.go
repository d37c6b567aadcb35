package upstream_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// replicaGateway is a gateway that may read reference data from replicas.
func replicaGateway(t *testing.T, o upstream.Options) *gateway {
	t.Helper()
	o.ReplicaReads = true
	g := newGateway(t, o, "reference").alone()
	g.place.Replica = true
	g.runQueue(t)
	return g
}

// follower starts a replica of a node and waits until it follows.
func follower(t *testing.T, primary *testkit.Node) *testkit.Node {
	t.Helper()
	replica := testkit.StartNode(t, "--replicaof", "127.0.0.1 "+fmt.Sprint(primary.Port), "--replica-read-only", "no")
	eventually(t, "a replica follows", func() bool {
		return strings.Contains(replica.Do("INFO", "replication"), "master_link_status:up")
	})
	return replica
}

// askedFor reports whether a node was asked for a value since its statistics were reset.
func askedFor(n *testkit.Node) bool {
	stats := n.Must("INFO", "commandstats")
	return strings.Contains(stats, "cmdstat_get:") || strings.Contains(stats, "cmdstat_mget:")
}

// fromReplicas reads entries until one of the nodes was asked, and checks every answer.
func (g *gateway) fromReplicas(names []string, nodes ...*testkit.Node) {
	g.t.Helper()
	eventually(g.t, "a replica answers", func() bool {
		for _, name := range names {
			g.expect("$1\r\nv\r\n", "GET", name)
		}
		for _, n := range nodes {
			if askedFor(n) {
				return true
			}
		}
		return false
	})
}

// behindOne starts a primary, a replica, and a gateway in front of them that has the entry k and reads it from the replica.
func behindOne(t *testing.T) (g *gateway, primary, replica *testkit.Node) {
	t.Helper()
	primary = testkit.StartNode(t)
	replica = follower(t, primary)
	g = replicaGateway(t, loopback(primary.Addr()))
	g.expect(ok, "SET", "k", "v")
	g.fromReplicas([]string{"k"}, replica)
	return g, primary, replica
}

// Replicas answer what may be read from them; what they do not have, or have as it was, the primary answers.
func TestReplicaReads(t *testing.T) {
	t.Parallel()
	g, _, replica := behindOne(t)

	// The replica is behind: it has the value that was there before, and then none.
	name := replica.Must("KEYS", "l:*")
	old := replica.Must("GET", name)
	g.expect(ok, "SET", "k", "w")
	eventually(t, "the replica has the new value", func() bool { return replica.Must("GET", name) != old })
	replica.Must("SET", name, old)
	for range 5 {
		g.expect("$1\r\nw\r\n", "GET", "k")
	}
	replica.Must("DEL", name)
	g.expect("$1\r\nw\r\n", "GET", "k")
	g.expect(":1\r\n", "EXISTS", "k")
	g.expect("$-1\r\n", "GET", "nothing")
	if a := g.sink.takeAlarms(); a != "" {
		t.Errorf("a replica that is behind raises %q", a)
	}

	// In the round that writes an entry nobody asks a replica for it.
	set, get := g.call("SET", "k", "x"), g.call("GET", "k")
	g.x.Batch([]*upstream.Task{{Call: set, Keys: g.places(set), Session: 1}, {Call: get, Keys: g.places(get), Session: 1}})
	if got := string(get.Out.Bytes()); got != "$1\r\nx\r\n" {
		t.Errorf("GET behind SET in one round: %q", got)
	}

	// PHI is read from the primary, whatever there is.
	g.place.Replica = false
	replica.Must("CONFIG", "RESETSTAT")
	for range 20 {
		g.expect("$1\r\nx\r\n", "GET", "k")
	}
	if askedFor(replica) {
		t.Error("a replica was asked for what it may not answer")
	}
}

// A replica that is gone, or does not answer, costs at most a moment.
func TestReplicaReadsWithoutReplica(t *testing.T) {
	t.Parallel()
	g, _, replica := behindOne(t)
	replica.Signal(syscall.SIGSTOP)
	for range 5 {
		g.expect("$1\r\nv\r\n", "GET", "k")
	}
	replica.Signal(syscall.SIGCONT)
	replica.Must("CONFIG", "RESETSTAT")
	g.fromReplicas([]string{"k"}, replica) // it is asked again
	replica.Kill()
	for range 5 {
		g.expect("$1\r\nv\r\n", "GET", "k")
	}
}

// Replicas behind sentinels and in a cluster are found.
func TestReplicaReadsElsewhere(t *testing.T) {
	t.Parallel()
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		w := testkit.StartWatched(t, testkit.WatchedOptions{})
		g := replicaGateway(t, upstream.Options{Mode: upstream.Sentinel, Addresses: w.Addresses(), Master: "lethe", PlainText: true, Timeout: 5 * time.Second})
		g.expect(ok, "SET", "k", "v")
		g.fromReplicas([]string{"k"}, w.Replica)
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		all := testkit.StartCluster(t)
		o := upstream.Options{Mode: upstream.Cluster, PlainText: true, Timeout: 5 * time.Second}
		for _, n := range all[:3] {
			o.Addresses = append(o.Addresses, n.Addr())
		}
		g := replicaGateway(t, o)
		var names []string
		for i := range 20 {
			names = append(names, fmt.Sprint("key-", i))
			g.expect(ok, "SET", names[i], "v")
		}
		for _, replica := range all[3:] {
			g.fromReplicas(names, replica)
		}
	})
}

// Collections are read from replicas too: their parts from one that has the record that they belong to, else from the primary.
func TestReplicaReadsOfCollections(t *testing.T) {
	t.Parallel()
	g, primary, replica := behindOne(t)
	for call := range strings.SplitSeq("HSET h f v g w|RPUSH l a b c|SADD s a|ZADD z 1 a", "|") {
		if got := g.do(strings.Fields(call)...); strings.HasPrefix(got, "-") {
			t.Fatalf("%s: %q", call, got)
		}
	}
	const reads = "HGET h f>$1\r\nv\r\n|HMGET h g no>*2\r\n$1\r\nw\r\n$-1\r\n|HLEN h>:2\r\n|HVALS h>*2\r\n$1\r\nv\r\n$1\r\nw\r\n|SISMEMBER s a>:1\r\n|SISMEMBER s b>:0\r\n" +
		"|SMEMBERS s>*1\r\n$1\r\na\r\n|SCARD s>:1\r\n|LRANGE l 1 2>*2\r\n$1\r\nb\r\n$1\r\nc\r\n|LINDEX l 0>$1\r\na\r\n|LLEN l>:3\r\n|ZSCORE z a>$1\r\n1\r\n|ZRANGE z 0 -1>*1\r\n$1\r\na\r\n"
	check := func() {
		t.Helper()
		for read := range strings.SplitSeq(reads, "|") {
			call, want, _ := strings.Cut(read, ">")
			if got := g.do(strings.Fields(call)...); sorted(got) != sorted(want) {
				t.Errorf("%s: %q, want %q", call, got, want)
			}
		}
	}
	asked := func(n *testkit.Node) (all []string) {
		stats := n.Must("INFO", "commandstats")
		for _, name := range []string{"hmget", "hgetall", "smismember", "smembers", "lrange", "llen", "lindex"} {
			if strings.Contains(stats, "cmdstat_"+name+":") {
				all = append(all, name)
			}
		}
		return all
	}
	eventually(t, "the replica answers for collections", func() bool {
		replica.Must("CONFIG", "RESETSTAT")
		primary.Must("CONFIG", "RESETSTAT")
		check()
		return len(asked(replica)) == 7 && len(asked(primary)) == 0
	})

	// It has records as they were, and none.
	names := map[string]string{}
	for name := range strings.FieldsSeq(replica.Must("KEYS", "l:*")) {
		if !strings.HasSuffix(name, "~") {
			names[name] = replica.Must("GET", name)
		}
	}
	for call := range strings.SplitSeq("HSET h f x|RPUSH l d|SADD s b|ZADD z 2 b", "|") {
		g.do(strings.Fields(call)...)
	}
	for name, old := range names {
		if primary.Must("GET", name) == old {
			continue
		}
		eventually(t, "the replica has the new record", func() bool { return replica.Must("GET", name) != old })
		replica.Must("SET", name, old)
	}
	for _, behind := range []string{"as it was", "without anything"} {
		for call, want := range map[string]string{"HGET h f": "$1\r\nx\r\n", "LLEN l": ":4\r\n", "LRANGE l 3 3": "*1\r\n$1\r\nd\r\n", "SCARD s": ":2\r\n",
			"ZRANGE z 1 1": "*1\r\n$1\r\nb\r\n", "SMISMEMBER s a b": "*2\r\n:1\r\n:1\r\n"} {
			if got := g.do(strings.Fields(call)...); got != want {
				t.Errorf("%s, a replica %s: %q, want %q", call, behind, got, want)
			}
		}
		replica.Must("FLUSHALL")
	}
	g.expectAlarm("")
}
