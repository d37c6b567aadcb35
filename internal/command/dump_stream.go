package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/rdb"
)

func rdbID(id engine.StreamID) rdb.ID    { return rdb.ID{Ms: id.Ms, Seq: id.Seq} }
func engineID(id rdb.ID) engine.StreamID { return engine.StreamID{Ms: id.Ms, Seq: id.Seq} }

// encodeStream writes a stream with its groups.
func encodeStream(enc *rdb.Encoder, s *engine.StreamValue) {
	enc.BeginStream()
	last := engine.StreamID{Ms: math.MaxUint64, Seq: math.MaxUint64}
	for it := s.Iter(engine.StreamID{}, last, false); it.Next(); {
		enc.Entry(rdbID(it.ID()), it.Fields(), it.Pair)
	}
	i := s.Info()
	enc.EndEntries(rdb.StreamFacts{Length: i.Length, Added: i.Added, First: rdbID(i.First), Last: rdbID(i.Last), Deleted: rdbID(i.Deleted)}, i.Groups)
	s.EachGroup(func(g engine.StreamGroup) bool {
		encodeGroup(enc, g)
		return true
	})
}

func encodeGroup(enc *rdb.Encoder, g engine.StreamGroup) {
	enc.Group(rdb.Group{Name: g.Name(), Last: rdbID(g.Last()), Read: g.Read()}, g.Pending())
	g.EachPending(engine.StreamID{}, func(p engine.Pending) bool {
		enc.Pending(rdb.Pending{ID: rdbID(p.ID), DeliveredAt: p.DeliveredAt, Deliveries: p.Deliveries})
		return true
	})
	enc.BeginConsumers(g.Consumers())
	g.EachConsumer(func(k engine.StreamConsumer) bool {
		enc.Consumer(rdb.Consumer{Name: k.Name(), SeenAt: k.SeenAt()}, k.Pending())
		k.EachPending(engine.StreamID{}, func(p engine.Pending) bool {
			enc.Owned(rdbID(p.ID))
			return true
		})
		return true
	})
}

// restoredStream is the stream of the call's key in the making. Walk has seen to it that ids grow and names differ.
type restoredStream struct {
	stream   engine.StreamValue
	group    engine.StreamGroup
	consumer engine.StreamConsumer
}

func (r *restoredStream) Entry(id rdb.ID, pairs [][]byte) { r.stream.Add(engineID(id), pairs) }

func (r *restoredStream) End(f rdb.StreamFacts) {
	r.stream.SetLast(engineID(f.Last))
	r.stream.SetAdded(f.Added)
	r.stream.SetDeleted(engineID(f.Deleted))
}

func (r *restoredStream) Group(g rdb.Group) {
	r.stream.CreateGroup(g.Name, engineID(g.Last), g.Read)
	r.group, _ = r.stream.Group(g.Name)
}

func (r *restoredStream) Consumer(k rdb.Consumer) {
	r.consumer, _ = r.group.CreateConsumer(k.Name, k.SeenAt)
	r.consumer.Activate(k.ActiveAt)
}

func (r *restoredStream) Pending(p rdb.Pending) {
	r.consumer.Deliver(engineID(p.ID), p.DeliveredAt, p.Deliveries)
}

func (s *restoredSize) Entry(_ rdb.ID, pairs [][]byte) {
	for _, b := range pairs {
		s.bytes += int64(len(b))
	}
}

func (s *restoredSize) End(rdb.StreamFacts)     {}
func (s *restoredSize) Group(g rdb.Group)       { s.bytes += int64(len(g.Name)) }
func (s *restoredSize) Consumer(k rdb.Consumer) { s.bytes += int64(len(k.Name)) }
func (s *restoredSize) Pending(rdb.Pending)     { s.bytes += 16 }
