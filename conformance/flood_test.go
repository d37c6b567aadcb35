package conformance

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// An address that goes on trying wrong tokens is soon given no handshake any more. The user whom it tries to be works on,
// and connects anew, from its own address.
func TestFloodOfWrongTokens(t *testing.T) {
	t.Parallel()
	const user = "app" // the first one
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	l.Dial(t, user) // from here on the address is known
	from := func() (answered bool) {
		dialer := &tls.Dialer{
			NetDialer: &net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 3, 2, 1)}},
			Config:    l.TLS(),
		}
		conn, err := dialer.Dial("tcp", l.Addr)
		if err != nil {
			return false
		}
		defer conn.Close()
		for range 10 {
			if _, err := conn.Write(testkit.Command("AUTH", user, "not the token of anybody at all")); err != nil {
				break
			}
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, err = conn.Read(make([]byte, 1))
		return err == nil
	}
	for range 10 { // it insists
		from()
	}
	// Some handshakes in a second it is given all the same. However slow the machine, more come in one when all come at once.
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 150 {
		all.Go(func() {
			if !from() {
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if refused.Load() == 0 {
		t.Error("every connection got its handshake")
	}
	if r := l.Dial(t, user).Do("SET", "k", "v"); string(r.Raw) != "+OK\r\n" {
		t.Errorf("got %q", r.Raw)
	}
}
