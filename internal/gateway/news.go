package gateway

import (
	"encoding/binary"
	"encoding/json"
)

// What gateways in front of one upstream tell each other beside consents and users. News may be lost, and nothing rests on
// them that may not: messages to subscribers, keyspace notifications, pauses, what was counted towards limits and quotas, and
// what those hear of who track by prefix, which is numbered.
const (
	newsMessage byte = iota
	newsPause
	newsCounts
	newsNotice
	newsUsage
	newsClaims
	newsTracking
	newsTaken
)

// MadeByClients reports whether news of a kind are what clients make, as many as they like. The others are what gateways count and find.
func MadeByClients(kind byte) bool {
	return kind == newsMessage || kind == newsPause || kind == newsNotice || kind == newsTracking
}

// tell gives news to the other gateways, if there can be any. The body is the callee's, who clears it.
func (g *Gateway) tell(kind byte, body []byte) {
	if g.upstream != nil && g.upstream.Tell != nil {
		g.upstream.Tell(kind, body)
	}
}

// News takes what another gateway told. It does not block, and keeps nothing of the body. It may be called by any goroutine.
func (g *Gateway) News(kind byte, body []byte) {
	switch kind {
	case newsMessage:
		g.takeMessage(body)
	case newsPause:
		var p pauseNews
		if json.Unmarshal(body, &p) == nil {
			g.takePause(&p)
		}
	case newsCounts:
		var c counts
		if json.Unmarshal(body, &c) == nil {
			g.takeCounts(&c)
		}
	case newsNotice:
		g.takeNotice(body)
	case newsUsage, newsClaims:
		g.takeUsage(kind, body)
	case newsTracking:
		g.takeTracking(body)
	case newsTaken:
		if g.upstream != nil && g.upstream.Succession != nil {
			g.upstream.Succession.Heard(body)
		}
	}
}

// MaxRelayed is the longest message, with its channel, that reaches the subscribers of other gateways.
const MaxRelayed = 1_000_000

const msgRelayed = "SEALED a message of more than 1,000,000 bytes does not reach the subscribers of the other gateways"

// relay has the other gateways' subscribers get a message when its record is committed.
func (g *Gateway) relay(o *outbox, t *Tenant, shard bool, channel, payload []byte) {
	if g.upstream == nil || g.upstream.Tell == nil {
		return
	}
	body := append(make([]byte, 0, 1+4+len(t.Name)+4+len(channel)+len(payload)), 0) // at once: what it outgrew would have the channel's name
	if shard {
		body[0] = 1
	}
	body = binary.LittleEndian.AppendUint32(body, uint32(len(t.Name)))
	body = append(body, t.Name...)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(channel)))
	body = append(append(body, channel...), payload...)
	o.items = append(o.items, delivery{relay: func(committed bool) {
		if committed {
			g.tell(newsMessage, body)
		} else {
			clear(body)
		}
	}})
}

// takeMessage gives a message that was published at another gateway to the subscribers here.
func (g *Gateway) takeMessage(body []byte) {
	if len(body) == 0 {
		return
	}
	shard := body[0] == 1
	tenant, rest, ok := cutNews(body[1:])
	if !ok {
		return
	}
	channel, payload, ok := cutNews(rest)
	t := g.tenants.Load().byName[string(tenant)]
	if !ok || t == nil {
		return // nobody of this tenant was ever here
	}
	var o outbox
	g.hub.publish(&o, t.ID, shard, channel, payload, nil)
	o.send(true)
}

// cutNews takes one part off that has its length before it.
func cutNews(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n], b[4+n:], true
}

func encodeNews(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic("BUG: cannot encode news: " + err.Error())
	}
	return body
}
