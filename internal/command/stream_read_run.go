package command

import "github.com/lethe-cache/lethe/internal/engine"

// tryStreamRead answers XREAD or XREADGROUP with what there is behind the given ids; false when there is nothing, and then
// nothing is written, and nothing has changed: who asks a group in vain is no consumer yet, and was not seen.
func (c *Call) tryStreamRead(r *streamRead) (answered bool) {
	start := c.Out.Len()
	streams, length := 0, c.Out.DeferredArray()
	for key := range c.Keys {
		s, err := c.Tx.StreamAt(&c.Keys[key])
		c.seen(key, s.Exists())
		if err != nil {
			continue // startIDs has looked: it became something else while the command waited
		}
		if c.readStream(r, key, &s) {
			streams++
		} else if s.Exists() {
			c.Tell(key, Unchanged)
		}
	}
	switch {
	case streams == 0:
		c.Out.Truncate(start)
		return false
	case c.Out.RESP3():
		c.Out.SetMapLen(length, streams)
	default:
		c.Out.SetArrayLen(length, streams)
	}
	return true
}

// readStream answers with the part of one stream, its name first; false when it has nothing to give.
func (c *Call) readStream(r *streamRead, key int, s *engine.StreamValue) bool {
	after, history := r.after[key], false
	var group engine.StreamGroup
	if r.group != nil {
		var ok bool
		if group, ok = s.Group(r.group); !ok {
			return false // of a stream that is gone
		}
		if history = after != newEntries(); !history {
			after = group.Last()
		}
	}
	if !history && !after.Before(s.Top()) {
		return false
	}
	if !c.Out.RESP3() {
		c.Out.Array(2)
	}
	c.Out.Bulk(c.Keys[key].Name)
	from, more := after.Next()
	switch {
	case r.group == nil:
		c.answerEntries(s.Iter(from, engine.LastStreamID(), false), r.count)
	case history:
		c.answerHistory(r, s, c.seenConsumer(key, group, r.consumer), from, more)
	default:
		c.deliver(r, s, c.seenConsumer(key, group, r.consumer), from)
	}
	return true
}

// seenConsumer returns the consumer of a name, made where there is none, and notes that it was seen. That is for who gets entries
// or asks for what it has; Redis 7.2 has it for whoever asks.
func (c *Call) seenConsumer(key int, g engine.StreamGroup, name []byte) engine.StreamConsumer {
	consumer, ok := g.Consumer(name)
	if !ok {
		consumer, _ = g.CreateConsumer(name, c.WallNow)
		c.Notify(NoticeStream, "xgroup-createconsumer", key)
	}
	consumer.See(c.WallNow)
	return consumer
}

// deliver answers with the entries from an id on and notes that the consumer has them.
func (c *Call) deliver(r *streamRead, s *engine.StreamValue, consumer engine.StreamConsumer, from engine.StreamID) {
	g := consumer.Group()
	length, n := c.Out.DeferredArray(), 0
	it := s.Iter(from, engine.LastStreamID(), false)
	for (r.count == 0 || int64(n) < r.count) && it.Next() {
		g.Advance(it.ID())
		c.answerEntry(&it)
		if !r.noAck {
			consumer.Deliver(it.ID(), c.WallNow, 1)
			consumer.Activate(c.WallNow)
		}
		n++
	}
	it.Close()
	c.Out.SetArrayLen(length, n)
}

// answerHistory answers with what the consumer was given and has not acknowledged: an entry that is deleted by now is its
// id alone.
func (c *Call) answerHistory(r *streamRead, s *engine.StreamValue, consumer engine.StreamConsumer, from engine.StreamID, more bool) {
	length, n := c.Out.DeferredArray(), 0
	consumer.EachPending(from, func(p engine.Pending) bool {
		if !more || r.count > 0 && int64(n) == r.count {
			return false
		}
		if c.answerEntryAt(s, p.ID) {
			consumer.Deliver(p.ID, c.WallNow, p.Deliveries+1)
		} else {
			c.Out.Array(2)
			c.answerID(p.ID)
			c.Out.NullArray()
		}
		n++
		return true
	})
	c.Out.SetArrayLen(length, n)
}
