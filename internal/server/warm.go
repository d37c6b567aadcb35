package server

import (
	"crypto/tls"
	"net"
)

// crypto/tls encrypts a record in a buffer from a pool, which it grows by append: a buffer that is too small for the
// record and its tag is left to the garbage collector with the plaintext in it. warmer keeps that from happening. Before
// a round's replies are sent it writes one byte to a connection that ends in the process, and sees in Write how large the
// buffer is that this processor's pool hands out; where it is not large enough for any record, it lets crypto/tls grow it
// with a record that says nothing.
//
// The pool is private to a processor and is emptied by the collector when it is not used, which is why this is done in
// every round whose replies hold data, for a quarter of a microsecond, and not once.
type warmer struct {
	conn  *tls.Conn
	probe *probe
	one   [1]byte
}

// largestRecord is a TLS 1.3 record with its header, content type and tag.
const largestRecord = 5 + 16<<10 + 1 + 16

func newWarmer() (*warmer, error) {
	server, client, err := loopback()
	if err != nil {
		return nil, err
	}
	defer client.NetConn().Close()
	p := server.NetConn().(*probe)
	p.silent = true
	return &warmer{conn: server, probe: p}, nil
}

// warm makes the next record of this goroutine be encrypted in a buffer that is large enough.
func (w *warmer) warm() {
	_, _ = w.conn.Write(w.one[:]) // a write to a probe cannot fail
	if w.probe.capacity >= largestRecord {
		return
	}
	_, _ = w.conn.Write(make([]byte, 16<<10))
}

// probe is an end of a pipe that, once silent, keeps nothing of what is written but the capacity of the buffer.
type probe struct {
	net.Conn
	silent   bool
	capacity int
}

func (p *probe) Write(b []byte) (int, error) {
	if !p.silent {
		return p.Conn.Write(b)
	}
	p.capacity = cap(b)
	return len(b), nil
}
