package command

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/resp"
)

// runDebug answers DEBUG as far as Redis's tests lean on it, and refuses it on every other server.
func runDebug(refuse func(*Call)) func(*Call) {
	return func(c *Call) {
		e := c.emulation()
		if e == nil {
			refuse(c)
			return
		}
		if run := debugCommands[string(upperOf(c.Args[1]))]; run != nil {
			run(e, c)
			return
		}
		c.Error(resp.UnknownSubcommand("debug", c.Args[1]))
	}
}

func upperOf(b []byte) []byte {
	u := make([]byte, len(b))
	for i, x := range b {
		if 'a' <= x && x <= 'z' {
			x -= 'a' - 'A'
		}
		u[i] = x
	}
	return u
}

func debugOK(_ *Emulation, c *Call) { c.Out.Status("OK") }

var debugCommands = map[string]func(*Emulation, *Call){
	"JMAP": debugOK, "RELOAD": debugOK, "LOADAOF": debugOK, "CHANGE-REPL-ID": debugOK, "QUICKLIST-PACKED-THRESHOLD": debugOK,
	"SET-DISABLE-DENY-SCRIPTS": debugOK, "LOG": debugOK, "REPLYBUFFER": debugOK, "LISTPACK": debugOK, "PAUSE-CRON": debugOK,
	"SLEEP": debugSleep, "SET-ACTIVE-EXPIRE": debugActiveExpiry, "STRINGMATCH-LEN": debugMatch, "PROTOCOL": debugProtocol,
	"OBJECT": debugObject, "DIGEST": debugDigest, "DIGEST-VALUE": debugDigestValue,
	"ERROR": func(_ *Emulation, c *Call) { c.Error(string(c.Args[2])) },
	"HTSTATS": func(_ *Emulation, c *Call) {
		c.Out.BulkString("[Dictionary HT]\nHash table 0 stats (main hash table):\n")
	},
}

// debugSleep holds everybody up, as a slow command of a Redis would.
func debugSleep(_ *Emulation, c *Call) {
	seconds, err := strconv.ParseFloat(string(c.Args[2]), 64)
	if err != nil || seconds < 0 || seconds > 60 {
		c.Error(resp.MsgNotFloat)
		return
	}
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	c.Out.Status("OK")
}

func debugActiveExpiry(e *Emulation, c *Call) {
	e.NoActiveExpiry.Store(string(c.Args[2]) == "0")
	c.Out.Status("OK")
}

func debugMatch(_ *Emulation, c *Call) {
	n, ok := c.intArg(2)
	if !ok || len(c.Args) < 4 {
		return
	}
	text := make([]byte, min(max(n, 0), 1<<26))
	for i := range text {
		text[i] = 'a'
	}
	c.Out.Int(int64(one(glob.Match(c.Args[3], text))))
}

func debugProtocol(_ *Emulation, c *Call) {
	o := c.Out
	switch string(lower(c.Args[2])) {
	case "string":
		o.BulkString("Hello World")
	case "integer":
		o.Int(12345)
	case "double":
		o.Double(3.141)
	case "null":
		o.Null()
	case "array":
		o.Array(3)
		for i := range 3 {
			o.Int(int64(i))
		}
	case "set":
		o.Set(3)
		for i := range 3 {
			o.Int(int64(i))
		}
	case "map":
		o.Map(3)
		for i := range 3 {
			o.Int(int64(i))
			o.Bool(i == 1)
		}
	case "push":
		o.Push(2)
		o.BulkString("server-cpu-usage")
		o.Int(42)
	case "verbatim":
		o.Verbatim("txt", []byte("This is a verbatim\nstring"))
	case "true":
		o.Bool(true)
	case "false":
		o.Bool(false)
	case "bignum":
		o.BigNumber("1234567999999999999999999999999999999")
	case "attrib":
		if o.RESP3() {
			o.Raw([]byte("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"))
		}
		o.BulkString("Some real reply following the attribute")
	default:
		c.Error("ERR Wrong protocol type name. Please use one of the following: string|integer|double|null|array|set|map|attrib|push|verbatim|true|false")
	}
}

func debugObject(_ *Emulation, c *Call) {
	found := false
	c.withKey(c.Args[2], func(e engine.Entry) {
		found = true
		line := "Value at:0x0 refcount:1 encoding:" + c.encoding(e) + " serializedlength:" + strconv.Itoa(e.Bytes()) + " lru:0 lru_seconds_idle:0"
		if e.Kind() == engine.List {
			line += " ql_nodes:1 ql_avg_node:1.00 ql_listpack_max:-2 ql_compressed:0 ql_uncompressed_size:" + strconv.Itoa(e.Bytes())
		}
		c.Out.Status(line)
	})
	if !found {
		c.Error(resp.MsgNoSuchKey)
	}
}

// withKey calls f with the live entry of a key of the caller's first tenant; DEBUG's keys are not in its table entry.
func (c *Call) withKey(name []byte, f func(engine.Entry)) {
	for _, t := range c.Conn.Tenants() {
		c.Keys = append(c.Keys[:0], c.Tx.Store().Key(t, 0, name))
		c.Tx.Lock(c.Keys)
		if e := c.Tx.Peek(&c.Keys[0]); e.Exists() {
			f(e)
		}
		c.Tx.Unlock()
		c.Keys = c.Keys[:0]
		return
	}
}

// debugDigest tells whether two states of the data are the same: it is equal when all values are.
func debugDigest(_ *Emulation, c *Call) {
	var names [][]byte
	for _, t := range c.Conn.Tenants() {
		c.Tx.Each(t, func(e engine.Entry) bool {
			names = append(names, append([]byte(nil), e.Key()...))
			return true
		})
	}
	var sum uint64
	for _, name := range names {
		h := fnv.New64a()
		h.Write(name)
		sum += h.Sum64() ^ bitsOf(c.digest(name))*31
	}
	c.Out.BulkString(hex40(sum))
}

func bitsOf(n uint64) uint64 { return n<<7 | n>>57 }

func debugDigestValue(_ *Emulation, c *Call) {
	names := c.Args[2:]
	c.Out.Array(len(names))
	for _, name := range names {
		c.Out.BulkString(hex40(c.digest(name)))
	}
}

func hex40(n uint64) string {
	s := strconv.FormatUint(n, 16)
	for len(s) < 40 {
		s = "0" + s
	}
	return s
}

// digest is a number that is equal for equal values: the elements of a set, a hash or a sorted set count in any order.
func (c *Call) digest(name []byte) (sum uint64) {
	c.withKey(name, func(e engine.Entry) {
		add := func(parts ...[]byte) uint64 {
			h := fnv.New64a()
			for _, p := range parts {
				h.Write(p)
				h.Write([]byte{0})
			}
			return h.Sum64()
		}
		k := &c.Keys[0]
		switch e.Kind() {
		case engine.String:
			sum = add(e.String())
		case engine.Hash:
			if h, err := c.Tx.HashAt(k); err == nil {
				h.Each(func(f, v []byte) bool { sum += add(f, v); return true })
			}
		case engine.ZSet:
			if z, err := c.Tx.ZSetAt(k); err == nil {
				for it := z.Iter(0, false); it.Next(); {
					sum += add(it.Member(), strconv.AppendUint(nil, math.Float64bits(it.Score()), 16))
				}
			}
		case engine.List:
			c.elements(func(b []byte) bool { sum = sum*31 + add(b); return true })
		default:
			c.elements(func(b []byte) bool { sum += add(b); return true })
		}
	})
	return sum
}
