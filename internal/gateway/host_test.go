package gateway_test

import (
	"strings"
	"testing"
)

// users returns the user fields of CLIENT LIST, in order.
func (l *lab) clientUsers(reply string) string {
	var users []string
	for word := range strings.FieldsSeq(reply) {
		if user, ok := strings.CutPrefix(word, "user="); ok {
			users = append(users, user)
		}
	}
	return strings.Join(users, " ")
}

// G4: a caller sees the connections of those who reach no tenant beyond its own, and nobody else's.
func TestConnectionsOfOthersAreNotShown(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b, both := l.connect("a"), l.connect("b"), l.connect("both")
	l.connect("reader")
	l.sessions = append(l.sessions, l.gateway.NewSession("10.0.0.2:1", "10.0.0.9:6380")) // nobody's yet
	if got := l.clientUsers(l.run(a, "CLIENT", "LIST")); got != "a reader" {
		t.Errorf("a sees %s", got)
	}
	if got := l.clientUsers(l.run(b, "CLIENT", "LIST")); got != "b" {
		t.Errorf("b sees %s", got)
	}
	if got := l.clientUsers(l.run(both, "CLIENT", "LIST")); got != "a b both reader" {
		t.Errorf("both sees %s", got)
	}
	if got := l.info(a, "clients")["connected_clients"]; got != "2" {
		t.Errorf("a counts %s clients", got)
	}
}

func TestKillReachesOwnConnectionsOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b, reader := l.connect("a"), l.connect("b"), l.connect("reader")
	closed := ""
	b.Attach(&link{closed: func() { closed += "b" }})
	reader.Attach(&link{closed: func() { closed += "reader" }})
	if got := l.run(a, "CLIENT", "KILL", "LADDR", "192.0.2.2:6380"); got != ":1\r\n" || closed != "reader" {
		t.Errorf("reply %q, closed %s", got, closed)
	}
	if got := l.run(a, "CLIENT", "KILL", "USER", "b"); got != "-ERR No such user 'b'\r\n" {
		t.Errorf("KILL USER b: %q", got)
	}
}

// Whoever was told that a connection is closed sees it no more, before its own loop has closed it.
func TestAKilledConnectionIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, reader := l.connect("a"), l.connect("reader")
	reader.Attach(&link{closed: func() {}})
	f := func(want string, args ...string) {
		t.Helper()
		if got := l.run(a, args...); got != want {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
	}
	f(":1\r\n", "CLIENT", "KILL", "LADDR", "192.0.2.2:6380")
	f(":0\r\n", "CLIENT", "KILL", "LADDR", "192.0.2.2:6380")
	if got := l.clientUsers(l.run(a, "CLIENT", "LIST")); got != "a" {
		t.Errorf("a sees %s", got)
	}
}

func TestClientInfoTellsTheLastCommand(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	l.run(a, "HELLO", "3", "SETNAME", "worker")
	l.run(a, "CLIENT", "SETINFO", "lib-name", "go-redis")
	l.run(a, "CLIENT", "NO-TOUCH", "ON")
	l.run(a, "GET", "TENANTA:patient:1")
	if got := a.About(); got.Command != "get" || got.Name != "worker" || got.LibName != "go-redis" || got.RESP != 3 || !got.NoTouch {
		t.Errorf("described as %+v", got)
	}
	l.clock.now += 7_500
	if got := a.About(); got.IdleSeconds != 7 {
		t.Errorf("idle for %d s", got.IdleSeconds)
	}
	l.run(a, "RESET")
	if got := a.About(); got.User != "" || got.Name != "" || got.RESP != 2 || got.NoTouch || got.LibName != "go-redis" {
		t.Errorf("after RESET described as %+v", got)
	}
}
