package upstream

import (
	"context"
	"errors"
	"sync"
	"time"
)

// channel is where gateways meet. Only the holders of the cluster secret can make or read what is said there (package seal).
const channel = "lethe:gateways"

// Bus carries messages between gateways through the upstream's pub/sub. It may be used concurrently.
type Bus struct {
	u *Upstream

	mu   sync.Mutex
	lane *lane

	// ready is closed when the first subscription stands.
	ready     chan struct{}
	readyOnce sync.Once
}

// NewBus returns a bus; Listen makes it hear.
func NewBus(u *Upstream) *Bus { return &Bus{u: u, lane: newLane(u), ready: make(chan struct{})} }

// Publish sends a message to every gateway that listens, this one included.
func (b *Bus) Publish(ctx context.Context, message []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l := b.lane
	l.reset()
	// A lost reply must not repeat the message either; the receivers would drop it, but its number is spent.
	l.begin(0, false, 3)
	l.out = appendArg(appendArgString(appendArgString(l.out, "PUBLISH"), channel), message)
	l.end()
	l.run()
	o := &l.ops[0]
	if o.err == nil && o.reply.isError() {
		return errors.New("the upstream refuses to publish; its user needs the channel " + channel)
	}
	return o.err
}

// Ready is closed when Listen hears for the first time.
func (b *Bus) Ready() <-chan struct{} { return b.ready }

const (
	subscribeRest = 20 * time.Millisecond
	// silence is how long a subscription may bring nothing before it is made anew: gateways greet four times a second.
	silence = 3 * time.Second
)

// Listen gives received every message until ctx ends, subscribing again whenever the connection breaks.
func (b *Bus) Listen(ctx context.Context, received func([]byte)) {
	rest := subscribeRest
	for ctx.Err() == nil {
		began := time.Now()
		_ = b.subscription(ctx, received) // whoever must know that nothing is heard asks seal.Peers.InTouch
		if time.Since(began) > silence {
			rest = subscribeRest
		}
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
		rest = min(2*rest, time.Second)
	}
}

func (b *Bus) subscription(ctx context.Context, received func([]byte)) error {
	where, err := b.u.where(ctx)
	if err != nil {
		return err
	}
	c, err := b.u.nodes.dial(ctx, where.nodes[0])
	if err != nil {
		_, _ = b.u.refresh(ctx, where)
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	first, err := c.call(time.Now().Add(b.u.options.Timeout), "SUBSCRIBE", channel)
	if err != nil {
		return err
	}
	if first.isError() {
		return errProtocol
	}
	b.readyOnce.Do(func() { close(b.ready) })
	for {
		c.in.release()
		if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		r, err := c.in.next()
		if err != nil {
			_, _ = b.u.refresh(ctx, where)
			return err
		}
		if r.kind != '*' || len(r.elems) != 3 || r.elems[2].kind != '$' {
			return errProtocol
		}
		received(r.elems[2].text)
	}
}
