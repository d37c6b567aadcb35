package clients

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// steps are what every client works through, in this order. A program prints "ok <step>" after each.
func steps() []string {
	return []string{
		"connect",      // TLS 1.3, user and token; the client's own handshake
		"strings",      // an hour is asked for PHI and 300 s are granted; a miss; MGET; INCR
		"hashes",       // fields, all of them, a counter
		"sets",         // members, intersection
		"sorted sets",  // scores, ranges by rank and by score
		"pipeline",     // 100 commands, one round trip
		"transaction",  // MULTI and EXEC; WATCH of a key that another connection changes
		"scripts",      // EVAL, and EVALSHA of what SCRIPT LOAD took
		"pub/sub",      // a message on a channel of the own tenant
		"blocking pop", // an element that another connection pushes; nothing in time
		"errors",       // another tenant's key, a wrong token: the client's own error with Lethe's text
		"reconnect",    // the connection is killed by an operator, and the client makes a new one by itself
	}
}

// The users of each server. An operator may end connections of its tenants, which an application may not.
const (
	app      = "app"
	operator = "operator"
)

// start starts a server for one client.
func start(t *testing.T) *testkit.Lethe {
	t.Helper()
	usual := identity.DefaultRules(command.NewTable())
	return testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{
		{Name: app, Tenants: []string{"TENANT001"}, Rules: usual + " +@scripting"}, // scripts are off for new users
		{Name: operator, Tenants: []string{"TENANT001"}, Rules: usual + " +client|kill +client|list"},
	}})
}

// surroundings is what a program of another language is told, in its environment.
func surroundings(l *testkit.Lethe, protocol int) []string {
	host, port, _ := strings.Cut(l.Addr, ":")
	return append(os.Environ(),
		"LETHE_HOST="+host, "LETHE_PORT="+port, "LETHE_CA="+l.DataDir+"/ca.pem",
		"LETHE_USER="+app, "LETHE_TOKEN="+l.Tokens[app],
		"LETHE_OPERATOR="+operator, "LETHE_OPERATOR_TOKEN="+l.Tokens[operator],
		fmt.Sprint("LETHE_PROTOCOL=", protocol))
}

// timed is a context that ends before the test binary would be killed.
func timed(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// checks fails the test of one client at the first surprise.
type checks struct{ *testing.T }

// want compares what a step got.
func want[T comparable](c checks, step string, got, want T, err error) {
	c.Helper()
	if err != nil || got != want {
		c.Fatalf("%s: got %v (error %v), want %v", step, got, err, want)
	}
}

// ok fails on an error.
func (c checks) ok(step string, err error) {
	c.Helper()
	if err != nil {
		c.Fatalf("%s: %v", step, err)
	}
}

// phiTTL reports whether a time to live is what PHI gets that asked for an hour.
func phiTTL(ttl time.Duration) bool { return 290*time.Second < ttl && ttl <= 300*time.Second }

// refused checks that an error is Lethe's, by its code.
func (c checks) refused(step string, err error, code string) {
	c.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), code+" ") {
		c.Fatalf("%s: got error %v, want one that begins with %s", step, err, code)
	}
}
