package command_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestCommandInfo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const get = "*10 $3 get :2 %[1]s2 +readonly +fast :1 :1 :1 %[1]s3 +@read +@string +@fast %[1]s0 %[1]s1 %[2]s " +
		"$5 flags %[1]s2 +RO +access $12 begin_search %[3]s $4 type $5 index $4 spec %[4]s $5 index :1 " +
		"$9 find_keys %[3]s $4 type $5 range $4 spec %[2]s $7 lastkey :0 $7 keystep :1 $5 limit :0 %[1]s0"
	two, three := fmt.Sprintf(get, "*", "*6", "*4", "*2"), fmt.Sprintf(get, "~", "%3", "%2", "%1")
	l.both("*2 $-1 "+two, "*2 _ "+three, "COMMAND", "INFO", "nosuch", "GET")
	l.both("*1 *10 $10 config|get :-3 *4 +admin +noscript +loading +stale :0 :0 :0 *3 +@admin +@slow +@dangerous *0 *0 *0",
		"*1 *10 $10 config|get :-3 ~4 +admin +noscript +loading +stale :0 :0 :0 ~3 +@admin +@slow +@dangerous ~0 ~0 ~0",
		"COMMAND", "INFO", "config|get")
	all := l.run("COMMAND")
	if want := fmt.Sprintf("*%d\r\n", len(l.table.Names())); !strings.HasPrefix(all, want) || all != l.run("COMMAND", "INFO") {
		t.Errorf("COMMAND does not begin with %q, or is not COMMAND INFO", want)
	}
	l.is(fmt.Sprintf(":%d", len(l.table.Names())), "COMMAND", "COUNT")
}

func TestCommandList(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.is("*2 $7 flushdb $8 flushall", "COMMAND", "LIST", "FILTERBY", "PATTERN", "FLUSH*")
	l.is("*0", "COMMAND", "LIST", "FILTERBY", "ACLCAT", "foo")
	l.is("*0", "COMMAND", "LIST", "FILTERBY", "MODULE", "foo")
	if got := l.run("COMMAND", "LIST", "FILTERBY", "ACLCAT", "admin"); !strings.Contains(got, "client|kill") {
		t.Errorf("admin commands: %q", got)
	}
	if got := l.run("COMMAND", "LIST"); !strings.Contains(got, "\r\nclient|list\r\n") || !strings.Contains(got, "\r\nget\r\n") {
		t.Errorf("COMMAND LIST: %q", got)
	}
	l.is("-ERR syntax error", "COMMAND", "LIST", "FOO")
	l.is("-ERR syntax error", "COMMAND", "LIST", "FILTERBY", "FOO", "x")
}

func TestCommandGetKeys(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	f := func(want string, args ...string) {
		t.Helper()
		l.is(want, append([]string{"COMMAND", "GETKEYS"}, args...)...)
	}
	f("*2 $1 a $1 c", "mset", "a", "b", "c", "d")
	f("*1 $1 k", "object", "encoding", "k")
	f("-ERR Invalid command specified", "nosuch")
	f("-ERR Invalid command specified", "object", "nosuch", "k")
	f("-ERR The command has no key arguments", "ping")
	f("-ERR Invalid number of arguments specified for command", "get")
	f("-ERR Invalid arguments specified for command", "zunion", "5", "a")
	l.both("*2 *2 $1 a *3 +RW +access +delete *2 $1 b *2 +OW +update", "*2 *2 $1 a ~3 +RW +access +delete *2 $1 b ~2 +OW +update",
		"COMMAND", "GETKEYSANDFLAGS", "RENAME", "a", "b")
}

func TestCommandDocs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.both("*0", "%0", "COMMAND", "DOCS", "nosuch")
	l.both("*2 $4 echo *10 $7 summary $24 Answers what it is sent. $5 since $5 1.0.0 $5 group $10 connection $10 complexity $4 O(1) "+
		"$9 arguments *1 *6 $4 name $7 message $4 type $6 string $12 display_text $7 message",
		"%1 $4 echo %5 $7 summary $24 Answers what it is sent. $5 since $5 1.0.0 $5 group $10 connection $10 complexity $4 O(1) "+
			"$9 arguments *1 %3 $4 name $7 message $4 type $6 string $12 display_text $7 message",
		"COMMAND", "DOCS", "ECHO")
	got := flat(l.run("COMMAND", "DOCS", "config"))
	if !strings.Contains(got, "$11 subcommands *10 $10 config|get *10 $7 summary") {
		t.Errorf("COMMAND DOCS config: %q", got)
	}
	if all := l.run("COMMAND", "DOCS"); !strings.HasPrefix(all, fmt.Sprintf("*%d\r\n", 2*len(l.table.Names()))) {
		t.Errorf("COMMAND DOCS begins with %.10q", all)
	}
}
