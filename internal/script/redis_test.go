package script_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// server is a redis-server of the test's own, on a unix socket.
type server struct{ socket string }

func startRedis(t testing.TB) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{socket: filepath.Join(dir, "redis.sock")}
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket, "--save", "", "--dir", dir, "--logfile", filepath.Join(dir, "log"))
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start redis-server: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		if c, err := net.Dial("unix", s.socket); err == nil {
			_ = c.Close()
			return s
		}
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not listen")
		}
	}
}

// client is a connection to a server, and the Commands of a run at the same time.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (s *server) connect(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t, conn, bufio.NewReader(conn)}
}

// do sends a command and returns its reply as it came.
func (c *client) do(args ...string) []byte {
	list := make([][]byte, len(args))
	for i, a := range args {
		list[i] = []byte(a)
	}
	return c.Call(list)
}

func (c *client) Call(args [][]byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := c.conn.Write(b.Bytes()); err != nil {
		c.t.Fatal(err)
	}
	var reply bytes.Buffer
	c.read(&reply)
	return reply.Bytes()
}

func (c *client) SetRESP3(on bool) {
	version := "2"
	if on {
		version = "3"
	}
	c.do("HELLO", version)
}

func (c *client) MayRun(args [][]byte) (allowed, known bool) {
	return true, string(args[0]) != "nosuchcommand"
}

func (c *client) read(to *bytes.Buffer) {
	line, err := c.r.ReadBytes('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	to.Write(line)
	n, _ := strconv.Atoi(string(bytes.TrimSpace(line[1:])))
	switch line[0] {
	case '$', '=':
		if n >= 0 {
			if _, err := io.CopyN(to, c.r, int64(n+2)); err != nil {
				c.t.Fatal(err)
			}
		}
	case '%', '|':
		n *= 2
		fallthrough
	case '*', '~', '>':
		for range n {
			c.read(to)
		}
	}
}

// eval runs a script with commands of the client.
func (c *client) eval(e *script.Engine, resp3 bool, body string, keys, args []string) []byte {
	w := resp.NewWriter(0)
	w.SetRESP3(resp3)
	s, err := e.Compile([]byte(body))
	if err != nil {
		w.Error(err.Error())
		return w.Bytes()
	}
	e.NewRun(c).Eval(s, slices(keys), slices(args), w)
	return w.Bytes()
}

func slices(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}
