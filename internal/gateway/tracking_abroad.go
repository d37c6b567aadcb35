package gateway

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// Connections that track by prefix (CLIENT TRACKING ON BCAST) hear of entries that nobody has read, so gateways tell each other
// what their clients change. Nobody else pays for it: a gateway says, again and again, which prefixes of which tenants its
// connections track, and is told of those only, for as long as it says so. News may be lost; so what is told is numbered, its
// last number is repeated, and who has missed something tells its connections to forget everything.

// abroad is what is known of the other gateways' connections that track by prefix, and of what was told from there.
type abroad struct {
	any  atomic.Bool // another gateway has such connections
	self uint64      // this gateway's number

	mu      sync.Mutex
	wanted  map[uint64]*wantedAbroad // by gateway
	told    uint64                   // the number of the last change told from here
	tellers map[uint64]*teller       // gateways that tell this one
	silent  int64                    // when out of touch was last told of
	away    bool                     // this gateway was out of touch at the last look
}

// wantedAbroad is what one gateway wants to hear of.
type wantedAbroad struct {
	until   int64 // on the gateway's clock
	tenants map[string][][]byte
}

// teller is a gateway that tells what its clients change.
type teller struct {
	last  uint64
	heard int64
}

const (
	// TrackingEvery is how often KeepTracking is to be called.
	TrackingEvery = 100 * time.Millisecond
	// abroadMillis is how long a wish holds, and how long a gateway that tells may be silent.
	abroadMillis = 1000
)

// The kinds of what is told.
const (
	abroadWants   byte = iota // tenant, and prefixes
	abroadChanged             // tenant, and key
	abroadAll                 // tenant: everything
	abroadLast                // nothing but the number
)

func (a *abroad) init() {
	var b [8]byte
	rand.Read(b[:])
	a.self = binary.LittleEndian.Uint64(b[:])
	a.wanted, a.tellers = map[uint64]*wantedAbroad{}, map[uint64]*teller{}
}

// wants reports whether another gateway wants to hear of a tenant's key; nil: of any.
func (a *abroad) wants(tenant string, key []byte) bool {
	for _, w := range a.wanted {
		for _, p := range w.tenants[tenant] {
			if key == nil || bytes.HasPrefix(key, p) {
				return true
			}
		}
	}
	return false
}

// relayInvalidation has the other gateways tell those who track by prefix that a key has changed.
func (g *Gateway) relayInvalidation(t *Tenant, key []byte) { g.relayChange(t, abroadChanged, key) }

// relayFlush is relayInvalidation for all keys of a tenant.
func (g *Gateway) relayFlush(t *Tenant) { g.relayChange(t, abroadAll, nil) }

func (g *Gateway) relayChange(t *Tenant, kind byte, key []byte) {
	a := &g.interest.tracking.abroad
	if !a.any.Load() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock() // until it is queued: numbers go out in their order
	if !a.wants(t.Name, key) {
		return
	}
	a.told++
	g.tell(newsTracking, appendPart(appendPart(a.head(kind), []byte(t.Name)), key))
}

func (a *abroad) head(kind byte) []byte {
	body := binary.LittleEndian.AppendUint64([]byte{kind}, a.self)
	return binary.LittleEndian.AppendUint64(body, a.told)
}

func appendPart(body, part []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(body, uint32(len(part))), part...)
}

// KeepTracking says what this gateway's connections track by prefix, repeats the number of what was told last, and tells those
// connections to forget everything when they may not have heard something. It is called every TrackingEvery, by one goroutine.
func (g *Gateway) KeepTracking() {
	x := &g.interest.tracking
	a := &x.abroad
	wide := g.tellWants()
	now := g.Clock.Now()
	a.mu.Lock()
	for id, w := range a.wanted {
		if w.until <= now {
			delete(a.wanted, id)
		}
	}
	a.any.Store(len(a.wanted) > 0)
	if len(a.wanted) > 0 {
		g.tell(newsTracking, a.head(abroadLast))
	}
	missed := false
	for id, t := range a.tellers {
		if t.heard+abroadMillis <= now {
			delete(a.tellers, id)
			missed = true
		}
	}
	missed = a.outOfTouch(!g.upstream.InTouch(), now) || missed
	a.mu.Unlock()
	if wide && missed {
		g.forgetWide()
	}
}

// outOfTouch reports whether to tell of it: when it begins, each second, and when it is over.
func (a *abroad) outOfTouch(is bool, now int64) bool {
	was := a.away
	a.away = is
	if !is && !was || is && was && now-a.silent < abroadMillis {
		return false
	}
	a.silent = now
	return true
}

// tellWants tells the others what is tracked by prefix here, and reports whether anything is.
func (g *Gateway) tellWants() bool {
	x := &g.interest.tracking
	if x.broad.Load() == 0 {
		return false
	}
	tenants := map[string][][]byte{}
	x.mu.Lock()
	for id, all := range x.wide {
		name := g.tenantName(id)
		for _, t := range all {
			if len(t.Prefixes) == 0 {
				tenants[name] = append(tenants[name], []byte{})
			}
			for _, p := range t.Prefixes {
				tenants[name] = append(tenants[name], []byte(p))
			}
		}
	}
	x.mu.Unlock()
	x.abroad.mu.Lock()
	body := append(x.abroad.head(abroadWants), encodeNews(tenants)...)
	x.abroad.mu.Unlock()
	g.tell(newsTracking, body)
	return true
}

// forgetWide tells everybody who tracks by prefix to forget everything.
func (g *Gateway) forgetWide() {
	var o outbox
	o.invalidateWide(&g.interest.tracking)
	o.send(true)
}
