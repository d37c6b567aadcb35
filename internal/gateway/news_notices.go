package gateway

import (
	"encoding/binary"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/consent"
)

// ends reports whether an event is one of those after which nothing is left under a key.
func ends(event string) bool { return event == "del" || event == "rename_from" || event == "expired" }

// relayNotice has the other gateways tell their subscribers of a change, when its record is committed, and know of an entry
// that has ended.
func (g *Gateway) relayNotice(o *outbox, t *Tenant, class command.NoticeClass, event string, key []byte) {
	if g.upstream == nil || g.upstream.Tell == nil {
		return
	}
	var stamp uint64
	if ends(event) && g.upstream.Stamp != nil {
		stamp = g.upstream.Stamp()
	}
	body := binary.LittleEndian.AppendUint16(nil, uint16(class))
	body = binary.LittleEndian.AppendUint64(body, stamp)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(t.Name)))
	body = append(body, t.Name...)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(event)))
	body = append(append(body, event...), key...)
	o.items = append(o.items, delivery{relay: func(committed bool) {
		if committed {
			g.tell(newsNotice, body)
		} else {
			clear(body)
		}
	}})
}

// takeNotice tells the subscribers here of a change that another gateway made.
func (g *Gateway) takeNotice(body []byte) {
	const head = 2 + 8
	if len(body) < head {
		return
	}
	class, stamp := command.NoticeClass(binary.LittleEndian.Uint16(body)), binary.LittleEndian.Uint64(body[2:])
	tenant, rest, ok := cutNews(body[head:])
	if !ok {
		return
	}
	event, key, ok := cutNews(rest)
	t := g.tenants.Load().byName[string(tenant)]
	if !ok || t == nil {
		return // nobody of this tenant was ever here
	}
	if stamp != 0 && g.upstream != nil && g.upstream.Ended != nil {
		g.upstream.Ended(t.Name, key, stamp)
	}
	var o outbox
	g.notice(&o, t.ID, class, string(event), key)
	o.send(true)
}

// expiredNotice tells of an entry that has met its deadline, unless its patient has withdrawn the consent: then nothing names
// the entry any more.
func (g *Gateway) expiredNotice(o *outbox, t *Tenant, name []byte) {
	if t.noticeClasses()&command.NoticeExpired == 0 {
		return
	}
	subject := g.Policy().Match(name).Subject
	if subject != nil && g.Consent != nil && g.Consent.store.State(t.Name, subject, g.Clock.Now()) != consent.Clear {
		return
	}
	g.notice(o, t.ID, command.NoticeExpired, "expired", name)
	g.relayNotice(o, t, command.NoticeExpired, "expired", name)
}
