package conformance

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// impatient are settings with short timeouts, so that tests of slow peers are quick. A client that is not slow has to be quicker on a busy
// machine.
const impatient = "limits:\n  handshake_timeout: 5s\n  output_buffer: 1MiB\n  idle_timeout: 5s\n"

// stillServes fails the test when the server no longer answers a well-behaved client.
func stillServes(t *testing.T, l *testkit.Lethe) {
	t.Helper()
	c := l.Dial(t, reader)
	if r := c.Do("SET", "k", "v"); string(r.Raw) != "+OK\r\n" {
		t.Errorf("afterwards SET answers %s", show(r.Raw))
	}
	if r := c.Do("GET", "k"); string(r.Raw) != "$1\r\nv\r\n" {
		t.Errorf("afterwards GET answers %s", show(r.Raw))
	}
}

// logged fails the test when the log has no line with all the words.
func logged(t *testing.T, l *testkit.Lethe, words ...string) {
	t.Helper()
	testkit.Await(t, patience, "a log line with "+strings.Join(words, ", "), func() bool {
		for line := range strings.Lines(l.Log()) {
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				return true
			}
		}
		return false
	})
}

func TestPlaintextOnTheTLSPort(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	for _, request := range []string{"PING\r\n", "*1\r\n$4\r\nPING\r\n", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x00\x00\x00"} {
		conn, err := net.Dial("tcp", l.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		conn.Write([]byte(request))
		said := make([]byte, 256)
		n, _ := conn.Read(said)
		if !strings.Contains(string(said[:n]), "TLS") {
			t.Errorf("%q is answered with %q, which does not tell of TLS", request, said[:n])
		}
	}
	logged(t, l, "handshake", "does not speak TLS")
	stillServes(t, l)
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
		config := l.TLS()
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, version
		if conn, err := tls.Dial("tcp", l.Addr, config); err == nil {
			conn.Close()
			t.Errorf("a client of %s is let in", tls.VersionName(version))
		}
	}
	logged(t, l, "TLS handshake failed", "version")
	stillServes(t, l)
}

func TestServerCertificateIsOfItsOwnAuthority(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	config := l.TLS()
	config.RootCAs = testkit.NewAuthority(t).Pool()
	if conn, err := tls.Dial("tcp", l.Addr, config); err == nil {
		conn.Close()
		t.Error("a client that trusts another authority connects")
	}
	stillServes(t, l)
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, others := testkit.NewAuthority(t), testkit.NewAuthority(t)
	l := testkit.StartLethe(t, testkit.LetheOptions{Flags: []string{"--tls-client-ca", ours.File(t, dir)}})
	connects := func(certificates ...tls.Certificate) bool {
		config := l.TLS()
		config.Certificates = certificates
		conn, err := tls.Dial("tcp", l.Addr, config)
		if err != nil {
			return false
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		conn.Write([]byte("PING\r\n")) // in TLS 1.3 the refusal comes with the first read
		_, err = conn.Read(make([]byte, 64))
		return err == nil
	}
	if connects() {
		t.Error("a client without a certificate is let in")
	}
	if connects(others.Issue(t, "client").TLS()) {
		t.Error("a client with a certificate of another authority is let in")
	}
	if !connects(ours.Issue(t, "client").TLS()) {
		t.Error("a client with a right certificate is not let in")
	}
}

// What nobody sends may not cost what somebody's may: limits before AUTH are small, and the reply is Redis's.
func TestLimitsBeforeAuthentication(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	f := func(request, reply string) {
		t.Helper()
		c := l.Connect(t)
		c.Send([]byte(request))
		said, closed := c.Rest(patience)
		if string(said) != reply || !closed {
			t.Errorf("%.40q is answered with %s, closed=%t; want %q and a closed connection", request, show(said), closed, reply)
		}
	}
	before := residentBytes(t, l.PID())
	f("*1000000\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n")
	f("*11\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n")
	f("*2147483648\r\n", "-ERR Protocol error: invalid multibulk length\r\n")
	f("*1\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n")
	f("*2\r\n$4\r\nAUTH\r\n$536870912\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n")
	f("*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n")
	f(strings.Repeat("A", 20_000), "-ERR Protocol error: too big inline request\r\n")
	if grown := residentBytes(t, l.PID()) - before; grown > 32<<20 {
		t.Errorf("the process grew by %d MiB", grown>>20)
	}
	logged(t, l, "protocol error")
	stillServes(t, l)
}

// A client that announces much and sends little costs what it sends, not what it announces.
func TestHugeCountsCostNothing(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	before := residentBytes(t, l.PID())
	for range 50 {
		c := l.Dial(t, reader)
		c.Send([]byte("*1048576\r\n$500000000\r\nabc"))
	}
	c := l.Dial(t, reader)
	c.Do("PING")
	if grown := residentBytes(t, l.PID()) - before; grown > 64<<20 {
		t.Errorf("50 announcements made the process grow by %d MiB", grown>>20)
	}
	stillServes(t, l)
}

// Peers that begin and do not go on are gone after the time that is set, whatever they began.
func TestSlowPeersAreClosed(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Config: impatient})
	f := func(what string, conn net.Conn, send string) {
		t.Helper()
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() { conn.Close() })
			conn.Write([]byte(send))
			conn.SetReadDeadline(time.Now().Add(patience))
			buf := make([]byte, 1024)
			for {
				if _, err := conn.Read(buf); err != nil {
					if os.IsTimeout(err) {
						t.Errorf("the connection is still open after %v", patience)
					}
					return
				}
			}
		})
	}
	plain := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	f("says nothing", plain(), "")
	f("sends half a TLS record", plain(), "\x16\x03\x01\x02\x00\x01\x00")
	f("logs in never", l.Connect(t).Conn, "")
	f("sends half a frame before it logs in", l.Connect(t).Conn, "*2\r\n$4\r\nAUTH\r\n$20\r\nabc")
	f("sends half a frame after it has", l.Dial(t, reader).Conn, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\nabc")
	f("is idle", l.Dial(t, reader).Conn, "PING\r\n")
}

// One byte at a time is slow, but it is a request: it is answered.
func TestSlowSenderIsServed(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	c := l.Dial(t, reader)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, b := range testkit.Command("SET", "k", "slowly") {
		<-tick.C
		c.Send([]byte{b})
	}
	if r, err := c.Receive(patience); err != nil || string(r.Raw) != "+OK\r\n" {
		t.Errorf("answered %s, %v", show(r.Raw), err)
	}
}

// CLIENT LIST tells what connections hold: of a request that has not arrived whole, and of replies that are not read; of nothing else.
func TestClientListTellsWhatIsHeld(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* +@all"}}})
	looks := l.Dial(t, reader)
	held := func(name, field string) (n int64) {
		t.Helper()
		_, line, _ := strings.Cut(string(looks.Do("CLIENT", "LIST").Str), " name="+name+" ")
		line, _, _ = strings.Cut(line, "\n")
		_, after, _ := strings.Cut(line, " "+field+"=")
		if _, err := fmt.Sscan(after, &n); err != nil {
			t.Fatalf("%s is not told of %s: %v", field, name, err)
		}
		return n
	}
	half, deaf := l.Dial(t, reader), l.Dial(t, reader)
	half.Do("CLIENT", "SETNAME", "half")
	deaf.Do("CLIENT", "SETNAME", "deaf")
	if total := held("half", "tot-mem") + held("deaf", "tot-mem"); total != 0 {
		t.Errorf("connections that wait for a request hold %d bytes", total)
	}
	const value = 300_000
	request := testkit.Command("SET", "k", strings.Repeat("v", value))
	half.Send(request[:value-100])
	soon(t, "the unfinished request is told", func() bool { return held("half", "qbuf") == value-100 })
	if total, room := held("half", "tot-mem"), held("half", "qbuf-free"); total != value-100+room {
		t.Errorf("it holds %d bytes, %d of them free", total, room)
	}
	half.Send(request[value-100:])
	if r, err := half.Receive(patience); err != nil || string(r.Raw) != "+OK\r\n" {
		t.Fatalf("answered %s, %v", show(r.Raw), err)
	}
	if total := held("half", "tot-mem"); total != 0 {
		t.Errorf("behind a large request %d bytes are held", total)
	}
	deaf.Send([]byte(strings.Repeat(string(testkit.Command("GET", "k")), 100)))
	soon(t, "replies that are not read are told", func() bool { return held("deaf", "omem") > 0 })
	for range 100 {
		if _, err := deaf.Receive(patience); err != nil {
			t.Fatal(err)
		}
	}
	soon(t, "nothing is left to send", func() bool { return held("deaf", "omem") == 0 })
}

// Replies that nobody reads are bounded: beyond the limit the connection ends, and the memory is given back.
func TestClientThatNeverReads(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Config: impatient})
	c := l.Dial(t, reader)
	c.Do("SET", "k", strings.Repeat("x", 256<<10))
	before := residentBytes(t, l.PID())
	request := []byte(strings.Repeat("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", 100))
	c.Conn.SetWriteDeadline(time.Now().Add(patience))
	var err error
	for n := 0; n < 10_000 && err == nil; n++ { // would be 250 GiB of replies
		_, err = c.Conn.Write(request)
	}
	if err == nil {
		t.Error("a client that reads nothing was taken all of its requests")
	}
	if grown := residentBytes(t, l.PID()) - before; grown > 256<<20 {
		t.Errorf("the process grew by %d MiB", grown>>20)
	}
	logged(t, l, "does not read its replies")
	stillServes(t, l)
}

// A pipeline may ask for more than is kept for a client, as long as the client takes it: what it asked for waits meanwhile.
func TestPipelineWithMoreRepliesThanAreKept(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Config: "limits:\n  output_buffer: 8MiB\n"})
	looks, c := l.Dial(t, reader), l.Dial(t, reader)
	value := strings.Repeat("x", 256<<10)
	c.Do("SET", "k", value)
	const n = 200 // 50 MiB of replies to 4 KiB of requests
	c.Send([]byte(strings.Repeat(string(testkit.Command("GET", "k")), n)))
	c.Send(testkit.Command("SET", "last", "asked"))
	for range 100 { // the client reads nothing yet, and others are served
		if r := looks.Do("GET", "last"); string(r.Raw) != "$-1\r\n" {
			t.Fatalf("the last request was run before replies to others were taken: %s", show(r.Raw))
		}
	}
	for i := range n {
		if r, err := c.Receive(patience); err != nil || string(r.Str) != value {
			t.Fatalf("reply %d has %d bytes, %v", i, len(r.Raw), err)
		}
	}
	if r, err := c.Receive(patience); err != nil || string(r.Raw) != "+OK\r\n" {
		t.Errorf("the request behind them is answered %s, %v", show(r.Raw), err)
	}
}

func TestManyConnections(t *testing.T) {
	t.Parallel()
	n := 1000
	if *long {
		n = 10_000
	}
	raiseFileLimit(t, uint64(n)+1000)
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	clients := make([]*testkit.Client, n)
	for i := range clients {
		clients[i] = l.Dial(t, reader)
	}
	for i, c := range clients {
		if r := c.Do("PING"); string(r.Raw) != "+PONG\r\n" {
			t.Fatalf("connection %d of %d answers %s", i+1, n, show(r.Raw))
		}
	}
	t.Logf("%d connections: %d KiB each", n, residentBytes(t, l.PID())/int64(n)>>10)
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Config: "limits:\n  connections: 5\n"})
	var clients []*testkit.Client
	for range 5 {
		clients = append(clients, l.Dial(t, reader))
	}
	if conn, err := tls.Dial("tcp", l.Addr, l.TLS()); err == nil {
		conn.Close()
		t.Error("a sixth connection is let in")
	}
	logged(t, l, "too many connections", "limit=5")
	clients[0].Conn.Close()
	testkit.Await(t, patience, "a place for another connection", func() bool {
		conn, err := tls.Dial("tcp", l.Addr, l.TLS())
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}
