package server

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/resp"
)

// A loop serves its connections in rounds: it waits for events, reads every ready connection, runs its commands, commits
// the records of all of them together, and then sends the replies. docs/design/0001-shape.md says why.
type loop struct {
	s        *Server
	w        *gateway.Worker
	epoll    int
	wake     int
	conns    []*conn // by descriptor
	read     []byte  // decrypted requests of the connection being read
	warmer   *warmer
	send     []byte  // encrypted replies of a connection with a long one
	replies  []reply // of this round
	args     [][]byte
	again    []*conn // have input that no event will tell of
	seconds  int64   // the loop's clock for timeouts
	bytesIn  uint64
	bytesOut uint64
	began    time.Time // of the round
	commands int       // of the round
	events   [256]unix.EpollEvent

	mu       sync.Mutex
	inbox    []func()
	stopping bool
	ended    chan struct{}
}

// reply is a run of the worker's output that belongs to one connection.
type reply struct {
	c        *conn
	from, to int
	answers  int
	close    bool
}

const (
	readBytes      = 128 << 10
	roundOutput    = 1 << 20 // output after which a round is committed and sent before others are read
	commandsAtOnce = 1024    // of one connection in one round
	backlogPause   = 1 << 20 // a connection that has this much to take is not read meanwhile
)

func processors() int { return runtime.GOMAXPROCS(0) }

func newLoop(s *Server) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	warmer, err := newWarmer()
	if err != nil {
		return nil, err
	}
	l := &loop{s: s, w: s.g.NewWorker(), warmer: warmer, epoll: epoll, wake: wake, read: make([]byte, readBytes), ended: make(chan struct{})}
	return l, unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)})
}

// post runs f in the loop's goroutine, in one of its next rounds.
func (l *loop) post(f func()) {
	l.mu.Lock()
	l.inbox = append(l.inbox, f)
	first := len(l.inbox) == 1
	l.mu.Unlock()
	if first {
		one := [8]byte{0: 1}
		_, _ = unix.Write(l.wake, one[:]) // a full counter wakes the loop as well
	}
}

func (l *loop) run() {
	defer close(l.ended)
	lastSweep := time.Now()
	for !l.stopping {
		timeout := 1000
		if len(l.again) > 0 {
			timeout = 0
		}
		n, err := unix.EpollWait(l.epoll, l.events[:], timeout)
		if err != nil && err != unix.EINTR {
			panic("BUG: cannot wait for events: " + err.Error())
		}
		l.beginRound()
		l.serveAgain()
		for i := range max(n, 0) {
			l.handle(&l.events[i])
		}
		l.endRound()
		if now := time.Now(); now.Sub(lastSweep) >= time.Second {
			lastSweep = now
			l.seconds++
			l.sweep(now)
			l.endRound()
		}
	}
	l.shutDown()
}

func (l *loop) handle(e *unix.EpollEvent) {
	if int(e.Fd) == l.wake {
		l.drainInbox()
		return
	}
	c := l.conns[e.Fd]
	if c == nil || c.closed {
		return
	}
	if c.socket.blocking {
		select {
		case c.socket.readable <- struct{}{}:
		default:
		}
		return
	}
	if e.Events&unix.EPOLLOUT != 0 {
		l.flush(c)
	}
	if e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLRDHUP) != 0 && !c.closed {
		c.socket.drained = false
		l.serve(c)
	}
}

func (l *loop) drainInbox() {
	var counter [8]byte
	_, _ = unix.Read(l.wake, counter[:])
	l.mu.Lock()
	inbox := l.inbox
	l.inbox = nil
	l.mu.Unlock()
	for _, f := range inbox {
		f()
	}
}

func (l *loop) serveAgain() {
	again := l.again
	l.again = nil
	for _, c := range again {
		c.queued = false
		if !c.closed {
			l.serve(c)
		}
	}
}

// queue makes the loop look at a connection again without an event.
func (l *loop) queue(c *conn) {
	if !c.queued {
		c.queued = true
		l.again = append(l.again, c)
	}
}

// open takes over a connection whose handshake is done.
func (l *loop) open(c *conn) {
	if l.stopping {
		l.close(c, "shutting down")
		return
	}
	c.active = l.seconds
	l.watch(c)
	l.serve(c) // the first request may have come with the handshake's last message
}

// serve reads a connection, runs what has arrived whole and keeps the rest.
func (l *loop) serve(c *conn) {
	if c.waiting || c.closing || len(c.socket.backlog) > backlogPause {
		return
	}
	for range 8 {
		n, err := l.fill(c)
		more := n == len(l.read)
		if n > 0 {
			c.active = l.seconds
			l.s.stats.BytesIn.Add(uint64(n))
			l.runAll(c, n)
			clear(l.read[:n])
		}
		if err != nil && err != errWouldBlock {
			l.hangUp(c, err)
			return
		}
		if c.closed || c.closing || c.waiting || !more {
			return
		}
	}
	l.queue(c)
}

// fill reads decrypted bytes until the buffer is full or nothing more has arrived.
func (l *loop) fill(c *conn) (n int, err error) {
	const recordBytes = 16 << 10
	for len(l.read)-n >= recordBytes {
		m, err := c.tls.Read(l.read[n:])
		n += m
		if m > 0 {
			forget(c.tls)
		}
		if err != nil {
			return n, unwrapWouldBlock(err)
		}
		if c.socket.drained && len(rawInput(c.tls).buf) == rawInput(c.tls).off {
			return n, errWouldBlock
		}
	}
	return len(l.read), nil
}

func unwrapWouldBlock(err error) error {
	if errors.Is(err, errWouldBlock) {
		return errWouldBlock
	}
	return err
}

// runAll runs the requests in the first n bytes of the read buffer, behind what the connection had kept.
func (l *loop) runAll(c *conn, n int) {
	input := l.read[:n]
	kept := len(c.partial) > 0
	if kept {
		c.keep(input)
		input = c.partial
	}
	used := l.runRequests(c, input)
	switch rest := input[used:]; {
	case c.closed:
	case !kept && len(rest) > 0:
		c.keep(rest)
	case kept:
		c.dropKept(used)
	}
}

// runKept goes on with requests that waited, without reading.
func (l *loop) runKept(c *conn) {
	if len(c.partial) > 0 {
		used := l.runRequests(c, c.partial)
		if !c.closed {
			c.dropKept(used)
		}
	}
}

// runRequests decodes and runs requests and returns how many bytes it used.
func (l *loop) runRequests(c *conn, input []byte) (used int) {
	from, commands := l.w.Out.Len(), 0
	answers := 0 // fewer than commands where one waits or the client wants no replies
	closing := false
	for used < len(input) && !closing && !c.waiting {
		if commands == commandsAtOnce || l.w.Out.Len()-from > roundOutput {
			l.queue(c)
			break
		}
		args, n, err := c.decoder.Next(input[used:], l.args[:0])
		if err == resp.ErrIncomplete {
			break
		}
		if err != nil {
			l.refuseInput(c, err)
			closing = true
			break
		}
		used += n
		l.args = args[:0]
		if len(args) == 0 {
			continue
		}
		commands++
		l.commands++
		before := l.w.Out.Len()
		next := l.w.Run(c.session, args)
		if l.w.Out.Len() > before {
			answers++
		}
		closing = next.Close
		if next.Wait != nil {
			l.wait(c, next)
		}
		c.trust()
	}
	l.addReply(c, from, answers, closing)
	return used
}

// refuseInput answers bytes that are no request; the connection is closed behind the answer, for nobody can say where the
// next request begins.
func (l *loop) refuseInput(c *conn, err error) {
	var bad *resp.ProtocolError
	if !errors.As(err, &bad) {
		panic("BUG: the decoder gave an error of an unknown kind")
	}
	l.s.stats.ProtocolErrors.Add(1)
	l.s.quiet.warn(l.s.log, "connection closed: protocol error", "source", c.session.About().Addr, "reason", bad.Error())
	l.w.Out.Error(bad.Reply())
}

func (l *loop) addReply(c *conn, from, answers int, closing bool) {
	to := l.w.Out.Len()
	if to > from || closing {
		l.replies = append(l.replies, reply{c, from, to, max(answers, 1), closing})
	}
	if to > roundOutput {
		l.endRound()
		l.beginRound()
	}
}

// wait lets a command's slow part run in a goroutine; the connection is not read meanwhile.
func (l *loop) wait(c *conn, next gateway.Next) {
	c.waiting = true
	spec := l.w.Spec()
	go func() {
		next.Wait()
		l.post(func() {
			if c.closed {
				return
			}
			c.waiting = false
			from := l.w.Out.Len()
			after := l.w.Finish(c.session, spec, next.Then)
			c.trust()
			l.addReply(c, from, 1, after.Close)
			l.runKept(c)
			if !c.waiting {
				c.socket.drained = false
				l.serve(c)
			}
		})
	}()
}

// beginRound fixes the instant at which the round's commands run.
func (l *loop) beginRound() {
	l.began = time.Now()
	l.w.Begin()
}

// endRound commits the round's records and sends its replies; where the records cannot be written, every command of the
// round is answered with an error instead.
func (l *loop) endRound() {
	err := l.w.Commit()
	out := l.w.Out.Bytes()
	if l.hasData() {
		l.warmer.warm()
	}
	for i := range l.replies {
		r := &l.replies[i]
		if r.c.closed {
			continue
		}
		if err != nil {
			l.sendAuditError(r)
		} else if r.to > r.from {
			l.sendReply(r.c, out[r.from:r.to])
		}
		if r.close {
			l.closeWhenSent(r.c)
		}
		r.c = nil
	}
	l.replies = l.replies[:0]
	l.w.Out.Reset()
	if l.commands > 0 {
		l.s.g.Stats.Latency.Observe(time.Since(l.began), l.commands)
		l.commands = 0
	}
	if l.bytesOut > 0 {
		l.s.stats.BytesOut.Add(l.bytesOut)
		l.bytesOut = 0
	}
}

// hasData reports whether a reply of the round may hold data: a status, an integer or a null is shorter than this.
func (l *loop) hasData() bool {
	const withoutData = 16
	for i := range l.replies {
		if l.replies[i].to-l.replies[i].from > withoutData {
			return true
		}
	}
	return false
}

func (l *loop) sendAuditError(r *reply) {
	for range r.answers {
		l.sendReply(r.c, []byte("-"+gateway.AuditError+"\r\n"))
	}
}

// sendReply encrypts and sends; what the kernel does not take waits in the connection's backlog.
func (l *loop) sendReply(c *conn, data []byte) {
	const recordBytes = 16 << 10
	c.socket.corked = len(data) > recordBytes
	l.bytesOut += uint64(len(data))
	_, err := c.tls.Write(data)
	if c.socket.corked {
		c.socket.corked = false
		if err == nil {
			err = c.socket.push(l.send)
		}
		l.send = l.send[:0]
		if cap(l.send) > 4<<20 {
			l.send = nil
		}
	}
	if err != nil {
		l.hangUp(c, err)
		return
	}
	if len(c.socket.backlog) > 0 {
		l.watch(c)
	}
}

// flush goes on sending what waits.
func (l *loop) flush(c *conn) {
	progress, err := c.socket.flush()
	if err != nil {
		l.hangUp(c, err)
		return
	}
	if progress {
		c.stalled = 0
	}
	if len(c.socket.backlog) == 0 && c.closing {
		l.close(c, "")
		return
	}
	l.watch(c)
	if len(c.socket.backlog) <= backlogPause {
		l.queue(c)
	}
}

func (l *loop) closeWhenSent(c *conn) {
	if c.closed {
		return
	}
	c.closing = true
	_ = c.tls.CloseWrite() // says good-bye where the peer still listens
	if len(c.socket.backlog) == 0 {
		l.close(c, "")
	} else {
		l.watch(c)
	}
}

func (l *loop) hangUp(c *conn, err error) {
	why := ""
	if err != io.EOF && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		why = reason(err)
	}
	l.close(c, why)
}

// close ends a connection now. why is for the log; empty says nothing.
func (l *loop) close(c *conn, why string) {
	if c.closed {
		return
	}
	if why != "" {
		l.s.quiet.warn(l.s.log, "connection closed", "source", c.session.About().Addr, "reason", why)
	}
	l.forgetDescriptor(c)
	forget(c.tls)
	clear(c.partial[:cap(c.partial)])
	c.partial = nil
	l.s.dismiss(c)
}

// sweep closes connections that overstayed a timeout.
func (l *loop) sweep(now time.Time) {
	o := &l.s.o
	for _, c := range l.conns {
		if c == nil || c.closed || c.socket.blocking {
			continue
		}
		idle := time.Duration(l.seconds-c.active) * time.Second
		switch {
		case !c.session.Authenticated() && now.Sub(c.since) > o.HandshakeTimeout+o.LoginTimeout && !c.waiting:
			l.close(c, "no credential in time")
		case o.IdleTimeout > 0 && idle > o.IdleTimeout && !c.waiting:
			l.close(c, "idle")
		case len(c.socket.backlog) > 0 && c.stalled == 0:
			c.stalled = l.seconds
		case len(c.socket.backlog) > 0 && time.Duration(l.seconds-c.stalled)*time.Second > o.StallTimeout:
			l.close(c, "the client does not read its replies")
		}
	}
}

func (l *loop) shutDown() {
	l.drainInbox()
	l.endRound()
	for _, c := range l.conns {
		if c != nil && !c.socket.blocking {
			_ = c.tls.CloseWrite()
			l.close(c, "")
		}
	}
	unix.Close(l.epoll)
	unix.Close(l.wake)
}

// takeDescriptor takes the socket out of Go's own poller: the loop watches it, and being watched twice would cost a wake-up
// of the runtime for every request.
func takeDescriptor(tcp *net.TCPConn) (int, error) {
	defer tcp.Close()
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(original uintptr) {
		fd, dupErr = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, errors.Join(err, dupErr)
}

func closeDescriptor(fd int) { unix.Close(fd) }

func readDescriptor(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, errWouldBlock
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func writeDescriptor(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Write(fd, p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, errWouldBlock
		default:
			return n, err
		}
	}
}
