package upstream_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

func loopback(addresses ...string) upstream.Options {
	return upstream.Options{Mode: upstream.Standalone, Addresses: addresses, PlainText: true, Timeout: 3 * time.Second}
}

// impatient are options for an upstream that does not answer.
func impatient(addresses ...string) upstream.Options {
	o := loopback(addresses...)
	o.Timeout = time.Second
	return o
}

func TestAKilledUpstreamComesBack(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	g := newGateway(t, impatient(s.Addr()), "phi").alone()
	eventually(t, "it serves", func() bool { return g.do("SET", "k", "v") == ok })
	s.Kill()
	for range 5 {
		if got := g.do("GET", "k"); !strings.HasPrefix(got, "-UPSTREAM ") {
			t.Errorf("without an upstream: %q", got)
		}
	}
	if len(g.up.Down()) != 1 {
		t.Error("nobody is told that the upstream is down")
	}
	s.Start()
	eventually(t, "service resumes", func() bool { return g.do("SET", "k", "v2") == ok })
	g.expect("$2\r\nv2\r\n", "GET", "k")
	if len(g.up.Down()) != 0 {
		t.Error("the upstream is still said to be down")
	}
}

// An upstream that is slow for once, when it is asked for the first time, is waited for.
func TestASlowUpstreamIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	o := loopback(s.Addr())
	o.Timeout = time.Minute
	g := newGateway(t, o, "phi").alone()
	s.Signal(syscall.SIGSTOP)
	time.AfterFunc(600*time.Millisecond, func() { s.Signal(syscall.SIGCONT) })
	g.expect(ok, "SET", "k", "v")
}

func TestAStoppedUpstreamCostsLittle(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	g := newGateway(t, impatient(s.Addr()), "phi").alone()
	eventually(t, "it serves", func() bool { return g.do("SET", "k", "v") == ok })
	s.Signal(syscall.SIGSTOP)
	began := time.Now()
	for range 20 {
		if got := g.do("GET", "k"); !strings.HasPrefix(got, "-UPSTREAM ") {
			t.Errorf("a stopped upstream: %q", got)
		}
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("20 commands on a stopped upstream took %v", took)
	}
	s.Signal(syscall.SIGCONT)
	eventually(t, "service resumes", func() bool { return g.do("GET", "k") == "$1\r\nv\r\n" })
}

// A write whose answer did not come is not repeated, and the client is told that it may have happened.
func TestALostWriteIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	g := newGateway(t, impatient(s.Addr()), "phi").alone()
	eventually(t, "it serves", func() bool { return g.do("SET", "k", "v") == ok })
	s.Signal(syscall.SIGSTOP)
	if got := g.do("SET", "k", "lost"); !strings.Contains(got, "may or may not") {
		t.Errorf("a lost write: %q", got)
	}
	s.Signal(syscall.SIGCONT)
	eventually(t, "service resumes", func() bool { return g.do("SET", "other", "v") == ok })
	if got := g.do("GET", "k"); got != "$4\r\nlost\r\n" && got != "$1\r\nv\r\n" {
		t.Errorf("after a lost write: %q", got)
	}
	g.expectAlarm("")
}

func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t, "--maxmemory-policy", "noeviction")
	g := newGateway(t, loopback(s.Addr()), "phi").alone()
	g.expect(ok, "SET", "k", "v")
	g.expect(":1\r\n", "HSET", "h", "f", "v")
	s.Must("CONFIG", "SET", "maxmemory", "1")
	const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
	g.expect(oom, "SET", "k", "v2")
	g.expect(oom, "HSET", "h", "f", "v2")
	g.expect("$1\r\nv\r\n", "GET", "k")
	g.expect("$1\r\nv\r\n", "HGET", "h", "f")
	g.expect(":2\r\n", "DEL", "k", "h")
	s.Must("CONFIG", "SET", "maxmemory", "0")
	g.expect(ok, "SET", "k", "v3")
}

func TestAReadOnlyReplica(t *testing.T) {
	t.Parallel()
	primary, replica := testkit.StartNode(t), testkit.StartNode(t)
	replica.Must("REPLICAOF", "127.0.0.1", fmt.Sprint(primary.Port))
	g := newGateway(t, loopback(replica.Addr()), "phi").alone()
	const readOnly = "-READONLY You can't write against a read only replica.\r\n"
	g.expect(readOnly, "SET", "k", "v")
	g.expect(readOnly, "HSET", "k", "f", "v")
	g.expect(null, "GET", "k")
	replica.Must("REPLICAOF", "NO", "ONE")
	g.expect(ok, "SET", "k", "v")
}

func TestTLSUsersAndChangedTokens(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{TLS: true})
	o := operator{t, redis.Dial(t), redis}
	o.do("ACL", "SETUSER", "lethe", "on", ">first", "~l:*", "&lethe:gateways", "+@all", "-@dangerous")
	o.do("ACL", "SETUSER", "default", "off")
	var token atomic.Value
	token.Store("first")
	options := upstream.Options{Mode: upstream.Standalone, Addresses: []string{redis.Addr}, TLS: redis.TLS, Timeout: 3 * time.Second,
		Credentials: func(context.Context) (upstream.Credentials, error) {
			return upstream.Credentials{User: "lethe", Token: []byte(token.Load().(string))}, nil
		}}
	g := newGateway(t, options, "phi").alone()
	g.expect(ok, "SET", "k", "v")
	g.expect(":1\r\n", "HSET", "h", "f", "v")
	// The token is changed and all connections are closed, as AWS and careful operators do.
	o.do("ACL", "SETUSER", "lethe", "resetpass", ">second")
	o.do("CLIENT", "KILL", "USER", "lethe")
	if got := g.do("GET", "k"); !strings.HasPrefix(got, "-UPSTREAM") {
		t.Errorf("with an old token: %q", got)
	}
	token.Store("second")
	eventually(t, "service resumes with the new token", func() bool { return g.do("GET", "k") == "$1\r\nv\r\n" })
	other := options
	other.TLS = &tls.Config{MinVersion: tls.VersionTLS13, ServerName: "localhost"}
	stranger := newGateway(t, other, "phi").alone()
	if got := stranger.do("GET", "k"); !strings.HasPrefix(got, "-UPSTREAM") {
		t.Errorf("with a certificate of an unknown authority: %q", got)
	}
}

func TestOptionsThatLeakAreRefused(t *testing.T) {
	t.Parallel()
	f := func(o upstream.Options, good bool) {
		t.Helper()
		if _, err := upstream.New(o); (err == nil) != good {
			t.Errorf("%v %v: %v", o.Mode, o.Addresses, err)
		}
	}
	standalone := func(address string, plain bool, c *tls.Config) upstream.Options {
		return upstream.Options{Mode: upstream.Standalone, Addresses: []string{address}, PlainText: plain, TLS: c}
	}
	good := &tls.Config{MinVersion: tls.VersionTLS13}
	f(standalone("127.0.0.1:6379", true, nil), true)
	f(standalone("[::1]:6379", true, nil), true)
	f(standalone("localhost:6379", true, nil), true)
	f(standalone("/run/redis.sock", true, nil), true)
	f(standalone("/run/redis.sock", false, nil), false)
	f(standalone("127.0.0.1:6379", false, nil), false)
	f(standalone("10.0.0.1:6379", true, nil), false)
	f(standalone("redis.example:6379", true, nil), false)
	f(standalone("redis.example:6379", false, good), true)
	f(standalone("redis.example:6379", false, &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}), false)
	f(standalone("redis.example:6379", false, &tls.Config{MinVersion: tls.VersionTLS11}), false)
	f(standalone("redis.example", true, nil), false)
	f(upstream.Options{Mode: upstream.Standalone}, false)
	f(upstream.Options{Addresses: []string{"127.0.0.1:1"}, PlainText: true}, false)
	f(upstream.Options{Mode: upstream.Sentinel, Addresses: []string{"127.0.0.1:1"}, PlainText: true}, false)
	f(upstream.Options{Mode: upstream.Sentinel, Addresses: []string{"10.0.0.1:1"}, PlainText: true, Master: "m"}, false)
}

// liar is an upstream that answers whatever it likes: it is given each connection after the greeting.
func liar(t *testing.T, answer func(net.Conn, int)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 64<<10)
				if _, err := c.Read(buf); err != nil { // PING
					return
				}
				_, _ = io.WriteString(c, "+PONG\r\n")
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					answer(c, n)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// No answer makes a gateway panic, wait for ever, use memory without bound, or serve anything.
func TestALyingUpstream(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 1<<16)
	answers := map[string]string{
		"nothing":           "",
		"wrong type":        ":1\r\n",
		"array":             "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
		"nested":            strings.Repeat("*1\r\n", 100) + ":1\r\n",
		"negative length":   "$-5\r\n",
		"huge length":       "$2000000000\r\nabc",
		"huge array":        "*2000000000\r\n",
		"no end of line":    big,
		"not RESP":          "HTTP/1.1 400 Bad Request\r\n\r\n",
		"short":             "$10\r\nabc\r\n",
		"bad end of string": "$3\r\nabcXY",
		"made-up record":    "$100\r\n" + strings.Repeat("\x01", 100) + "\r\n",
		"error":             "-ERR something\r\n",
		"moved":             "-MOVED 1 10.0.0.1:6379\r\n",
		"moved to nowhere":  "-MOVED\r\n",
		"ask":               "-ASK 1 10.0.0.1:6379\r\n",
		"no script":         "-NOSCRIPT none\r\n",
		"try again":         "-TRYAGAIN later\r\n",
		"loading":           "-LOADING\r\n",
		"script says more":  "*1\r\n:1\r\n",
		"script says what":  "*2\r\n:7\r\n$1\r\na\r\n",
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := loopback(liar(t, func(c net.Conn, _ int) { _, _ = io.WriteString(c, answer) }))
			o.Timeout = 300 * time.Millisecond
			o.MaxReplyBytes = 1 << 20
			g := newGateway(t, o, "phi").alone()
			for _, args := range [][]string{{"GET", "k"}, {"SET", "k", "v"}, {"HGET", "h", "f"}, {"HSET", "h", "f", "v"}, {"LPUSH", "l", "e"}, {"SMEMBERS", "s"}, {"RENAME", "a", "b"}, {"DEL", "a"}, {"KEYS", "*"}} {
				got := g.do(args...)
				if !strings.HasPrefix(got, "-") && got != null && got != "*0\r\n" && got != ":0\r\n" {
					t.Errorf("%s answers %q", args[0], got)
				}
			}
		})
	}
}

func TestEndlessReplies(t *testing.T) {
	t.Parallel()
	f := func(begin, piece string) {
		t.Helper()
		o := loopback(liar(t, func(c net.Conn, _ int) {
			_, err := io.WriteString(c, begin)
			for err == nil {
				_, err = io.WriteString(c, piece)
			}
		}))
		o.Timeout, o.MaxReplyBytes = time.Second, 1<<20
		g := newGateway(t, o, "phi").alone()
		if got := g.do("GET", "k"); !strings.HasPrefix(got, "-UPSTREAM") {
			t.Errorf("an endless reply: %q", got)
		}
	}
	f("*1000000\r\n", "$3\r\nabc\r\n")
	f("", "*1\r\n")
	f("+", "xxxxxxxxxxxxxxxxxxxxxxxx")
	f("$1048000\r\n", "abc")
}

// An error that says nothing of an entry is no reason to take it for lost: what cannot be done now is refused, and is there later.
func TestErrorsOfTheUpstreamLoseNothing(t *testing.T) {
	t.Parallel()
	s := testkit.StartNode(t)
	g := newGateway(t, loopback(s.Addr()), "phi").alone()
	g.expect(":1\r\n", "RPUSH", "l", "a")
	g.expect("$3\r\n1-1\r\n", "XADD", "x", "1-1", "f", "v")
	g.expect(":1\r\n", "SADD", "s", "m")
	s.Must("ACL", "SETUSER", "default", "-rpush", "-lpop", "-llen", "-lrange", "-xadd", "-xlen", "-scard")
	for _, refused := range [][]string{{"RPUSH", "l", "b"}, {"LPOP", "l"}, {"LLEN", "l"}, {"LRANGE", "l", "0", "-1"}, {"XADD", "x", "*", "f", "v"}, {"XLEN", "x"}, {"SCARD", "s"}} {
		if got := g.do(refused...); !strings.HasPrefix(got, "-UPSTREAM ") {
			t.Errorf("%s with a token that may not: %q", refused[0], got)
		}
	}
	s.Must("ACL", "SETUSER", "default", "+@all")
	g.expect("*1\r\n$1\r\na\r\n", "LRANGE", "l", "0", "-1")
	g.expect(":1\r\n", "XLEN", "x")
	g.expect(":1\r\n", "SCARD", "s")
	g.expectAlarm("")
}

// A millisecond that has no more ids is refused in the words of the embedded engine, whichever error it is upstream, and what is
// there stays.
func TestAFullMillisecond(t *testing.T) {
	t.Parallel()
	g := newGateway(t, loopback(testkit.StartNode(t).Addr()), "phi").alone()
	g.expect("$22\r\n1-18446744073709551615\r\n", "XADD", "x", "1-18446744073709551615", "f", "v")
	g.expect("-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n", "XADD", "x", "1-*", "f", "v")
	g.expect(":1\r\n", "XLEN", "x")
	g.expectAlarm("")
}
