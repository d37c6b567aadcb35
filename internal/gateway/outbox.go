package gateway

import (
	"bytes"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Link is a session's connection, as others reach it. Its methods may be called by any goroutine.
type Link interface {
	// Do runs f in the connection's own loop, with the loop's worker. What f leaves in the worker's Out is sent to the
	// connection. f gets nil when the connection has closed.
	Do(f func(*Worker))
	// Send is Do for a message, which only writes. It may go out with the replies of the round that sends it, behind them.
	Send(f func(*Worker))
	// Close closes the connection.
	Close()
}

// outbox holds what a round has for other connections than those whose commands it ran: messages, replies to those who
// waited, invalidations. It is emptied when the round's records are committed, and not before.
type outbox struct {
	items    []delivery
	gathered map[gathering]*message // of this round; nil: none yet
}

// gathering is what one message tells of: the keys of one prefix that changed in a round.
type gathering struct {
	of     *tracks
	prefix string
}

// delivery is one thing for one session.
type delivery struct {
	to *Session
	m  *message
	by *tracks // of an invalidation
	// answer is the reply of a command that waited: the session goes on when it has it.
	answer []byte
	waiter *waiter
	again  bool                 // its own loop must run it
	relay  func(committed bool) // for the other gateways
}

// message is a push that one or many sessions get. The last one that has it overwrites it.
type message struct {
	kind    string   // "message", "pmessage", "smessage" or "invalidate"
	parts   [][]byte // pattern, channel and payload, or the keys
	notice  []byte   // the key that a keyspace notification is about: who may not read it is not told
	pending atomic.Int32
}

func newMessage(kind string, parts ...[]byte) *message {
	m := &message{kind: kind}
	for _, p := range parts {
		m.parts = append(m.parts, bytes.Clone(p))
	}
	return m
}

func (m *message) done() {
	if m.pending.Add(-1) == 0 {
		for _, p := range m.parts {
			clear(p)
		}
		clear(m.notice)
	}
}

func (o *outbox) message(to *Session, m *message) {
	m.pending.Add(1)
	o.items = append(o.items, delivery{to: to, m: m})
}

// invalidation is a message for the connection that a tracking one has named.
func (o *outbox) invalidation(t *tracks, m *message) {
	m.pending.Add(1)
	o.items = append(o.items, delivery{to: t.to, m: m, by: t})
}

// gather is invalidation for a connection that tracks by prefix, which gets one message for all keys of a round.
func (o *outbox) gather(t *tracks, prefix string, key []byte) {
	g := gathering{t, prefix}
	m := o.gathered[g]
	if m == nil {
		m = newMessage("invalidate", key)
		if o.gathered == nil {
			o.gathered = map[gathering]*message{}
		}
		o.gathered[g] = m
		o.invalidation(t, m)
		return
	}
	if !bytes.Equal(m.parts[len(m.parts)-1], key) {
		m.parts = append(m.parts, bytes.Clone(key))
	}
}

// back takes back everything behind the first n items, which are messages and what the other gateways are to be told.
func (o *outbox) back(n int) {
	for i := n; i < len(o.items); i++ {
		switch d := &o.items[i]; {
		case d.relay != nil:
			d.relay(false)
		case d.m != nil:
			d.m.done()
		}
		o.items[i] = delivery{}
	}
	o.items = o.items[:n]
}

// send delivers everything; committed says whether the records of the round are. Without them a message is dropped, and
// who waited is told why.
func (o *outbox) send(committed bool) {
	clear(o.gathered)
	for i := range o.items {
		d := o.items[i]
		o.items[i] = delivery{}
		switch {
		case d.relay != nil:
			d.relay(committed)
		case d.again:
			d.waiter.again()
		case d.waiter != nil:
			if !committed {
				clear(d.answer)
				d.answer = []byte("-" + AuditError + "\r\n")
			}
			d.waiter.finish(d.answer)
		case !committed && d.by == nil || d.to.link == nil: // to forget a copy waits for no record
			d.m.done()
		default:
			d.to.link.Send(func(w *Worker) {
				switch {
				case w != nil:
					w.push(d.to, d.m)
				case d.by != nil && d.by.to != d.by.s:
					d.by.redirectBroken()
				}
				d.m.done()
			})
		}
	}
	o.items = o.items[:0]
}

// push writes a message as its session wants it, in the session's own loop.
func (w *Worker) push(s *Session, m *message) {
	s.worker = w
	w.session, w.next = s, Next{}
	s.refresh()
	if s.user == nil || m.notice != nil && !s.MayRead(m.notice) {
		return
	}
	out := w.Out
	out.SetRESP3(s.resp3)
	switch m.kind {
	case "invalidate":
		if s.resp3 || s.subscribed(command.ToChannel, []byte(invalidationChannel)) >= 0 {
			pushInvalidation(out, m.parts)
		}
		return
	case brokenRedirect:
		if s.resp3 && s.tracks != nil {
			out.Push(2)
			out.BulkString(m.kind)
			out.Int(int64(s.tracks.Redirect))
		}
		return
	}
	out.Push(1 + len(m.parts))
	out.BulkString(m.kind)
	for _, p := range m.parts {
		out.Bulk(p)
	}
}

// pushInvalidation tells of keys that a client must forget; no keys mean all of them. In RESP2 it goes to a connection
// that subscribed to the channel that clients listen on for it.
func pushInvalidation(out *resp.Writer, keys [][]byte) {
	if out.RESP3() {
		out.Push(2)
		out.BulkString("invalidate")
	} else {
		out.Array(3)
		out.BulkString("message")
		out.BulkString(invalidationChannel)
	}
	if len(keys) == 0 {
		out.Null()
		return
	}
	out.Array(len(keys))
	for _, k := range keys {
		out.Bulk(k)
	}
}

const brokenRedirect = "tracking-redir-broken"

// redirectBroken tells a tracking connection that the one that was to be told has closed.
func (t *tracks) redirectBroken() {
	if t.broken.Swap(true) || t.s.link == nil {
		return
	}
	m := newMessage(brokenRedirect)
	m.pending.Add(1)
	t.s.link.Do(func(w *Worker) {
		if w != nil {
			w.push(t.s, m)
		}
		m.done()
	})
}

const invalidationChannel = "__redis__:invalidate"
