package upstream

import (
	"context"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Client speaks to a server whose entries are in clear: one that data is moved from, or a Lethe that it is moved to. It is
// the same way to all nodes that executors have, without anything sealed. Commands are gathered, sent together by Run, and
// answered in order.
//
// Options.InClear should be set: then requests and replies are cleared when the next batch begins. One goroutine at a time
// uses a client.
type Client struct{ l *lane }

// NewClient returns a client of the upstream, which is not connected yet.
func (u *Upstream) NewClient() *Client { return &Client{newLane(u)} }

// Primaries returns the addresses of all nodes that have data, each once.
func (u *Upstream) Primaries(ctx context.Context) ([]string, error) {
	l, err := u.where(ctx)
	if err != nil {
		return nil, err
	}
	return append([]string(nil), l.nodes...), nil
}

// Check connects to one node, and says why where that cannot be done.
func (u *Upstream) Check(ctx context.Context) error {
	l, err := u.where(ctx)
	if err != nil {
		return err
	}
	c, err := u.nodes.dial(ctx, l.nodes[0])
	if err != nil {
		return err
	}
	return c.Close()
}

// Reset begins a new batch. Replies of the last one are not valid any more.
func (c *Client) Reset() { c.l.reset() }

// Read adds a command that changes nothing and concerns a key; it is repeated where its connection breaks. It returns the
// command's number in the batch. The arguments are copied.
func (c *Client) Read(key []byte, args ...[]byte) int { return c.add(key, true, args) }

// Write adds a command that concerns a key and is never repeated: its answer may be an error that says that nobody knows.
func (c *Client) Write(key []byte, args ...[]byte) int { return c.add(key, false, args) }

// WriteOn is Write by the connection that the last batch has used, for what that remembers, such as WATCH. Where it is there no more
// the command is not sent.
func (c *Client) WriteOn(key []byte, args ...[]byte) int {
	i := c.add(key, false, args)
	c.l.ops[i].stays = true
	return i
}

func (c *Client) add(key []byte, reads bool, args [][]byte) int {
	l, slot := c.l, 0
	if l.u.Clustered() {
		slot = slotOf(key)
	}
	size := 16
	for _, a := range args {
		size += len(a) + 24
	}
	l.out = roomFor(l.out, size)
	i := l.begin(slot, reads, len(args))
	for _, a := range args {
		l.out = appendArg(l.out, a)
	}
	l.end()
	l.ops[i].once = !reads
	return i
}

// roomFor returns b with room for n bytes more. An array that is outgrown is cleared, for what is in it may be in clear.
func roomFor(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	grown := make([]byte, len(b), max(2*cap(b), len(b)+n))
	copy(grown, b)
	clear(b)
	return grown
}

// ReadNode adds a command that changes nothing, for one node whatever it has.
func (c *Client) ReadNode(address string, args ...string) int {
	i := c.l.command(0, true, args...)
	c.l.ops[i].node = address
	return i
}

// Run sends the batch and waits for all replies.
func (c *Client) Run() { c.l.run() }

// Reply returns the answer to a command by its number. Its memory is valid until Reset. The error says that there is none.
func (c *Client) Reply(i int) (resp.Value, error) {
	o := &c.l.ops[i]
	if o.err != nil {
		return resp.Value{}, o.err
	}
	return valueOf(&o.reply), nil
}

func valueOf(r *reply) resp.Value {
	v := resp.Value{Type: r.kind, Int: r.n, Null: r.null}
	switch r.kind {
	case '*':
		v.Elems = make([]resp.Value, len(r.elems))
		for i := range r.elems {
			v.Elems[i] = valueOf(&r.elems[i])
		}
	case ':':
	default:
		v.Str = r.text
	}
	return v
}

// Close ends the client's connections and clears what they held.
func (c *Client) Close() {
	c.l.reset()
	c.l.dropAll()
}
