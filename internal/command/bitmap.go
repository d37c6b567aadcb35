package command

import (
	"fmt"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// A bitmap is a string value whose bits are counted from the most significant one of the first byte. What lies beyond its
// end is zero.

func bitmapCommands() []*Spec {
	return []*Spec{
		{Name: "SETBIT", Arity: 4, Flags: Write | DenyOOM, Categories: CatBitmap, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate),
			Group: "bitmap", Since: "2.2.0", Complexity: "O(1)", Summary: "Sets or clears a bit of a string value, which grows as far as that needs; the deadline stays.",
			Syntax: "key offset value", Effect: EffectPart, Action: ActionWrite, Run: runSetBit},
		{Name: "GETBIT", Arity: 3, Flags: ReadOnly | Fast, Categories: CatBitmap, Keys: oneKey(KeyRO | KeyAccess),
			Group: "bitmap", Since: "2.2.0", Complexity: "O(1)", Summary: "Returns a bit of a string value.",
			Syntax: "key offset", Action: ActionRead, Run: runGetBit},
		{Name: "BITCOUNT", Arity: -2, Flags: ReadOnly, Categories: CatBitmap, Keys: oneKey(KeyRO | KeyAccess),
			Group: "bitmap", Since: "2.6.0", Complexity: "O(N) with N bytes", Summary: "Counts the bits that are set in a string value or in a part of it.",
			Syntax: "key [start end [BYTE | BIT]]", Action: ActionRead, Run: runBitCount},
		{Name: "BITPOS", Arity: -3, Flags: ReadOnly, Categories: CatBitmap, Keys: oneKey(KeyRO | KeyAccess),
			Group: "bitmap", Since: "2.8.7", Complexity: "O(N) with N bytes", Summary: "Finds the first bit that is set, or clear, in a string value or in a part of it.",
			Syntax: "key bit [start [end [BYTE | BIT]]]", Action: ActionRead, Run: runBitPos},
		{Name: "BITOP", Arity: -4, Flags: Write | DenyOOM, Categories: CatBitmap,
			Keys:  []KeySpec{{Begin: 2, Step: 1, Flags: KeyOW | KeyUpdate}, {Begin: 3, Last: -1, Step: 1, Flags: KeyRO | KeyAccess}},
			Group: "bitmap", Since: "2.6.0", Complexity: "O(N) with N bytes of all sources", Summary: "Stores the bitwise AND, OR, XOR or NOT of string values, within one tenant; the deadline is no later than theirs.",
			Syntax: "<AND | OR | XOR | NOT> destkey key [key ...]", Effect: EffectDerive, Action: ActionWrite, Run: runBitOp},
	}
}

// bitOffset reads a place in a bitmap, or answers Redis's error. With a width, "#3" is the place of the fourth number of
// that many bits.
func (c *Call) bitOffset(arg []byte, width int64) (int64, bool) {
	each := int64(1)
	if width > 0 && len(arg) > 0 && arg[0] == '#' {
		arg, each = arg[1:], width
	}
	n, ok := ParseInt(arg)
	if !ok || n < 0 || n >= maxStringBytes*8/each+1 || n*each >= maxStringBytes*8 {
		c.Error(resp.MsgBitOffset)
		return 0, false
	}
	return n * each, true
}

func runSetBit(c *Call) {
	offset, ok := c.bitOffset(c.Args[2], 0)
	if !ok {
		return
	}
	on, ok := ParseInt(c.Args[3])
	if !ok || on != 0 && on != 1 {
		c.Error(resp.MsgBit)
		return
	}
	e, grown, ok := c.bitmap(0, offset)
	if !ok {
		return
	}
	at, mask := &e.String()[offset/8], byte(0x80)>>(offset%8)
	was := *at&mask != 0
	if !grown && was == (on == 1) {
		c.Tell(0, Unchanged)
	} else {
	}
	*at &^= mask
	if on == 1 {
		*at |= mask
	}
	c.Out.Int(one(was))
}

// bitmap returns the entry that bits up to the last one given are written to; grown says that it was made or became longer
// for that. false means that an error is answered.
func (c *Call) bitmap(key int, last int64) (e engine.Entry, grown, ok bool) {
	old, ok := c.GetString(key)
	if !ok {
		return e, false, false
	}
	length := max(len(old), int(last/8)+1)
	if !c.mayGrow(key, length-len(old)) {
		return e, false, false
	}
	e, ok = c.part(key, length)
	return e, old == nil || length > len(old), ok
}

// roomByArguments is what the room that the gateway made by the length of the arguments is taken to cover.
const roomByArguments = 64 << 10

// mayGrow refuses a value that is to grow by more than the request is long and that neither the tenant's quota nor the
// process's memory has room for: thirty bytes may ask for half a gigabyte.
func (c *Call) mayGrow(key, growth int) bool {
	if growth <= roomByArguments {
		return true
	}
	store := c.Tx.Store()
	if u := store.Usage(c.Keys[key].Tenant); u.Limit > 0 && u.Bytes+int64(growth) > u.Limit {
		c.Error(fmt.Sprintf("QUOTA the value would not fit into the tenant's quota of %d bytes", u.Limit))
		return false
	}
	if u := store.Total(); u.Limit > 0 && u.Bytes+int64(growth) > u.Limit {
		c.Error(resp.MsgOOM)
		return false
	}
	return true
}

func runGetBit(c *Call) {
	offset, ok := c.bitOffset(c.Args[2], 0)
	if !ok {
		return
	}
	if value, ok := c.GetString(0); ok {
		at := int(offset / 8)
		c.Out.Int(one(at < len(value) && value[at]<<(offset%8)&0x80 != 0))
	}
}
