package testkit

import (
	"net"
	"testing"
)

// Accept listens on a port of loopback and gives each connection to serve, in a goroutine of its own, until the test ends.
func Accept(t testing.TB, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	AcceptFrom(t, l, serve)
	return l.Addr().String()
}

// AcceptFrom is Accept from a listener that it closes at the end.
func AcceptFrom(t testing.TB, l net.Listener, serve func(net.Conn)) {
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
}
