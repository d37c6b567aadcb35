package gateway_test

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/secret"
)

// clock is a clock that stands until a test moves it.
type clock struct {
	now, wall int64 // milliseconds
	early     bool  // the wall clock is read before it comes to its next millisecond, the other one behind it
}

func (c *clock) Now() int64    { return c.now }
func (c *clock) Ahead() int64  { return c.wall }
func (c *clock) Micros() int64 { return c.Wall() * 1000 }
func (c *clock) Wall() int64 {
	if c.early {
		return c.now + c.wall - 1
	}
	return c.now + c.wall
}

// alone is a server with no other connection.
type alone struct{}

func (alone) Sessions(func(*gateway.Session) bool) {}
func (alone) Connections() int                     { return 0 }

// harness is a gateway without sockets: a real store, a real users file, a real audit log, and a clock of its own.
type harness struct {
	t       testing.TB
	clock   *clock
	start   int64
	gateway *gateway.Gateway
	worker  *gateway.Worker
	session *gateway.Session
	audit   *audit.Log
	opener  audit.Opener
	dir     string
}

func newHarness(t testing.TB) *harness { return newHarnessWith(t, policy.DefaultYAML()) }

// newHarnessWith makes a harness with a policy. Its user app has tenant TENANT001 and may run everything.
func newHarnessWith(t testing.TB, policyText string) *harness {
	t.Helper()
	return newHarnessSized(t, policyText, 1<<20)
}

// newHarnessSized makes a harness whose audit log has segments of a size of its own.
func newHarnessSized(t testing.TB, policyText string, segmentBytes int64) *harness {
	t.Helper()
	p, mistakes := policy.Parse([]byte(policyText))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	h := &harness{t: t, clock: &clock{now: 5_000_000, wall: 1_700_000_000_000}, dir: t.TempDir()}
	h.start = h.clock.now
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h.audit, err = audit.Open(filepath.Join(h.dir, "audit"), audit.Options{
		Durability: audit.Process, Signer: signer, OpeningKey: opening.PublicKey(), SegmentBytes: segmentBytes})
	if err != nil {
		t.Fatal(err)
	}
	if h.opener, err = audit.NewOpener(opening); err != nil {
		t.Fatal(err)
	}
	table := command.NewTable()
	directory, err := identity.OpenDirectory(filepath.Join(h.dir, identity.FileName), table)
	if err != nil {
		t.Fatal(err)
	}
	store := engine.New(engine.Options{Categories: policy.MostCategories, TenantQuota: 64 << 20})
	h.gateway = gateway.New(gateway.Parts{Table: table, Store: store, Policy: p, Directory: directory, Audit: h.audit,
		Log: slog.New(slog.DiscardHandler), Clock: h.clock, Categories: policy.MostCategories, Facts: gateway.Facts{Version: "9.9.9", MaxConnections: 100}})
	h.gateway.Server = alone{}
	t.Cleanup(func() {
		h.audit.Close()
		store.Close()
	})
	h.worker = h.gateway.NewWorker()
	h.session = h.login("app", "TENANT001", "+@all ~* &*")
	return h
}

// login adds a user and returns a session of it.
func (h *harness) login(name, tenants, rules string) *gateway.Session {
	h.t.Helper()
	var token secret.Bytes
	err := h.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Add(identity.NewUser{Name: name, Tenants: strings.Split(tenants, ","), Rules: rules})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	s := h.gateway.NewSession("192.0.2.1:1", "192.0.2.2:6380")
	if got := h.as(s, "AUTH "+name+" "+string(token.Reveal())); got != "+OK\r\n" {
		h.t.Fatalf("login: %q", got)
	}
	return s
}

// words splits a call at spaces.
func words(call string) [][]byte {
	var args [][]byte
	for _, w := range strings.Fields(call) {
		args = append(args, []byte(w))
	}
	return args
}

// do runs a call as app and returns the reply as bytes.
func (h *harness) do(call string) string { return h.as(h.session, call) }

func (h *harness) as(s *gateway.Session, call string) string {
	h.t.Helper()
	h.worker.Begin()
	h.worker.Run(s, words(call))
	reply := string(h.worker.Out.Bytes())
	if err := h.worker.Commit(); err != nil {
		reply = "-" + gateway.AuditError + "\r\n" // as the server does
	}
	h.worker.Out.Reset()
	return reply
}

// ok runs a call that must not be answered with an error.
func (h *harness) ok(call string) {
	h.t.Helper()
	if reply := h.do(call); strings.HasPrefix(reply, "-") {
		h.t.Errorf("%s: %q", call, reply)
	}
}

// left returns PTTL of a key, and whether there is an entry.
func (h *harness) left(key string) (int64, bool) {
	h.t.Helper()
	n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimPrefix(h.do("PTTL "+key), ":")), 10, 64)
	if err != nil {
		h.t.Fatal(err)
	}
	if n < 0 {
		if n == -1 {
			h.t.Errorf("%s has no deadline", key)
		}
		return 0, false
	}
	return n, true
}

func (h *harness) spec(call string) *command.Spec {
	h.t.Helper()
	s, ok := h.gateway.Table.Lookup(words(call))
	if !ok {
		h.t.Fatalf("no command for %q", call)
	}
	return s
}

// events returns what the audit log has of a command, as "action outcome category detail".
func (h *harness) events(commandName string) (found []string) {
	h.t.Helper()
	names, err := audit.NewPseudonyms(h.opener)
	if err != nil {
		h.t.Fatal(err)
	}
	_, err = audit.Last(filepath.Join(h.dir, "audit"), h.opener, 1000, func(e *audit.Event) error {
		if v := e.View(names, false); commandName == "*" || v.Command == commandName {
			found = append(found, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", v.Action, v.Outcome, v.Category, v.Detail)))
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

// link is a connection without a socket: what is to run in its loop runs when the test lets it.
type link struct {
	closed func()
	todo   []func(*gateway.Worker)
	mu     sync.Mutex
}

func (l *link) Do(f func(*gateway.Worker)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.todo = append(l.todo, f)
}

func (l *link) Send(f func(*gateway.Worker)) { l.Do(f) }

func (l *link) Close() { l.closed() }

// reap does what is due now.
func (h *harness) reap() { h.gateway.NewReaper().Once() }

// receive runs what others have for a session and returns what it is sent.
func (h *harness) receive(l *link) string {
	h.t.Helper()
	l.mu.Lock()
	todo := l.todo
	l.todo = nil
	l.mu.Unlock()
	h.worker.Begin()
	for _, f := range todo {
		f(h.worker)
	}
	got := string(h.worker.Out.Bytes())
	if err := h.worker.Commit(); err != nil {
		h.t.Fatal(err)
	}
	h.worker.Out.Reset()
	return got
}
