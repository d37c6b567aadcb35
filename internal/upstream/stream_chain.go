package upstream

import "github.com/lethe-cache/lethe/internal/seal"

// Many clients add to one stream, and in one round of a loop there may be a dozen of them. Each write compares the record with what
// was read, so that of those only the first would succeed, and the others would begin again, one after another. But a loop's requests
// reach a node in their order: a write may also find what one of those before it leaves, as far as they succeed and change
// anything.

// chained is a record of a stream that writes of this turn have read, and the headers that they leave there.
type chained struct {
	read  [seal.HeaderBytes]byte
	leave []byte
}

// maxChained is how many writes one more may find.
const maxChained = 64

// chain has the writes of a task accept what those before them in the turn leave. These have read the same record, so that theirs
// says what was read but for the stamp; a write that makes the entry be about more patients says more, and nobody joins it.
func (x *Executor) chain(t *Task) {
	if x.chains == nil {
		x.chains = map[nearName]*chained{}
	}
	for i := range x.writes.entries {
		e := &x.writes.entries[i]
		k, name := e.k, nearName(e.k.record)
		c := x.chains[name]
		if c == nil || c.read != k.expect || len(c.leave) >= maxChained*seal.HeaderBytes {
			c = &chained{read: k.expect}
			x.chains[name] = c
		}
		k.also = c.leave
		if k.grown {
			delete(x.chains, name)
			continue
		}
		c.leave = append(c.leave, x.writes.bytes[e.from:e.from+seal.HeaderBytes]...)
	}
}
