package upstream_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

func clusterOptions(all []*testkit.Node) upstream.Options {
	o := upstream.Options{Mode: upstream.Cluster, PlainText: true, Timeout: 5 * time.Second}
	for _, s := range all {
		o.Addresses = append(o.Addresses, s.Addr())
	}
	return o
}

func TestCluster(t *testing.T) {
	t.Parallel()
	all := testkit.StartCluster(t)
	g := newGateway(t, clusterOptions(all[:2]), "phi").alone()
	reference := embedded(t, "phi")
	still(g.side, reference)
	// One hash tag keeps the whole walk in one slot, where every command is possible.
	tagged := &taggedSide{g.side}
	for _, line := range strings.Split(strings.ReplaceAll(strings.TrimSpace(script+streamScript), "\n", "|"), "|") {
		args := fields(line)
		if unordered()[args[0]] || args[0] == "DBSIZE" {
			continue
		}
		if want, got := reference.do(args...), tagged.do(args...); got != want && !strings.Contains(got, "{t}") {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
	g.clock.Wall = nil
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("key-%d", i))
		g.expect(ok, "SET", names[i], "v")
	}
	g.expect(":100\r\n", append([]string{"EXISTS"}, names...)...)
	if got := g.do("KEYS", "key-*"); !strings.HasPrefix(got, "*100\r\n") {
		t.Errorf("KEYS: %.20q", got)
	}
	g.expect(ok, "MSET", "key-1", "x", "key-2", "y", "key-3", "z")
	g.expect("*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n", "MGET", "key-1", "key-2", "key-3")
	for i := 4; ; i++ {
		if got := g.do("RENAME", "key-1", names[i]); got != ok {
			if !strings.HasPrefix(got, "-CROSSSLOT ") {
				t.Errorf("a move between slots: %q", got)
			}
			break
		}
		g.do("SET", "key-1", "x")
	}
	g.expect(":100\r\n", append([]string{"DEL"}, names...)...)
	g.expectAlarm("")

	t.Run("resharding under load", func(t *testing.T) { reshard(t, g, all) })
	t.Run("a primary is killed under load", func(t *testing.T) { failOver(t, g, all) })
}

// While no node of a cluster answers not every command waits for as long as one may: those of a loop wait for each other.
func TestAStoppedClusterCostsLittle(t *testing.T) {
	t.Parallel()
	all := testkit.StartCluster(t)
	o := clusterOptions(all[:2])
	o.Timeout = time.Second
	g := newGateway(t, o, "phi").alone()
	g.expect(ok, "SET", "k", "v")
	for _, n := range all {
		n.Signal(syscall.SIGSTOP)
	}
	began := time.Now()
	for range 20 {
		if got := g.do("GET", "k"); !strings.HasPrefix(got, "-UPSTREAM ") {
			t.Errorf("a stopped cluster: %q", got)
		}
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("20 commands on a stopped cluster took %v", took)
	}
	for _, n := range all {
		n.Signal(syscall.SIGCONT)
	}
	eventually(t, "service resumes", func() bool { return g.do("GET", "k") == "$1\r\nv\r\n" || g.do("SET", "k", "v") == ok })
}

// Who is asked first, and takes connections and says nothing, leaves time to ask others.
func TestASilentNodeHidesNoOthers(t *testing.T) {
	t.Parallel()
	all := testkit.StartCluster(t)
	o := clusterOptions(all[:1])
	o.Addresses = append([]string{silent(t), silent(t)}, o.Addresses...)
	newGateway(t, o, "phi").alone().expect(ok, "SET", "k", "v")

	w := testkit.StartWatched(t, testkit.WatchedOptions{})
	o = upstream.Options{Mode: upstream.Sentinel, Master: "lethe", Addresses: append([]string{silent(t)}, w.Addresses()...), PlainText: true, Timeout: 5 * time.Second}
	newGateway(t, o, "phi").alone().expect(ok, "SET", "k", "v")
}

// silent is the address of a process that is stopped.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// taggedSide puts all keys of the walk into one slot.
type taggedSide struct{ *side }

func (s *taggedSide) do(args ...string) string {
	c := s.call(args...)
	tagged := append([]string(nil), args...)
	for _, r := range c.Refs {
		tagged[r.Arg] = "{t}" + args[r.Arg]
	}
	return s.side.do(tagged...)
}

// load writes and reads what it wrote until stopped; it counts answers that are wrong.
type load struct {
	wrong, done, refused atomic.Int64
	stop                 chan struct{}
	wait                 sync.WaitGroup
}

func startLoad(t *testing.T, g *gateway) *load {
	l := &load{stop: make(chan struct{})}
	for worker := range 3 {
		own := &gateway{side: newSide(t, "phi"), sink: g.sink}
		own.x = g.backend.NewExecutor(5)
		l.wait.Go(func() {
			defer own.x.Close()
			known := map[string]string{}
			for i := 0; ; i++ {
				select {
				case <-l.stop:
					return
				default:
				}
				l.turn(own, known, fmt.Sprintf("load-%d-%d", worker, i%50), fmt.Sprint(i))
			}
		})
	}
	return l
}

func (l *load) turn(g *gateway, known map[string]string, key, value string) {
	if old, wrote := known[key]; wrote {
		got := g.do("HGET", key, "f")
		if strings.HasPrefix(got, "-") {
			l.refused.Add(1)
		} else if want := fmt.Sprintf("$%d\r\n%s\r\n", len(old), old); got != want && got != null {
			l.wrong.Add(1)
		}
	}
	if got := g.do("HSET", key, "f", value); strings.HasPrefix(got, ":") {
		known[key] = value
		l.done.Add(1)
	} else {
		delete(known, key) // it may or may not have happened
		l.refused.Add(1)
	}
}

func (l *load) end(t *testing.T, g *gateway, failOver bool) {
	t.Helper()
	before := l.done.Load()
	eventually(t, "the load goes on", func() bool { return l.done.Load() > before+100 })
	close(l.stop)
	l.wait.Wait()
	if l.wrong.Load() != 0 {
		t.Errorf("%d wrong answers, %d right ones", l.wrong.Load(), l.done.Load())
	}
	// A primary that dies takes writes with it that its replica did not have yet: what is older than what this gateway knows
	// of is taken for a replay, as it cannot be told from one.
	for _, a := range strings.Split(g.sink.takeAlarms(), ", ") {
		if a != "" && (!failOver || !strings.HasPrefix(a, "replayed ")) {
			t.Errorf("alarm: %s", a)
		}
	}
	t.Logf("%d writes, %d refused", l.done.Load(), l.refused.Load())
}

func reshard(t *testing.T, g *gateway, all []*testkit.Node) {
	l := startLoad(t, g)
	eventually(t, "the load runs", func() bool { return l.done.Load() > 100 })
	testkit.Reshard(t, all[0], all[1], 2000)
	l.end(t, g, false)
	if l.refused.Load() != 0 {
		t.Errorf("%d commands were refused while slots moved", l.refused.Load())
	}
}

func failOver(t *testing.T, g *gateway, all []*testkit.Node) {
	l := startLoad(t, g)
	eventually(t, "the load runs", func() bool { return l.done.Load() > 100 })
	all[1].Kill()
	eventually(t, "a replica takes over", func() bool {
		return strings.Contains(all[0].Do("CLUSTER", "INFO"), "cluster_state:ok") && strings.Contains(all[0].Do("CLUSTER", "NODES"), "fail")
	})
	l.end(t, g, true)
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	w := testkit.StartWatched(t, testkit.WatchedOptions{})
	o := upstream.Options{Mode: upstream.Sentinel, Master: "lethe", Addresses: w.Addresses(), PlainText: true, Timeout: 10 * time.Second}
	g := newGateway(t, o, "phi").alone()
	g.expect(ok, "SET", "k", "v")
	w.Primary.Kill()
	eventually(t, "the replica is the primary", func() bool {
		return strings.HasPrefix(g.do("SET", "k", "v2"), "+OK")
	})
	g.expect("$2\r\nv2\r\n", "GET", "k")
	if !strings.HasPrefix(w.Replica.Do("ROLE"), "master") {
		t.Error("somebody else answered")
	}
	g.expectAlarm("")
}

// Entries are followed at the node that has them; what moves is told of, and so is everything that a node had that is gone. That
// there is nothing is not followed: nobody tells of it when its slot moves.
func TestFollowedEntriesInACluster(t *testing.T) {
	t.Parallel()
	all := testkit.StartCluster(t)
	g, h := following(t, clusterOptions(all[:2]), "reference")
	var heard []string
	take := func() {
		changed, lost := h.take()
		heard = append(heard, strings.Fields(changed+" "+lost)...)
	}
	const names = 60
	followAll := func() {
		t.Helper()
		for i := range names {
			name := fmt.Sprint("k", i)
			eventually(t, name+" is followed", func() bool {
				g.do("SET", name, "v")
				_, how := g.follows(nothing, "GET", name)
				return how == upstream.Followed
			})
		}
		heard = nil
	}
	if _, how := g.follows(nothing, "GET", "nothing"); how != upstream.NotFollowed {
		t.Errorf("nothing: %v", how)
	}
	if how := g.awaits(false, "GET", "nothing"); how != upstream.Followed {
		t.Errorf("nothing, awaited: %v", how)
	}
	followAll()
	for i := range names {
		g.do("DEL", fmt.Sprint("k", i))
	}
	eventually(t, "all changes are told", func() bool { take(); return len(heard) >= names })
	followAll()
	testkit.Reshard(t, all[0], all[1], 2000)
	eventually(t, "what has moved is told of", func() bool { take(); return len(heard) > 0 })
	followAll()
	primary := slices.IndexFunc(all, func(n *testkit.Node) bool {
		if !strings.HasPrefix(n.Do("ROLE"), "slave") {
			return false
		}
		n.Must("CLUSTER", "FAILOVER") // its primary lives on as its replica
		return true
	})
	eventually(t, "what a node had is told of that is no primary any more", func() bool { take(); return len(heard) > 0 })
	eventually(t, "the replica is a primary", func() bool { return strings.HasPrefix(all[primary].Do("ROLE"), "master") })
	followAll()
	all[primary].Kill()
	eventually(t, "what the node had is told of", func() bool { take(); return len(heard) > 0 })
}

// A node that takes its time does not keep the others from being asked: what else a batch has for them is there before it answers.
func TestABatchAsksAllNodesAtOnce(t *testing.T) {
	t.Parallel()
	all := testkit.StartCluster(t)
	o := clusterOptions(all)
	o.Timeout = 10 * time.Minute // one node after the other would take longer than is waited for below
	g := newGateway(t, o, "phi").alone()
	entries := func(n *testkit.Node) string { return n.Must("DBSIZE") }
	holder := map[*testkit.Node]string{} // a key of each primary
	for i := 0; len(holder) < 2; i++ {
		key := fmt.Sprint("key", i)
		was := map[*testkit.Node]string{}
		for _, n := range all {
			was[n] = entries(n)
		}
		g.expect(ok, "SET", key, "v")
		for _, n := range all {
			if strings.Contains(n.Must("ROLE"), "master") && entries(n) != was[n] && holder[n] == "" {
				holder[n] = key
			}
		}
	}
	var nodes []*testkit.Node
	for n := range holder {
		nodes = append(nodes, n)
	}
	slow, other := nodes[0], nodes[1]
	records := func() (all string) {
		for name := range strings.FieldsSeq(other.Must("KEYS", "*")) {
			all += other.Must("GET", name)
		}
		return all
	}
	had := records()
	slow.Signal(syscall.SIGSTOP)
	defer slow.Signal(syscall.SIGCONT)
	var tasks []*upstream.Task
	for i, key := range []string{holder[slow], holder[other]} {
		c := g.call("SET", key, "w")
		tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c), Session: uint64(i)})
	}
	done := make(chan struct{})
	go func() { g.x.Batch(tasks); close(done) }()
	eventually(t, "the other node has its write", func() bool { return records() != had })
	slow.Signal(syscall.SIGCONT)
	<-done
	for _, one := range tasks {
		if got := string(one.Call.Out.Bytes()); got != ok {
			t.Errorf("%q", got)
		}
	}
}
