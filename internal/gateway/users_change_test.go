package gateway_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// aside runs a command that waits to its end, as the server does, and returns its reply.
func (h *harness) aside(s *gateway.Session, words ...string) string {
	h.t.Helper()
	var args [][]byte
	for _, w := range words {
		args = append(args, []byte(w))
	}
	finish := func() string {
		reply := string(h.worker.Out.Bytes())
		if err := h.worker.Commit(); err != nil {
			h.t.Fatal(err)
		}
		h.worker.Out.Reset()
		return reply
	}
	h.worker.Begin()
	next := h.worker.Run(s, args)
	spec := h.worker.Spec()
	reply := finish()
	if next.Wait == nil {
		return reply
	}
	for _, a := range args {
		clear(a) // the read buffer has moved on
	}
	next.Wait()
	h.worker.Begin()
	h.worker.Finish(s, spec, next.Then)
	return finish()
}

func TestACLSetUser(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, both := l.connect("a"), l.connect("both")
	f := func(s *gateway.Session, want string, words ...string) {
		t.Helper()
		if got := flat(l.aside(s, words...)); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	f(a, "+OK", "ACL", "SETUSER", "new", "on", ">a-token-of-new-one", "~n:*", "+get", "+set", "&n:*", "(+del ~d:*)")
	f(a, "*3 $1 a $3 new $6 reader", "ACL", "USERS")
	f(a, "+OK", "ACL", "DRYRUN", "new", "GET", "n:1")
	s := l.gateway.NewSession("192.0.2.9:1", "")
	if got := l.aside(s, "AUTH", "new", "a-token-of-new-one"); got != "+OK\r\n" {
		t.Fatalf("the new user: %q", got)
	}
	f(s, "$-1", "GET", "n:1")
	f(s, "-NOPERM this user has no permissions to access one of the keys used as arguments", "GET", "x")
	f(a, "+OK", "ACL", "SETUSER", "new", "+hget", "resetkeys", "~x")
	f(s, "$-1", "GET", "x") // at once, in the connection that is open
	f(a, "-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL", "ACL", "SETUSER", "new", "+get", "+nosuch")
	f(a, "-ERR Error in ACL SETUSER modifier '...': Syntax error", "ACL", "SETUSER", "new", "hunter2")
	f(a, "-ERR Error in ACL SETUSER modifier '~...': Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
		"ACL", "SETUSER", "new", "allkeys", "~hunter2")
	f(a, "-ERR Error in ACL SETUSER modifier '<...': The password you are trying to remove from the user does not exist", "ACL", "SETUSER", "new", "<hunter2-hunter2-hunter2")
	f(a, "-ERR Unmatched parenthesis in acl selector", "ACL", "SETUSER", "new", "(+get")
	f(a, "-NOPERM the user is, or would be, beyond your own tenants or permissions", "ACL", "SETUSER", "new", "tenants=TENANTB")
	f(a, "-NOPERM the user is, or would be, beyond your own tenants or permissions", "ACL", "SETUSER", "b", "off")
	f(a, "-NOPERM the user is, or would be, beyond your own tenants or permissions", "ACL", "DELUSER", "new", "b")
	f(both, "+OK", "ACL", "SETUSER", "second", "tenants=TENANTB,TENANTA")
	f(a, "*3 $1 a $3 new $6 reader", "ACL", "USERS") // second reaches more than a
	f(a, "+OK", "ACL", "SAVE")
	f(a, "+OK", "ACL", "LOAD")
	f(a, ":1", "ACL", "DELUSER", "new", "nobody")
	f(s, "-NOAUTH Authentication required.", "GET", "x")
	for _, e := range l.harness.events("*") {
		if strings.Contains(e, "hunter2") || strings.Contains(e, "a-token") {
			t.Errorf("the audit shows a token: %s", e)
		}
	}
}

// Users cannot be changed where the connection cannot wait.
func TestACLSetUserInTransaction(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	l.run(a, "MULTI")
	l.run(a, "ACL", "SETUSER", "new", "on")
	if got := flat(l.run(a, "EXEC")); !strings.Contains(got, "-ERR users cannot be changed inside a transaction or a script") {
		t.Errorf("%q", got)
	}
}
