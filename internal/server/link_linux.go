package server

import (
	"encoding/binary"

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

// overhear looks at what the peer of a waiting connection has sent. A client may say good-bye without closing its socket, and
// what it waits for must not be given to nobody: a record that is as long as that is read. Anything else stays where it is,
// encrypted, until the connection goes on.
func (l *loop) overhear(c *conn) {
	const header, goodBye = 5, 2 + 1 + 16 // an alert, its type and the tag: RFC 8446, sections 5.2 and 6.1
	var record [header]byte
	raw := rawInput(c.tls)
	if !c.busy && raw.off == len(raw.buf) {
		n, _, err := unix.Recvfrom(c.socket.fd, record[:], unix.MSG_PEEK)
		if err == unix.EAGAIN || err == unix.EINTR {
			return
		}
		if n == header && binary.BigEndian.Uint16(record[3:]) == goodBye {
			c.socket.drained = false
			l.overhearAll(c)
			return
		}
	}
	c.ahead = true
	l.watch(c)
}

// overhearAll reads what has arrived, and keeps what turns out to be requests.
func (l *loop) overhearAll(c *conn) {
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
