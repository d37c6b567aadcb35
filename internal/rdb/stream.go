package rdb

import "encoding/binary"

// StreamSink is a Sink that takes streams too. After Begin come the entries, then End, then the groups, each with its
// consumers, each with what is pending with it. What Walk has told without a mistake is consistent: ids and names ascend,
// and what is pending is pending with one consumer.
type StreamSink interface {
	Sink
	// Entry is an entry: fields, each before its value.
	Entry(id ID, pairs [][]byte)
	// End tells what there is to know of a stream beside its entries.
	End(StreamFacts)
	Group(Group)
	Consumer(Consumer)
	Pending(Pending)
}

// ID is the id of an entry.
type ID struct{ Ms, Seq uint64 }

// Before reports whether an id is less than another one.
func (id ID) Before(other ID) bool {
	return id.Ms < other.Ms || id.Ms == other.Ms && id.Seq < other.Seq
}

// StreamFacts are a stream's counts and ids.
type StreamFacts struct {
	Length  uint64
	Added   uint64 // entries that were ever added; not below Length
	First   ID     // of the entries that there are
	Last    ID     // the greatest that was ever given
	Deleted ID     // the greatest that was deleted
}

// Group is a consumer group.
type Group struct {
	Name []byte // valid until the method that gets it returns
	Last ID     // the last entry that was delivered
	Read int64  // entries read up to there; -1: nobody can tell
}

// Consumer is a consumer of the group that was told last.
type Consumer struct {
	Name             []byte // valid until the method that gets it returns
	SeenAt, ActiveAt int64  // Unix milliseconds; never active: -1
}

// Pending is an entry that was delivered to the consumer that was told last, and is not acknowledged.
type Pending struct {
	ID          ID
	DeliveredAt int64 // Unix milliseconds
	Deliveries  int64
}

// The types of streams: each tells a little more than the one before.
const (
	typeStream   = 15
	typeStream70 = 19 // the first id, the greatest deleted one, how many were added, what groups have read
	typeStream72 = 21 // when consumers were last active
)

// An entry in a block has one of these flags, or none.
const (
	entryDeleted    = 1
	entrySameFields = 2 // the fields are those of the block
)

// What the entries of a block take, at most, before another one is begun.
const (
	blockEntries = 100
	blockBytes   = 4096
)

// appendID writes an id as the keys of blocks and pending entries have it: big endian, so that bytes sort as ids do.
func appendID(b []byte, id ID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id.Ms), id.Seq)
}

const idBytes = 16

func parseID(b []byte) ID {
	return ID{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}
