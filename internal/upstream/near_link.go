package upstream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// links are the near cache's own connections, one to each node that has something to keep.
type links struct {
	u    *Upstream
	near *near

	mu        sync.Mutex
	ctx       context.Context // nil until Backend.Run, and when it has ended
	byAddress map[string]*link
	parts     sync.WaitGroup
}

// link is one connection over which records are read for keeping. It asks for CLIENT TRACKING: the upstream tells it, once,
// when something that it has read changes. Answers and what is told come in one stream and in their order, so that nothing is
// kept that had changed before it was put.
type link struct {
	address string
	wanted  chan nearName
}

const (
	linkWanted = 1024 // names that may wait; more are not kept for now
	linkPing   = 500 * time.Millisecond
	// linkSilence is how long a link may bring nothing before it counts as lost.
	linkSilence = 3 * linkPing
	linkRest    = time.Second
)

// run lets links be made until ctx ends.
func (s *links) run(ctx context.Context) {
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
}

// end waits for the links after their context has ended.
func (s *links) end() {
	s.mu.Lock()
	s.ctx = nil
	s.mu.Unlock()
	s.parts.Wait()
	s.near.clear(nil)
}

// want has a name's record read for keeping, if there is a way.
func (s *links) want(address string, name *nearName) {
	s.mu.Lock()
	l := s.byAddress[address]
	if l == nil && s.ctx != nil && address != "" {
		l = &link{address: address, wanted: make(chan nearName, linkWanted)}
		s.byAddress[address] = l
		ctx := s.ctx
		s.parts.Go(func() { s.serve(ctx, l) })
	}
	s.mu.Unlock()
	if l == nil {
		return
	}
	select {
	case l.wanted <- *name:
	default:
	}
}

// serve keeps one link until it is lost. The next wish makes another one, but not at once.
func (s *links) serve(ctx context.Context, l *link) {
	_ = l.talk(ctx, s)
	s.near.resets.Add(1)
	s.near.clear(l)
	select {
	case <-ctx.Done():
	case <-time.After(linkRest):
	}
	s.mu.Lock()
	delete(s.byAddress, l.address)
	s.mu.Unlock()
}

var errNoTracking = errors.New("the upstream does not tell of changes")

// talk reads records and hears of changes until the connection ends.
func (l *link) talk(ctx context.Context, s *links) error {
	c, err := s.u.nodes.dial(ctx, l.address)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	in := resp.NewReader(c, resp.ReplyLimits{Depth: 4, Elements: 1 << 20, LineBytes: maxLine, Bytes: s.u.options.MaxReplyBytes})
	c.out = appendCommand(appendCommand(c.out, "HELLO", "3"), "CLIENT", "TRACKING", "ON")
	if err := errors.Join(c.SetDeadline(time.Now().Add(s.u.options.Timeout)), c.flush()); err != nil {
		return err
	}
	for range 2 {
		v, err := in.Read()
		if err != nil {
			return err
		}
		if v.IsError() {
			return errNoTracking
		}
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return err
	}
	asked := make(chan nearName, 2*linkWanted)
	failed := make(chan error, 1)
	var writer sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() { failed <- l.ask(c, asked, done) })
	err = l.hear(c, in, asked, s.near)
	close(done)
	c.Close()
	writer.Wait()
	return errors.Join(err, <-failed)
}

// ping is asked for in between: it has no name.
var ping nearName

// ask writes requests, and what was asked for into asked, in the same order.
func (l *link) ask(c *conn, asked chan<- nearName, done <-chan struct{}) error {
	tick := time.NewTicker(linkPing)
	defer tick.Stop()
	for {
		var name nearName
		select {
		case <-done:
			return nil
		case <-tick.C:
		case name = <-l.wanted:
		}
		select {
		case asked <- name:
		case <-done:
			return nil
		}
		if name == ping {
			c.out = appendCommand(c.out, "PING")
		} else {
			c.out = appendArg(appendArgString(appendRequest(c.out, 2), "GET"), name[:])
		}
		if err := errors.Join(c.SetWriteDeadline(time.Now().Add(linkSilence)), c.flush()); err != nil {
			c.Close()
			return err
		}
	}
}

// hear takes what comes: records, and what has changed.
func (l *link) hear(c *conn, in *resp.Reader, asked <-chan nearName, n *near) error {
	for {
		if err := c.SetReadDeadline(time.Now().Add(linkSilence)); err != nil {
			return err
		}
		v, err := in.Read()
		if err != nil {
			return err
		}
		if v.Type == '>' {
			n.changed(l, v)
			continue
		}
		select {
		case name := <-asked:
			if name != ping && v.Type == '$' && !v.Null {
				n.put(&name, v.Str, l)
			}
		default:
			return errProtocol // an answer that nobody asked for
		}
	}
}

// changed takes "invalidate" with the names that have changed, or with nothing when all have.
func (n *near) changed(l *link, v resp.Value) {
	if len(v.Elems) != 2 || string(v.Elems[0].Str) != "invalidate" {
		return
	}
	if v.Elems[1].Null {
		n.told.Add(1)
		n.clear(l)
		return
	}
	for _, e := range v.Elems[1].Elems {
		if len(e.Str) == seal.KeyNameBytes {
			n.remove((*nearName)(e.Str))
		}
	}
}
