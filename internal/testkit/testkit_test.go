package testkit

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

func TestFrame(t *testing.T) {
	t.Parallel()
	// f reads the replies in a stream and wants each with its exact bytes.
	f := func(replies ...string) {
		t.Helper()
		r := bufio.NewReader(strings.NewReader(strings.Join(replies, "")))
		for _, want := range replies {
			if raw, err := frame(r, nil); err != nil || string(raw) != want {
				t.Errorf("%q, %v; want %q", raw, err, want)
			}
		}
	}
	f("+OK\r\n", "-ERR x\r\n", ":1\r\n", "_\r\n", ",1.5\r\n", "#t\r\n", "(123\r\n")
	f("$0\r\n\r\n", "$-1\r\n", "$4\r\na\r\nb\r\n", "=7\r\ntxt:abc\r\n", "!5\r\nERR x\r\n")
	f("*0\r\n", "*-1\r\n", "*2\r\n:1\r\n*1\r\n$1\r\na\r\n", "%1\r\n+a\r\n%1\r\n+b\r\n:1\r\n", "~1\r\n+a\r\n", ">1\r\n+a\r\n")
	f("|1\r\n+a\r\n+b\r\n:1\r\n", "+after\r\n")

	bad := func(stream string) {
		t.Helper()
		if raw, err := frame(bufio.NewReader(strings.NewReader(stream)), nil); err == nil {
			t.Errorf("%q is read as %q", stream, raw)
		}
	}
	bad("")
	bad("+OK")
	bad("+OK\n")
	bad("$5\r\nab")
	bad("$x\r\n")
	bad("*2\r\n:1\r\n")
}

func TestComplaint(t *testing.T) {
	t.Parallel()
	f := func(stderr string, want bool) {
		t.Helper()
		if have := complaint(stderr) != ""; have != want {
			t.Errorf("%q is a complaint: %t, want %t", stderr, have, want)
		}
	}
	f("", false)
	f("level=INFO msg=serving\n", false)
	f("x\nWARNING: DATA RACE\nRead at", true)
	f("panic: runtime error\n", true)
	f("fatal error: concurrent map writes\n", true)
}

func TestAddress(t *testing.T) {
	t.Parallel()
	f := func(line, want string) {
		t.Helper()
		if have := address(t, line); have != want {
			t.Errorf("%q: %s, want %s", line, have, want)
		}
	}
	f("ready: 127.0.0.1:6380", "127.0.0.1:6380")
	f("ready: listening on 127.0.0.1:35459, admin on https://127.0.0.1:41523", "127.0.0.1:35459")
	f("ready: listening on [::1]:6380", "[::1]:6380")
}

func TestCommand(t *testing.T) {
	t.Parallel()
	if have := Command("SET", "k", ""); !bytes.Equal(have, []byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n")) {
		t.Errorf("%q", have)
	}
}

// A real redis-server can be had over a unix socket and over TLS 1.3.
func TestRedis(t *testing.T) {
	t.Parallel()
	r := StartRedis(t, RedisOptions{TLS: true})
	for _, c := range []*Client{r.Dial(t), r.DialTLS(t)} {
		if have := c.Do("PING"); string(have.Raw) != "+PONG\r\n" {
			t.Errorf("PING answers %q", have.Raw)
		}
	}
}
