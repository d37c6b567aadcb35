package gateway

import (
	"encoding/binary"
	"encoding/json"
)

// takeTracking takes what another gateway tells those who track by prefix, or wants to be told for its own.
func (g *Gateway) takeTracking(body []byte) {
	const head = 1 + 8 + 8
	if len(body) < head {
		return
	}
	kind, from, number := body[0], binary.LittleEndian.Uint64(body[1:]), binary.LittleEndian.Uint64(body[9:])
	body = body[head:]
	x := &g.interest.tracking
	if from == x.abroad.self {
		return
	}
	if kind == abroadWants {
		x.abroad.takeWants(from, body, g.Clock.Now())
		return
	}
	if x.broad.Load() == 0 {
		return
	}
	var o outbox
	defer func() { o.send(true) }()
	if x.abroad.missed(from, number, kind == abroadLast, g.Clock.Now()) {
		o.invalidateWide(x)
	}
	tenant, rest, ok := cutNews(body)
	key, _, keyed := cutNews(rest)
	t := g.tenants.Load().byName[string(tenant)]
	switch {
	case !ok || !keyed || t == nil: // nobody of this tenant was ever here
	case kind == abroadChanged:
		o.invalidate(x, t.ID, key, nil)
	case kind == abroadAll:
		o.invalidateAll(x, t.ID, nil)
	}
}

// takeWants notes which prefixes another gateway's connections track.
func (a *abroad) takeWants(from uint64, body []byte, now int64) {
	w := &wantedAbroad{until: now + abroadMillis}
	if json.Unmarshal(body, &w.tenants) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wanted[from] != nil || len(a.wanted) < maxAbroad {
		a.wanted[from] = w
		a.any.Store(true)
	}
}

// missed notes the number of what a gateway tells, or has told last, and reports whether something before it did not come.
func (a *abroad) missed(from, number uint64, last bool, now int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tellers[from]
	if t == nil {
		if len(a.tellers) >= maxAbroad {
			return true
		}
		t = &teller{}
		a.tellers[from] = t
	}
	expected := t.last
	if !last {
		expected++
	}
	t.last, t.heard = number, now
	return number != expected
}

// maxAbroad bounds the gateways that are known of.
const maxAbroad = 4096
