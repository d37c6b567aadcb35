package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// direct answers a GET of a string without the scratch store: the value is opened straight into the reply, and is in clear
// nowhere else. It answers what the handler would; whatever is no sealed string goes to the handler.
func (x *Executor) direct(t *Task) {
	c, k := t.Call, &t.keys[0]
	if k.found && (k.header.Type != seal.String || k.guard == guardClear) {
		x.execute(t)
		return
	}
	t.phase = phaseDone
	if k.found {
		x.openReply(t, k)
	}
	if !k.found {
		c.Out.Null()
		c.Told[0] = command.Miss
		return
	}
	c.Told[0] = command.Hit
}

// openReply opens a string's value into the reply. Where it does not open the reply is as it was, and the entry is not found.
func (x *Executor) openReply(t *Task, k *keyState) {
	c := t.Call
	n := k.header.ValueBytes(len(k.raw))
	switch {
	case n < 0:
		x.alarm(k, Altered)
		return
	case !x.lives(c, k):
		return
	}
	for attempt := range 2 {
		value := c.Out.BulkOf(n)
		_, _, err := x.sealer.OpenString(value[:0:n], &k.entry, k.raw, x.now)
		if x.believe(k, err) {
			return
		}
		c.Out.Truncate(t.mark)
		if attempt > 0 || !x.fetchKey(k, err) {
			return
		}
		x.now = x.b.clock.Now() // peers were waited for
	}
}

// lives reports whether an entry lives at the instant at which its command runs; an entry that does not is not found.
func (x *Executor) lives(c *command.Call, k *keyState) bool {
	switch {
	case c.Engine(k.header.Deadline) <= c.Now:
		x.believe(k, seal.ErrExpired) // nothing to open; if it is late, whoever wrote that, it should not be there
		return false
	case c.Engine(k.header.BornAt) < 0:
		k.found = false
		return false
	}
	return true
}
