package engine

import "unsafe"

// streamGroup is the head of a consumer group's block; the name follows.
type streamGroup struct {
	nameLen   uint32
	_         uint32
	last      StreamID // the greatest id that was delivered
	read      int64    // entries that were read up to there; unknownRead where nobody can tell
	pending   idTree   // of pendingEntry: delivered and not acknowledged
	consumers roster
}

// streamConsumer is the head of a consumer's block; the name follows.
type streamConsumer struct {
	nameLen  uint32
	_        uint32
	seenAt   int64  // Unix milliseconds
	activeAt int64  // Unix milliseconds; NeverActive before the first delivery
	pending  idTree // of struct{}: the ids in the group's tree that are this consumer's
}

// pendingEntry is an entry that was delivered and is not acknowledged.
type pendingEntry struct {
	deliveredAt int64 // Unix milliseconds
	deliveries  int64
	consumer    ref
	_           uint32
}

const (
	// UnknownRead says that nobody can tell how many entries a group has read.
	UnknownRead = -1
	// NeverActive is the instant at which a consumer was active to which nothing was delivered yet.
	NeverActive = -1
)

const (
	streamGroupHead    = int(unsafe.Sizeof(streamGroup{}))
	streamConsumerHead = int(unsafe.Sizeof(streamConsumer{}))
)

// StreamGroup is a consumer group of a stream. It is valid as long as the StreamValue that it came from, and until the
// group is destroyed.
type StreamGroup struct {
	sh  *shard
	e   *entry // the stream's
	ref ref
}

// StreamConsumer is a consumer of a group, valid until it or its group is deleted.
type StreamConsumer struct {
	group StreamGroup
	ref   ref
}

func (s *StreamValue) groups() rosterHandle {
	return rosterHandle{s.x.sh.arena, &s.root().groups, streamGroupHead}
}

// Group returns the group of a name; false when there is none.
func (s *StreamValue) Group(name []byte) (StreamGroup, bool) {
	if s.x.e == nil {
		return StreamGroup{}, false
	}
	g := StreamGroup{s.x.sh, s.x.e, s.groups().get(name)}
	return g, g.ref != 0
}

// CreateGroup makes a group that has got everything up to an id; false when there is one of that name.
func (s *StreamValue) CreateGroup(name []byte, last StreamID, read int64) bool {
	s.x.sh.chargeKey(s.key)
	r := s.groups().add(name)
	if r == 0 {
		return false
	}
	StreamGroup{s.x.sh, s.x.e, r}.Set(last, read)
	return true
}

// DestroyGroup erases a group; false when there is none of that name.
func (s *StreamValue) DestroyGroup(name []byte) bool {
	g, ok := s.Group(name)
	if !ok {
		return false
	}
	s.x.sh.chargeKey(s.key)
	g.drain(int(^uint(0) >> 1))
	s.groups().remove(name)
	return true
}

// EachGroup calls f for every group, by name, until f says stop. f must not change the groups.
func (s *StreamValue) EachGroup(f func(StreamGroup) bool) {
	if s.x.e == nil {
		return
	}
	for _, r := range s.groups().refs() {
		if !f(StreamGroup{s.x.sh, s.x.e, r}) {
			return
		}
	}
}

func (g StreamGroup) head() *streamGroup { return (*streamGroup)(g.sh.arena.pointer(g.ref)) }

func (g StreamGroup) stream() *streamRoot { return (*streamRoot)(g.e.root()) }

func (g StreamGroup) roster() rosterHandle {
	return rosterHandle{g.sh.arena, &g.head().consumers, streamConsumerHead}
}

// Name returns the group's name, in the store's own memory.
func (g StreamGroup) Name() []byte {
	return rosterHandle{a: g.sh.arena, head: streamGroupHead}.name(g.ref)
}

// Last returns the greatest id that was delivered.
func (g StreamGroup) Last() StreamID { return g.head().last }

// Read returns how many entries of the stream were read up to Last, or UnknownRead.
func (g StreamGroup) Read() int64 { return g.head().read }

// Set sets what counts as the greatest id that was delivered, and as the number of entries read.
func (g StreamGroup) Set(last StreamID, read int64) { g.head().last, g.head().read = last, read }

// Pending returns how many entries were delivered and are not acknowledged.
func (g StreamGroup) Pending() int { return int(g.head().pending.count) }

// Consumers returns the number of consumers.
func (g StreamGroup) Consumers() int { return int(g.head().consumers.n) }

// Consumer returns the consumer of a name; false when there is none.
func (g StreamGroup) Consumer(name []byte) (StreamConsumer, bool) {
	c := StreamConsumer{g, g.roster().get(name)}
	return c, c.ref != 0
}

// CreateConsumer makes a consumer, which was seen at an instant in Unix milliseconds and was never active; false when there is
// one of that name.
func (g StreamGroup) CreateConsumer(name []byte, now int64) (StreamConsumer, bool) {
	g.sh.chargeTo(g.e)
	c := StreamConsumer{g, g.roster().add(name)}
	if c.ref == 0 {
		return c, false
	}
	c.See(now)
	c.head().activeAt = NeverActive
	return c, true
}

// DeleteConsumer erases a consumer with what it was given, and returns how many entries that were.
func (g StreamGroup) DeleteConsumer(name []byte) int {
	c, ok := g.Consumer(name)
	if !ok {
		return 0
	}
	g.sh.chargeTo(g.e)
	n, all := c.Pending(), g.pending()
	own := c.pending()
	for at := own.first(); at.leaf != 0; at = own.next(at) {
		id, _ := own.at(at)
		all.remove(id)
	}
	own.drain(int(^uint(0)>>1), nil)
	g.roster().remove(name)
	return n
}

// EachConsumer calls f for every consumer, by name, until f says stop. f must not change the consumers.
func (g StreamGroup) EachConsumer(f func(StreamConsumer) bool) {
	for _, r := range g.roster().refs() {
		if !f(StreamConsumer{g, r}) {
			return
		}
	}
}

func (c StreamConsumer) head() *streamConsumer {
	return (*streamConsumer)(c.group.sh.arena.pointer(c.ref))
}

// Group returns the group that the consumer belongs to.
func (c StreamConsumer) Group() StreamGroup { return c.group }

// Name returns the consumer's name, in the store's own memory.
func (c StreamConsumer) Name() []byte {
	return rosterHandle{a: c.group.sh.arena, head: streamConsumerHead}.name(c.ref)
}

// SeenAt returns when the consumer was last seen, in Unix milliseconds: which requests count is the caller's to say.
func (c StreamConsumer) SeenAt() int64 { return c.head().seenAt }

// See notes that the consumer was seen at an instant in Unix milliseconds.
func (c StreamConsumer) See(now int64) { c.head().seenAt = now }

// ActiveAt returns when the consumer was last given an entry to acknowledge, in Unix milliseconds, or NeverActive.
func (c StreamConsumer) ActiveAt() int64 { return c.head().activeAt }

// Activate notes that the consumer was given an entry at an instant in Unix milliseconds, or that it never was.
func (c StreamConsumer) Activate(now int64) { c.head().activeAt = now }

// Pending returns how many entries the consumer was given and has not acknowledged.
func (c StreamConsumer) Pending() int { return int(c.head().pending.count) }

// drain erases what a group has, at most about budget blocks, and returns what is left of the budget.
func (g StreamGroup) drain(budget int) int {
	for roster := g.roster(); roster.r.n > 0; roster.removeLast() {
		c := StreamConsumer{g, roster.refs()[roster.r.n-1]}
		if budget = c.pending().drain(budget, nil) - 1; budget <= 0 {
			return 0
		}
	}
	return g.pending().drain(budget, nil)
}
