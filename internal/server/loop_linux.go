package server

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// A loop serves its connections in rounds: it waits for events, reads every ready connection, runs its commands, commits
// the records of all of them together, and then sends the replies. docs/design/0001-shape.md says why.
type loop struct {
	s *Server
	round
	aside     round // for whileBusy
	running   *conn // whose command runs
	scripting *conn // whose script runs while others are answered
	epoll     int
	wake      int
	conns     []*conn // by descriptor
	warmer    *warmer
	send      []byte  // encrypted replies of a connection with a long one
	again     []*conn // have input that no event will tell of
	seconds   int64   // the loop's clock for timeouts
	bytesIn   uint64
	bytesOut  uint64
	began     time.Time // of the round
	events    [256]unix.EpollEvent

	mu       sync.Mutex
	inbox    []func()
	mail     []letter    // for its connections, from others
	unread   atomic.Bool // there is mail
	woken    bool        // wake is readable, or about to be
	stopping bool
	ended    chan struct{}
}

// letter is what others have for a connection. A message is only to be written: it changes nothing and is recorded already.
type letter struct {
	to      *conn
	f       func(*gateway.Worker)
	message bool
}

// reply is a run of the worker's output that belongs to one connection, and in front of an upstream the replies of some of
// the round's jobs, which stand before it.
type reply struct {
	c        *conn
	from, to int
	jobs     [2]int // first, and behind the last
	answers  int
	close    bool
}

const (
	readBytes      = 128 << 10
	roundOutput    = 1 << 20              // output after which a round is committed and sent before others are read
	commandsAtOnce = 1024                 // of one connection in one round
	maxMessages    = 32 << 20             // bytes that may wait for a subscriber that does not read
	yieldEvery     = 5 * time.Millisecond // see run
	backlogPause   = 1 << 20              // a connection that has this much to take is not read meanwhile
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
	l := &loop{s: s, warmer: warmer, epoll: epoll, wake: wake, ended: make(chan struct{})}
	l.w, l.read = s.g.NewWorker(), make([]byte, readBytes)
	l.w.Meanwhile(l.whileBusy)
	return l, unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)})
}

// post runs f in the loop's goroutine, in one of its next rounds.
func (l *loop) post(f func()) { l.hand(func() { l.inbox = append(l.inbox, f) }) }

// hand has add put something behind what is to be done already.
func (l *loop) hand(add func()) {
	l.mu.Lock()
	add()
	l.unread.Store(len(l.mail) > 0)
	woken := l.woken
	l.woken = true
	l.mu.Unlock()
	if !woken {
		one := [8]byte{0: 1}
		_, _ = unix.Write(l.wake, one[:]) // a full counter wakes the loop as well
	}
}

// run serves until the loop is told to stop. It gives way to other goroutines now and then: Go's scheduler takes a processor away from
// a goroutine that has not done so for 10 ms as soon as it waits in the kernel, which a loop does after each round, and whenever that
// has happened its watchdog looks again each 20 microseconds for a while. Both cost more than a lone request does.
func (l *loop) run() {
	defer close(l.ended)
	lastSweep := time.Now()
	yielded := lastSweep
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
		l.deliver()
		l.serveAgain()
		for i := range max(n, 0) {
			l.handle(&l.events[i])
		}
		l.endRound()
		if l.began.Sub(yielded) > yieldEvery {
			yielded = l.began
			runtime.Gosched()
		}
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
	if !c.opened {
		select {
		case c.socket.readable <- struct{}{}:
		default:
		}
		return
	}
	if e.Events&unix.EPOLLOUT != 0 {
		l.flush(c)
	}
	if c.waiting && !c.busy && gone(e.Events) {
		l.close(c, "")
		return
	}
	if c.waiting && e.Events&unix.EPOLLIN != 0 {
		l.overhear(c)
		return
	}
	if e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLRDHUP) != 0 && !c.closed {
		c.socket.drained = false
		l.serve(c)
	}
}

// drainInbox does what the loop was woken for. What is handed over behind the reading of the counter wakes it again.
func (l *loop) drainInbox() {
	l.mu.Lock()
	var counter [8]byte
	_, _ = unix.Read(l.wake, counter[:])
	l.woken = false
	inbox := l.inbox
	l.inbox = nil
	l.mu.Unlock()
	for _, f := range inbox {
		f()
	}
	l.deliver()
}

// deliver gives connections what others have for them. What others have to hear of a change or a message is handed over before that
// is answered, and requests that have been read run behind it: whoever was answered, and then asks over any connection, is told there
// what became of it before he is answered again, as in Redis, so that nobody reads his own copy of what he has changed.
func (l *loop) deliver() {
	if !l.unread.Load() {
		return
	}
	l.mu.Lock()
	n := len(l.mail)
	l.mu.Unlock()
	for range n { // what comes meanwhile has its turn when requests were read
		if m, found := l.nextLetter(false); found {
			m.to.take(m.f)
		}
	}
}

// takeMessages has the messages that stand first in the mail go out with the round's replies. A connection that tracks keys
// hears of its own change in one record of TLS with the reply, as in one write of Redis: whoever has the reply and looks into
// his own copies finds no old one.
func (l *loop) takeMessages() {
	for l.unread.Load() && l.w.Out.Len() <= roundOutput {
		m, found := l.nextLetter(true)
		if !found {
			return
		}
		if m.to.closed || !m.to.opened {
			m.f(nil)
			continue
		}
		from := l.w.Out.Len()
		closing := l.w.Deliver(m.to.session, m.f)
		to, last := l.w.Out.Len(), len(l.replies)-1
		if last >= 0 && l.replies[last].c == m.to && l.replies[last].to == from && !l.replies[last].close {
			l.replies[last].to, l.replies[last].close = to, closing
		} else if to > from || closing {
			l.replies = append(l.replies, reply{c: m.to, from: from, to: to, close: closing})
		}
	}
}

// nextLetter takes the first of the mail; with message it does so only if that is one. It is taken one by one, for what it
// makes may end a round, which takes what stands behind it.
func (l *loop) nextLetter(message bool) (m letter, found bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mail) == 0 || message && !l.mail[0].message {
		return letter{}, false
	}
	m, l.mail[0] = l.mail[0], letter{}
	l.mail = l.mail[1:]
	l.unread.Store(len(l.mail) > 0)
	return m, true
}

func (l *loop) serveAgain() {
	again := l.again
	l.again = nil
	for _, c := range again {
		c.queued = false
		if !c.closed && !c.waiting && !c.closing {
			l.runKept(c) // requests that arrived with others, when the round was full
		}
		if !c.closed && !c.waiting && !c.closing {
			c.socket.drained = false
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
	c.opened, c.socket.blocking = true, false
	if l.stopping {
		l.close(c, "shutting down")
		return
	}
	c.active = l.seconds
	l.watch(c)
	if shown := c.tls.ConnectionState().PeerCertificates; len(shown) > 0 {
		l.w.Certified(c.session, shown[0])
		c.trust()
	}
	l.serve(c) // the first request may have come with the handshake's last message
}

// beginRound fixes the instant at which the round's commands run.
func (l *loop) beginRound() {
	l.began = time.Now()
	l.w.Begin()
}

// sweep closes connections that overstayed a timeout.
func (l *loop) sweep(now time.Time) {
	o := &l.s.o
	for _, c := range l.conns {
		if c == nil || c.closed || !c.opened {
			continue
		}
		idle := time.Duration(l.seconds-c.active) * time.Second
		switch {
		case !c.session.Authenticated() && now.Sub(c.since) > o.HandshakeTimeout && !c.waiting:
			l.close(c, "no credential in time")
		case o.IdleTimeout > 0 && idle > o.IdleTimeout && !c.waiting && !c.session.Subscribed():
			l.close(c, "idle")
		case c.session.Overstayed():
			l.close(c, "a transaction was left open")
		case len(c.socket.backlog) > maxMessages && c.session.Subscribed():
			l.close(c, "a subscriber does not read its messages")
		case len(c.socket.backlog) > 0 && c.stalled == 0:
			c.stalled = l.seconds
		case len(c.socket.backlog) > 0 && time.Duration(l.seconds-c.stalled)*time.Second > o.StallTimeout:
			l.close(c, "the client does not read its replies")
		}
	}
}
