package server

import (
	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// Do runs f in the connection's loop, as a part of one of its next rounds; f gets nil when the connection has closed. It
// may be called by any goroutine.
func (c *conn) Do(f func(*gateway.Worker)) {
	c.mail(letter{to: c, f: f})
}

// Send is Do for a message: the round that it comes of sends it with its replies, where the loop is the connection's.
func (c *conn) Send(f func(*gateway.Worker)) { c.mail(letter{to: c, f: f, message: true}) }

func (c *conn) mail(m letter) {
	l := c.loop
	l.hand(func() { l.mail = append(l.mail, m) })
}

// take runs what others have for the connection.
func (c *conn) take(f func(*gateway.Worker)) {
	if c.closed || !c.opened {
		f(nil)
		return
	}
	l := c.loop
	from, jobs := l.w.Out.Len(), l.w.Jobs()
	closing := l.w.Deliver(c.session, f)
	l.addReply(c, reply{from: from, jobs: [2]int{jobs, l.w.Jobs()}, close: closing})
	l.goOn(c)
}

// Close closes the connection. It may be called by any goroutine.
func (c *conn) Close() { c.loop.post(func() { c.loop.close(c, "") }) }

// stop makes a connection wait: its requests are not looked at until goOn, only whether its peer is still there.
func (l *loop) stop(c *conn) {
	c.waiting = true
	l.watch(c)
}

// goOn reads a connection again that waited for the gateway and does no longer.
func (l *loop) goOn(c *conn) {
	if !c.waiting || c.busy || c.closed || c.session.Waiting() {
		return
	}
	c.waiting, c.ahead = false, false
	l.watch(c)
	l.queue(c) // behind what others of this round have to send
}

// overhear reads what the peer of a waiting connection has sent. A client may say good-bye without closing its socket, behind
// requests too, and what it waits for must not be given to nobody. Requests are kept until the connection goes on; when there
// are many of them the rest stays where it is.
func (l *loop) overhear(c *conn) {
	const manyBytes = 64 << 10
	if c.busy || len(c.partial) >= manyBytes {
		c.ahead = true
		l.watch(c)
		return
	}
	c.socket.drained = false
	n, _, err := l.fill(c)
	if n > 0 {
		c.keep(l.read[:n])
		clear(l.read[:n])
	}
	if err != nil && err != errWouldBlock {
		l.hangUp(c, err)
	}
}

// gone reports whether the peer of a waiting connection has left.
func gone(events uint32) bool { return events&(unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLRDHUP) != 0 }
