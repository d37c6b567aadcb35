package command_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestServerCommands(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.is("*2 $10 1700000000 $6 123456", "TIME")
	l.both("$17 Lethe ver. 9.9.9\n", "=21 txt:Lethe ver. 9.9.9\n", "LOLWUT")
	l.is("-ERR value is not an integer or out of range", "LOLWUT", "VERSION", "x")
	l.is("*3 $6 master :0 *0", "ROLE")
	l.is(":1600000000", "LASTSAVE")
	l.is(":0", "WAIT", "0", "1000")
	l.is("-ERR value is not an integer or out of range", "WAIT", "x", "0")
	l.is("-ERR timeout is not an integer or out of range", "WAIT", "0", "x")
	l.is("-ERR timeout is negative", "WAIT", "0", "-1")
}

func TestFlush(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"FLUSHDB", "FLUSHALL"} {
		l := newLab(t)
		l.run("MSET", "a", "1", "b", "2")
		l.is("-ERR syntax error", name, "FOO")
		l.is("-ERR syntax error", name, "SYNC", "ASYNC")
		l.is(":2", "DBSIZE")
		l.is("+OK", name, "async")
		if l.call.Count != 2 {
			t.Errorf("%s counted %d", name, l.call.Count)
		}
		l.is(":0", "DBSIZE")
		l.is("+OK", name)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.both("*2 $9 maxmemory $2 42", "%1 $9 maxmemory $2 42", "CONFIG", "GET", "MaxMemory")
	l.is("*6 $9 databases $1 1 $9 maxmemory $2 42 $16 maxmemory-policy $11 allkeys-lfu", "CONFIG", "GET", "maxmem*", "data*", "*base*")
	l.both("*0", "%0", "CONFIG", "GET", "requirepass")
	l.is("-ERR CONFIG SET is refused: settings and counters are not changed by clients", "CONFIG", "SET", "maxmemory", "0")
	l.is("-ERR CONFIG RESETSTAT is refused: settings and counters are not changed by clients", "CONFIG", "RESETSTAT")
	l.is("-ERR CONFIG REWRITE is refused: settings and counters are not changed by clients", "CONFIG", "REWRITE")
}

func TestInfo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	text := func(args ...string) string {
		t.Helper()
		_, body, _ := strings.Cut(l.run(append([]string{"INFO"}, args...)...), "\r\n")
		return strings.TrimSuffix(body, "\r\n")
	}
	f := func(want string, args ...string) {
		t.Helper()
		if got := text(args...); got != want {
			t.Errorf("INFO %q: %q, want %q", args, got, want)
		}
	}
	f("# Server\r\nserver_field:1\r\n", "SERVER")
	f("# Server\r\nserver_field:1\r\n\r\n# Keyspace\r\nkeyspace_field:1\r\n", "keyspace", "server", "keyspace")
	f("# Modules\r\n\r\n# Cluster\r\ncluster_field:1\r\n", "modules", "cluster")
	f("", "nosuch")
	f(text(), "default")
	f(text("all"), "everything")
	if got := text(); strings.Contains(got, "Commandstats") || !strings.Contains(got, "# Errorstats") {
		t.Errorf("INFO: %q", got)
	}
	if got := text("all"); strings.Count(got, "# ") != 13 {
		t.Errorf("INFO all: %q", got)
	}
	l.conn.resp3 = true
	l.is("=32 txt:# Cluster cluster_field:1 ", "INFO", "cluster")
}

func TestObject(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	long := strings.Repeat("x", 65)
	f := func(want string, set ...string) {
		t.Helper()
		if len(set) > 0 {
			l.run(append([]string{set[0], "k"}, set[1:]...)...)
		}
		l.is(fmt.Sprintf("$%d %s", len(want), want), "OBJECT", "ENCODING", "k")
		l.run("DEL", "k")
	}
	f("int", "SET", "-12")
	f("embstr", "SET", strings.Repeat("x", 44))
	f("raw", "SET", strings.Repeat("x", 45))
	f("listpack", "RPUSH", "a", "1")
	f("quicklist", "RPUSH", strings.Repeat("x", 9000))
	f("intset", "SADD", "1", "2")
	f("listpack", "SADD", "1", "a")
	f("hashtable", "SADD", long)
	f("listpack", "ZADD", "1", "a")
	f("skiplist", "ZADD", "1", long)
	f("listpack", "HSET", "f", "v")
	f("hashtable", "HSET", "f", long)
	for i := range 129 {
		l.run("SADD", "k", fmt.Sprint("m", i))
	}
	f("hashtable")
	for _, sub := range []string{"ENCODING", "FREQ", "IDLETIME", "REFCOUNT"} {
		l.both("$-1", "_", "OBJECT", sub, "nosuch")
	}
	l.run("SET", "k", "v")
	l.is(":1", "OBJECT", "REFCOUNT", "k")
	l.run("GET", "k")
	if got := l.run("OBJECT", "FREQ", "k"); got == ":0\r\n" {
		t.Error("a read did not count")
	}
	l.is(":0", "OBJECT", "IDLETIME", "k")
}

// Reads of a connection that asked for NO-TOUCH leave the frequency as it is; TOUCH is there to change it.
func TestNoTouch(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.run("SET", "k", "v")
	before := l.run("OBJECT", "FREQ", "k")
	l.call.NoTouch = true
	l.run("GET", "k")
	if got := l.run("OBJECT", "FREQ", "k"); got != before {
		t.Errorf("frequency %q after an untouched read, before it %q", got, before)
	}
	l.run("TOUCH", "k")
	if got := l.run("OBJECT", "FREQ", "k"); got == before {
		t.Error("TOUCH changed nothing")
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	usage := func(key string) (n int) {
		t.Helper()
		got := l.run("MEMORY", "USAGE", key, "SAMPLES", "0")
		if _, err := fmt.Sscanf(got, ":%d\r\n", &n); err != nil {
			t.Fatalf("MEMORY USAGE: %q", got)
		}
		return n
	}
	l.both("$-1", "_", "MEMORY", "USAGE", "nosuch")
	l.run("SET", "s", strings.Repeat("x", 1000))
	if n := usage("s"); n < 1000 || n > 1300 {
		t.Errorf("a string of 1000 bytes takes %d", n)
	}
	l.run("SADD", "few", "a", "b")
	if n := usage("few"); n > 150 {
		t.Errorf("a set of two letters takes %d", n)
	}
	for i := range 1000 {
		l.run("SADD", "many", fmt.Sprintf("member-%04d", i))
	}
	if n := usage("many"); n < 11_000 || n > 100_000 {
		t.Errorf("a set of 1000 members of 11 bytes takes %d", n)
	}
	l.is("-ERR syntax error", "MEMORY", "USAGE", "s", "SAMPLES")
	l.is("-ERR syntax error", "MEMORY", "USAGE", "s", "SAMPLES", "-1")
	l.is("-ERR syntax error", "MEMORY", "USAGE", "s", "FOO", "1")
	l.is("-ERR value is not an integer or out of range", "MEMORY", "USAGE", "s", "SAMPLES", "x")
	l.is("$73 The tenants of this credential use 1.00K of the 2.00G that they may use.\n", "MEMORY", "DOCTOR")
}
