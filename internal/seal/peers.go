package seal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"sync"
	"time"
)

// Bus carries messages between the gateways of a cluster, the sender included. It may lose, repeat, delay and change them:
// whoever runs it learns how many gateways there are and when they talk.
type Bus interface {
	// Publish sends a message to all. It may be called concurrently.
	Publish(ctx context.Context, message []byte) error
}

const (
	helloEvery  = 250 * time.Millisecond
	rotateEvery = 20 * time.Second // of the key pair that data keys are sealed to
	peerGone    = 5_000            // milliseconds of silence
	peerUnheard = 2 * maxLate      // for so long after the last one a message of before it could still pass for a late one
	maxPeers    = 1024
	publishTime = 2 * time.Second
)

// Peers shares a ring with the other gateways of the cluster. Its methods may be called concurrently; Received in the order
// in which the messages came.
//
// A data key is sealed to each peer's public key (RFC 9180, DHKEM(P-256), HKDF-SHA256, AES-256-GCM) and the private keys are
// replaced every 20 seconds and erased 20 seconds later, so what somebody recorded of the bus opens nothing even for one who
// takes a gateway's memory afterwards.
type Peers struct {
	ring  *Ring
	bus   Bus
	clock *Clock
	id    uint64
	note  func(from uint64, kind byte, body []byte)

	mu     sync.Mutex
	hasher *hasher
	slot   []byte // the MAC's states, in the vault
	number uint64
	pairs  [2]*pair // the present one and the one before
	peers  map[uint64]*peer
	gone   map[uint64]departed // peers that were dropped lately
	apart  map[uint64]int64    // when others were heard last whose clocks are too far from this one's
	sentMe int64               // when the last message of our own that came back had been sent
	since  int64               // when messages of our own began to come back without a break

	sending sync.Mutex // held from numbering a message to publishing it: receivers drop what comes out of order

	wake    chan struct{}
	wants   []uint64
	greeted []uint64 // peers that want everything
}

// peer is another gateway.
type peer struct {
	number    uint64 // of its last message
	heardAt   int64
	keyNumber uint64
	publicKey []byte
	told      map[uint64]bool // data keys that were sent to this public key or an earlier one of the peer
}

// departed is what is kept of a peer that has fallen silent: the number of its last message, so that nobody repeats what it has said.
type departed struct {
	number  uint64
	heardAt int64
}

// NewPeers joins a ring to the cluster. note is given what other parts of other gateways broadcast, from is the number of
// the gateway's process; it must not block, and the body is cleared behind it.
func NewPeers(r *Ring, b Bus, note func(from uint64, kind byte, body []byte)) (*Peers, error) {
	slot, err := r.vault.slot()
	if err != nil {
		return nil, err
	}
	var id [8]byte
	rand.Read(id[:])
	p := &Peers{ring: r, bus: b, clock: r.clock, id: binary.LittleEndian.Uint64(id[:]) | 1, note: note, hasher: newHasher(), slot: slot,
		peers: map[uint64]*peer{}, gone: map[uint64]departed{}, apart: map[uint64]int64{}, wake: make(chan struct{}, 1)}
	h := newHasher()
	h.prepare(slot[:macStatesBytes], r.cluster)
	h.begin(slot[:macStatesBytes])
	h.write([]byte("lethe messages 1"))
	key := h.end(slot[:macStatesBytes])
	h.prepare(slot[:macStatesBytes], key)
	clear(key)
	if p.pairs[0], err = newPair(1); err != nil {
		return nil, err
	}
	// Numbers go on from the clock, so that a gateway that ends and another one that draws the same identifier do not matter.
	p.number = uint64(p.clock.Now()) << 16
	r.mu.Lock()
	r.fresh, r.wanted = p.poke, p.want
	r.mu.Unlock()
	return p, nil
}

func (p *Peers) mac() macKey { return p.slot[:macStatesBytes] }

// poke makes Run look at what there is to send.
func (p *Peers) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *Peers) want(id uint64) {
	p.mu.Lock()
	if len(p.wants) < maxWaiting {
		p.wants = append(p.wants, id)
	}
	p.mu.Unlock()
	p.poke()
}

// Join greets the peers and waits until one has given its keys, or until nobody answers for so long; then there is nobody,
// and the ring starts a cluster of its own. Run must not have begun.
func (p *Peers) Join(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(helloEvery / 5)
	defer tick.Stop()
	for p.ring.Epoch() == 0 {
		_ = p.sendHello(ctx) // a bus that does not answer is one without peers, for now
		select {
		case <-ctx.Done():
			return p.ring.Start()
		case <-tick.C:
		}
	}
	return nil
}

// Run keeps the peers up to date until ctx ends: greetings, new keys, answers, and a new key pair every 20 seconds. It also
// erases keys whose time is over.
func (p *Peers) Run(ctx context.Context) {
	tick := time.NewTicker(helloEvery)
	defer tick.Stop()
	rotate := time.NewTicker(rotateEvery)
	defer rotate.Stop()
	for {
		select {
		case <-ctx.Done():
			p.close()
			return
		case <-rotate.C:
			p.rotate()
		case <-tick.C:
			p.ring.Expire()
			p.dropSilent()
			_ = p.sendHello(ctx) // what is not sent is not heard, and InTouch says so
		case <-p.wake:
		}
		p.answer(ctx)
	}
}

func (p *Peers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.pairs {
		x.erase()
	}
}

func (p *Peers) rotate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	next, err := newPair(p.pairs[0].number + 1)
	if err != nil {
		return // keep the pair that there is: crypto/rand does not fail
	}
	p.pairs[1].erase()
	p.pairs = [2]*pair{next, p.pairs[0]}
}

func (p *Peers) dropSilent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	maps.DeleteFunc(p.apart, func(_ uint64, at int64) bool { return now-at > peerGone })
	maps.DeleteFunc(p.gone, func(_ uint64, x departed) bool { return now-x.heardAt > peerUnheard })
	for id, x := range p.peers {
		if now-x.heardAt > peerGone {
			p.gone[id] = departed{x.number, x.heardAt}
			delete(p.peers, id)
			continue
		}
		for key := range x.told {
			if !p.ring.Has(key) {
				delete(x.told, key)
			}
		}
	}
}

// ID is the number of this process among the others; it is another one after each start.
func (p *Peers) ID() uint64 { return p.id }

// Len is how many other gateways were heard lately.
func (p *Peers) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.peers)
}

// Heard returns the numbers of the other gateways of which a message came within so many milliseconds.
func (p *Peers) Heard(within int64) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := p.clock.Now() - within
	var all []uint64
	for id, x := range p.peers {
		if x.heardAt >= oldest {
			all = append(all, id)
		}
	}
	return all
}

// TouchMillis is for how long a gateway is in touch with the others after a message of its own was sent that came back.
const TouchMillis = 900

// InTouch returns since when this gateway hears the cluster without a break, 0 when it does not: messages of its own that it
// sent at most TouchMillis ago come back to it. A gateway that is cut off hears not even itself. One that is Apart is not in touch
// either.
func (p *Peers) InTouch() (since int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.clock.Now(); now-p.sentMe > TouchMillis || p.isApart(now) {
		return 0
	}
	return p.since
}

// Lag is how old the last message of this gateway was that came back. Greetings and states go out all the time, so it tells how far the
// bus is behind, or that it is broken.
func (p *Peers) Lag() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(p.clock.Now()-p.sentMe) * time.Millisecond
}

// Apart reports whether other gateways of the cluster are there whose clocks are too far from this one's, and no fewer than those
// whose clocks are not, this one included. What they say is dropped, so each side would take itself for all there is. Of three
// gateways the one with the wrong clock is apart; of two both are.
func (p *Peers) Apart() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isApart(p.clock.Now())
}

func (p *Peers) isApart(now int64) bool {
	if len(p.apart) == 0 {
		return false
	}
	near, far := 1, 0
	for _, at := range p.apart {
		if now-at <= TouchMillis {
			far++
		}
	}
	for _, x := range p.peers {
		if now-x.heardAt <= TouchMillis {
			near++
		}
	}
	return far >= near
}

// heardApart notes an authentic message that was sent too long ago, or has yet to be sent: its sender's clock is another, or
// somebody repeats what was said long ago. It cannot be told which.
func (p *Peers) heardApart(sender uint64, now int64) {
	if x := p.peers[sender]; sender == p.id || x != nil && now-x.heardAt <= TouchMillis || p.apart[sender] == 0 && len(p.apart) >= maxPeers {
		return
	}
	p.apart[sender] = now
	if p.isApart(now) {
		p.since = now
	}
}

// heardSelf notes that a message of our own came back.
func (p *Peers) heardSelf(sentAt, now int64) {
	if now-p.sentMe > TouchMillis {
		p.since = now
	}
	p.sentMe = max(p.sentMe, sentAt)
}

// send authenticates and publishes one message.
func (p *Peers) send(ctx context.Context, kind messageKind, body []byte) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.mu.Lock()
	p.number++
	m := message{kind: kind, sender: p.id, number: p.number, sentAt: p.clock.Now(), body: body}
	b := m.encode(p.hasher, p.mac())
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	return p.bus.Publish(ctx, b)
}

func (p *Peers) sendHello(ctx context.Context) error {
	h := hello{wantsAll: true}
	if e := p.ring.epoch.Load(); e != nil {
		h.epoch, h.startedAt, h.wantsAll = e.id, e.startedAt, false
	}
	p.mu.Lock()
	h.keyNumber, h.publicKey = p.pairs[0].number, p.pairs[0].public
	p.mu.Unlock()
	return p.send(ctx, msgHello, h.encode())
}
