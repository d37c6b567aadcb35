package gateway_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
)

func TestDroppedReplies(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	f := func(want string, words ...string) {
		t.Helper()
		if got := l.run(a, words...); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	f("", "CLIENT", "REPLY", "SKIP")
	f("", "PING")
	f("+PONG\r\n", "PING")
	f("", "CLIENT", "REPLY", "OFF")
	f("", "SET", "TENANTA:patient:1", "v")
	f("", "NOSUCH")
	f("", "CLIENT", "REPLY", "SKIP") // OFF stays OFF
	f("", "PING")
	f("", "PING")
	f("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", "SUBSCRIBE", "c") // a push is no reply
	f("*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n", "UNSUBSCRIBE", "c")
	f("+OK\r\n", "CLIENT", "REPLY", "ON")
	f("$1\r\nv\r\n", "GET", "TENANTA:patient:1")
	f("", "CLIENT", "REPLY", "OFF")
	f("+RESET\r\n", "RESET")
	f("-NOAUTH Authentication required.\r\n", "GET", "TENANTA:patient:1")
}

// Within MULTI each command is answered, or not, as it would be outside, and EXEC says how many there are: redis-server 7.0.15 answers so.
func TestDroppedRepliesOfTransactions(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	f := func(want string, commands ...string) {
		t.Helper()
		got := ""
		for _, c := range commands {
			got += l.run(a, strings.Fields(c)...)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", commands, got, want)
		}
	}
	f("+OK\r\n", "CLIENT REPLY OFF", "MULTI", "PING", "PING", "EXEC", "CLIENT REPLY ON")
	f("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+PONG\r\n", "MULTI", "PING", "CLIENT REPLY OFF", "EXEC", "PING")
	f("+OK\r\n", "CLIENT REPLY ON")
	f("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n", "MULTI", "CLIENT REPLY OFF", "PING", "CLIENT REPLY ON", "EXEC")
	f("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+PONG\r\n+PONG\r\n", "MULTI", "CLIENT REPLY SKIP", "PING", "EXEC", "PING", "PING")
}

// What a connection without replies does is recorded like anything else.
func TestDroppedRepliesAreRecorded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	l.run(a, "CLIENT", "REPLY", "OFF")
	l.run(a, "SET", "TENANTA:patient:1", "v")
	if got := l.events(func(e *audit.Event) bool { return e.Command == "SET" && e.Outcome == audit.Stored }); got != "SET TENANTA \n" {
		t.Errorf("records of the SET: %q", got)
	}
}

// G4: FLUSHALL erases what the caller's tenants have, and nobody else's; each tenant has a record of how much.
func TestFlushErasesOwnTenants(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b, both := l.connect("a"), l.connect("b"), l.connect("both")
	for _, key := range []string{"x", "y", "z"} {
		l.run(a, "SET", key, "v")
	}
	l.run(b, "SET", "x", "v")
	if got := l.run(a, "FLUSHALL"); got != "+OK\r\n" {
		t.Fatalf("FLUSHALL: %q", got)
	}
	if got := l.run(a, "DBSIZE") + l.run(b, "DBSIZE"); got != ":0\r\n:1\r\n" {
		t.Errorf("after a's FLUSHALL: %q", got)
	}
	l.run(a, "SET", "w", "v")
	l.run(both, "FLUSHDB", "ASYNC")
	if got := l.run(both, "DBSIZE"); got != ":0\r\n" {
		t.Errorf("after FLUSHDB: %q", got)
	}
	details := l.events(func(e *audit.Event) bool { return e.Action == audit.Delete && e.Outcome == audit.Deleted })
	if want := "FLUSHALL TENANTA entries=3\nFLUSHDB TENANTA entries=1\nFLUSHDB TENANTB entries=1\n"; details != want {
		t.Errorf("records:\n%swant:\n%s", details, want)
	}
}

// A HELLO with a wrong token is one failed attempt, whatever else it asks for, and has one record.
func TestFailedHelloIsOneAttempt(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	before := l.gateway.Stats.AuthFailures()
	nobody := l.gateway.NewSession("192.0.2.7:1", "192.0.2.2:6380")
	if got := l.run(nobody, "HELLO", "3", "AUTH", "a", "wrong", "SETNAME", "n"); got != "-WRONGPASS invalid username-password pair or user is disabled.\r\n" {
		t.Errorf("reply %q", got)
	}
	if n := l.gateway.Stats.AuthFailures() - before; n != 1 {
		t.Errorf("%d failed attempts", n)
	}
	if got := l.events(func(e *audit.Event) bool { return e.Outcome == audit.Denied }); got != "HELLO  user=a\n" {
		t.Errorf("records: %q", got)
	}
	if about := nobody.About(); about.Name != "" || about.RESP != 2 {
		t.Errorf("the refused HELLO left %+v", about)
	}
}
