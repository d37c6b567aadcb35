// Package server takes connections: it listens, speaks TLS 1.3, moves bytes between sockets and the gateway's workers, and
// bounds what a peer can make it hold. It knows no command; a request is a list of arguments to it.
//
// The invariant: memory that held a request or a reply in clear is overwritten at the end of the round that used it, and
// no reply is written before the round's records are committed.
//
// cli builds and runs it.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/peer"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Options are the limits of a Server. Zero means the default that is named.
type Options struct {
	Loops            int            // connection loops: the number of processors
	MaxConnections   int            // 10,000
	HandshakeTimeout time.Duration  // from taking a connection to its first good credential: 10 s
	IdleTimeout      time.Duration  // between two requests; 0: none
	MaxRequest       int            // bytes of one request: resp.DefaultLimits
	MaxOutput        int            // bytes that wait for a client that does not read: 256 MiB, then it is closed
	StallTimeout     time.Duration  // a client that takes no byte of what waits for it: 60 s
	Balancers        peer.Balancers // whose connections begin with a PROXY header; nil: nobody's do
}

func (o *Options) setDefaults(processors int) {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	defTime := func(p *time.Duration, v time.Duration) {
		if *p == 0 {
			*p = v
		}
	}
	def(&o.Loops, processors)
	def(&o.MaxConnections, 10_000)
	def(&o.MaxOutput, 256<<20)
	def(&o.MaxRequest, resp.DefaultLimits().RequestBytes)
	defTime(&o.HandshakeTimeout, 10*time.Second)
	defTime(&o.StallTimeout, 60*time.Second)
}

// Server serves one gateway on one or more listeners.
type Server struct {
	o     Options
	g     *gateway.Gateway
	tls   *tls.Config
	log   *slog.Logger
	loops []*loop
	next  atomic.Uint32

	mu    sync.Mutex
	conns map[*conn]struct{}
	done  bool

	stats Stats
	quiet quiet
}

// Stats counts what a server does.
type Stats struct {
	Accepted, Rejected, HandshakeFailures, ProtocolErrors, Closed atomic.Uint64
	BytesIn, BytesOut                                             atomic.Uint64
}

// New returns a server with its loops running. It fails where the running Go version keeps decrypted records in a place
// that Lethe does not know how to clear.
func New(g *gateway.Gateway, config *tls.Config, log *slog.Logger, o Options) (*Server, error) {
	o.setDefaults(processors())
	if err := checkForget(); err != nil {
		return nil, err
	}
	config = config.Clone()
	config.MinVersion = tls.VersionTLS13
	config.DynamicRecordSizingDisabled = true // a pipeline's replies go out as one record
	s := &Server{o: o, g: g, tls: config, log: log, conns: map[*conn]struct{}{}}
	for range o.Loops {
		l, err := newLoop(s)
		if err != nil {
			return nil, fmt.Errorf("cannot start a connection loop: %w", err)
		}
		s.loops = append(s.loops, l)
	}
	for _, l := range s.loops {
		go l.run()
	}
	return s, nil
}

// Stats returns the server's counters.
func (s *Server) Stats() *Stats { return &s.stats }

// Serve takes connections from a TCP listener until ctx ends or the listener fails.
func (s *Server) Serve(ctx context.Context, listener *net.TCPListener) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	pause := time.Millisecond
	for {
		tcp, err := listener.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of file descriptors, for one: wait for others to close instead of spinning.
			s.quiet.warn(s.log, "cannot take a connection", "error", err)
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		pause = time.Millisecond
		s.accept(tcp)
	}
}

func (s *Server) accept(tcp *net.TCPConn) {
	s.stats.Accepted.Add(1)
	source, local := tcp.RemoteAddr().String(), tcp.LocalAddr().String()
	fd, err := takeDescriptor(tcp)
	if err != nil {
		s.quiet.warn(s.log, "cannot take a connection", "source", source, "error", err)
		return
	}
	l := s.loops[int(s.next.Add(1))%len(s.loops)]
	c := newConn(s, l, fd, source, local)
	if !s.admit(c) {
		s.stats.Rejected.Add(1)
		s.quiet.warn(s.log, "connection refused: too many connections", "source", source, "limit", s.o.MaxConnections)
		closeDescriptor(fd)
		return
	}
	go c.handshake()
}

// admit counts a connection in, unless there are too many.
func (s *Server) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done || len(s.conns) >= s.o.MaxConnections {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) dismiss(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.stats.Closed.Add(1)
}

// Sessions calls f for the session of every open connection until it says stop.
func (s *Server) Sessions(f func(*gateway.Session) bool) {
	s.mu.Lock()
	sessions := make([]*gateway.Session, 0, len(s.conns))
	for c := range s.conns {
		if c.session != nil {
			sessions = append(sessions, c.session)
		}
	}
	s.mu.Unlock()
	for _, x := range sessions {
		if !f(x) {
			return
		}
	}
}

// Connections counts the open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close closes every connection and ends the loops: what was read is answered first.
func (s *Server) Close() {
	s.mu.Lock()
	s.done = true
	s.mu.Unlock()
	for _, l := range s.loops {
		l.post(func() { l.stopping = true })
	}
	for _, l := range s.loops {
		<-l.ended
	}
}

// quiet keeps a flood of bad connections from becoming a flood of log lines: each message once a second.
type quiet struct {
	mu      sync.Mutex
	last    map[string]time.Time
	skipped map[string]int
}

func (q *quiet) warn(log *slog.Logger, message string, args ...any) {
	q.mu.Lock()
	if q.last == nil {
		q.last, q.skipped = map[string]time.Time{}, map[string]int{}
	}
	now := time.Now()
	if now.Sub(q.last[message]) < time.Second {
		q.skipped[message]++
		q.mu.Unlock()
		return
	}
	skipped := q.skipped[message]
	q.last[message], q.skipped[message] = now, 0
	q.mu.Unlock()
	if skipped > 0 {
		args = append(args, "more_since_last", skipped)
	}
	log.Warn(message, args...)
}
