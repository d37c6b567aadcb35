package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
)

func flat(reply string) string {
	return strings.ReplaceAll(strings.TrimSuffix(reply, "\r\n"), "\r\n", " ")
}

// G4: users who reach a tenant that the caller does not reach are not shown, not even as names.
func TestUsersOfOthersAreNotShown(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, both := l.connect("a"), l.connect("both")
	f := func(want string, words ...string) {
		t.Helper()
		if got := flat(l.run(a, words...)); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	f("*2 $1 a $6 reader", "ACL", "USERS")
	f("$-1", "ACL", "GETUSER", "b")
	f("$-1", "ACL", "GETUSER", "both")
	f("-ERR User 'b' not found", "ACL", "DRYRUN", "b", "GET", "k")
	f("*14 $5 flags *2 $2 on $16 sanitize-payload $9 passwords *0 $8 commands $15 -@all +get +set $4 keys $6 %R~r:* $8 channels $0  "+
		"$9 selectors *1 *6 $8 commands $10 -@all +del $4 keys $4 ~d:* $8 channels $0  $7 tenants $7 TENANTA", "ACL", "GETUSER", "reader")
	if got := flat(l.run(both, "ACL", "USERS")); got != "*4 $1 a $1 b $4 both $6 reader" {
		t.Errorf("both sees %s", got)
	}
	for _, line := range strings.Split(l.run(both, "ACL", "LIST"), "\r\n") {
		if strings.Contains(line, "#") || strings.Contains(line, "lethe_") {
			t.Errorf("ACL LIST shows a token or its hash: %s", line)
		}
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	both := l.connect("both")
	f := func(want string, words ...string) {
		t.Helper()
		if got := flat(l.run(both, append([]string{"ACL", "DRYRUN"}, words...)...)); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
	bulk := func(s string) string { return fmt.Sprintf("$%d %s", len(s), s) }
	f("+OK", "reader", "GET", "r:1")
	f("+OK", "reader", "DEL", "d:1")
	f(bulk("This user has no permissions to access the 'x:1' key"), "reader", "GET", "x:1")
	f(bulk("This user has no permissions to run the 'incr' command"), "reader", "INCR", "r:1")
	f("+OK", "reader", "HELLO", "3")
	f("+OK", "a", "SET", "TENANTA:patient:1", "v")
	f(bulk("TENANT the key belongs to a tenant that this credential does not reach"), "a", "SET", "TENANTB:patient:1", "v")
	f("+OK", "a", "GET", "global:codesystem:1")
	f(bulk("TENANT the global tenant is read-only for this credential"), "a", "SET", "global:codesystem:1", "v")
	f(bulk("TENANT the global tenant is read-only for this credential"), "a", "XREADGROUP", "GROUP", "g", "c", "STREAMS", "global:codesystem:1", ">")
	f("+OK", "a", "SORT", "global:codesystem:1")
	f("+OK", "a", "PUBLISH", "TENANTA:patient:1", "m")
	f(bulk("TENANT the channel belongs to a tenant that this credential does not reach"), "a", "SUBSCRIBE", "TENANTB:patient:1")
	f(bulk("This user has no permissions to run the 'publish' command"), "reader", "PUBLISH", "c", "m")
	f("+OK", "a", "SUNSUBSCRIBE", "c")
	f("-ERR source is an address, at a time such as 2026-01-31T15:04:05Z, and a command has to follow", "a", "source=nowhere", "GET", "k")
	f("-ERR source is an address, at a time such as 2026-01-31T15:04:05Z, and a command has to follow", "a", "at=2026-11-22T10:00:00Z")
}

// DRYRUN answers what would become of a command on a connection from elsewhere, at another time, with another purpose.
func TestDryRunAdmission(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	both := l.connect("both")
	// Nobody gives over the wire what he does not have; the owner of the data directory does.
	if err := l.gateway.Directory.Update(func(d *identity.Draft) error {
		var words [][]byte
		for w := range strings.FieldsSeq("on ~* &a* +get +publish +flushall tenants=TENANTA sources=10.1.0.0/16 hours=mon-fri/07:00-19:00@UTC purposes=treatment categories=session ends=2030-01-01") {
			words = append(words, []byte(w))
		}
		return d.SetUser("clinic", words, nil)
	}); err != nil {
		t.Fatal(err)
	}
	f := func(want, call string) {
		t.Helper()
		got := flat(l.run(both, append([]string{"ACL", "DRYRUN", "clinic"}, strings.Fields(call)...)...))
		if _, text, isBulk := strings.Cut(got, " "); isBulk {
			got = text
		}
		if got != want {
			t.Errorf("%q: %q, want %q", call, got, want)
		}
	}
	const monday, sunday = "at=2026-11-23T12:00:00Z ", "at=2026-11-22T12:00:00Z "
	f("+OK", monday+"GET TENANTA:session:1")
	f("+OK", monday+"source=10.1.2.3 purpose=treatment GET TENANTA:session:1")
	f("This user may not be in at that time", sunday+"GET TENANTA:session:1")
	f("This user has ended at that time", "at=2031-11-24T12:00:00Z GET TENANTA:session:1")
	f("This user may not come from that address", monday+"source=192.0.2.7 GET TENANTA:session:1")
	f("This user may not state that purpose of use", monday+"purpose=research GET TENANTA:session:1")
	f("NOPERM this user may not reach entries of this category", monday+"GET TENANTA:patient:1")
	f("NOPERM this user may reach some categories only, and the command is about all", monday+"FLUSHALL")
	f("NOPERM this user may reach some categories only, and the command is about all", monday+"PUBLISH a1 m")
	f("This user has no permissions to access the 'b1' channel", monday+"PUBLISH b1 m")
	if got := flat(l.run(both, "ACL", "LIST")); !strings.Contains(got, "tenants=TENANTA ends=2030-01-01T00:00:00Z sources=10.1.0.0/16 hours=mon-fri/07:00-19:00@UTC") {
		t.Errorf("ACL LIST: %s", got)
	}
	if got := flat(l.run(both, "ACL", "GETUSER", "clinic")); !strings.Contains(got, "$10 categories $7 session") {
		t.Errorf("ACL GETUSER: %s", got)
	}
}

func TestRefusalsAreListed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b, reader := l.connect("a"), l.connect("b"), l.connect("reader")
	l.run(reader, "GET", "x:secret-name")
	l.clock.now++
	l.run(reader, "GET", "x:another-name")
	l.clock.now++
	l.run(reader, "GET", "x:secret-name")
	l.clock.now++
	l.run(reader, "INCR", "r:1")
	l.clock.now++
	l.run(a, "GET", "TENANTB:patient:9")
	l.clock.now++
	l.run(l.gateway.NewSession("10.0.0.7:1", ""), "AUTH", "a", "wrong")
	l.run(l.gateway.NewSession("10.0.0.7:1", ""), "AUTH", "nobody", "wrong")
	list := func(refusals []command.Refusal) (lines string) {
		for _, r := range refusals {
			lines += fmt.Sprintf("%d %s %s %s\n", r.Count, r.Reason, r.Command, r.User)
		}
		return lines
	}
	if got, want := list(l.gateway.Refusals(a)), "1 auth AUTH a\n1 tenant get a\n1 command incr reader\n2 key get reader\n1 key get reader\n"; got != want {
		t.Errorf("refusals:\n%swant:\n%s", got, want)
	}
	if got := l.run(a, "ACL", "LOG"); strings.Contains(got, "secret-name") || strings.Contains(got, "patient") {
		t.Errorf("ACL LOG shows a key: %q", got)
	}
	if got := l.gateway.Refusals(b); len(got) != 0 {
		t.Errorf("b sees %s", list(got))
	}
	denied := l.info(a, "stats")
	if denied["acl_access_denied_key"] != "3" || denied["acl_access_denied_cmd"] != "1" || denied["acl_access_denied_auth"] != "1" || denied["lethe_access_denied_tenant"] != "1" {
		t.Errorf("counted: %v", denied)
	}
	l.run(b, "ACL", "LOG", "RESET")
	if len(l.gateway.Refusals(a)) != 5 {
		t.Error("b emptied a's list")
	}
	l.run(a, "ACL", "LOG", "RESET")
	if len(l.gateway.Refusals(a)) != 0 {
		t.Error("RESET left something")
	}
}

// The list is bounded, and what is old makes way.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.connect("a")
	for range 200 {
		l.run(a, "GET", "TENANTB:patient:9")
		l.clock.now += 60_000
	}
	got := l.gateway.Refusals(a)
	if len(got) != 128 || got[0].ID != 199 {
		t.Errorf("%d refusals, the newest has number %d", len(got), got[0].ID)
	}
}

// A user without rules of its own can do what clients do at their start, and nothing with which it could harm others.
func TestDefaultUsers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.login("fresh", "TENANTA", "")
	for _, call := range []string{
		"HELLO 3", "CLIENT SETINFO lib-name x", "CLIENT SETNAME n", "CLIENT ID", "CLIENT INFO", "CLIENT REPLY ON", "CLIENT NO-TOUCH ON",
		"COMMAND COUNT", "COMMAND DOCS get", "INFO", "PING", "ECHO x", "SELECT 0", "TIME", "ACL WHOAMI", "OBJECT ENCODING k",
		"MEMORY USAGE k", "WAIT 0 0",
	} {
		if got := l.run(s, call); strings.HasPrefix(got, "-") {
			t.Errorf("%s: %q", call, got)
		}
	}
	for _, call := range []string{
		"FLUSHALL", "FLUSHDB", "CONFIG GET *", "CONFIG SET a b", "CLIENT LIST", "CLIENT KILL ID 1", "CLIENT NO-EVICT ON", "ACL LIST",
		"ACL GETUSER a", "ACL USERS", "ACL LOG", "ACL DRYRUN a GET k", "ROLE", "LASTSAVE", "KEYS *", "ACL SETUSER x", "ACL DELUSER x",
		"ACL LOAD", "ACL SAVE", "CLIENT PAUSE 1",
	} {
		if got := l.run(s, call); !strings.HasPrefix(got, "-NOPERM ") {
			t.Errorf("%s: %q", call, got)
		}
	}
	for _, call := range []string{"DEBUG SLEEP 1", "SAVE", "SHUTDOWN", "MONITOR", "REPLICAOF a 1", "MODULE LIST", "SWAPDB 0 1", "CLIENT MAINT_NOTIFICATIONS on"} {
		if got := l.run(s, call); !strings.HasPrefix(got, "-ERR unknown ") && !strings.HasPrefix(got, "-NOPERM ") {
			t.Errorf("%s: %q", call, got)
		}
	}
}

// A permission by a first argument holds for that argument, wherever the command comes from.
func TestPermissionByFirstArgument(t *testing.T) {
	h := newHarness(t)
	s := h.login("narrow", "TENANT001", "+echo|hello +eval ~k")
	f := func(refused bool, args ...string) {
		t.Helper()
		if got := h.eval(s, args...); (strings.Contains(got, "NOPERM") || strings.Contains(got, "can't run this command")) != refused {
			t.Errorf("%q: %q", args, got)
		}
	}
	f(false, "ECHO", "hello")
	f(true, "ECHO", "bye")
	f(false, "EVAL", "return redis.call('ECHO', 'HELLO')", "0")
	f(true, "EVAL", "return redis.call('ECHO', 'bye')", "0")
	if got := h.do("ACL DRYRUN narrow ECHO hello"); got != "+OK\r\n" {
		t.Errorf("ACL DRYRUN: %q", got)
	}
	if got := h.do("ACL DRYRUN narrow ECHO bye"); !strings.Contains(got, "no permissions to run the 'echo' command") {
		t.Errorf("ACL DRYRUN: %q", got)
	}
}
