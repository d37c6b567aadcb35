package testkit

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// User is a user that a lethe is started with.
type User struct {
	Name    string
	Tenants []string
	Rules   string // "": the default rules
}

// LetheOptions say how a lethe is started. The zero value is a server as it is without any configuration.
type LetheOptions struct {
	Users   []User            // none: one user, "app" of TENANT001
	Policy  string            // file; "": the built-in policy
	Config  string            // text of a settings file; "": none
	Flags   []string          // more flags of `lethe serve`
	DataDir string            // "": a new directory that ends with the test
	Plain   bool              // as it ships, without the race detector
	Tokens  map[string]string // of users that DataDir has already
	Prefix  []string          // a command line that runs lethe, such as prlimit with its limits
	Binary  string            // "": that of Main
	Env     []string          // more of the server's environment
}

// Lethe is a running server.
type Lethe struct {
	Addr    string // HOST:PORT for clients
	Admin   string // HOST:PORT for administrators, by HTTPS
	DataDir string
	CA      *x509.CertPool
	Tokens  map[string]string // by user

	binary  string
	process *process
}

// StartLethe starts a server on a free port and returns when it takes connections. It ends with the test, and fails it if
// it panicked or raced.
func StartLethe(t testing.TB, o LetheOptions) *Lethe {
	t.Helper()
	l := PrepareLethe(t, o)
	l.launch(t, o)
	return l
}

// PrepareLethe makes a data directory with its users without starting the server.
func PrepareLethe(t testing.TB, o LetheOptions) *Lethe {
	t.Helper()
	l := &Lethe{DataDir: o.DataDir, Tokens: map[string]string{}, binary: o.Binary}
	if l.binary == "" {
		l.binary = binary(t, o.Plain)
	}
	if l.DataDir == "" {
		l.DataDir = t.TempDir()
	}
	if o.Tokens != nil {
		l.Tokens = o.Tokens
		return l
	}
	users := o.Users
	if len(users) == 0 {
		users = []User{{Name: "app", Tenants: []string{"TENANT001"}}}
	}
	for _, u := range users {
		l.AddUser(t, u)
	}
	return l
}

func binary(t testing.TB, plain bool) string {
	t.Helper()
	variable := BinaryVariable
	if plain {
		variable = PlainVariable
	}
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("no lethe was built: call testkit.Main from TestMain, or name a binary in %s", variable)
	}
	return path
}

func (l *Lethe) launch(t testing.TB, o LetheOptions) {
	t.Helper()
	args := append(o.Prefix, l.binary, "serve", "--data-dir", l.DataDir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	if o.Policy != "" {
		args = append(args, "--policy", o.Policy)
	}
	if o.Config != "" {
		file := filepath.Join(t.TempDir(), "lethe.yaml")
		if err := os.WriteFile(file, []byte(o.Config), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", file)
	}
	args = append(args, o.Flags...)
	cmd := exec.Command(args[0], args[1:]...)
	if len(o.Env) > 0 {
		cmd.Env = append(os.Environ(), o.Env...)
	}
	p := startProcess(t, "lethe", cmd, func(line string) bool { return strings.HasPrefix(line, "ready") })
	l.process = p
	t.Cleanup(func() {
		p.stop(t)
		if c := complaint(p.stderr.String()); c != "" {
			t.Errorf("lethe failed inside:\n%s", c)
		}
	})
	line := p.awaitReady(t)
	clients, administrators, _ := strings.Cut(line, "https:")
	l.Addr, l.Admin = address(t, clients), address(t, administrators)
	l.CA = authority(t, filepath.Join(l.DataDir, "ca.pem"))
}

// address finds HOST:PORT in the line that tells that connections are taken, and where.
func address(t testing.TB, line string) string {
	t.Helper()
	for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" ,;()\t/", r) }) {
		if host, port, err := net.SplitHostPort(word); err == nil && host != "" && port != "" {
			return word
		}
	}
	t.Fatalf("the line %q names no address", line)
	return ""
}

func authority(t testing.TB, file string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s", filepath.Base(file))
	}
	return pool
}

// AddUser adds a user by the command line and notes its token. It works before the start and while the server runs.
func (l *Lethe) AddUser(t testing.TB, u User) {
	t.Helper()
	args := []string{"user", "add", u.Name, "--tenants", strings.Join(u.Tenants, ",")}
	if u.Rules != "" {
		args = append(args, "--rules", u.Rules)
	}
	out, stderr, code := l.CLI(t, "", args...)
	if code != 0 {
		t.Fatalf("cannot add the user %s: %s", u.Name, stderr)
	}
	l.Tokens[u.Name] = strings.TrimSpace(out)
}

// CLI runs a command of the same binary on the same data directory and returns what it printed and its exit code.
func (l *Lethe) CLI(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(l.binary, append(args, "--data-dir", l.DataDir)...)
	var out, errs buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("cannot run lethe: %v", err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Program is a command line of the same binary that needs no data directory, for the test to run.
func (l *Lethe) Program(args ...string) *exec.Cmd { return exec.Command(l.binary, args...) }

// PID is the number of the server's process.
func (l *Lethe) PID() int { return l.process.cmd.Process.Pid }

// Log is what the server has written to its standard error.
func (l *Lethe) Log() string { return l.process.stderr.String() }

// Stop ends the server by SIGTERM and waits until it has.
func (l *Lethe) Stop(t testing.TB) { t.Helper(); l.process.stop(t) }

// Kill ends the server by SIGKILL and waits until it has.
func (l *Lethe) Kill(t testing.TB) { t.Helper(); l.process.kill(t) }

// AwaitKilled waits until the server has been ended by SIGKILL, which it gave itself.
func (l *Lethe) AwaitKilled(t testing.TB, within time.Duration) {
	t.Helper()
	l.process.awaitKilled(t, within)
}

// Restart starts a server on the data directory of one that has ended, with the same users.
func (l *Lethe) Restart(t testing.TB, o LetheOptions) *Lethe {
	t.Helper()
	o.DataDir, o.Tokens = l.DataDir, l.Tokens
	return StartLethe(t, o)
}

// TLS is how a client connects: it trusts the data directory's authority.
func (l *Lethe) TLS() *tls.Config { return &tls.Config{RootCAs: l.CA, ServerName: "localhost"} }

// Connect opens a connection that has shown no credential but the certificates given.
func (l *Lethe) Connect(t testing.TB, shown ...tls.Certificate) *Client {
	t.Helper()
	config := l.TLS()
	config.Certificates = shown
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: startTimeout}, Config: config}
	conn, err := dialer.Dial("tcp", l.Addr)
	if err != nil {
		t.Fatalf("cannot connect to lethe: %v", err)
	}
	return newClient(t, conn)
}

// Over logs a user in over a connection that the test has made to the server.
func (l *Lethe) Over(t testing.TB, conn net.Conn, user string) *Client {
	t.Helper()
	c := newClient(t, tls.Client(conn, l.TLS()))
	if r := c.Do("AUTH", user, l.Tokens[user]); r.IsError() {
		t.Fatalf("cannot log %s in: %s", user, r.Str)
	}
	return c
}

// Get asks for a page of the administrators' listener and returns its status and text.
func (l *Lethe) Get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: l.TLS(), DisableKeepAlives: true}, Timeout: replyTimeout}
	r, err := client.Get("https://" + l.Admin + path)
	if err != nil {
		t.Fatalf("cannot get %s: %v", path, err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("cannot read %s: %v", path, err)
	}
	return r.StatusCode, string(text)
}

// Metric is the value of a series of /metrics, named with its labels as it stands there; -1 where there is none.
func (l *Lethe) Metric(t testing.TB, series string) float64 {
	t.Helper()
	_, page := l.Get(t, "/metrics")
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatalf("%s has no number", series)
			}
			return v
		}
	}
	return -1
}

// Dial opens a connection of a user, in RESP2.
func (l *Lethe) Dial(t testing.TB, user string) *Client {
	t.Helper()
	c := l.Connect(t)
	if r := c.Do("AUTH", user, l.Tokens[user]); r.IsError() {
		t.Fatalf("cannot log %s in: %s", user, r.Str)
	}
	return c
}

// Await runs check until it is true; the test fails when it is not within the time. what completes "waited for".
func Await(t testing.TB, within time.Duration, what string, check func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %v for %s", within, what)
		}
	}
}
