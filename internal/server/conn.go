package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/resp"
)

// conn is one connection. Its handshake runs in a goroutine; from then on its loop's goroutine owns it.
type conn struct {
	s       *Server
	loop    *loop
	socket  socket
	tls     *tls.Conn
	session *gateway.Session // nil until it is known who connects: see meet
	source  string           // the address at the other end of the socket
	local   string           // the address at this end
	decoder *resp.Decoder
	trusted bool   // the decoder has the limits of an authenticated peer
	partial []byte // a request that has not arrived whole
	waiting bool   // a command waits: for its goroutine, or in the gateway
	busy    bool   // ... for its goroutine
	ahead   bool   // ... and its peer has sent something that is not read before it goes on
	queued  bool   // there is input that no event will tell of
	ended   bool   // its client has said good-bye: nothing more is read
	closing bool   // close when what waits to be sent is sent
	opened  bool   // the handshake is done; before, the loop only passes events on to its goroutine
	doomed  bool   // to be closed when its command has run
	closed  bool
	events  uint32 // what the loop watches the socket for
	since   time.Time
	active  int64 // when the last request came, in the loop's seconds
	stalled int64 // since when the peer takes nothing, in the loop's seconds; 0: it does
}

func newConn(s *Server, l *loop, fd int, source, local string) *conn {
	c := &conn{s: s, loop: l, source: source, local: local, since: time.Now(), decoder: resp.NewDecoder(resp.UnauthenticatedLimits())}
	c.socket = socket{fd: fd, loop: l, conn: c, blocking: true, readable: make(chan struct{}, 1)}
	c.socket.deadline.Store(time.Now().Add(s.o.HandshakeTimeout).UnixNano())
	if !c.behindBalancer() {
		c.meet(source)
	}
	c.tls = tls.Server(&c.socket, s.tls)
	return c
}

// trust gives a connection the limits that fit whether it is somebody's.
func (c *conn) trust() {
	if c.trusted == c.session.Authenticated() {
		return
	}
	c.trusted = !c.trusted
	limits := resp.UnauthenticatedLimits()
	if c.trusted {
		limits = resp.DefaultLimits()
		limits.RequestBytes = c.s.o.MaxRequest
		limits.BulkBytes = min(limits.BulkBytes, c.s.o.MaxRequest)
	}
	c.decoder.SetLimits(limits)
}

// handshake reads what a balancer tells, runs the TLS handshake, all in the goroutine that calls it, and then gives the
// connection to its loop.
func (c *conn) handshake() {
	if err := c.loop.register(c); err != nil {
		c.drop("cannot watch the connection", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.s.o.HandshakeTimeout)
	defer cancel()
	if err := c.introduce(); err != nil {
		c.s.stats.HandshakeFailures.Add(1)
		c.drop("balancer's connection refused", err)
		return
	}
	if !c.session.Welcome() {
		c.s.stats.Rejected.Add(1)
		c.drop("connection refused: too many wrong tokens from its address", nil)
		return
	}
	err := c.tls.HandshakeContext(ctx)
	if err != nil {
		c.s.stats.HandshakeFailures.Add(1)
		c.explainPlaintext(err)
		c.drop("TLS handshake failed", err)
		return
	}
	c.loop.post(func() { c.loop.open(c) })
}

// explainPlaintext answers a client that speaks plain RESP on the TLS port in the only words that it understands.
func (c *conn) explainPlaintext(err error) {
	var header tls.RecordHeaderError
	if errors.As(err, &header) && header.Conn != nil {
		c.socket.Write([]byte("-ERR this port speaks TLS 1.3 only; connect with TLS\r\n"))
	}
}

// drop ends a connection that never reached its loop.
func (c *conn) drop(message string, err error) {
	c.s.quiet.warn(c.s.log, message, "source", c.told(), "reason", reason(err))
	c.s.dismiss(c)
	c.loop.post(func() { c.loop.forgetDescriptor(c) })
}

// reason says why a connection ended without quoting what the peer sent.
func reason(err error) string {
	var header tls.RecordHeaderError
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &header):
		return "the peer does not speak TLS"
	case errors.Is(err, io.EOF):
		return "closed by the peer"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return err.Error()
	}
}

// socket is a non-blocking socket as crypto/tls sees it. In the loop, Read and Write never wait: reading what is not there
// gives errWouldBlock, which crypto/tls passes on and recovers from; what the kernel does not take is kept and sent when
// it does. During the handshake Read waits for the loop to say that there is something to read.
type socket struct {
	fd       int
	loop     *loop
	conn     *conn
	blocking bool   // the handshake goroutine's until the loop opens the connection
	drained  bool   // the last read took all there was: the next can wait for an event without asking the kernel
	backlog  []byte // encrypted bytes that the kernel did not take
	corked   bool   // gather records in the loop's send buffer
	readable chan struct{}
	deadline atomic.Int64 // Unix nanoseconds, for the handshake
}

// wouldBlock is the error of a read that would have to wait.
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "nothing to read now" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

var errWouldBlock net.Error = wouldBlock{}

func (s *socket) Read(p []byte) (int, error) {
	if !s.blocking {
		if s.drained {
			return 0, errWouldBlock
		}
		n, err := readDescriptor(s.fd, p)
		s.drained = n < len(p)
		if n > 0 {
			s.loop.bytesIn += uint64(n)
		}
		return n, err
	}
	for {
		n, err := readDescriptor(s.fd, p)
		if err != errWouldBlock {
			return n, err
		}
		if err := s.awaitReadable(); err != nil {
			return 0, err
		}
	}
}

// awaitReadable waits in the handshake's goroutine until the loop sees something to read, or the handshake's time is up.
func (s *socket) awaitReadable() error {
	if err := s.loop.watchOnce(s.conn); err != nil {
		return err
	}
	timer := time.NewTimer(time.Until(time.Unix(0, s.deadline.Load())))
	defer timer.Stop()
	select {
	case <-s.readable:
		return nil
	case <-timer.C:
		return os.ErrDeadlineExceeded
	}
}

func (s *socket) Write(p []byte) (int, error) {
	if s.corked {
		s.loop.send = append(s.loop.send, p...)
		return len(p), nil
	}
	return len(p), s.push(p)
}

// push sends what the kernel takes now and keeps the rest.
func (s *socket) push(p []byte) error {
	if len(s.backlog) == 0 {
		n, err := writeDescriptor(s.fd, p)
		if err != nil && err != errWouldBlock {
			return err
		}
		p = p[max(n, 0):]
	}
	if len(p) == 0 {
		return nil
	}
	if len(s.backlog)+len(p) > s.conn.s.o.MaxOutput {
		return errors.New("the client does not read its replies")
	}
	s.backlog = append(s.backlog, p...)
	s.conn.tellHeld()
	return nil
}

// flush sends what was kept; it reports whether anything was taken.
func (s *socket) flush() (progress bool, err error) {
	defer s.conn.tellHeld()
	for len(s.backlog) > 0 {
		n, err := writeDescriptor(s.fd, s.backlog)
		if err == errWouldBlock {
			return progress, nil
		}
		if err != nil {
			return progress, err
		}
		progress = true
		s.backlog = s.backlog[n:]
	}
	s.backlog = nil
	return true, nil
}

// Close is called by crypto/tls; the loop closes the descriptor.
func (s *socket) Close() error                     { return nil }
func (s *socket) LocalAddr() net.Addr              { return nil }
func (s *socket) RemoteAddr() net.Addr             { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is how crypto/tls ends a handshake whose context has ended.
func (s *socket) SetDeadline(t time.Time) error {
	if !t.IsZero() {
		s.deadline.Store(t.UnixNano())
		select {
		case s.readable <- struct{}{}:
		default:
		}
	}
	return nil
}
