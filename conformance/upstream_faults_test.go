package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

const patient = "TENANT001:patient:1"

// soon calls f until it is true.
func soon(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// Two gateways in front of one upstream read, change and erase each other's entries; one with another cluster secret reads
// none of them.
func TestTwoGatewaysAreOne(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	flags := upstreamFlags(behind)
	one := testkit.StartLethe(t, testkit.LetheOptions{Flags: flags})
	a := one.Dial(t, reader)
	a.Do("SET", "TENANT001:patient:0", "before the other was there")
	two := joining(t, one, testkit.LetheOptions{Flags: flags})
	stranger := testkit.StartLethe(t, testkit.LetheOptions{Flags: flags})
	b, c := two.Dial(t, reader), stranger.Dial(t, reader)

	f := func(on *testkit.Client, want string, args ...string) {
		t.Helper()
		if got := answer(on, want, args...); string(got.Raw) != want {
			t.Errorf("%q: %s, want %q", args, show(got.Raw), want)
		}
	}
	f(b, "$26\r\nbefore the other was there\r\n", "GET", "TENANT001:patient:0")
	f(a, ":2\r\n", "HSET", patient, "name", "n", "born", "b")
	f(b, "$1\r\nb\r\n", "HGET", patient, "born")
	f(b, ":1\r\n", "HDEL", patient, "born")
	f(a, "*2\r\n$4\r\nname\r\n$1\r\nn\r\n", "HGETALL", patient)
	f(b, "+OK\r\n", "SET", "TENANT001:patient:2", "from b")
	f(a, "$6\r\nfrom b\r\n", "GET", "TENANT001:patient:2")
	f(c, "$-1\r\n", "GET", "TENANT001:patient:2")
	f(a, ":1\r\n", "DEL", "TENANT001:patient:2")
	f(b, "$-1\r\n", "GET", "TENANT001:patient:2")
}

// An upstream that does not answer is an error for those who need it, for as long as it does not answer and no longer.
func TestServiceResumes(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	behind := &testkit.Redis{Socket: filepath.Join(dir, "s")}
	server := mortal(t, behind)
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	c, load := lethe.Dial(t, reader), lethe.Dial(t, reader)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				load.Do("SET", patient, "load")
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	works := func() bool {
		return string(c.Do("SET", "TENANT001:patient:2", "v").Raw) == "+OK\r\n" && string(c.Do("GET", "TENANT001:patient:2").Raw) == "$1\r\nv\r\n"
	}
	fails := func() bool { return c.Do("GET", "TENANT001:patient:2").IsError() }

	soon(t, "the upstream serves", works)
	server.Signal(syscall.SIGSTOP)
	soon(t, "a stopped upstream is an error", fails)
	if got := c.Do("PING"); string(got.Raw) != "+PONG\r\n" {
		t.Errorf("PING meanwhile: %s", show(got.Raw))
	}
	server.Signal(syscall.SIGCONT)
	soon(t, "it serves again", works)

	server.Kill()
	soon(t, "a killed upstream is an error", fails)
	mortal(t, behind)
	soon(t, "its successor serves", works)
}

// mortal starts a redis-server that may end before the test does.
func mortal(t *testing.T, r *testkit.Redis) *os.Process {
	t.Helper()
	c := exec.Command("redis-server", "--port", "0", "--unixsocket", r.Socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(r.Socket))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c.Process
}

// What is upstream shows neither names nor values, is gone soon after its deadline, and PERSIST does not help it.
func TestUpstreamSeesAndKeepsNothing(t *testing.T) {
	t.Parallel()
	const mark = "canary-7f3a"
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	c, direct := lethe.Dial(t, reader), behind.Dial(t)
	c.Do("SET", patient+mark, mark, "PX", "3000")
	c.Do("HSET", "TENANT001:patient:2:"+mark, mark, mark)
	keys := direct.Do("KEYS", "*")
	if len(keys.Elems) < 2 {
		t.Fatalf("upstream are %d keys", len(keys.Elems))
	}
	for _, k := range keys.Elems {
		dump := direct.Do("DUMP", string(k.Str))
		if strings.Contains(string(k.Str)+string(dump.Str), mark) {
			t.Error("the upstream sees what it must not")
		}
		direct.Do("PERSIST", string(k.Str))
	}
	soon(t, "an entry whose deadline has passed is not served", func() bool { return string(c.Do("GET", patient+mark).Raw) == "$-1\r\n" })
	soon(t, "it is gone upstream", func() bool { return len(direct.Do("KEYS", "*").Elems) == len(keys.Elems)-1 })
}

// Categories that are not sealed count upstream, and take integers only.
func TestCountersOfUnsealedCategories(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	const text = "categories:\n  rate_limit: {ceiling: 1m, seal: off}\nkeys:\n  - {match: \"{tenant}:rate:**\", category: rate_limit}\nunmatched: phi\n"
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Policy: policy, Flags: upstreamFlags(behind)})
	c := lethe.Dial(t, reader)
	f := func(want string, args ...string) {
		t.Helper()
		if got := c.Do(args...); !strings.HasPrefix(string(got.Raw), want) {
			t.Errorf("%q: %s, want %q", args, show(got.Raw), want)
		}
	}
	f(":1\r\n", "INCR", "TENANT001:rate:1")
	f(":11\r\n", "INCRBY", "TENANT001:rate:1", "10")
	f("$2\r\n11\r\n", "GET", "TENANT001:rate:1")
	f("-SEALED ", "SET", "TENANT001:rate:1", "a name")
	f("-SEALED ", "INCR", patient)
	if n := c.Do("TTL", "TENANT001:rate:1").Int; n < 1 || n > 60 {
		t.Errorf("TTL is %d", n)
	}
}
