package gateway

import (
	"bytes"
	"slices"
	"strconv"
	"sync"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/glob"
)

// hub knows who hears what. A channel belongs to the tenant that a key of its name would belong to; what is published on
// it reaches connections of that tenant only.
type hub struct {
	mu       sync.RWMutex
	topics   [3]names[[]*Session]                     // by command.SubscriptionKind
	patterns map[engine.TenantID][]*named[[]*Session] // of topics[ToPattern], for matching
}

// subscription is one name that one connection hears, in each tenant where it does.
type subscription struct {
	name   []byte
	topics []*named[[]*Session]
}

// maxSubscriptions is how many names of one kind a connection may hear.
const maxSubscriptions = 100_000

func (h *hub) init() {
	for i := range h.topics {
		h.topics[i] = newNames[[]*Session]()
	}
	h.patterns = map[engine.TenantID][]*named[[]*Session]{}
}

const (
	keyspaceChannel = "__keyspace@0__:"
	keyeventChannel = "__keyevent@0__:"
)

// channelTenants returns the tenants in which a channel's messages reach this connection: one, but for the events of keys,
// which come from all of the credential's.
func (s *Session) channelTenants(name []byte) []*Tenant {
	if bytes.HasPrefix(name, []byte(keyeventChannel)) {
		return s.tenants
	}
	t, _ := s.placeName(bytes.TrimPrefix(name, []byte(keyspaceChannel)))
	if t == nil {
		return nil
	}
	return []*Tenant{t}
}

var subscribeReplies = [3][2]string{
	command.ToChannel:      {"subscribe", "unsubscribe"},
	command.ToPattern:      {"psubscribe", "punsubscribe"},
	command.ToShardChannel: {"ssubscribe", "sunsubscribe"},
}

// Subscribe adds names to what the connection hears, and answers for each.
func (s *Session) Subscribe(c *command.Call, kind command.SubscriptionKind, names [][]byte) {
	for _, name := range names {
		if len(s.subscriptions[kind]) < maxSubscriptions && s.subscribed(kind, name) < 0 {
			tenants := s.tenants
			if kind != command.ToPattern {
				tenants = s.channelTenants(name)
			}
			s.subscriptions[kind] = append(s.subscriptions[kind], s.g.hub.add(s, kind, name, tenants))
			s.about.heard[kind].Add(1)
		}
		s.answerSubscription(c, subscribeReplies[kind][0], name, kind)
	}
}

func (s *Session) answerSubscription(c *command.Call, word string, name []byte, kind command.SubscriptionKind) {
	c.Out.Push(3)
	c.Out.BulkString(word)
	if name == nil {
		c.Out.Null()
	} else {
		c.Out.Bulk(name)
	}
	n := len(s.subscriptions[command.ToShardChannel])
	if kind != command.ToShardChannel {
		n = len(s.subscriptions[command.ToChannel]) + len(s.subscriptions[command.ToPattern])
	}
	c.Out.Int(int64(n))
}

// subscribed finds a name among those that the connection hears; -1 when it is not there.
func (s *Session) subscribed(kind command.SubscriptionKind, name []byte) int {
	return slices.IndexFunc(s.subscriptions[kind], func(x *subscription) bool { return bytes.Equal(x.name, name) })
}

// Unsubscribe takes names away, all of the kind when there are none, and answers for each.
func (s *Session) Unsubscribe(c *command.Call, kind command.SubscriptionKind, names [][]byte) {
	word := subscribeReplies[kind][1]
	if len(names) > 0 {
		for _, name := range names {
			if i := s.subscribed(kind, name); i >= 0 {
				s.drop(kind, i)
			}
			s.answerSubscription(c, word, name, kind)
		}
		return
	}
	if len(s.subscriptions[kind]) == 0 {
		s.answerSubscription(c, word, nil, kind)
	}
	for len(s.subscriptions[kind]) > 0 {
		name := bytes.Clone(s.subscriptions[kind][0].name)
		s.drop(kind, 0)
		s.answerSubscription(c, word, name, kind)
		clear(name)
	}
}

func (s *Session) drop(kind command.SubscriptionKind, i int) {
	x := s.subscriptions[kind][i]
	s.subscriptions[kind] = slices.Delete(s.subscriptions[kind], i, i+1)
	s.about.heard[kind].Add(-1)
	s.g.hub.remove(s, kind, x)
	clear(x.name)
}

func (s *Session) unsubscribeAll() {
	for kind := range s.subscriptions {
		for len(s.subscriptions[kind]) > 0 {
			s.drop(command.SubscriptionKind(kind), len(s.subscriptions[kind])-1)
		}
	}
}

// Subscribed reports whether the connection hears anything.
func (s *Session) Subscribed() bool {
	return len(s.subscriptions[0])+len(s.subscriptions[1])+len(s.subscriptions[2]) > 0
}

func (h *hub) add(s *Session, kind command.SubscriptionKind, name []byte, tenants []*Tenant) *subscription {
	x := &subscription{name: bytes.Clone(name)}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range tenants {
		topic := h.topics[kind].add(t.ID, name)
		if len(topic.value) == 0 && kind == command.ToPattern {
			h.patterns[t.ID] = append(h.patterns[t.ID], topic)
		}
		topic.value = append(topic.value, s)
		x.topics = append(x.topics, topic)
	}
	return x
}

func (h *hub) remove(s *Session, kind command.SubscriptionKind, x *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, topic := range x.topics {
		if i := slices.Index(topic.value, s); i >= 0 {
			topic.value = slices.Delete(topic.value, i, i+1)
		}
		if len(topic.value) > 0 {
			continue
		}
		if kind == command.ToPattern {
			same := func(p *named[[]*Session]) bool { return p == topic }
			if h.patterns[topic.tenant] = slices.DeleteFunc(h.patterns[topic.tenant], same); len(h.patterns[topic.tenant]) == 0 {
				delete(h.patterns, topic.tenant)
			}
		}
		h.topics[kind].remove(topic)
	}
}

// publish puts a message for everybody who hears a channel of a tenant into an outbox, and returns how many there are.
// notice is the key that a keyspace notification is about.
func (h *hub) publish(o *outbox, t engine.TenantID, shard bool, channel, payload, notice []byte) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	kind, word := command.ToChannel, "message"
	if shard {
		kind, word = command.ToShardChannel, "smessage"
	}
	n := 0
	if topic := h.topics[kind].find(t, channel); topic != nil {
		n += o.broadcast(topic.value, notice, word, channel, payload)
	}
	if shard {
		return n
	}
	for _, p := range h.patterns[t] {
		if glob.Match(p.name, channel) {
			n += o.broadcast(p.value, notice, "pmessage", p.name, channel, payload)
		}
	}
	return n
}

func (o *outbox) broadcast(to []*Session, notice []byte, word string, parts ...[]byte) int {
	m := newMessage(word, parts...)
	m.notice = bytes.Clone(notice)
	for _, s := range to {
		o.message(s, m)
	}
	return len(to)
}

// Publish sends a message to the channel's subscribers and returns how many there are.
func (s *Session) Publish(c *command.Call, shard bool, channel, payload []byte) int {
	w, n := s.worker, 0
	for _, t := range s.channelTenants(channel) {
		n += s.g.hub.publish(&w.root().outbox, t.ID, shard, channel, payload, nil)
		s.g.relay(&w.root().outbox, t, shard, channel, payload)
	}
	s.detail = "receivers=" + strconv.Itoa(n)
	return n
}

// Channels calls f for each channel of the caller's tenants that has subscribers.
func (s *Session) Channels(shard bool, f func(name []byte)) {
	h := &s.g.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	kind := channelKind(shard)
	h.topics[kind].each(func(topic *named[[]*Session]) bool {
		if i := slices.Index(s.ids, topic.tenant); i >= 0 && !h.heardIn(s.ids[:i], kind, topic.name) {
			f(topic.name)
		}
		return true
	})
}

// heardIn reports whether anybody hears a name in one of several tenants: who hears it in two is not to be told twice. mu must
// be held.
func (h *hub) heardIn(tenants []engine.TenantID, kind command.SubscriptionKind, name []byte) bool {
	return slices.ContainsFunc(tenants, func(t engine.TenantID) bool { return h.topics[kind].find(t, name) != nil })
}

// Subscribers counts the subscribers of a channel.
func (s *Session) Subscribers(shard bool, channel []byte) (n int) {
	h := &s.g.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	tenants := s.channelTenants(channel)
	counted := map[*Session]bool{} // who hears events of keys does so in several tenants
	for _, t := range tenants {
		topic := h.topics[channelKind(shard)].find(t.ID, channel)
		switch {
		case topic == nil:
		case len(tenants) == 1:
			n = len(topic.value)
		default:
			for _, who := range topic.value {
				counted[who] = true
			}
		}
	}
	return n + len(counted)
}

// Patterns counts the patterns of the caller's tenants that have subscribers.
func (s *Session) Patterns() (n int) {
	h := &s.g.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	for i, id := range s.ids {
		for _, p := range h.patterns[id] {
			if !h.heardIn(s.ids[:i], command.ToPattern, p.name) {
				n++
			}
		}
	}
	return n
}

func channelKind(shard bool) command.SubscriptionKind {
	if shard {
		return command.ToShardChannel
	}
	return command.ToChannel
}

// recordChannels adds a record for each channel that a command names, which is sealed as a key's name is.
func (w *Worker) recordChannels(r *audit.Record) {
	names := w.call.Args[1:]
	if w.call.Spec.Channels == command.ChannelPublish {
		names = names[:1]
	}
	r.Outcome, r.Detail = w.keylessOutcome(), w.refused
	if w.refused == "" {
		r.Detail = w.session.detail
	}
	w.session.detail = ""
	for _, name := range names {
		t, m := w.session.placeName(bytes.TrimPrefix(name, []byte(keyspaceChannel)))
		r.Key, r.Subject, r.Category, r.Tenant = name, m.Subject, m.Category.Name, ""
		switch {
		case t != nil:
			r.Tenant = t.Name
		case w.session.home != nil:
			r.Tenant, r.Subject = w.session.home.Name, nil
		}
		w.add(r)
	}
}
