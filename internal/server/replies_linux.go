package server

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// endRound commits the round's records and sends its replies; where the records cannot be written, every command of the
// round is answered with an error instead.
func (l *loop) endRound() {
	err := l.w.Commit()
	if err == nil {
		if l.w.Jobs() > 0 {
			l.gather()
		}
		l.takeMessages()
	}
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
	l.w.Forget()
	if l.commands > 0 {
		l.s.g.Stats.Latency.Observe(time.Since(l.began), l.commands)
		l.commands = 0
	}
	if l.bytesOut > 0 {
		l.s.stats.BytesOut.Add(l.bytesOut)
		l.bytesOut = 0
	}
}

// gather puts the replies of the round's jobs behind one another, and those of one connection together: they go out as one
// record of TLS.
func (l *loop) gather() {
	joined := l.replies[:0]
	for _, r := range l.replies {
		if r.jobs[0] < r.jobs[1] {
			from := l.w.Out.Len()
			r.close = l.w.Gather(r.jobs[0], r.jobs[1]) || r.close
			if r.to > r.from {
				rest := bytes.Clone(l.w.Out.Bytes()[r.from:r.to]) // the writer clears what it leaves by growing
				l.w.Out.Raw(rest)
				clear(rest)
			}
			r.from, r.to = from, l.w.Out.Len()
		}
		last := len(joined) - 1
		if last >= 0 && joined[last].c == r.c && joined[last].to == r.from && !joined[last].close {
			joined[last].to, joined[last].close = r.to, r.close
			continue
		}
		joined = append(joined, r)
	}
	clear(l.replies[len(joined):])
	l.replies = joined
}

// hasData reports whether a reply of the round may hold data: a status, an integer or a null is shorter than this.
func (l *loop) hasData() bool {
	const withoutData = 5
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
	if c == l.running || c == l.scripting { // its command has its memory
		c.doomed = true
		return
	}
	if why != "" {
		l.s.quiet.warn(l.s.log, "connection closed", "source", c.session.About().Addr, "reason", why)
	}
	c.closed = true
	if c.opened {
		forget(c.tls) // before, the handshake's goroutine has it, and nothing was decrypted for anybody
	}
	clear(c.partial[:cap(c.partial)])
	c.partial = nil
	if c.opened && !c.busy { // a busy one ends with its goroutine
		c.session.End()
	}
	l.s.dismiss(c)
	l.closeDescriptor(c) // last: whoever sees that it is closed finds that it waits for nothing, and holds nothing, any more
}

func (l *loop) shutDown() {
	l.drainInbox()
	l.endRound()
	for _, c := range l.conns {
		if c != nil && c.opened {
			_ = c.tls.CloseWrite()
			l.close(c, "")
		}
	}
	l.endRound() // what became of commands that waited is recorded
	l.w.Close()
	unix.Close(l.epoll)
	unix.Close(l.wake)
}
