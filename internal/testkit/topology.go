package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// StartCluster starts three primaries with a replica each and returns them, the primaries first, when all of them know
// the whole cluster. A node that dies is replaced after some seconds; one that a busy machine does not run for two is not.
func StartCluster(t testing.TB) []*Node {
	t.Helper()
	var all []*Node
	args := []string{"--cluster", "create"}
	for range 6 {
		n := StartNode(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "4000", "--cluster-replica-validity-factor", "0")
		all = append(all, n)
		args = append(args, n.Addr())
	}
	args = append(args, "--cluster-replicas", "1", "--cluster-yes")
	if out, err := exec.Command("redis-cli", args...).CombinedOutput(); err != nil {
		t.Fatalf("cannot make the cluster: %v\n%s", err, out)
	}
	for _, n := range all {
		Await(t, startTimeout, "a whole cluster", func() bool {
			return strings.Contains(n.Do("CLUSTER", "INFO"), "cluster_state:ok") && strings.Count(n.Do("CLUSTER", "NODES"), "slave") == 3
		})
	}
	return all
}

// Reshard moves slots from one primary of a cluster to another, with what is in them.
func Reshard(t testing.TB, from, to *Node, slots int) {
	t.Helper()
	out, err := exec.Command("redis-cli", "--cluster", "reshard", from.Addr(), "--cluster-from", from.Must("CLUSTER", "MYID"),
		"--cluster-to", to.Must("CLUSTER", "MYID"), "--cluster-slots", fmt.Sprint(slots), "--cluster-yes").CombinedOutput()
	if err != nil {
		t.Fatalf("cannot reshard: %v\n%s", err, out)
	}
}

// Watched is a primary with a replica and three sentinels, which know it as "lethe", and take it for dead after some seconds.
type Watched struct {
	Primary, Replica *Node
	Sentinels        []*Node
}

// WatchedOptions are what a Watched may have more.
type WatchedOptions struct {
	SentinelToken string // "": the sentinels ask for none
}

// StartWatched returns when the replica follows and the sentinels know each other.
func StartWatched(t testing.TB, o WatchedOptions) *Watched {
	t.Helper()
	w := &Watched{Primary: StartNode(t)}
	w.Replica = StartNode(t, "--replicaof", "127.0.0.1 "+fmt.Sprint(w.Primary.Port))
	Await(t, startTimeout, "a replica that follows", func() bool {
		return strings.Contains(w.Replica.Do("INFO", "replication"), "master_link_status:up")
	})
	for range 3 {
		w.Sentinels = append(w.Sentinels, startSentinel(t, w.Primary, o.SentinelToken))
	}
	for _, n := range w.Sentinels {
		Await(t, startTimeout, "sentinels that know each other", func() bool {
			return strings.Contains(n.Do("INFO", "sentinel"), "slaves=1,sentinels=3")
		})
	}
	return w
}

// Addresses are the sentinels'.
func (w *Watched) Addresses() (all []string) {
	for _, n := range w.Sentinels {
		all = append(all, n.Addr())
	}
	return all
}

// AwaitFailOver kills nobody: it waits until the replica is the primary.
func (w *Watched) AwaitFailOver(t testing.TB) {
	t.Helper()
	Await(t, startTimeout, "the replica to be the primary", func() bool { return strings.HasPrefix(w.Replica.Do("ROLE"), "master") })
}

func startSentinel(t testing.TB, primary *Node, token string) *Node {
	t.Helper()
	n := newNode(t, "--sentinel")
	config := fmt.Sprintf("bind 127.0.0.1\nsentinel monitor lethe 127.0.0.1 %d 2\nsentinel down-after-milliseconds lethe 4000\n"+
		"sentinel failover-timeout lethe 3000\n", primary.Port)
	if token != "" {
		// Sentinels ask for a token what they demand of others too, so that they can speak to each other.
		config += fmt.Sprintf("requirepass %s\nsentinel sentinel-pass %s\n", token, token)
		n.Authenticate("default", token)
	}
	if err := os.WriteFile(filepath.Join(n.Dir, "redis.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	n.Start()
	return n
}
