package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Call is one command being run. The gateway fills it, and uses it again for the next command: a handler must keep
// nothing of it. Args and the names in Keys are slices of the connection's read buffer; Out's bytes reach the client
// after the audit has the call.
type Call struct {
	Spec *Spec
	Args [][]byte // Args[0] is the name as it was sent
	Refs []KeyRef // the keys among Args, in the order of the key specifications
	Keys []engine.Key
	Tx   *engine.Tx // holds the locks of Keys; nil for commands without keys in their table entry
	Out  *resp.Writer

	Now     int64 // milliseconds of the engine's clock
	WallNow int64 // the same instant in Unix milliseconds

	// Aside, where it is not nil, takes the strings that a command writes whole in place of Tx: a command that looks at nothing
	// needs no store to write to.
	Aside *[]Written

	// Beside says of keys whose sorted set is in Tx in part only how many members stand beside that part; nil: none do. See
	// SortedSetWindow.
	Beside []Beside

	NoTouch bool // reads do not count for what is kept when room is needed

	Expiry Expiry
	Conn   Conn

	Retry  bool // the command waited, and something may have changed since
	NoWait bool // the command may not wait
	Script bool // a script runs the command
	State  any  // what a command that waits keeps from one try to the next

	Notices NoticeClass // what the tenant wants to be told of changes
	Notes   []Note

	Told   []Outcome // by key
	Failed bool      // an error was answered
	Count  int       // entries that a command without keys touched, for its record

	metas   []engine.Meta // scratch
	existed []bool        // by key, for notices
	sketch  sketch        // of PFADD, which would have to make one for each call
}

// Reset prepares the call for another command.
func (c *Call) Reset() {
	c.Spec, c.Args, c.Failed, c.Count = nil, nil, false, 0
	c.Retry, c.NoWait, c.Script, c.State = false, false, false, nil
	c.Notes, c.Beside = c.Notes[:0], nil
	c.Refs, c.Keys, c.Told = c.Refs[:0], c.Keys[:0], c.Told[:0]
}

// Error answers an error, its code first.
func (c *Call) Error(text string) {
	c.Failed = true
	c.Out.Error(text)
}

// Tell notes what happened to a key.
func (c *Call) Tell(key int, o Outcome) { c.Told[key] = o }

// Get returns the live entry of a key for reading its value, counts the read and notes a hit or a miss.
func (c *Call) Get(key int) engine.Entry {
	var e engine.Entry
	if c.NoTouch {
		e = c.Tx.Peek(&c.Keys[key])
	} else {
		e = c.Tx.Get(&c.Keys[key])
	}
	c.seen(key, e.Exists())
	return e
}

// Peek returns the live entry of a key for looking at anything but its value, and notes a hit or a miss.
func (c *Call) Peek(key int) engine.Entry {
	e := c.Tx.Peek(&c.Keys[key])
	c.seen(key, e.Exists())
	return e
}

func (c *Call) seen(key int, hit bool) {
	if hit {
		c.Told[key] = Hit
	} else {
		c.Told[key] = Miss
	}
}

// GetString is Get for a string: nil when there is no entry, false when the entry is of another kind and the error is
// answered.
func (c *Call) GetString(key int) (value []byte, ok bool) {
	e := c.Get(key)
	if !e.Exists() {
		return nil, true
	}
	if e.Kind() != engine.String {
		c.Error(resp.MsgWrongType)
		return nil, false
	}
	return e.String(), true
}

// Delete erases the entry of a key, notes it, and reports whether there was one.
func (c *Call) Delete(key int) bool {
	deleted := c.Tx.Delete(&c.Keys[key])
	if deleted {
		c.Told[key] = Deleted
	} else {
		c.Told[key] = Miss
	}
	return deleted
}

// Whole asks for the deadline of a value that is about to be written whole; false means refused and answered.
func (c *Call) Whole(key int, ask Ask, old engine.Entry) (engine.Meta, bool) {
	return c.Expiry.Whole(c, key, ask, old)
}

// SetString writes a whole string value with the deadline that policy grants, and notes it; false means refused and
// answered. old is the key's live entry, if there is one.
func (c *Call) SetString(key int, ask Ask, old engine.Entry, value []byte) bool {
	m, ok := c.Expiry.Whole(c, key, ask, old)
	if !ok {
		return false
	}
	c.store(key, m, value)
	return true
}

// Written is a string that a command has written whole.
type Written struct {
	Key   int // which of the call's
	Meta  engine.Meta
	Value []byte // of its arguments
}

// store makes the value of a key a string, and notes it.
func (c *Call) store(key int, m engine.Meta, value []byte) {
	if c.Aside != nil {
		*c.Aside = append(*c.Aside, Written{key, m, value})
	} else {
		c.Tx.SetString(&c.Keys[key], m, value)
	}
	c.Told[key] = Stored
}

// Wall converts an instant of the engine's clock to Unix milliseconds.
func (c *Call) Wall(at int64) int64 { return at - c.Now + c.WallNow }

// Engine converts Unix milliseconds to an instant of the engine's clock, without overflow.
func (c *Call) Engine(wall int64) int64 {
	shift := c.Now - c.WallNow
	at := wall + shift
	if shift > 0 && at < wall {
		return 1<<63 - 1
	}
	if shift < 0 && at > wall {
		return -1 << 63
	}
	return at
}
