package gateway

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

// Keyspace notifications: a tenant chooses, with CONFIG SET notify-keyspace-events, which changes of its own entries it is
// told of. They go out when the record of the change is committed.

func (t *Tenant) noticeClasses() command.NoticeClass { return command.NoticeClass(t.notices.Load()) }

// Notices returns the classes that the connection's tenant is told of.
func (s *Session) Notices() command.NoticeClass {
	if s.home == nil {
		return 0
	}
	return s.home.noticeClasses()
}

// SetNotices chooses what the credential's tenants are told of.
func (s *Session) SetNotices(set command.NoticeClass) {
	for _, t := range s.tenants {
		t.notices.Store(uint32(set))
	}
	s.g.chosen.Add(1)
}

// sendNotes publishes what the handler noted.
func (w *Worker) sendNotes() {
	c := &w.call
	for _, n := range c.Notes {
		k := &c.Keys[n.Key]
		w.g.notice(&w.root().outbox, k.Tenant, n.Class, n.Event, k.Name)
		w.g.relayNotice(&w.root().outbox, w.placed[n.Key].tenant, n.Class, n.Event, k.Name)
	}
	c.Notes = c.Notes[:0]
}

// notice publishes one change of an entry to the entry's tenant, if the tenant wants to know.
func (g *Gateway) notice(o *outbox, t engine.TenantID, class command.NoticeClass, event string, key []byte) {
	wanted := g.Tenants()[t].noticeClasses()
	if wanted&class == 0 {
		return
	}
	if wanted&command.NoticeKeyspace != 0 {
		channel := append([]byte(keyspaceChannel), key...)
		g.hub.publish(o, t, false, channel, []byte(event), key)
		clear(channel)
	}
	if wanted&command.NoticeKeyevent != 0 {
		g.hub.publish(o, t, false, append([]byte(keyeventChannel), event...), key, key)
	}
}
