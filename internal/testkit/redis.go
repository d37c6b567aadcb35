package testkit

import (
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Redis is a real redis-server, the reference. It keeps nothing on disk.
type Redis struct {
	Socket string      // path of its unix socket
	Addr   string      // HOST:PORT of its TLS port; "" without TLS
	TLS    *tls.Config // how a client connects to Addr

	Authority *Authority // of its certificate; nil without TLS

	process *process
}

// RedisOptions say how a redis-server is started.
type RedisOptions struct {
	// Reference says that replies are compared with this one's: it is the program that the environment variable LETHE_REFERENCE names,
	// where it is set, so that the redis-server of the PATH, which stands behind gateways, can be another one.
	Reference bool
	TLS       bool     // serve TLS 1.3 on a free port of 127.0.0.1 beside the unix socket
	Flags     []string // more of redis-server's flags: "--io-threads", "2"
}

// StartRedis starts a redis-server and returns when it takes connections. Where there is no redis-server the test fails:
// a comparison that did not happen must not look like one that passed.
func StartRedis(t testing.TB, o RedisOptions) *Redis {
	t.Helper()
	program := "redis-server"
	if other := os.Getenv("LETHE_REFERENCE"); o.Reference && other != "" {
		program = other
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal("there is no redis-server to compare with; `make test` installs it, or: apt-get install redis-server")
	}
	// Not t.TempDir: names of tests make paths longer than the 108 bytes that a unix socket may have.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &Redis{Socket: filepath.Join(dir, "s")}
	args := []string{"--port", "0", "--unixsocket", r.Socket, "--dir", dir, "--save", "", "--appendonly", "no", "--daemonize", "no",
		"--enable-debug-command", "yes"}
	if o.TLS {
		args = append(args, r.prepareTLS(t, dir)...)
	}
	r.process = startProcess(t, "redis-server", exec.Command(path, append(args, o.Flags...)...), func(line string) bool {
		return strings.Contains(line, "eady to accept connections unix") || strings.Contains(line, "ready to accept connections at "+r.Socket)
	})
	r.process.awaitReady(t)
	return r
}

// prepareTLS makes a certificate and returns the flags that serve it.
func (r *Redis) prepareTLS(t testing.TB, dir string) []string {
	t.Helper()
	a := NewAuthority(t)
	r.Authority = a
	cert, key := a.Issue(t, "localhost").Files(t, dir)
	port := strconv.Itoa(freePort(t))
	r.Addr = net.JoinHostPort("127.0.0.1", port)
	r.TLS = &tls.Config{RootCAs: a.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS13}
	return []string{"--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no",
		"--tls-protocols", "TLSv1.3", "--bind", "127.0.0.1"}
}

// PID is the number of the server's process.
func (r *Redis) PID() int { return r.process.cmd.Process.Pid }

// Dial opens a connection to the unix socket.
func (r *Redis) Dial(t testing.TB) *Client {
	t.Helper()
	conn, err := net.DialTimeout("unix", r.Socket, startTimeout)
	if err != nil {
		t.Fatalf("cannot connect to redis-server: %v", err)
	}
	return newClient(t, conn)
}

// DialTLS opens a connection to the TLS port.
func (r *Redis) DialTLS(t testing.TB) *Client {
	t.Helper()
	conn, err := tls.Dial("tcp", r.Addr, r.TLS)
	if err != nil {
		t.Fatalf("cannot connect to redis-server: %v", err)
	}
	return newClient(t, conn)
}
