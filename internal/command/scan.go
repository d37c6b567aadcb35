package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

func scanCommands() []*Spec {
	return []*Spec{
		{Name: "SCAN", Arity: -2, Flags: ReadOnly, Categories: CatKeyspace,
			Group: "generic", Since: "2.8.0", Complexity: "O(1) a call, O(N) for all N keys", Summary: "Walks over the keys of the credential's tenants, some at a time.",
			Syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type]", Tips: []string{"nondeterministic_output", "request_policy:special"},
			Action: ActionList, Run: runScan},
		{Name: "KEYS", Arity: 2, Flags: ReadOnly, Categories: CatKeyspace | CatDangerous,
			Group: "generic", Since: "1.0.0", Complexity: "O(N) with N keys", Summary: "Returns all keys of the credential's tenants that match a pattern.",
			Syntax: "pattern", Tips: []string{"request_policy:all_shards", "nondeterministic_output_order"}, Action: ActionList, Run: runKeys},
		{Name: "DBSIZE", Arity: 1, Flags: ReadOnly | Fast, Categories: CatKeyspace,
			Group: "server", Since: "1.0.0", Complexity: "O(T) with T tenants of the credential", Summary: "Counts the keys of the credential's tenants.",
			Tips: []string{"request_policy:all_shards", "response_policy:agg_sum"}, Action: ActionList, Run: runDBSize},
		{Name: "RANDOMKEY", Arity: 1, Flags: ReadOnly, Categories: CatKeyspace,
			Group: "generic", Since: "1.0.0", Complexity: "O(1)", Summary: "Returns some key of the credential's tenants.",
			Tips: []string{"request_policy:all_shards", "nondeterministic_output"}, Action: ActionList, Run: runRandomKey},
	}
}

// scanOptions are the options that SCAN and its like share.
type scanOptions struct {
	pattern []byte
	count   int
	kind    string
	noValue bool
}

// maxScanCount bounds the work of one call; a larger COUNT only means more calls.
const maxScanCount = 10_000

func (c *Call) scanOptions(args [][]byte, withType, withNoValues bool) (o scanOptions, ok bool) {
	o.count = 10
	for i := 0; i < len(args); i++ {
		last := i+1 >= len(args)
		switch {
		case word(args[i], "MATCH") && !last:
			i++
			o.pattern = args[i]
		case word(args[i], "COUNT") && !last:
			i++
			n, ok := ParseInt(args[i])
			if !ok {
				c.Error(resp.MsgNotInteger)
				return o, false
			}
			if n < 1 {
				c.Error(resp.MsgSyntax)
				return o, false
			}
			o.count = int(min(n, maxScanCount))
		case word(args[i], "TYPE") && withType && !last:
			i++
			o.kind = string(args[i])
		case word(args[i], "NOVALUES") && withNoValues:
			o.noValue = true
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
	}
	return o, true
}

// cursorArg reads a cursor, or answers Redis's error.
func (c *Call) cursorArg(arg []byte) (uint64, bool) {
	n, ok := ParseDigits(arg)
	if !ok {
		c.Error(resp.MsgInvalidCursor)
	}
	return n, ok
}

// A cursor of SCAN is the number of the tenant in the credential's order, and the engine's cursor within the tenant.
const tenantCursorBits = 40

func runScan(c *Call) {
	cursor, ok := c.cursorArg(c.Args[1])
	if !ok {
		return
	}
	o, ok := c.scanOptions(c.Args[2:], true, false)
	if !ok {
		return
	}
	c.Out.Array(2)
	found := c.keyList()
	next := c.scanTenants(cursor, o, found)
	c.Out.BulkInt(int64(next))
	found.answer(c)
}

// scanTenants goes on with a scan over the credential's tenants, one after the other.
func (c *Call) scanTenants(cursor uint64, o scanOptions, found *keyList) uint64 {
	tenants := c.Conn.Tenants()
	within := cursor & (1<<tenantCursorBits - 1)
	left := o.count
	for i := int(min(cursor>>tenantCursorBits, uint64(len(tenants)))); i < len(tenants); i, within = i+1, 0 {
		within = c.Tx.Scan(tenants[i], within, left, func(e engine.Entry) {
			left--
			if c.listed(e, o) {
				found.add(e.Key())
			}
		})
		if within != 0 {
			return uint64(i)<<tenantCursorBits | within
		}
		if left <= 0 && i+1 < len(tenants) {
			return uint64(i+1) << tenantCursorBits
		}
	}
	return 0
}

func (c *Call) listed(e engine.Entry, o scanOptions) bool {
	return (o.pattern == nil || glob.Match(o.pattern, e.Key())) && (o.kind == "" || word([]byte(o.kind), e.Kind().String())) &&
		c.Conn.MayRead(e.Key())
}

func runKeys(c *Call) {
	found := c.keyList()
	for _, t := range c.Conn.Tenants() {
		c.Tx.Each(t, func(e engine.Entry) bool {
			if c.listed(e, scanOptions{pattern: c.Args[1]}) {
				found.add(e.Key())
			}
			return true
		})
	}
	found.answer(c)
}

func runDBSize(c *Call) {
	n := int64(0)
	for _, t := range c.Conn.Tenants() {
		n += c.Tx.Store().Usage(t).Entries
	}
	c.Out.Int(n)
}

func runRandomKey(c *Call) {
	tenants := c.Conn.Tenants()
	start := int(c.Now) % max(len(tenants), 1)
	for i := range tenants {
		t := tenants[(start+i)%len(tenants)]
		answered := false
		c.Tx.Random(t, func(e engine.Entry) {
			if c.Conn.MayRead(e.Key()) {
				c.Out.Bulk(e.Key())
				answered = true
			}
		})
		if answered {
			c.Count = 1
			return
		}
	}
	c.Out.Null()
}

// keyList gathers keys as replies while their number, and what stands before them, is not yet known. The bytes are
// cleared when they have been answered.
type keyList struct {
	replies *resp.Writer
	n       int
}

func (c *Call) keyList() *keyList { return &keyList{replies: resp.NewWriter(1024)} }

func (l *keyList) add(key []byte) {
	l.replies.Bulk(key)
	l.n++
}

func (l *keyList) answer(c *Call) {
	c.Count = l.n
	c.Out.Array(l.n)
	c.Out.Raw(l.replies.Bytes())
	l.replies.Reset()
}
