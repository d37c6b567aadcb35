package conformance

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Whoever was answered for a change or a message, and then asks over any connection, is told there of what became of it before
// the answer, as Redis's one thread has it: clients ask a tracking connection with PING whether they know of everything.
func TestWhatIsToldComesBeforeLaterAnswers(t *testing.T) {
	t.Parallel()
	f := func(name string, dial func() *testkit.Client) {
		t.Run(name, func(t *testing.T) {
			by := dial()
			var told []*testkit.Client
			for range 8 { // in several loops
				c := dial()
				c.Do("HELLO", "3")
				c.Do("SUBSCRIBE", "news")
				c.Do("CLIENT", "TRACKING", "ON")
				told = append(told, c)
			}
			before := func(c *testkit.Client, kind, what string) {
				t.Helper()
				c.Send(testkit.Command("PING"))
				for _, want := range []byte{'>', '+'} {
					r, err := c.Receive(patience)
					if err != nil || r.Type != want || want == '>' && string(r.Elems[0].Str) != kind {
						t.Fatalf("%s: %s, %v", what, show(r.Raw), err)
					}
				}
			}
			for range 100 {
				by.Do("PUBLISH", "news", "all")
				for _, c := range told {
					before(c, "message", "a message")
				}
				for _, c := range told {
					c.Do("GET", "k")
				}
				by.Do("SET", "k", "v")
				for _, c := range told {
					before(c, "invalidate", "another's change")
				}
				for _, c := range told {
					c.Do("GET", "k")
					if c.Do("SET", "k", "w").Type == '+' {
						before(c, "invalidate", "its own change")
					} else if r, err := c.Receive(patience); err != nil || r.Type != '+' { // told before the answer
						t.Fatalf("SET: %s, %v", show(r.Raw), err)
					}
				}
			}
		})
	}
	p := startPair(t)
	f("redis-server", func() *testkit.Client { return p.redis.Dial(t) })
	f("embedded", func() *testkit.Client { return p.lethe.Dial(t, reader) })
	front, _ := inFront(t, singleTenant)
	f("upstream", func() *testkit.Client { return front.lethe.Dial(t, reader) })
}

// Whoever changes what he has a copy of gets the answer and the invalidation at once, in one record of TLS, as in one write of
// Redis: a client that looks into its copies when it has the answer finds none.
func TestTheAnswerToAChangeComesWithItsInvalidation(t *testing.T) {
	t.Parallel()
	f := func(name string, l *testkit.Lethe) {
		t.Run(name, func(t *testing.T) {
			c, err := tls.Dial("tcp", l.Addr, l.TLS())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			record := make([]byte, 16<<10)
			ask := func(args ...string) string { // Read returns what one record holds, and never more
				t.Helper()
				if _, err := c.Write(testkit.Command(args...)); err != nil {
					t.Fatal(err)
				}
				n, err := c.Read(record)
				if err != nil {
					t.Fatal(err)
				}
				return string(record[:n])
			}
			ask("HELLO", "3", "AUTH", reader, l.Tokens[reader])
			ask("CLIENT", "TRACKING", "ON")
			for _, change := range [][]string{{"SET", "k", "w"}, {"DEL", "k"}, {"SETEX", "k", "100", "v"}, {"FLUSHALL"}} {
				ask("GET", "k")
				got := ask(change...)
				if reply, told, _ := strings.Cut(got, "\r\n"); reply != "+OK" && reply != ":1" || !strings.HasPrefix(told, ">2\r\n$10\r\ninvalidate\r\n") {
					t.Errorf("%s: %q", change[0], got)
				}
			}
		})
	}
	f("embedded", startPair(t).lethe)
	front, _ := inFront(t, singleTenant)
	f("upstream", front.lethe)
}
