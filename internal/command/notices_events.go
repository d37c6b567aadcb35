package command

import (
	"slices"
	"strings"
)

// What a command tells of its keys follows from the table: the event of its name, for each key that it changed, and what
// the store shows before and after. Only commands whose event depends on their arguments have a function.

// event is one thing that happened to a key.
type event struct {
	class NoticeClass
	name  string
}

// eventsOf are the events of the commands that change keys, by their name: for every key that was changed.
var eventsOf = map[string]event{
	"SETNX": {NoticeString, "set"}, "GETSET": {NoticeString, "set"}, "MSET": {NoticeString, "set"}, "MSETNX": {NoticeString, "set"},
	"APPEND": {NoticeString, "append"}, "SETRANGE": {NoticeString, "setrange"}, "INCRBYFLOAT": {NoticeString, "incrbyfloat"},
	"INCR": {NoticeString, "incrby"}, "DECR": {NoticeString, "incrby"}, "INCRBY": {NoticeString, "incrby"}, "DECRBY": {NoticeString, "incrby"},
	"SETBIT": {NoticeString, "setbit"}, "BITFIELD": {NoticeString, "setbit"}, "BITOP": {NoticeString, "set"},
	"PFADD": {NoticeString, "pfadd"}, "PFMERGE": {NoticeString, "pfadd"},

	"HSET": {NoticeHash, "hset"}, "HSETNX": {NoticeHash, "hset"}, "HMSET": {NoticeHash, "hset"}, "HSETEX": {NoticeHash, "hset"},
	"HINCRBY": {NoticeHash, "hincrby"}, "HINCRBYFLOAT": {NoticeHash, "hincrbyfloat"}, "HDEL": {NoticeHash, "hdel"}, "HGETDEL": {NoticeHash, "hdel"},
	"HEXPIRE": {NoticeHash, "hexpire"}, "HPEXPIRE": {NoticeHash, "hexpire"}, "HEXPIREAT": {NoticeHash, "hexpire"}, "HPEXPIREAT": {NoticeHash, "hexpire"},
	"HGETEX": {NoticeHash, "hexpire"}, "HPERSIST": {NoticeHash, "hpersist"},

	"LPUSH": {NoticeList, "lpush"}, "LPUSHX": {NoticeList, "lpush"}, "RPUSH": {NoticeList, "rpush"}, "RPUSHX": {NoticeList, "rpush"},
	"LPOP": {NoticeList, "lpop"}, "BLPOP": {NoticeList, "lpop"}, "RPOP": {NoticeList, "rpop"}, "BRPOP": {NoticeList, "rpop"},
	"LINSERT": {NoticeList, "linsert"}, "LSET": {NoticeList, "lset"}, "LREM": {NoticeList, "lrem"}, "LTRIM": {NoticeList, "ltrim"},

	"SADD": {NoticeSet, "sadd"}, "SREM": {NoticeSet, "srem"}, "SPOP": {NoticeSet, "spop"},
	"SINTERSTORE": {NoticeSet, "sinterstore"}, "SUNIONSTORE": {NoticeSet, "sunionstore"}, "SDIFFSTORE": {NoticeSet, "sdiffstore"},

	"ZINCRBY": {NoticeZSet, "zincr"}, "ZREM": {NoticeZSet, "zrem"}, "ZREMRANGEBYRANK": {NoticeZSet, "zremrangebyrank"},
	"ZREMRANGEBYSCORE": {NoticeZSet, "zremrangebyscore"}, "ZREMRANGEBYLEX": {NoticeZSet, "zremrangebylex"},
	"ZPOPMIN": {NoticeZSet, "zpopmin"}, "ZPOPMAX": {NoticeZSet, "zpopmax"}, "BZPOPMIN": {NoticeZSet, "zpopmin"}, "BZPOPMAX": {NoticeZSet, "zpopmax"},
	"ZUNIONSTORE": {NoticeZSet, "zunionstore"}, "ZINTERSTORE": {NoticeZSet, "zinterstore"}, "ZDIFFSTORE": {NoticeZSet, "zdiffstore"},
	"ZRANGESTORE": {NoticeZSet, "zrangestore"}, "GEOADD": {NoticeZSet, "zadd"}, "GEOSEARCHSTORE": {NoticeZSet, "geosearchstore"},
	"GEORADIUS": {NoticeZSet, "georadiusstore"}, "GEORADIUSBYMEMBER": {NoticeZSet, "georadiusstore"},

	"DEL": {NoticeGeneric, "del"}, "UNLINK": {NoticeGeneric, "del"}, "GETDEL": {NoticeGeneric, "del"}, "RESTORE": {NoticeGeneric, "restore"},
	"EXPIRE": {NoticeGeneric, "expire"}, "PEXPIRE": {NoticeGeneric, "expire"}, "EXPIREAT": {NoticeGeneric, "expire"}, "PEXPIREAT": {NoticeGeneric, "expire"},
	"PERSIST": {NoticeGeneric, "persist"}, "COPY": {NoticeGeneric, "copy_to"}, "SORT": {NoticeList, "sortstore"},
}

// eventsBy are the commands whose event depends on the key or on the arguments.
var eventsBy = map[string]func(c *Call, key int) event{
	"SMOVE":      byKey(event{NoticeSet, "srem"}, event{NoticeSet, "sadd"}),
	"RPOPLPUSH":  byKey(event{NoticeList, "rpop"}, event{NoticeList, "lpush"}),
	"BRPOPLPUSH": byKey(event{NoticeList, "rpop"}, event{NoticeList, "lpush"}),
	"LMOVE":      moveEvent, "BLMOVE": moveEvent,
	"LMPOP": byWord("LEFT", event{NoticeList, "lpop"}, event{NoticeList, "rpop"}), "BLMPOP": byWord("LEFT", event{NoticeList, "lpop"}, event{NoticeList, "rpop"}),
	"ZMPOP": byWord("MIN", event{NoticeZSet, "zpopmin"}, event{NoticeZSet, "zpopmax"}), "BZMPOP": byWord("MIN", event{NoticeZSet, "zpopmin"}, event{NoticeZSet, "zpopmax"}),
	"ZADD":  byWord("INCR", event{NoticeZSet, "zincr"}, event{NoticeZSet, "zadd"}),
	"GETEX": byWord("PERSIST", event{NoticeGeneric, "persist"}, event{NoticeGeneric, "expire"}),
	"SET":   func(*Call, int) event { return event{NoticeString, "set"} }, "SETEX": func(*Call, int) event { return event{NoticeString, "set"} },
	"PSETEX": func(*Call, int) event { return event{NoticeString, "set"} },
}

func byKey(first, second event) func(*Call, int) event {
	return func(_ *Call, key int) event {
		if key == 0 {
			return first
		}
		return second
	}
}

// byWord chooses by whether a word stands among the arguments behind the first key.
func byWord(w string, there, absent event) func(*Call, int) event {
	return func(c *Call, _ int) event {
		if c.hasWord(w) {
			return there
		}
		return absent
	}
}

func (c *Call) hasWord(w string) bool {
	for _, a := range c.Args[2:] {
		if word(a, w) {
			return true
		}
	}
	return false
}

func moveEvent(c *Call, key int) event {
	left := word(c.Args[3+key], "LEFT")
	switch {
	case key == 0 && left:
		return event{NoticeList, "lpop"}
	case key == 0:
		return event{NoticeList, "rpop"}
	case left:
		return event{NoticeList, "lpush"}
	default:
		return event{NoticeList, "rpush"}
	}
}

// Before notes which keys have an entry, for After. Both are called under the keys' locks, and only where somebody wants to
// be told.
func (c *Call) Before() {
	c.existed = c.existed[:0]
	for i := range c.Keys {
		c.existed = append(c.existed, c.Tx.Peek(&c.Keys[i]).Exists())
	}
}

// After notes what became of the keys. A command that moves something tells of what received it first.
func (c *Call) After() { c.after(func(key int) bool { return c.Tx.Peek(&c.Keys[key]).Exists() }) }

// Changed is Before and After in one, for entries that are elsewhere: whether each key had an entry, and has one now.
func (c *Call) Changed(before, after []bool) {
	c.existed = append(c.existed[:0], before...)
	c.after(func(key int) bool { return after[key] })
}

func (c *Call) after(exists func(key int) bool) {
	if c.Failed {
		return
	}
	if c.Spec.Group == "stream" { // its handlers tell themselves: what happens depends on more than the name and the keys
		if len(c.Keys) == 1 && c.Told[0] == Stored && !c.existed[0] && c.Notices&NoticeNew != 0 {
			c.Notes = slices.Insert(c.Notes, 0, Note{NoticeNew, "new", 0})
		}
		return
	}
	if renames := c.Spec.upper == "RENAME" || c.Spec.upper == "RENAMENX"; renames && c.Told[1] == Stored {
		c.Notify(NoticeNew, "new", 1)
		c.Notify(NoticeGeneric, "rename_from", 0)
		c.Notify(NoticeGeneric, "rename_to", 1)
		return
	}
	if c.Spec.Group == "list" && len(c.Keys) == 2 && c.Spec.Effect == EffectDerive {
		c.afterKey(1, exists(1))
		c.afterKey(0, exists(0))
		return
	}
	for key := range c.Keys {
		c.afterKey(key, exists(key))
	}
}

func (c *Call) afterKey(key int, exists bool) {
	switch told := c.Told[key]; {
	case told == Stored, told == Deleted:
		c.notifyChange(key, c.existed[key], exists)
	case told == Hit && c.Spec.upper == "GETEX" && len(c.Args) > 2:
		c.notifyChange(key, c.existed[key], exists)
	case told == Miss && c.Spec.Flags&ReadOnly != 0:
		c.Notify(NoticeKeyMiss, "keymiss", key)
	}
}

func (c *Call) notifyChange(key int, before, after bool) {
	if after && (!before || c.Spec.upper == "COPY" || c.Spec.upper == "RESTORE") {
		c.Notify(NoticeNew, "new", key)
	}
	e, known := eventsOf[c.Spec.upper]
	if by := eventsBy[c.Spec.upper]; by != nil {
		e, known = by(c, key), true
	}
	switch {
	case !known:
	case !after && (e.class == NoticeGeneric || strings.HasSuffix(e.name, "store") || c.Spec.upper == "BITOP"):
		// It is gone: an empty result erases what was there, and so does a deadline that has passed.
	default:
		c.Notify(e.class, e.name, key)
	}
	switch {
	case !after && before:
		c.Notify(NoticeGeneric, "del", key)
	case after && setsDeadline(c):
		c.Notify(NoticeGeneric, "expire", key)
	}
}

// setsDeadline reports whether a SET states a deadline of its own.
func setsDeadline(c *Call) bool {
	switch c.Spec.upper {
	case "SETEX", "PSETEX":
		return true
	case "SET":
		return len(c.Args) > 4 && (c.hasWord("EX") || c.hasWord("PX") || c.hasWord("EXAT") || c.hasWord("PXAT"))
	}
	return false
}
