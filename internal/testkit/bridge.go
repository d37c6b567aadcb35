package testkit

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"
)

// Bridge lets programs that speak neither TLS nor AUTH use a lethe: every connection that it takes on its plain address,
// which is on loopback, becomes one of a user. It ends with the test.
func (l *Lethe) Bridge(t testing.TB, user string) (addr string) {
	t.Helper()
	return Accept(t, func(c net.Conn) { l.bridge(c, user) })
}

func (l *Lethe) bridge(plain net.Conn, user string) {
	defer plain.Close()
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	secure, err := tls.DialWithDialer(dialer, "tcp", l.Addr, &tls.Config{RootCAs: l.CA, MinVersion: tls.VersionTLS13})
	if err != nil {
		return
	}
	defer secure.Close()
	const ok = "+OK\r\n"
	if _, err := secure.Write(Command("AUTH", user, l.Tokens[user])); err != nil {
		return
	}
	answer := make([]byte, len(ok))
	if _, err := io.ReadFull(secure, answer); err != nil || string(answer) != ok {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(plain, secure)
		plain.Close()
	}()
	io.Copy(secure, plain)
	secure.CloseWrite() // what was asked is answered still
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}
