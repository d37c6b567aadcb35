package command_test

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestACLUsers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.is("$3 app", "ACL", "WHOAMI")
	l.is("*2 $3 app $3 bob", "ACL", "USERS")
	l.is("*2 $23 user app on ~* &* +@all $46 user bob off ~a:* -@all +get (~d:* -@all +del)", "ACL", "LIST")
	l.both("$-1", "_", "ACL", "GETUSER", "nobody")
	l.both("*12 $5 flags *2 $3 off $16 sanitize-payload $9 passwords *0 $8 commands $10 -@all +get $4 keys $4 ~a:* $8 channels $0  "+
		"$9 selectors *1 *6 $8 commands $10 -@all +del $4 keys $4 ~d:* $8 channels $0 ",
		"%6 $5 flags ~2 $3 off $16 sanitize-payload $9 passwords *0 $8 commands $10 -@all +get $4 keys $4 ~a:* $8 channels $0  "+
			"$9 selectors *1 %3 $8 commands $10 -@all +del $4 keys $4 ~d:* $8 channels $0 ", "ACL", "GETUSER", "bob")
}

func TestACLCat(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if got := l.run("ACL", "CAT"); !strings.HasPrefix(got, "*21\r\n$8\r\nkeyspace\r\n$4\r\nread\r\n") {
		t.Errorf("categories: %q", got)
	}
	if got := l.run("ACL", "CAT", "Dangerous"); !strings.Contains(got, "client|kill\r\n") || strings.Contains(got, "\r\nget\r\n") {
		t.Errorf("dangerous commands: %q", got)
	}
	l.is("-ERR Unknown category 'foo'", "ACL", "CAT", "foo")
	l.is("-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.", "ACL", "CAT", "a", "b")
}

func TestACLDryRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	f := func(want string, args ...string) {
		t.Helper()
		l.is(want, append([]string{"ACL", "DRYRUN"}, args...)...)
	}
	f("+OK", "bob", "get", "a:1")
	f("$60 This user has no permissions to run the 'config|get' command", "bob", "config", "get", "x")
	f("-ERR User 'nobody' not found", "nobody", "get", "a")
	f("-ERR Command 'nosuch' not found", "bob", "nosuch", "a")
	f("-ERR Command 'config' not found", "bob", "config", "nosuch")
	f("-ERR wrong number of arguments for 'get' command", "bob", "get")
	f("-ERR wrong number of arguments for 'config' command", "bob", "config")
}

func TestACLGenPass(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	f := func(digits int, args ...string) {
		t.Helper()
		_, got, _ := strings.Cut(flat(l.run(append([]string{"ACL", "GENPASS"}, args...)...)), " ")
		if _, err := hex.DecodeString(got + strings.Repeat("0", len(got)%2)); len(got) != digits || err != nil {
			t.Errorf("GENPASS %q: %d digits, want %d (%v)", args, len(got), digits, err)
		}
	}
	f(64)
	f(1, "1")
	f(2, "5")
	f(1024, "4096")
	if once := l.run("ACL", "GENPASS"); once == l.run("ACL", "GENPASS") {
		t.Error("the same twice")
	}
	for _, bad := range []string{"0", "4097", "-1"} {
		l.is("-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096", "ACL", "GENPASS", bad)
	}
	l.is("-ERR value is not an integer or out of range", "ACL", "GENPASS", "x")
}

func TestACLLog(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	got := l.run("ACL", "LOG", "1")
	for _, want := range []string{
		"*1\r\n*20\r\n$5\r\ncount\r\n:2\r\n$6\r\nreason\r\n$3\r\nkey\r\n$7\r\ncontext\r\n$8\r\ntoplevel\r\n$6\r\nobject\r\n$3\r\nset\r\n$8\r\nusername\r\n$3\r\nbob\r\n",
		"$11\r\nage-seconds\r\n$3\r\n0.5\r\n", "id=8 addr= laddr= fd=0", "$8\r\nentry-id\r\n:1\r\n",
		"$17\r\ntimestamp-created\r\n:1699999998123\r\n$22\r\ntimestamp-last-updated\r\n:1699999999623\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("ACL LOG lacks %q: %q", want, got)
		}
	}
	l.conn.resp3 = true
	if got := l.run("ACL", "LOG"); !strings.HasPrefix(got, "*2\r\n%10\r\n") || !strings.Contains(got, "age-seconds\r\n,0.5\r\n") {
		t.Errorf("ACL LOG in RESP3: %q", got)
	}
	l.is("*0", "ACL", "LOG", "-1")
	l.is("-ERR value is not an integer or out of range", "ACL", "LOG", "x")
	l.is("-ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP.", "ACL", "LOG", "1", "2")
	l.is("+OK", "ACL", "LOG", "reset")
	l.is("*0", "ACL", "LOG")
}
