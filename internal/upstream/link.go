package upstream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
)

// links are connections on which the upstream tells of changes, one to each node that has something to tell of: for what the
// near cache keeps, and for what clients have copies of.
type links struct {
	u       *Upstream
	near    *near // nil: there is none
	follows *follows

	mu        sync.Mutex
	ctx       context.Context // nil until Backend.Run, and when it has ended
	byAddress map[string]*link
	parts     sync.WaitGroup
}

// link is one connection over which records are read for keeping, and headers of what is to be followed. It asks for CLIENT
// TRACKING: the upstream tells it, once, when something that it has read changes. Answers and what is told come in one stream
// and in their order, so that nothing is kept, or taken to be what a client has, that had changed before.
type link struct {
	address string
	wanted  chan wish
	lost    bool // guarded by follows.mu: nothing is followed over it any more
	held    held // for hear only
}

// wish is what a link is asked for.
type wish struct {
	name   nearName
	what   wanting
	number uint64 // of a follow
}

type wanting uint8

const (
	wantPing   wanting = iota // an answer about the name that was asked for last: its node has it still
	wantRecord                // the record, for keeping
	wantHeader                // the header of a record, to follow it
	wantData                  // nothing of a collection's data, but to be told when that changes
	wantSize                  // how large that is
	wantHash                  // all of it, of a hash
	wantSet                   // or of a set
)

const (
	linkWanted = 1024 // wishes that may wait; more are not heard
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
	if s.near != nil {
		s.near.clear(nil)
	}
}

// to returns the link to a node, which is made if there is none; nil where there can be none.
func (s *links) to(address string) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byAddress[address]
	if l == nil && s.ctx != nil && address != "" {
		l = &link{address: address, wanted: make(chan wish, linkWanted), held: held{}}
		s.byAddress[address] = l
		ctx := s.ctx
		s.parts.Go(func() { s.serve(ctx, l) })
	}
	return l
}

// want gives a link something to do, and reports whether it will; nobody waits for it.
func (l *link) want(w wish) bool {
	select {
	case l.wanted <- w:
		return true
	default:
		return false
	}
}

// serve keeps one link until it is lost. The next wish makes another one, but not at once.
func (s *links) serve(ctx context.Context, l *link) {
	_ = l.talk(ctx, s)
	if s.near != nil {
		s.near.resets.Add(1)
		s.near.clear(l)
	}
	s.follows.lose(l)
	select {
	case <-ctx.Done():
	case <-time.After(linkRest):
	}
	s.mu.Lock()
	delete(s.byAddress, l.address)
	s.mu.Unlock()
}

// errNotThere is the answer of a node of a cluster that is no primary any more, or has lost the others: it hears of no changes.
var errNotThere = errors.New("the node does not have what was asked for any more")

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
	asked := make(chan wish, 2*linkWanted)
	failed := make(chan error, 1)
	var writer sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() { failed <- l.ask(c, asked, done) })
	err = l.hear(c, in, asked, s)
	close(done)
	c.Close()
	writer.Wait()
	return errors.Join(err, <-failed)
}

// request appends what the upstream is asked for.
func (w *wish) request(out []byte) []byte {
	switch w.what {
	case wantRecord:
		return appendArg(appendArgString(appendRequest(out, 2), "GET"), w.name[:])
	case wantHeader:
		out = appendArg(appendArgString(appendRequest(out, 4), "GETRANGE"), w.name[:])
		return appendArgInt(appendArgInt(out, 0), seal.HeaderBytes-1)
	case wantData:
		return appendArg(appendArgString(appendRequest(out, 2), "EXISTS"), seal.DataName(w.name[:]))
	case wantSize:
		return appendArg(appendArgString(appendArgString(appendRequest(out, 3), "MEMORY"), "USAGE"), seal.DataName(w.name[:]))
	case wantHash:
		return appendArg(appendArgString(appendRequest(out, 2), "HGETALL"), seal.DataName(w.name[:]))
	case wantSet:
		return appendArg(appendArgString(appendRequest(out, 2), "SMEMBERS"), seal.DataName(w.name[:]))
	case wantPing:
		if w.name != (nearName{}) {
			return appendArg(appendArgString(appendRequest(out, 2), "EXISTS"), w.name[:])
		}
	}
	return appendCommand(out, "PING")
}

// ask writes requests, and what was asked for into asked, in the same order.
func (l *link) ask(c *conn, asked chan<- wish, done <-chan struct{}) error {
	tick := time.NewTicker(linkPing)
	defer tick.Stop()
	var last nearName
	for {
		w := wish{name: last}
		select {
		case <-done:
			return nil
		case <-tick.C:
		case w = <-l.wanted:
			last = w.name
		}
		select {
		case asked <- w:
		case <-done:
			return nil
		}
		c.out = w.request(c.out)
		if err := errors.Join(c.SetWriteDeadline(time.Now().Add(linkSilence)), c.flush()); err != nil {
			c.Close()
			return err
		}
	}
}

// hear takes what comes: what was asked for, and what has changed.
func (l *link) hear(c *conn, in *resp.Reader, asked <-chan wish, s *links) error {
	for {
		if err := c.SetReadDeadline(time.Now().Add(linkSilence)); err != nil {
			return err
		}
		v, err := in.Read()
		if err != nil {
			return err
		}
		if v.Type == '>' {
			s.changed(l, v)
			continue
		}
		select {
		case w := <-asked:
			switch {
			case w.what == wantPing && v.IsError():
				return errNotThere
			case w.what == wantHeader:
				s.follows.answer(&w, v)
			case w.what != wantPing && w.what != wantData:
				failpoint.Here(failpoint.NearFetched)
				l.keep(s.near, &w, v)
				failpoint.Here(failpoint.NearKept)
			}
		default:
			return errProtocol // an answer that nobody asked for
		}
	}
}

// changed takes "invalidate" with the names that have changed, or with nothing when all have.
func (s *links) changed(l *link, v resp.Value) {
	if len(v.Elems) != 2 || string(v.Elems[0].Str) != "invalidate" {
		return
	}
	failpoint.Here(failpoint.NearTold)
	if v.Elems[1].Null {
		clear(l.held)
		if s.near != nil {
			s.near.told.Add(1)
			s.near.clear(l)
		}
		s.follows.changedAll(l)
		return
	}
	for _, e := range v.Elems[1].Elems {
		name, isData := seal.RecordOf(e.Str)
		if name == nil {
			continue
		}
		delete(l.held, nearName(name))
		if s.near != nil {
			s.near.remove((*nearName)(name), !isData)
		}
		s.follows.changed((*nearName)(name))
	}
}
