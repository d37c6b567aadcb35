package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgEntriesAdded   = "ERR entries_added must be positive"
	msgBelowDeleted   = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
	msgBelowTop       = "ERR The ID specified in XSETID is smaller than the target stream top item"
	msgAddedBelowHave = "ERR The entries_added specified in XSETID is smaller than the target stream length"
)

// lastID is what XSETID is to set.
type lastID struct {
	id, deleted engine.StreamID // deleted: 0-0 leaves it
	added       int64           // -1 leaves it
}

func runXSetID(c *Call) {
	o, ok := c.lastIDArgs()
	if !ok {
		return
	}
	s, ok := c.stream(0)
	switch {
	case !ok:
	case !s.Exists():
		c.Error(resp.MsgNoSuchKey)
	case o.id.Before(s.Top()):
		c.Error(msgBelowTop)
	case o.added >= 0 && s.Len() > uint64(o.added):
		c.Error(msgAddedBelowHave)
	default:
		s.SetLast(o.id)
		if o.added >= 0 {
			s.SetAdded(uint64(o.added))
		}
		if !o.deleted.IsZero() {
			s.SetDeleted(o.deleted)
		}
		c.Tell(0, Stored)
		c.Notify(NoticeStream, "xsetid", 0)
		c.Out.Status("OK")
	}
}

func (c *Call) lastIDArgs() (o lastID, ok bool) {
	o.added = -1
	if o.id, ok = c.idArg(2); !ok {
		return o, false
	}
	for i := 3; i < len(c.Args); i += 2 {
		more := i+1 < len(c.Args)
		switch {
		case word(c.Args[i], "ENTRIESADDED") && more:
			if o.added, ok = c.intArg(i + 1); !ok {
				return o, false
			}
			if o.added < 0 {
				c.Error(msgEntriesAdded)
				return o, false
			}
		case word(c.Args[i], "MAXDELETEDID") && more:
			if o.deleted, ok = c.idArg(i + 1); !ok {
				return o, false
			}
			if o.id.Before(o.deleted) {
				c.Error(msgBelowDeleted)
				return o, false
			}
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
	}
	return o, true
}
