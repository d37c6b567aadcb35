package server

import (
	"errors"
	"io"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/resp"
)

// serve reads a connection, runs what has arrived whole and keeps the rest.
func (l *loop) serve(c *conn) {
	if c.waiting || c.closing || len(c.socket.backlog) > backlogPause {
		return
	}
	if c.ended {
		l.farewell(c)
		return
	}
	for range 8 {
		n, more, err := l.fill(c)
		if n > 0 {
			c.active = l.seconds
			l.s.stats.BytesIn.Add(uint64(n))
			if l.deliver(); !c.closed {
				l.runAll(c, n)
			}
			clear(l.read[:n])
		}
		if err == io.EOF && !c.closed {
			c.ended = true
			l.farewell(c)
			return
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

// fill reads decrypted bytes until nothing more has arrived, or, and then there is more, until the buffer has no room for
// another record.
func (l *loop) fill(c *conn) (n int, more bool, err error) {
	const recordBytes = 16 << 10
	for len(l.read)-n >= recordBytes {
		m, err := c.tls.Read(l.read[n:])
		n += m
		if m > 0 {
			forget(c.tls)
		}
		if err != nil {
			return n, false, unwrapWouldBlock(err)
		}
		if c.socket.drained && len(rawInput(c.tls).buf) == rawInput(c.tls).off {
			return n, false, nil
		}
	}
	return n, true, nil
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

// runKept goes on with requests that waited, without reading. A client that has too much to take is let take it first; flush
// comes back to what it asked.
func (l *loop) runKept(c *conn) {
	if len(c.partial) > 0 && len(c.socket.backlog) <= backlogPause {
		used := l.runRequests(c, c.partial)
		if !c.closed {
			c.dropKept(used)
		}
		if c.ended && c.waiting && !c.busy {
			l.close(c, "")
		}
	}
}

// farewell ends the connection of a client that has said good-bye, behind what it asked before: requests that are kept for
// the next round, or until replies are taken, are run first, as Redis does. What it waits for is given to nobody.
func (l *loop) farewell(c *conn) {
	if c.busy || !c.waiting && (c.queued || len(c.socket.backlog) > backlogPause) {
		return
	}
	for i := len(l.replies) - 1; i >= 0 && !c.waiting; i-- {
		if l.replies[i].c == c {
			l.replies[i].close = true
			return
		}
	}
	if c.waiting || len(c.socket.backlog) == 0 {
		l.close(c, "")
		return
	}
	l.closeWhenSent(c)
}

// runRequests decodes and runs requests and returns how many bytes it used.
func (l *loop) runRequests(c *conn, input []byte) (used int) {
	from, jobs, commands := l.w.Out.Len(), l.w.Jobs(), 0
	answers := 0 // fewer than commands where one waits or the client wants no replies
	closing := false
	for used < len(input) && !closing && !c.waiting {
		if commands >= commandsAtOnce || l.w.Out.Len()-from > roundOutput || l.w.Full() {
			l.queue(c)
			break
		}
		err := l.pipeline.decode(c, input[used:])
		if err == resp.ErrIncomplete {
			break
		}
		if err != nil {
			l.refuseInput(c, err)
			closing = true
			break
		}
		if len(l.pipeline.requests) > 1 {
			l.w.Prefetch(c.session, l.pipeline.requests)
		}
		for i, args := range l.pipeline.requests {
			if closing || c.waiting {
				c.decoder.Reset() // what was decoded beyond here is decoded again when its turn comes
				break
			}
			used += l.pipeline.lengths[i]
			if len(args) == 0 {
				continue
			}
			commands++
			l.commands++
			before := l.w.Out.Len()
			l.running = c
			next := l.w.Run(c.session, args)
			l.running = nil
			if c.doomed {
				l.close(c, "")
				return used
			}
			if next.Job || l.w.Out.Len() > before {
				answers++
			}
			closing = next.Close
			switch {
			case next.Wait != nil:
				l.wait(c, next)
			case next.Postpone:
				used -= l.pipeline.lengths[i]
				l.stop(c)
			case next.Block:
				l.stop(c)
			}
			c.trust()
		}
	}
	l.addReply(c, reply{from: from, jobs: [2]int{jobs, l.w.Jobs()}, answers: answers, close: closing})
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

// addReply notes what there is for a connection: everything from r.from on, and the jobs of r.
func (l *loop) addReply(c *conn, r reply) {
	r.c, r.to, r.answers = c, l.w.Out.Len(), max(r.answers, 1)
	if r.to > r.from || r.jobs[0] < r.jobs[1] || r.close {
		l.replies = append(l.replies, r)
	}
	if r.to > roundOutput || l.w.Full() {
		l.endRound()
		l.beginRound()
	}
}

// wait lets a command's slow part run in a goroutine; the connection is not read meanwhile.
func (l *loop) wait(c *conn, next gateway.Next) {
	c.waiting, c.busy = true, true
	spec := l.w.Spec()
	go func() {
		next.Wait()
		l.post(func() {
			if c.closed {
				c.session.End()
				return
			}
			c.waiting, c.busy, c.ahead = false, false, false
			l.watch(c)
			from := l.w.Out.Len()
			after := l.w.Finish(c.session, spec, next.Then)
			c.trust()
			l.addReply(c, reply{from: from, close: after.Close})
			if after.Wait != nil {
				l.wait(c, after)
				return
			}
			l.runKept(c)
			if !c.waiting {
				c.socket.drained = false
				l.serve(c)
			}
		})
	}()
}
