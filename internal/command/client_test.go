package command_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

func TestClientNames(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.both("$-1", "_", "CLIENT", "GETNAME")
	l.is("+OK", "CLIENT", "SETNAME", "worker-1")
	l.is("$8 worker-1", "CLIENT", "GETNAME")
	for _, bad := range []string{"a b", "a\nb", "ümlaut", "\x7f", strings.Repeat("x", 257)} {
		l.is("-ERR Client names cannot contain spaces, newlines or special characters.", "CLIENT", "SETNAME", bad)
	}
	l.is("$8 worker-1", "client", "getname")
	l.is("+OK", "CLIENT", "SETNAME", "")
	l.is("$-1", "CLIENT", "GETNAME")
	l.is(":7", "CLIENT", "ID")
}

func TestClientSetInfo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.is("+OK", "CLIENT", "SETINFO", "LIB-NAME", "lettuce")
	l.is("+OK", "CLIENT", "SETINFO", "lib-ver", "6.4.1")
	if l.conn.library["lib-name"] != "lettuce" || l.conn.library["lib-ver"] != "6.4.1" {
		t.Errorf("noted: %v", l.conn.library)
	}
	l.is("-ERR lib-name cannot contain spaces, newlines or special characters.", "CLIENT", "SETINFO", "lib-name", "a b")
	l.is("-ERR Unrecognized option 'lib-foo'", "CLIENT", "SETINFO", "lib-foo", "x")
	l.is("-ERR Unrecognized option '?'", "CLIENT", "SETINFO", "TENANT001:patient:9", "x")
}

func TestClientReply(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	f := func(word, want string, mode command.ReplyMode) {
		t.Helper()
		l.is(want, "CLIENT", "REPLY", word)
		if l.conn.replies != mode {
			t.Errorf("REPLY %s chose %d, want %d", word, l.conn.replies, mode)
		}
	}
	f("OFF", "", command.RepliesOff)
	f("SKIP", "", command.RepliesSkip)
	f("foo", "-ERR syntax error", command.RepliesSkip)
	f("on", "+OK", command.RepliesOn)
}

func TestClientOptions(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.is("+OK", "CLIENT", "NO-TOUCH", "ON")
	l.is("+OK", "CLIENT", "NO-EVICT", "on")
	l.is("-ERR syntax error", "CLIENT", "NO-EVICT", "maybe")
	if !l.conn.options[command.NoTouch] || !l.conn.options[command.NoEvict] {
		t.Errorf("options: %v", l.conn.options)
	}
	l.is("+OK", "CLIENT", "NO-TOUCH", "OFF")
	if l.conn.options[command.NoTouch] {
		t.Error("NO-TOUCH OFF changed nothing")
	}
}

func TestClientList(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const own = "id=7 addr=10.0.0.1:5000 laddr=10.0.0.9:6380 fd=0 name=n age=5 idle=1 flags=T db=0 sub=0 psub=0 ssub=0 multi=-1 " +
		"qbuf=26 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=client|list user=app redir=-1 " +
		"resp=3 lib-name=lib lib-ver=1.2\n"
	ids := func(args ...string) string {
		t.Helper()
		var found []string
		for _, field := range strings.Fields(l.run(args...)) {
			if id, ok := strings.CutPrefix(field, "id="); ok {
				found = append(found, id)
			}
		}
		return strings.Join(found, ",")
	}
	f := func(want string, args ...string) {
		t.Helper()
		if got := ids(append([]string{"CLIENT", "LIST"}, args...)...); got != want {
			t.Errorf("CLIENT LIST %q: %s, want %s", args, got, want)
		}
	}
	f("7,8")
	f("7,8", "TYPE", "normal")
	f("", "TYPE", "pubsub")
	f("8", "ID", "8", "99")
	if got := l.run("CLIENT", "LIST", "ID", "8"); !strings.Contains(got, " qbuf=300 qbuf-free=212 argv-mem=0 ") || !strings.Contains(got, " omem=4000 tot-mem=4512 ") {
		t.Errorf("what a connection holds is not told: %q", got)
	}
	l.is("-ERR Unknown client type 'foo'", "CLIENT", "LIST", "TYPE", "foo")
	l.is("-ERR Invalid client ID", "CLIENT", "LIST", "ID", "x")
	l.is("-ERR syntax error", "CLIENT", "LIST", "ID")
	l.is("-ERR syntax error", "CLIENT", "LIST", "FOO", "1")
	if got := l.run("CLIENT", "INFO"); !strings.HasSuffix(got, own+"\r\n") {
		t.Errorf("CLIENT INFO: %q", got)
	}
	l.conn.resp3 = true
	if got := l.run("CLIENT", "INFO"); !strings.HasPrefix(got, "=") || !strings.Contains(got, "txt:id=7 ") {
		t.Errorf("CLIENT INFO in RESP3: %q", got)
	}
}

func TestClientKill(t *testing.T) {
	t.Parallel()
	f := func(want string, disconnected []uint64, closed bool, args ...string) {
		t.Helper()
		l := newLab(t)
		l.is(want, append([]string{"CLIENT", "KILL"}, args...)...)
		if !slices.Equal(l.host.disconnected, disconnected) || l.conn.closed != closed {
			t.Errorf("CLIENT KILL %q closed %v, itself %v", args, l.host.disconnected, l.conn.closed)
		}
	}
	f("+OK", []uint64{8}, false, "10.0.0.2:5000")
	f("+OK", nil, true, "10.0.0.1:5000") // the old form does not spare the caller
	f("-ERR No such client", nil, false, "1.2.3.4:5")
	f(":1", []uint64{8}, false, "ID", "8")
	f(":0", nil, false, "ID", "7") // SKIPME is yes unless it is said otherwise
	f(":1", nil, true, "ID", "7", "SKIPME", "no")
	f(":2", []uint64{8}, true, "LADDR", "10.0.0.9:6380", "SKIPME", "no")
	f(":1", []uint64{8}, false, "USER", "bob", "TYPE", "normal")
	f(":0", nil, false, "TYPE", "master")
	f("-ERR No such user 'nobody'", nil, false, "USER", "nobody")
	f("-ERR client-id should be greater than 0", nil, false, "ID", "0")
	f("-ERR Unknown client type 'foo'", nil, false, "TYPE", "foo")
	f("-ERR syntax error", nil, false, "ID", "8", "ADDR")
	f("-ERR syntax error", nil, false, "SKIPME", "maybe")
}

func TestHelpListsEverySubcommand(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, s := range l.table.Specs() {
		if len(s.Sub) == 0 {
			continue
		}
		got := l.run(s.Name, "HELP")
		if strings.Contains(got, "cluster support disabled") {
			continue // as in Redis, the help comes with the support
		}
		for _, sub := range s.Sub {
			if !strings.Contains(got, "+"+sub.Name) || !strings.Contains(got, "+    "+sub.Summary+"\r\n") {
				t.Errorf("%s HELP lacks %s", s.Name, sub.Name)
			}
		}
	}
}
