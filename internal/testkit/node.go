package testkit

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Node is a redis-server on a port of loopback that a test starts, stops, kills and starts again at the same place: a part
// of a cluster, a replica, a sentinel, or an upstream that fails.
type Node struct {
	Port int
	Dir  string // its data, and redis.conf, which is written at the first start unless it is there

	t     testing.TB
	args  []string
	login []string // AUTH's arguments, for Do
	cmd   *exec.Cmd
	done  chan struct{}
}

// StartNode starts a redis-server; what follows are its flags. It ends with the test.
func StartNode(t testing.TB, args ...string) *Node {
	t.Helper()
	n := newNode(t, args...)
	n.Start()
	return n
}

func newNode(t testing.TB, args ...string) *Node {
	t.Helper()
	dir, err := os.MkdirTemp("", "node")
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{t: t, Dir: dir, Port: freePort(t), args: args, done: make(chan struct{})}
	close(n.done)
	t.Cleanup(func() { n.Kill(); os.RemoveAll(dir) })
	return n
}

// Addr is HOST:PORT.
func (n *Node) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.Port)) }

// Authenticate makes Do log in.
func (n *Node) Authenticate(user, token string) { n.login = []string{user, token} }

// Start starts the server anew where it has ended.
func (n *Node) Start() {
	n.t.Helper()
	config := filepath.Join(n.Dir, "redis.conf")
	if _, err := os.Stat(config); err != nil {
		const text = "save \"\"\nappendonly no\nbind 127.0.0.1\nenable-debug-command yes\n"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			n.t.Fatal(err)
		}
	}
	args := append([]string{config, "--port", strconv.Itoa(n.Port), "--dir", n.Dir}, n.args...)
	n.cmd = exec.Command("redis-server", args...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal("there is no redis-server; `make test` installs it, or: apt-get install redis-server")
	}
	ready := make(chan struct{})
	n.done = make(chan struct{})
	go func() {
		told := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if line := lines.Text(); !told && (strings.Contains(line, "eady to accept connections") || strings.Contains(line, "Sentinel ID")) {
				told = true
				close(ready)
			}
		}
		_ = n.cmd.Wait()
		close(n.done)
	}()
	select {
	case <-ready:
	case <-n.done:
		n.t.Fatal("redis-server ended at once")
	case <-time.After(startTimeout):
		n.t.Fatal("redis-server does not get ready")
	}
}

// Kill ends the server as a crash does.
func (n *Node) Kill() {
	select {
	case <-n.done:
		return
	default:
	}
	_ = n.cmd.Process.Kill()
	<-n.done
}

// Signal sends a signal: SIGSTOP and SIGCONT.
func (n *Node) Signal(sig syscall.Signal) { _ = n.cmd.Process.Signal(sig) }

// Do sends a command on a connection of its own and returns the reply as text; an error's begins with a minus, and so does
// that of a node that cannot be reached.
func (n *Node) Do(args ...string) string {
	c, err := net.DialTimeout("tcp", n.Addr(), time.Second)
	if err != nil {
		return "-" + err.Error()
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	r := resp.NewReader(c, resp.DefaultReplyLimits())
	send := func(args ...string) string {
		if _, err := c.Write(Command(args...)); err != nil {
			return "-" + err.Error()
		}
		v, err := r.Read()
		if err != nil {
			return "-" + err.Error()
		}
		return text(v)
	}
	if n.login != nil {
		if answer := send(append([]string{"AUTH"}, n.login...)...); answer != "OK" {
			return answer
		}
	}
	return send(args...)
}

// text is a reply's texts with spaces between them.
func text(v resp.Value) string {
	switch {
	case v.IsError():
		return "-" + string(v.Str)
	case len(v.Elems) > 0:
		var parts []string
		for _, e := range v.Elems {
			parts = append(parts, text(e))
		}
		return strings.Join(parts, " ")
	case v.Type == ':':
		return fmt.Sprint(v.Int)
	}
	return string(v.Str)
}

// Dial opens a connection.
func (n *Node) Dial(t testing.TB) *Client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", n.Addr(), startTimeout)
	if err != nil {
		t.Fatalf("cannot connect to redis-server: %v", err)
	}
	return newClient(t, conn)
}

// Must is Do that fails the test on an error.
func (n *Node) Must(args ...string) string {
	n.t.Helper()
	r := n.Do(args...)
	if strings.HasPrefix(r, "-") {
		n.t.Fatalf("%s: %s", args[0], r)
	}
	return r
}
