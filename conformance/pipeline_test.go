package conformance

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A pipeline that is longer than what one round serves is answered whole, in order, though nothing more is sent; so is
// one that is cut off by QUIT, and one whose credential comes in the middle.
func TestLongPipelines(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	c := l.Dial(t, "app")
	const n = 20_000
	var calls bytes.Buffer
	for i := range n {
		calls.Write(testkit.Command("ECHO", strconv.Itoa(i)))
	}
	go c.Send(calls.Bytes())
	for i := range n {
		r, err := c.Receive(patience)
		if err != nil || string(r.Str) != strconv.Itoa(i) {
			t.Fatalf("reply %d of %d: %q, %v", i, n, r.Raw, err)
		}
	}
	c.Send(bytes.Join([][]byte{testkit.Command("SET", "k", "v"), testkit.Command("QUIT"), testkit.Command("DEL", "k")}, nil))
	for _, want := range []string{"+OK\r\n", "+OK\r\n"} {
		if r, err := c.Receive(patience); err != nil || string(r.Raw) != want {
			t.Errorf("%q, %v", r.Raw, err)
		}
	}
	if !c.Closed(patience) {
		t.Error("the connection is open after QUIT")
	}
	d := l.Connect(t)
	d.Send(bytes.Join([][]byte{testkit.Command("GET", "k"), testkit.Command("AUTH", "app", l.Tokens["app"]),
		testkit.Command("GET", "k"), testkit.Command("HELLO", "3"), testkit.Command("GET", "none")}, nil))
	wants := []string{"-NOAUTH Authentication required.\r\n", "+OK\r\n", "$1\r\nv\r\n", "", "_\r\n"}
	for _, want := range wants {
		if r, err := d.Receive(patience); err != nil || want != "" && string(r.Raw) != want {
			t.Errorf("%q, %v, want %q", r.Raw, err, want)
		}
	}
}
