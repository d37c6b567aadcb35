package conformance

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A client that waits and says good-bye over TLS has gone although its socket is open, as with Redis: nothing is given to it any
// more. Python's asyncio leaves so.
func TestAGoodByeEndsAWait(t *testing.T) {
	t.Parallel()
	front, _ := inFront(t, singleTenant)
	for name, p := range map[string]*pair{"embedded": startPair(t), "upstream": front} {
		t.Run(name, func(t *testing.T) {
			leaves, stays := p.lethe.Dial(t, reader), p.lethe.Dial(t, reader)
			leaves.Send(testkit.Command("BLPOP", "queue", "0"))
			awaitWaiting(t, stays)
			if err := leaves.Conn.(*tls.Conn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if !leaves.Closed(patience) {
				t.Error("the connection goes on waiting")
			}
			stays.Do("RPUSH", "queue", "element")
			if r := stays.Do("LLEN", "queue"); string(r.Raw) != ":1\r\n" {
				t.Errorf("the queue has %s", show(r.Raw))
			}
		})
	}
}

// The same for a client that has asked for more meanwhile: its good-bye is behind that.
func TestAGoodByeBehindRequestsEndsAWait(t *testing.T) {
	t.Parallel()
	front, _ := inFront(t, singleTenant)
	for name, p := range map[string]*pair{"embedded": startPair(t), "upstream": front} {
		t.Run(name, func(t *testing.T) {
			leaves, stays := p.lethe.Dial(t, reader), p.lethe.Dial(t, reader)
			leaves.Send(testkit.Command("BLPOP", "queue", "0"))
			awaitWaiting(t, stays)
			leaves.Send(testkit.Command("PING"))
			leaves.Send(testkit.Command("QUIT"))
			if err := leaves.Conn.(*tls.Conn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if !leaves.Closed(patience) {
				t.Error("the connection goes on waiting")
			}
			stays.Do("RPUSH", "queue", "element")
			if r := stays.Do("LLEN", "queue"); string(r.Raw) != ":1\r\n" {
				t.Errorf("the queue has %s", show(r.Raw))
			}
		})
	}
}

// What a client has asked before it says good-bye is done and answered, however much it is, as with Redis.
func TestRequestsBeforeAGoodBye(t *testing.T) {
	t.Parallel()
	front, _ := inFront(t, singleTenant)
	for name, p := range map[string]*pair{"embedded": startPair(t), "upstream": front} {
		t.Run(name, func(t *testing.T) {
			value := strings.Repeat("v", 64<<10)
			p.lethe.Dial(t, reader).Do("SET", "large", value)
			f := func(n int, want string, request ...string) {
				t.Helper()
				c := p.lethe.Dial(t, reader)
				all := []byte(strings.Repeat(string(testkit.Command(request...)), n))
				go func() {
					c.Conn.Write(all)
					c.Conn.(*tls.Conn).CloseWrite()
				}()
				for i := range n {
					if r, err := c.Receive(patience); err != nil || string(r.Raw) != want {
						t.Fatalf("%s: reply %d of %d has %d bytes, %v", request[0], i, n, len(r.Raw), err)
					}
				}
				if !c.Closed(patience) {
					t.Errorf("%s: the connection stays", request[0])
				}
			}
			f(1, "+PONG\r\n", "PING")
			f(10_000, "+PONG\r\n", "PING")
			f(5000, "+OK\r\n", "SET", "k", "v")
			f(200, "$65536\r\n"+value+"\r\n", "GET", "large")
		})
	}
}

// What a client sends behind a command that waits is answered when that has ended, however short it is.
func TestRequestsBehindACommandThatWaits(t *testing.T) {
	t.Parallel()
	front, _ := inFront(t, singleTenant)
	for name, p := range map[string]*pair{"embedded": startPair(t), "upstream": front} {
		t.Run(name, func(t *testing.T) {
			for _, behind := range [][]string{{"PING\r\n"}, {"\r\n", "PING\r\n"}, {"PI", "NG", "\r\n"}} {
				waits, pushes := p.lethe.Dial(t, reader), p.lethe.Dial(t, reader)
				waits.Send(testkit.Command("BLPOP", "queue", "0"))
				awaitWaiting(t, pushes)
				for _, part := range behind { // each is a record of its own
					waits.Send([]byte(part))
				}
				pushes.Do("RPUSH", "queue", "element")
				for _, want := range []string{"*2\r\n$5\r\nqueue\r\n$7\r\nelement\r\n", "+PONG\r\n"} {
					if r, err := waits.Receive(patience); err != nil || string(r.Raw) != want {
						t.Errorf("%q: %s, %v", behind, show(r.Raw), err)
					}
				}
			}
		})
	}
}

// awaitWaiting returns when a client waits in a command.
func awaitWaiting(t *testing.T, looks *testkit.Client) {
	t.Helper()
	testkit.Await(t, patience, "a client that waits", func() bool {
		return strings.Contains(string(looks.Do("CLIENT", "LIST").Str), "flags=b")
	})
}
