package upstream_test

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
	"github.com/lethe-cache/lethe/internal/testkit"
)

// server is a redis-server that a test starts, stops, kills and starts again at the same place.
type server struct {
	t    testing.TB
	dir  string
	port int
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

func freePort(t testing.TB) int {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if port < 55000 { // a cluster's bus takes the port plus 10000
			return port
		}
	}
}

// startServer starts a redis-server on a port of loopback. What follows are its flags.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "upstream")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dir: dir, port: freePort(t), args: args}
	t.Cleanup(func() { s.kill(); os.RemoveAll(dir) })
	s.start()
	return s
}

func (s *server) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

func (s *server) start() {
	s.t.Helper()
	config := filepath.Join(s.dir, "redis.conf")
	if _, err := os.Stat(config); err != nil {
		if err := os.WriteFile(config, []byte("save \"\"\nappendonly no\nbind 127.0.0.1\nenable-debug-command yes\n"), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	args := append([]string{config, "--port", strconv.Itoa(s.port), "--dir", s.dir}, s.args...)
	s.cmd = exec.Command("redis-server", args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal("there is no redis-server; apt-get install redis-server")
	}
	ready := make(chan struct{})
	s.done = make(chan struct{})
	go func() {
		told := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if line := lines.Text(); !told && (strings.Contains(line, "eady to accept connections") || strings.Contains(line, "Sentinel ID")) {
				told = true
				close(ready)
			}
		}
		_ = s.cmd.Wait()
		close(s.done)
	}()
	select {
	case <-ready:
	case <-s.done:
		s.t.Fatal("redis-server ended at once")
	case <-time.After(30 * time.Second):
		s.t.Fatal("redis-server does not get ready")
	}
}

// kill ends the server as a crash does.
func (s *server) kill() {
	select {
	case <-s.done:
		return
	default:
	}
	_ = s.cmd.Process.Kill()
	<-s.done
}

func (s *server) signal(sig syscall.Signal) { _ = s.cmd.Process.Signal(sig) }

// do sends a command and returns the reply; an error's text begins with a minus.
func (s *server) do(args ...string) string {
	c, err := net.DialTimeout("tcp", s.addr(), time.Second)
	if err != nil {
		return "-" + err.Error()
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Write(testkit.Command(args...)); err != nil {
		return "-" + err.Error()
	}
	v, err := resp.NewReader(c, resp.DefaultReplyLimits()).Read()
	if err != nil {
		return "-" + err.Error()
	}
	return text(v)
}

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

// must is do that fails the test on an error.
func (s *server) must(args ...string) string {
	s.t.Helper()
	r := s.do(args...)
	if strings.HasPrefix(r, "-") {
		s.t.Fatalf("%s: %s", args[0], r)
	}
	return r
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
