package command

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/engine"
)

// StreamWaits reports whether a call is one of XREAD or XREADGROUP that asks to wait for entries.
func StreamWaits(c *Call) bool {
	_, waits := c.streamWait()
	return waits
}

func (c *Call) streamWait() (r streamRead, waits bool) {
	if name := c.Spec.Name; name != "XREAD" && name != "XREADGROUP" {
		return r, false
	}
	mark := c.Out.Len()
	r, ok := c.streamReadArgs()
	if !ok {
		c.Out.Truncate(mark)
		c.Failed = false
	}
	return r, ok && r.block >= 0
}

// BlockStream makes the connection of an XREADGROUP wait that has found nothing new in any of its streams, if it asks to and may;
// see Call.Block.
func BlockStream(c *Call) bool {
	r, waits := c.streamWait()
	if !waits {
		return false
	}
	if c.State == nil {
		c.State = slices.Repeat([]engine.StreamID{newEntries()}, len(c.Keys))
	}
	return c.Block(r.block)
}
