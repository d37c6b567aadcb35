package conformance

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A partition between gateways, each in a network namespace of its own: the one that is cut off serves nothing, whatever is
// revoked meanwhile is named as unconfirmed by it, and when the wire is back it serves nothing of that patient, though
// somebody has put the patient's entry back upstream.
func TestAGatewayBehindACutWire(t *testing.T) {
	t.Parallel()
	n := newNamespaces(t)
	authority := testkit.NewAuthority(t)
	dir := n.dir
	cert, key := authority.Issue(t, "localhost").Files(t, dir)
	socket := filepath.Join(dir, "s")
	redis := exec.Command("ip", "netns", "exec", n.name("u"), "redis-server", "--port", "0", "--tls-port", "6390", "--tls-cert-file", cert,
		"--tls-key-file", key, "--tls-auth-clients", "no", "--bind", "10.99.1.1", "10.99.2.1", "--protected-mode", "no", "--unixsocket", socket,
		"--save", "", "--appendonly", "no", "--dir", dir)
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { redis.Process.Kill(); redis.Wait() })
	behind := &testkit.Redis{Socket: socket}
	soon(t, "the upstream listens", func() bool { _, err := os.Stat(socket); return err == nil })
	options := func(side, address string) testkit.LetheOptions {
		return testkit.LetheOptions{Prefix: []string{"ip", "netns", "exec", n.name(side)}, Flags: []string{"--backend", "upstream",
			"--upstream-addresses", address + ":6390", "--upstream-ca", authority.File(t, dir), "--upstream-server-name", "localhost"}}
	}
	one := testkit.StartLethe(t, options("a", "10.99.1.1"))
	two := joining(t, one, options("b", "10.99.2.1"))
	a, b := one.Over(t, n.dial("a", one.Addr), reader), two.Over(t, n.dial("b", two.Addr), reader)
	expect(t, a, "+OK", "SET", patient, "v")
	expect(t, b, "$1\r\nv", "GET", patient)
	direct := behind.Dial(t)
	name := string(direct.Do("KEYS", "*").Elems[0].Str)
	sealed := string(direct.Do("GET", name).Str)

	n.run("-n", n.name("b"), "link", "set", "wire", "down")
	soon(t, "the gateway that is cut off serves nothing", func() bool { return b.Do("GET", patient).IsError() })
	r := decide(t, one, "revoke", "1")
	if len(r.Gateways) != 2 || (r.Gateways[0].ConfirmedAt == "") == (r.Gateways[1].ConfirmedAt == "") {
		t.Errorf("the receipt says %+v", r.Gateways)
	}
	direct.Do("SET", name, sealed, "PX", "200000")
	n.run("-n", n.name("b"), "link", "set", "wire", "up")
	soon(t, "it serves others' data again", func() bool {
		if got := b.Do("GET", patient); !got.IsError() {
			t.Fatalf("it serves before it has caught up: %s", show(got.Raw))
		}
		return string(b.Do("GET", "TENANT001:patient:2").Raw) == "$-1\r\n"
	})
	expect(t, b, "-CONSENT the consent for", "GET", patient)
	expect(t, a, "-CONSENT the consent for", "GET", patient)
}

// namespaces are three of a test's own: u for the upstream, a and b for gateways, each joined to u by a wire.
type namespaces struct {
	t      *testing.T
	prefix string
	dir    string
}

func newNamespaces(t *testing.T) *namespaces {
	t.Helper()
	dir, err := os.MkdirTemp("", "ns")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	n := &namespaces{t: t, dir: dir, prefix: "lethe" + strings.TrimPrefix(filepath.Base(dir), "ns")}
	for _, side := range []string{"u", "a", "b"} {
		if out, err := exec.Command("ip", "netns", "add", n.name(side)).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: this machine makes no network namespaces, so the partition between gateways is not tested here: %v %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", n.name(side)).Run() })
		n.run("-n", n.name(side), "link", "set", "lo", "up")
	}
	for side, network := range map[string]string{"a": "10.99.1.", "b": "10.99.2."} {
		n.run("-n", n.name(side), "link", "add", "wire", "type", "veth", "peer", "name", "to"+side, "netns", n.name("u"))
		n.run("-n", n.name("u"), "addr", "add", network+"1/24", "dev", "to"+side)
		n.run("-n", n.name("u"), "link", "set", "to"+side, "up")
		n.run("-n", n.name(side), "addr", "add", network+"2/24", "dev", "wire")
		n.run("-n", n.name(side), "link", "set", "wire", "up")
	}
	return n
}

func (n *namespaces) name(side string) string { return n.prefix + side }

// run runs ip with arguments.
func (n *namespaces) run(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %q: %v %s", args, err, out)
	}
}

// dial connects inside a namespace. Its thread is there for that long, and comes back: servers that it has started would end
// with it.
func (n *namespaces) dial(side, address string) net.Conn {
	n.t.Helper()
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		conn, err := func() (net.Conn, error) {
			here, err := os.Open("/proc/thread-self/ns/net")
			if err != nil {
				return nil, err
			}
			defer here.Close()
			there, err := os.Open(filepath.Join("/run/netns", n.name(side)))
			if err != nil {
				return nil, err
			}
			defer there.Close()
			if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, err
			}
			conn, err := net.DialTimeout("tcp", address, 10*time.Second)
			return conn, errors.Join(err, unix.Setns(int(here.Fd()), unix.CLONE_NEWNET))
		}()
		if err == nil {
			runtime.UnlockOSThread() // otherwise the thread ends, which is better than one in the wrong place
		}
		done <- result{conn, err}
	}()
	r := <-done
	if r.err != nil {
		n.t.Fatalf("cannot connect inside a namespace: %v", r.err)
	}
	return r.conn
}
