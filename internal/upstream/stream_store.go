package upstream

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// streamState is what a stream was when it was loaded, in as far as it tells whether it has changed.
type streamState struct {
	info    engine.StreamInfo
	entries uint64 // a sum of the entries
	groups  uint64 // a sum of the groups, their consumers, and what these have
}

// stateOf describes a stream, of its entries those up to an id.
func (x *Executor) stateOf(s *engine.StreamValue, to engine.StreamID) streamState {
	var h maphash.Hash
	h.SetSeed(x.seed)
	for it := s.Iter(engine.StreamID{}, to, false); it.Next(); {
		sumID(&h, it.ID())
		for range it.Fields() {
			field, value := it.Pair()
			sumText(&h, field)
			sumText(&h, value)
		}
	}
	state := streamState{info: s.Info(), entries: h.Sum64()}
	state.info.Blocks = 0
	h.Reset()
	s.EachGroup(func(g engine.StreamGroup) bool {
		sumText(&h, g.Name())
		sumID(&h, g.Last())
		sumNumber(&h, uint64(g.Read()))
		g.EachConsumer(func(c engine.StreamConsumer) bool {
			sumText(&h, c.Name())
			c.EachPending(engine.StreamID{}, func(p engine.Pending) bool {
				sumID(&h, p.ID)
				sumNumber(&h, uint64(p.DeliveredAt))
				sumNumber(&h, uint64(p.Deliveries))
				return true
			})
			return true
		})
		return true
	})
	state.groups = h.Sum64()
	return state
}

func sumNumber(h *maphash.Hash, n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	h.Write(b[:])
}

func sumID(h *maphash.Hash, id engine.StreamID) { sumNumber(h, id.Ms); sumNumber(h, id.Seq) }

func sumText(h *maphash.Hash, b []byte) { sumNumber(h, uint64(len(b))); h.Write(b) }

// changeStream writes what a command that needed all of a stream has made of it: nothing, entries behind the others, or everything
// anew, with another life.
func (x *Executor) changeStream(c *command.Call, k *keyState, i int, e engine.Entry) error {
	s, err := x.tx.StreamAt(&c.Keys[i])
	if err != nil {
		return err
	}
	was, is := k.was, x.stateOf(&s, k.was.info.Last)
	if e.Meta().BornAt != k.meta.BornAt || was.entries != is.entries || was.groups != is.groups {
		return x.putCollection(c, k, i, e)
	}
	switch {
	case was.info == is.info && e.Meta() == k.meta && !k.grown:
		return nil
	case was.info == is.info:
		return x.putRecord(c, k, e)
	case !appended(&was.info, &is.info):
		return x.putCollection(c, k, i, e)
	}
	next := k.coll
	next.Header = x.headerOf(c, e)
	next.Flags = k.coll.Flags
	k.grows, k.resized = 0, true
	if err := x.seal(k, &next, "part"); err != nil {
		return err
	}
	p := parts{x: x, c: c, k: k, coll: &next, entry: e, key: &c.Keys[i]}
	from, _ := was.info.Last.Next()
	p.added(s.Iter(from, engine.LastStreamID(), false), nil)
	p.counters(&is.info)
	return p.err
}

// appended reports whether entries have come behind those that there were, and nothing else has changed.
func appended(was, is *engine.StreamInfo) bool {
	return is.Length-was.Length == is.Added-was.Added && is.Length > was.Length && was.Deleted == is.Deleted && was.Last.Before(is.Last) &&
		(was.Length == 0 || was.First == is.First)
}

// stream adds all of a stream. What is pending and not there any more is there for a moment: only what is there can be given to a
// consumer.
func (p *parts) stream() {
	s, err := p.x.tx.StreamAt(p.key)
	if err != nil {
		p.err = err
		return
	}
	info := s.Info()
	gone := missing(&s)
	p.added(s.Iter(engine.StreamID{}, engine.LastStreamID(), false), gone)
	if info.Length == 0 && len(gone) == 0 {
		p.text("XADD", "MAXLEN", "0", "0-1", "", "")
	}
	s.EachGroup(func(g engine.StreamGroup) bool {
		p.group(g)
		return p.err == nil
	})
	p.remove(gone, &info)
	p.counters(&info)
}

// missing are the ids of pending entries that the stream does not have, in order, each once. What is beyond the last id that counts as
// given, which XSETID may have set back, is left out: with it a server would not take that for the last id.
func missing(s *engine.StreamValue) (ids []engine.StreamID) {
	last := s.Info().Last
	s.EachGroup(func(g engine.StreamGroup) bool {
		g.EachPending(engine.StreamID{}, func(p engine.Pending) bool {
			if !p.ID.IsZero() && !last.Before(p.ID) && !s.Contains(p.ID) {
				ids = append(ids, p.ID)
			}
			return true
		})
		return true
	})
	slices.SortFunc(ids, engine.StreamID.Compare)
	return slices.Compact(ids)
}

// added adds entries, and between them empty ones of some ids.
func (p *parts) added(it engine.StreamIter, between []engine.StreamID) {
	defer it.Close()
	for p.err == nil && it.Next() {
		for len(between) > 0 && between[0].Before(it.ID()) {
			p.placeholder(between[0])
			between = between[1:]
		}
		plain := p.x.plain[:0]
		for range it.Fields() {
			field, value := it.Pair()
			plain = p.x.appendPair(plain, field, value)
		}
		box, err := p.x.sealEntry(p.k, p.coll, plain)
		if err != nil {
			p.err = err
			return
		}
		p.x.writes.alone("XADD", command.AppendStreamID(nil, it.ID()), nil, box)
		p.k.grows += int64(len(box))
	}
	for _, id := range between {
		p.placeholder(id)
	}
}

func (p *parts) placeholder(id engine.StreamID) {
	p.x.writes.alone("XADD", command.AppendStreamID(nil, id), nil, nil)
}

// remove takes the empty entries out again: by their ids where the stream counts deleted ones, else from the front, which leaves
// no trace.
func (p *parts) remove(gone []engine.StreamID, info *engine.StreamInfo) {
	switch {
	case len(gone) == 0:
	case info.Deleted.IsZero() && info.Length == 0:
		p.text("XTRIM", "MAXLEN", "=", "0")
	case info.Deleted.IsZero() && gone[len(gone)-1].Before(info.First):
		p.text("XTRIM", "MINID", "=", idText(info.First))
	default:
		for _, id := range gone {
			p.x.writes.command("XDEL", command.AppendStreamID(nil, id))
		}
	}
}

// counters sets what a stream knows beside its entries. An id that counts as deleted is never above the last one: newer servers
// refuse that.
func (p *parts) counters(info *engine.StreamInfo) {
	args := []string{idText(info.Last), "ENTRIESADDED", strconv.FormatUint(max(info.Added, info.Length), 10)}
	if deleted := info.Deleted; !deleted.IsZero() {
		if info.Last.Before(deleted) {
			deleted = info.Last
		}
		args = append(args, "MAXDELETEDID", idText(deleted))
	}
	p.text("XSETID", args...)
}

func (p *parts) text(name string, args ...string) {
	all := make([][]byte, len(args))
	for i, a := range args {
		all[i] = []byte(a)
	}
	p.x.writes.alone(name, all...)
}

func idText(id engine.StreamID) string { return string(command.AppendStreamID(nil, id)) }

func (p *parts) streamName(kind seal.StreamName, name []byte) []byte {
	sealed, err := p.x.sealer.SealStreamName(nil, &p.k.entry, p.coll, kind, name)
	if err != nil {
		p.err = err
	}
	return sealed
}

// group adds a group with its consumers and what they have. When these were seen is the time of the write.
func (p *parts) group(g engine.StreamGroup) {
	name := p.streamName(seal.GroupName, g.Name())
	p.x.writes.alone("XGROUP", []byte("CREATE"), p.k.data, name, command.AppendStreamID(nil, g.Last()),
		[]byte("ENTRIESREAD"), strconv.AppendInt(nil, g.Read(), 10))
	g.EachConsumer(func(c engine.StreamConsumer) bool {
		consumer := p.streamName(seal.ConsumerName, c.Name())
		p.x.writes.alone("XGROUP", []byte("CREATECONSUMER"), p.k.data, name, consumer)
		p.pending(c, name, consumer)
		return p.err == nil
	})
}

// pending gives a consumer what it has: entries that were delivered together, together.
func (p *parts) pending(c engine.StreamConsumer, group, consumer []byte) {
	var ids [][]byte
	var run engine.Pending
	flush := func() {
		if len(ids) == 0 {
			return
		}
		args := append([][]byte{group, consumer, []byte("0")}, ids...)
		args = append(args, []byte("TIME"), strconv.AppendInt(nil, run.DeliveredAt, 10), []byte("RETRYCOUNT"),
			strconv.AppendInt(nil, run.Deliveries, 10), []byte("FORCE"), []byte("JUSTID"))
		p.x.writes.alone("XCLAIM", args...)
		ids = nil
	}
	c.EachPending(engine.StreamID{}, func(one engine.Pending) bool {
		if len(ids) == callArgs || one.DeliveredAt != run.DeliveredAt || one.Deliveries != run.Deliveries {
			flush()
			run = one
		}
		if !one.ID.IsZero() {
			ids = append(ids, command.AppendStreamID(nil, one.ID))
		}
		return true
	})
	flush()
}
