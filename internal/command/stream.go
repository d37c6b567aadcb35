package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// The deadline of a stream is decided when it is made, by its first entry or by XGROUP CREATE MKSTREAM; later changes
// leave it, and with the stream its groups and all that they wait for are gone.
//
// XREADGROUP, XCLAIM and XAUTOCLAIM hand entries out: for the audit they are reads, whatever they change beside.

func streamCommands() []*Spec {
	return append(append(streamReadCommands(), streamGroupCommands()...), []*Spec{
		{Name: "XADD", Arity: -5, Flags: Write | DenyOOM | Fast, Categories: CatStream,
			Keys:  []KeySpec{{Begin: 1, Step: 1, Flags: KeyRW | KeyUpdate, Notes: "an update, because old entries may be trimmed"}},
			Group: "stream", Since: "5.0.0", Complexity: "O(1), and O(N) with N entries trimmed", Summary: "Appends an entry to a stream, and may erase old ones; the deadline stays.",
			Syntax: "key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
			Tips:   []string{"nondeterministic_output"}, Effect: EffectPart, Action: ActionWrite, Run: runXAdd},
		{Name: "XTRIM", Arity: -4, Flags: Write, Categories: CatStream, Keys: oneKey(KeyRW | KeyDelete),
			Group: "stream", Since: "5.0.0", Complexity: "O(N) with N entries erased", Summary: "Erases entries from the start of a stream; the deadline stays.",
			Syntax: "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]",
			Tips:   []string{"nondeterministic_output"}, Action: ActionDelete, Run: runXTrim},
		{Name: "XDEL", Arity: -3, Flags: Write | Fast, Categories: CatStream, Keys: oneKey(KeyRW | KeyDelete),
			Group: "stream", Since: "5.0.0", Complexity: "O(M*log(N)) with M ids given and N entries", Summary: "Erases entries, whose bytes are overwritten at once.",
			Syntax: "key id [id ...]", Action: ActionDelete, Run: runXDel},
		{Name: "XLEN", Arity: 2, Flags: ReadOnly | Fast, Categories: CatStream, Keys: oneKey(KeyRO),
			Group: "stream", Since: "5.0.0", Complexity: "O(1)", Summary: "Returns the number of entries.",
			Syntax: "key", Action: ActionRead, Run: runXLen},
		{Name: "XRANGE", Arity: -4, Flags: ReadOnly, Categories: CatStream, Keys: oneKey(KeyRO | KeyAccess),
			Group: "stream", Since: "5.0.0", Complexity: "O(log(N)+M) with N entries and M returned", Summary: "Returns the entries from one id to another.",
			Syntax: "key start-id end-id [COUNT count]", Action: ActionRead, Run: func(c *Call) { runXRange(c, false) }},
		{Name: "XREVRANGE", Arity: -4, Flags: ReadOnly, Categories: CatStream, Keys: oneKey(KeyRO | KeyAccess),
			Group: "stream", Since: "5.0.0", Complexity: "O(log(N)+M) with N entries and M returned", Summary: "Returns the entries from one id down to another.",
			Syntax: "key end-id start-id [COUNT count]", Action: ActionRead, Run: func(c *Call) { runXRange(c, true) }},
		{Name: "XSETID", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatStream, Keys: oneKey(KeyRW | KeyUpdate),
			Group: "stream", Since: "5.0.0", Complexity: "O(1)", Summary: "Sets a stream's last id and its counters; the deadline stays.",
			Syntax: "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", Effect: EffectPart, Action: ActionWrite, Run: runXSetID},
	}...)
}

// stream returns the stream of a key, counts the read and notes a hit or a miss; false means that the key holds something
// else and the error is answered.
func (c *Call) stream(key int) (engine.StreamValue, bool) {
	s, err := c.Tx.StreamAt(&c.Keys[key])
	if err != nil {
		c.Error(resp.MsgWrongType)
		return s, false
	}
	c.seen(key, s.Exists())
	return s, true
}

// makeStream makes the stream of a key that has none; false means refused and answered.
func (c *Call) makeStream(key int, s *engine.StreamValue) bool {
	m, ok := c.Expiry.Whole(c, key, Ask{}, engine.Entry{})
	if ok {
		s.Create(m)
	}
	return ok
}

// answerID writes an id as a string.
func (c *Call) answerID(id engine.StreamID) { AnswerStreamID(c.Out, id) }

// answerEntry writes the present entry of a walk.
func (c *Call) answerEntry(it *engine.StreamIter) {
	c.Out.Array(2)
	c.answerID(it.ID())
	c.Out.Array(2 * it.Fields())
	for range it.Fields() {
		field, value := it.Pair()
		c.Out.Bulk(field)
		c.Out.Bulk(value)
	}
}

// answerEntries writes the entries of a walk, at most count of them where that is not 0, and returns how many there were.
func (c *Call) answerEntries(it engine.StreamIter, count int64) int {
	length, n := c.Out.DeferredArray(), 0
	for (count == 0 || int64(n) < count) && it.Next() {
		c.answerEntry(&it)
		n++
	}
	it.Close()
	c.Out.SetArrayLen(length, n)
	return n
}

// answerEntryAt writes the entry with an id; false when there is none, and then nothing is written.
func (c *Call) answerEntryAt(s *engine.StreamValue, id engine.StreamID) bool {
	it := s.Iter(id, id, false)
	defer it.Close()
	if !it.Next() {
		return false
	}
	c.answerEntry(&it)
	return true
}

func runXLen(c *Call) {
	if s, ok := c.stream(0); ok {
		c.Out.Int(int64(s.Len()))
	}
}

// streamRange reads what XRANGE and XREVRANGE are asked for; a count below 0 is no limit.
func (c *Call) streamRange(backwards bool) (from, to engine.StreamID, count int64, ok bool) {
	first, last := 2, 3
	if backwards {
		first, last = last, first
	}
	if from, to, ok = c.intervalArgs(first, last); !ok {
		return from, to, 0, false
	}
	count = -1
	for i := 4; i < len(c.Args); i += 2 {
		if !word(c.Args[i], "COUNT") || i+1 == len(c.Args) {
			c.Error(resp.MsgSyntax)
			return from, to, 0, false
		}
		if count, ok = c.intArg(i + 1); !ok {
			return from, to, 0, false
		}
		count = max(count, 0)
	}
	return from, to, count, true
}

func runXRange(c *Call, backwards bool) {
	from, to, count, ok := c.streamRange(backwards)
	if !ok {
		return
	}
	s, ok := c.stream(0)
	switch {
	case !ok:
	case !s.Exists():
		c.Out.Array(0)
	case count == 0: // as Redis before 7.4
		c.Out.NullArray()
	default:
		c.answerEntries(s.Iter(from, to, backwards), max(count, 0))
	}
}

func runXDel(c *Call) {
	s, ok := c.stream(0)
	if !ok {
		return
	}
	if !s.Exists() { // before the ids are looked at, as in Redis
		c.Out.Int(0)
		return
	}
	if !c.checkIDs(2, len(c.Args)) {
		return
	}
	deleted := 0
	for _, arg := range c.Args[2:] {
		if id, _ := parseStreamID(arg, 0); s.Delete(id) {
			deleted++
		}
	}
	c.Tell(0, Unchanged)
	if deleted > 0 {
		c.Tell(0, Deleted)
		c.Notify(NoticeStream, "xdel", 0)
	}
	c.Out.Int(int64(deleted))
}
