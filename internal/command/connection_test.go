package command_test

import (
	"slices"
	"strings"
	"testing"
)

func TestHello(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const fields = "$6 server $5 redis $7 version $5 7.2.4 $5 proto :%d $2 id :7 $4 mode $10 standalone $4 role $6 master $7 modules *0"
	two, three := "*14 "+strings.Replace(fields, "%d", "2", 1), "%7 "+strings.Replace(fields, "%d", "3", 1)
	l.is(two, "HELLO")
	l.is(three, "HELLO", "3")
	l.is(three, "HELLO")
	l.is(two, "HELLO", "2", "SETNAME", "n")
	if l.conn.name != "n" {
		t.Errorf("name %q", l.conn.name)
	}
	f := func(want string, args ...string) {
		t.Helper()
		l.is(want, append([]string{"HELLO"}, args...)...)
	}
	f("-NOPROTO unsupported protocol version", "4")
	f("-NOPROTO unsupported protocol version", "1")
	f("-ERR Protocol version is not an integer or out of range", "x")
	f("-ERR Syntax error in HELLO option 'AUTH'", "3", "AUTH", "app")
	f("-ERR Syntax error in HELLO option 'SETNAME'", "3", "SETNAME")
	f("-ERR Client names cannot contain spaces, newlines or special characters.", "3", "SETNAME", "a b")
	f("-ERR Syntax error in HELLO option '?'", "3", "not an option")
	if l.conn.resp3 || len(l.conn.attempts) != 0 {
		t.Error("a refused HELLO had an effect")
	}
}

func TestHelloAuthenticatesOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.conn.user = ""
	l.is("-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time", "HELLO", "3")
	l.is("-WRONGPASS invalid username-password pair or user is disabled.", "HELLO", "3", "AUTH", "app", "wrong", "SETNAME", "n")
	if len(l.conn.attempts) != 1 || l.conn.resp3 || l.conn.name != "" {
		t.Errorf("%d attempts, RESP3 %v, name %q", len(l.conn.attempts), l.conn.resp3, l.conn.name)
	}
	if got := l.run("HELLO", "3", "AUTH", "app", "right"); !strings.HasPrefix(got, "%7") || l.conn.user != "app" {
		t.Errorf("reply %q to user %q", got, l.conn.user)
	}
}

func TestAuth(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.conn.user = ""
	l.is("-ERR syntax error", "AUTH", "a", "b", "c")
	l.is("-WRONGPASS invalid username-password pair or user is disabled.", "AUTH", "right")
	l.is("-WRONGPASS invalid username-password pair or user is disabled.", "AUTH", "app", "wrong")
	l.is("+OK", "AUTH", "app", "right")
	if !slices.Equal(l.conn.attempts, []string{"default", "app", "app"}) {
		t.Errorf("attempts: %v", l.conn.attempts)
	}
}

// A slow check answers when it is done, with whatever came of it.
func TestSlowTokensAnswerLater(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{"+OK": nil, "-WRONGPASS invalid username-password pair or user is disabled.": errDenied} {
		l := newLab(t)
		l.conn.slowly = true
		l.is("", "AUTH", "app", "chosen")
		l.conn.slow(&l.call, err)
		if got := flat(string(l.call.Out.Bytes())); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestConnectionCommands(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.is("+PONG", "PING")
	l.is("$2 hi", "PING", "hi")
	l.is("-ERR wrong number of arguments for 'ping' command", "PING", "a", "b")
	l.is("$2 hi", "ECHO", "hi")
	l.is("+OK", "SELECT", "0")
	l.is("-ERR DB index is out of range", "SELECT", "1")
	l.is("-ERR DB index is out of range", "SELECT", "-1")
	l.is("-ERR value is not an integer or out of range", "SELECT", "x")
	l.conn.resp3 = true
	l.is("+RESET", "RESET")
	if l.conn.resets != 1 {
		t.Error("RESET did not reset")
	}
	l.is("+OK", "QUIT", "now")
	if !l.conn.closed {
		t.Error("QUIT did not close")
	}
}
