package command

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/glob"
	"github.com/lethe-cache/lethe/internal/rdb"
	"github.com/lethe-cache/lethe/internal/resp"
)

// debugCommands are what the tests ask of DEBUG. What only has to be there answers OK.
func debugCommands() map[string]func(*Emulation, *Call) {
	ok := func(_ *Emulation, c *Call) { c.Out.Status("OK") }
	return map[string]func(*Emulation, *Call){
		"JMAP": ok, "CHANGE-REPL-ID": ok, "QUICKLIST-PACKED-THRESHOLD": ok, "SET-DISABLE-DENY-SCRIPTS": ok, "LOG": ok,
		"REPLYBUFFER": ok, "LISTPACK": ok, "PAUSE-CRON": ok, "CONFIG-REWRITE-FORCE-ALL": ok,
		"RELOAD": debugReload, "LOADAOF": debugReload, "POPULATE": debugPopulate,
		"SLEEP": debugSleep, "SET-ACTIVE-EXPIRE": debugActiveExpiry, "STRINGMATCH-LEN": debugMatch, "PROTOCOL": debugProtocol,
		"OBJECT": debugObject, "DIGEST": debugDigest, "DIGEST-VALUE": debugDigestValue, "HELP": debugHelp,
		"ERROR":       func(_ *Emulation, c *Call) { c.Error(string(c.Args[2])) },
		"HTSTATS":     debugTables,
		"HTSTATS-KEY": debugTables,
	}
}

func debugTables(_ *Emulation, c *Call) {
	c.Out.BulkString("[Dictionary HT]\nHash table 0 stats (main hash table):\n")
}

func debugHelp(_ *Emulation, c *Call) {
	c.Out.Array(1)
	c.Out.Status("DEBUG <subcommand> [<arg> [value] [opt] ...]. What Redis's own tests ask for is there.")
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

// plainSleep is DEBUG's Plain: how long it sleeps.
func plainSleep(args [][]byte, i int) bool {
	_, err := strconv.ParseFloat(string(args[i]), 64)
	return word(args[1], "SLEEP") && (i == 1 || err == nil)
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
	c.Out.Int(one(glob.Match(c.Args[3], text)))
}

// debugReload has every value go out as DUMP writes it and come back as RESTORE reads it, with the deadline that it has:
// what a restart from disk does in Redis.
func debugReload(e *Emulation, c *Call) {
	options := strings.ToLower(string(bytes.Join(c.Args[2:], []byte{' '})))
	if strings.Contains(options, "noflush") && !strings.Contains(options, "merge") {
		c.Error("ERR Error trying to load the RDB dump, check server logs") // all that it would load is there
		return
	}
	for _, name := range c.allNames() {
		c.withKey(name, func(x engine.Entry) {
			enc := rdb.NewEncoder(x.Bytes())
			defer enc.Clear()
			c.encode(enc, x)
			m := x.Meta()
			value, err := rdb.Open(enc.Payload())
			if err != nil {
				panic("BUG: a payload of our own is bad")
			}
			c.Tx.Delete(&c.Keys[0])
			c.build(value, m)
		})
	}
	e.forgetAllLayouts()
	c.Out.Status("OK")
}

// debugPopulate makes keys: DEBUG POPULATE count [prefix [size]].
func debugPopulate(_ *Emulation, c *Call) {
	count, ok := c.intArg(2)
	if !ok {
		return
	}
	prefix, size := "key", int64(0)
	if len(c.Args) > 3 {
		prefix = string(c.Args[3])
	}
	if len(c.Args) > 4 {
		if size, ok = c.intArg(4); !ok {
			return
		}
	}
	const year = 365 * 24 * 60 * 60 * 1000 // the ceiling of the policy that the tests run under
	for i := range count {
		name := prefix + ":" + strconv.FormatInt(i, 10)
		value := []byte("value:" + strconv.FormatInt(i, 10))
		if size > 0 {
			value = append(value, make([]byte, max(int(size)-len(value), 0))...)[:size]
		}
		c.onKey([]byte(name), func(k *engine.Key) {
			if !c.Tx.Peek(k).Exists() {
				c.Tx.SetString(k, engine.Meta{BornAt: c.Now, ExpiresAt: c.Now + year}, value)
			}
		})
	}
	c.Out.Status("OK")
}

func debugObject(e *Emulation, c *Call) {
	found := false
	c.withKey(c.Args[2], func(x engine.Entry) {
		found = true
		line := "Value at:0x0 refcount:1 encoding:" + e.layout(c, &c.Keys[0]) + " serializedlength:" + strconv.Itoa(x.Bytes()) + " lru:0 lru_seconds_idle:0"
		if x.Kind() == engine.List {
			line += " ql_nodes:1 ql_avg_node:1.00 ql_listpack_max:-2 ql_compressed:0 ql_uncompressed_size:" + strconv.Itoa(x.Bytes())
		}
		c.Out.Status(line)
	})
	if found {
		return
	}
	c.onKey(c.Args[2], func(k *engine.Key) { found = c.Tx.Held(k) })
	if found { // its deadline has passed, and a test has stopped erasure
		c.Out.Status("Value at:0x0 refcount:1 encoding:raw serializedlength:0 lru:0 lru_seconds_idle:0")
		return
	}
	c.Error(resp.MsgNoSuchKey)
}

// onKey calls f with a key of the caller's home, locked; DEBUG's keys are not in its table entry.
func (c *Call) onKey(name []byte, f func(*engine.Key)) {
	c.Keys = append(c.Keys[:0], c.Tx.Store().Key(c.Conn.Tenants()[0], 0, name))
	c.Told = append(c.Told[:0], Untold)
	c.Tx.Lock(c.Keys)
	defer func() {
		c.Tx.Unlock()
		c.Keys, c.Told = c.Keys[:0], c.Told[:0]
	}()
	f(&c.Keys[0])
}

// withKey calls f with the live entry of a key of the caller's home, if there is one.
func (c *Call) withKey(name []byte, f func(engine.Entry)) {
	c.onKey(name, func(k *engine.Key) {
		if x := c.Tx.Peek(k); x.Exists() {
			f(x)
		}
	})
}

// allNames returns the names of the keys of the caller's home.
func (c *Call) allNames() (names [][]byte) {
	c.Tx.Each(c.Conn.Tenants()[0], func(x engine.Entry) bool {
		names = append(names, append([]byte(nil), x.Key()...))
		return true
	})
	return names
}
