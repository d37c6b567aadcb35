package command

import (
	"math"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/rdb"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgBadData  = "ERR Bad data format"
	msgIdleTime = "ERR Invalid IDLETIME value, must be >= 0"
	msgFreq     = "ERR Invalid FREQ value, must be >= 0 and <= 255"
)

// restoreOptions are the options of RESTORE.
type restoreOptions struct {
	replace, absolute bool
	idle              int64 // seconds; -1: nothing was said
	freq              int64 // 0 to 255; -1: nothing was said
}

// longestIdle is far more than the engine remembers, in seconds.
const longestIdle = 1 << 40

func (c *Call) restoreOptions() (o restoreOptions, ok bool) {
	idle, freq := int64(-1), int64(-1)
	for i := 4; i < len(c.Args); i++ {
		more := i+1 < len(c.Args)
		switch a := c.Args[i]; {
		case word(a, "REPLACE"):
			o.replace = true
		case word(a, "ABSTTL"):
			o.absolute = true
		case word(a, "IDLETIME") && more && freq == -1:
			i++
			if idle, ok = c.intArg(i); !ok {
				return o, false
			}
			if idle < 0 {
				c.Error(msgIdleTime)
				return o, false
			}
		case word(a, "FREQ") && more && idle == -1:
			i++
			if freq, ok = c.intArg(i); !ok {
				return o, false
			}
			if freq < 0 || freq > 255 {
				c.Error(msgFreq)
				return o, false
			}
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
	}
	o.idle, o.freq = min(idle, longestIdle), freq
	return o, true
}

// restoreAsk reads the time to live. 0 is Redis's way of asking for none, which nobody gets.
func (c *Call) restoreAsk(o restoreOptions) (Ask, bool) {
	ttl, ok := c.intArg(2)
	switch {
	case !ok:
		return Ask{}, false
	case ttl < 0:
		c.Error(resp.MsgInvalidRestoreTTL)
		return Ask{}, false
	case ttl == 0:
		return Ask{Kind: AskPersist}, true
	}
	at, ok := c.instant(ttl, expiryUnit{absolute: o.absolute})
	if !ok {
		at = math.MaxInt64 // as far as it goes; the ceiling is nearer
	}
	return Ask{AskAt, at}, true
}

// runRestore reads the payload twice: all of it is checked, and its size known, before anything of the key's present value
// is given up.
func runRestore(c *Call) {
	o, ok := c.restoreOptions()
	if !ok {
		return
	}
	old := c.Tx.Peek(&c.Keys[0])
	if old.Exists() && !o.replace {
		c.Tell(0, Unchanged)
		c.Error(resp.MsgBusyKey)
		return
	}
	ask, ok := c.restoreAsk(o)
	if !ok {
		return
	}
	value, err := rdb.Open(c.Args[3])
	if err != nil {
		c.Error(resp.MsgRestorePayload)
		return
	}
	var size restoredSize
	if rdb.Walk(value, &size) != nil {
		c.Error(msgBadData)
		return
	}
	if !c.fits(size.bytes) {
		c.Error(resp.MsgOOM)
		return
	}
	if ask.Kind == AskAt && ask.At <= c.Now {
		c.restoreNothing()
		return
	}
	m, ok := c.Whole(0, ask, old)
	if !ok {
		return
	}
	c.Tx.Delete(&c.Keys[0])
	c.build(value, m)
	switch e := c.Tx.Peek(&c.Keys[0]); {
	case !e.Exists():
	case o.idle >= 0:
		e.SetIdle(o.idle * 1000)
	case o.freq >= 0:
		e.SetFrequency(uint8(o.freq))
	}
	c.Out.Status("OK")
}

// restoreNothing ends a RESTORE with an instant that has passed: as in Redis only what was there before goes.
func (c *Call) restoreNothing() {
	c.Delete(0)
	c.Out.Status("OK")
}

// restoreRoom is how much longer a value is than its payload: a compressed one says more than it is long.
func restoreRoom(args [][]byte) int64 {
	var size restoredSize
	if value, err := rdb.Open(args[3]); err != nil || rdb.Walk(value, &size) != nil {
		return 0
	}
	return max(size.bytes-int64(len(args[3])), 0)
}

// fits reports whether so many bytes have room beside what the key's tenant has. The gateway has made room for the payload
// and for restoreRoom; since then others may have taken some of it, and a payload that unpacks to gigabytes must not take
// what there is not.
func (c *Call) fits(bytes int64) bool {
	if bytes <= int64(len(c.Args[3])) {
		return true
	}
	store := c.Tx.Store()
	for _, u := range [...]engine.Usage{store.Usage(c.Keys[0].Tenant), store.Total()} {
		if u.Limit > 0 && bytes > u.Limit-u.Bytes {
			return false
		}
	}
	return true
}

// build stores a checked value as the key's. Nothing of it is left when there is no memory for the whole.
func (c *Call) build(value []byte, m engine.Meta) {
	b := restored{c: c, m: m}
	whole := false
	defer func() {
		if !whole {
			c.Tx.Delete(&c.Keys[0])
		}
	}()
	if rdb.Walk(value, &b) != nil {
		panic("BUG: a payload that was good is bad")
	}
	whole = true
	c.Tell(0, Stored)
	if !c.Tx.Peek(&c.Keys[0]).Exists() { // a hash whose fields had all passed
		c.Tell(0, Deleted)
	}
}

// restoredSize adds up what a value takes unpacked.
type restoredSize struct{ bytes int64 }

func (s *restoredSize) Begin(rdb.Kind)                     {}
func (s *restoredSize) Element(b []byte)                   { s.bytes += int64(len(b)) }
func (s *restoredSize) Member(member []byte, _ float64)    { s.bytes += int64(len(member)) }
func (s *restoredSize) Field(field, value []byte, _ int64) { s.bytes += int64(len(field) + len(value)) }

// restored is the value of the call's key in the making.
type restored struct {
	c    *Call
	m    engine.Meta
	kind rdb.Kind
	list engine.ListValue
	set  engine.SetValue
	zset engine.ZSetValue
	hash engine.HashValue
	restoredStream
}

func (r *restored) Begin(kind rdb.Kind) {
	r.kind = kind
	tx, k := r.c.Tx, &r.c.Keys[0]
	switch kind {
	case rdb.List:
		r.list, _ = tx.ListAt(k)
		r.list.Create(r.m)
	case rdb.Set:
		r.set, _ = tx.SetAt(k)
		r.set.Create(r.m)
	case rdb.SortedSet:
		r.zset, _ = tx.ZSetAt(k)
		r.zset.Create(r.m)
	case rdb.Hash:
		r.hash, _ = tx.HashAt(k)
	case rdb.Stream:
		r.stream, _ = tx.StreamAt(k)
		r.stream.Create(r.m)
	}
}

func (r *restored) Element(b []byte) {
	switch r.kind {
	case rdb.List:
		r.list.Push(false, b)
	case rdb.Set:
		r.set.Add(b)
	default:
		r.c.Tx.SetString(&r.c.Keys[0], r.m, b)
	}
}

func (r *restored) Member(member []byte, score float64) { r.zset.Add(member, score) }

// Field leaves out fields whose deadlines have passed. One that comes twice has what comes last.
func (r *restored) Field(field, value []byte, expiresAt int64) {
	at := r.c.Engine(expiresAt)
	if expiresAt != 0 && at <= r.c.Now {
		return
	}
	if !r.hash.Exists() {
		r.hash.Create(r.m)
	}
	r.hash.Set(field, value)
	if expiresAt != 0 {
		r.hash.SetDeadline(field, at)
	}
}
