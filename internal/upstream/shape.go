package upstream

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/seal"
)

// A shape says what of its keys a command needs here before its handler runs, and thereby how sealed data serves it. The
// handlers are those of the embedded engine: what they need is put into a scratch store, they answer and decide as they
// always do, and what they changed is sealed and written back, provided that the upstream still has what they saw.
//
// A command without a shape is refused: an upstream sees nothing that nobody thought about.
type shape struct {
	need need
	// items returns which arguments name the parts of the collection that the handler looks at: the first, and the step.
	items func(args [][]byte) (first, step int)
	// ends says between which ends of two lists the command moves an element.
	ends ends
	// quick runs the command on a live collection in one step where it can; see quick.go.
	quick *quick
	// direct says that a string's value is the whole reply; see direct.go.
	direct bool
	// split says that a cluster may run the command slot by slot, as its keys have nothing to do with each other.
	split bool
	// refuse is the error that the command gets instead of anything; unless all its keys are of categories with seal: off, where the
	// shape says what it needs then.
	refuse string
}

// need is how much of an entry a handler has to see.
type need uint8

const (
	needNothing need = iota + 1 // it writes without looking
	needRecord                  // the value of a string; of a collection that it is there, and until when
	needItems                   // of a collection the parts that the command names
	needElement                 // of the first list the element at one end; of the second that it is there, and until when
	needWindow                  // of a stream the entries of a range; of a sorted set with its scores in clear the members of one
	needWhole                   // everything
)

const (
	refusedArithmetic = "SEALED arithmetic on sealed values is not possible; keep counters in a category with seal: off"
	refusedParts      = "SEALED parts of sealed strings cannot be addressed; read or write the value as a whole"
	refusedInside     = "SEALED the upstream's own representation of sealed data says nothing; ask for TYPE or TTL"
	refusedOrder      = "SEALED sealed values cannot be sorted, nor make names of keys; read them as a whole, or keep a sorted set"
	refusedUnknown    = "SEALED the command is not available where entries are kept in an upstream"
	refusedLarge      = "SEALED the entry is too large for a command that needs all of it; use commands that name its parts"
	refusedValue      = "SEALED the value is larger than the upstream's replies may be"
	refusedScripts    = "SEALED scripts reach entries of categories with seal: off only; send the commands, in MULTI where they belong together"
	refusedIntegers   = "SEALED with seal: off the category rate_limit takes integers only; give other values a category of their own"
)

func from(first, step int) func([][]byte) (int, int) {
	return func([][]byte) (int, int) { return first, step }
}

// afterFields finds the fields behind FIELDS numfields.
func afterFields(step int) func([][]byte) (int, int) {
	return func(args [][]byte) (int, int) {
		for i := 2; i < len(args); i++ {
			if bytes.EqualFold(args[i], []byte("FIELDS")) {
				return i + 2, step
			}
		}
		return len(args), step
	}
}

// zaddMembers finds the members of ZADD behind its options.
func zaddMembers(args [][]byte) (int, int) {
	for i := 2; i < len(args); i++ {
		switch string(bytes.ToUpper(args[i][:min(len(args[i]), 8)])) {
		case "NX", "XX", "GT", "LT", "CH", "INCR":
		default:
			return i + 1, 2
		}
	}
	return len(args), 2
}

// shapes lists the commands by the names of the table.
func shapes() map[string]*shape {
	all := map[string]*shape{}
	add := func(s shape, names ...string) {
		for _, n := range names {
			all[n] = &s
		}
	}
	add(shape{need: needNothing}, "SETEX", "PSETEX")
	add(shape{need: needNothing, split: true}, "MSET")
	add(shape{need: needRecord, direct: true}, "GET")
	add(shape{need: needRecord}, "SET", "SETNX", "GETSET", "GETDEL", "GETEX", "APPEND", "STRLEN", "MSETNX", "TYPE",
		"EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "PERSIST", "TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME")
	add(shape{need: needRecord, split: true}, "MGET", "DEL", "UNLINK", "EXISTS", "TOUCH")
	add(shape{need: needWhole}, "RENAME", "RENAMENX", "COPY", "DUMP", "RESTORE")

	add(shape{need: needItems, items: from(2, 2)}, "HSET", "HMSET")
	add(shape{need: needItems, items: from(2, 1)}, "HGET", "HMGET", "HSTRLEN", "HEXISTS", "HDEL")
	add(shape{need: needItems, items: from(2, 2)}, "HSETNX")
	add(shape{need: needItems, items: afterFields(1)}, "HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HTTL", "HPTTL",
		"HEXPIRETIME", "HPEXPIRETIME", "HPERSIST", "HGETDEL", "HGETEX")
	add(shape{need: needItems, items: afterFields(2)}, "HSETEX")
	add(shape{need: needWhole}, "HGETALL", "HKEYS", "HVALS", "HSCAN")
	add(shape{need: needWhole, quick: countQuick(seal.Hash, "HLEN", "")}, "HLEN")

	add(shape{need: needItems, items: from(2, 1)}, "SADD", "SREM", "SISMEMBER", "SMISMEMBER")
	add(shape{need: needItems, items: from(3, 1)}, "SMOVE")
	add(shape{need: needWhole}, "SMEMBERS", "SSCAN", "SINTER", "SINTERSTORE", "SINTERCARD", "SUNION",
		"SUNIONSTORE", "SDIFF", "SDIFFSTORE")
	add(shape{need: needWhole, quick: countQuick(seal.Set, "SCARD", "")}, "SCARD")

	for _, quicks := range []map[string]*quick{listQuicks(), drawingQuicks()} {
		for name, q := range quicks {
			add(shape{need: needWhole, quick: q}, name)
		}
	}
	add(shape{need: needWhole}, "LPOS", "LINSERT", "LREM")
	add(shape{need: needElement, ends: namedEnds}, "LMOVE", "BLMOVE")
	add(shape{need: needElement, ends: lastToFirst}, "RPOPLPUSH", "BRPOPLPUSH")
	for name, q := range blockingQuicks() {
		add(shape{need: needRecord, quick: q}, name)
	}
	add(shape{need: needWhole, quick: manyPop(1)}, "LMPOP")
	add(shape{need: needWhole, quick: manyPop(2)}, "BLMPOP")
	for name, s := range streamShapes() {
		add(s, name)
	}

	add(shape{need: needItems, items: zaddMembers}, "ZADD")
	add(shape{need: needItems, items: from(3, 1)}, "ZINCRBY")
	add(shape{need: needItems, items: from(2, 1)}, "ZREM", "ZSCORE", "ZMSCORE")
	add(shape{need: needWindow}, "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE",
		"ZRANK", "ZREVRANK", "ZPOPMIN", "ZPOPMAX", "ZMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP")
	add(shape{need: needWhole}, "ZRANGEBYLEX", "ZREVRANGEBYLEX", "ZRANGESTORE", "ZREMRANGEBYLEX", "ZUNION", "ZINTER", "ZDIFF",
		"ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD", "ZLEXCOUNT", "ZSCAN")
	add(shape{need: needWhole, quick: countQuick(seal.SortedSet, "HLEN", "ZCARD")}, "ZCARD")
	add(shape{need: needWindow, quick: countedQuick()}, "ZCOUNT")

	// A HyperLogLog is a string that a handler counts in, a place is a member with a score: both are values here as any other.
	add(shape{need: needRecord}, "PFADD", "PFCOUNT", "PFMERGE")
	add(shape{need: needWhole}, "GEOADD", "GEODIST", "GEOHASH", "GEOPOS", "GEOSEARCH", "GEOSEARCHSTORE", "GEORADIUS", "GEORADIUS_RO",
		"GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO")

	add(shape{need: needRecord, refuse: refusedArithmetic}, "INCR", "DECR", "INCRBY", "DECRBY", "INCRBYFLOAT", "BITFIELD", "BITOP")
	add(shape{need: needItems, items: from(2, 2), refuse: refusedArithmetic}, "HINCRBY", "HINCRBYFLOAT")
	add(shape{need: needRecord, refuse: refusedParts}, "GETRANGE", "SUBSTR", "SETRANGE", "LCS", "GETBIT", "SETBIT", "BITCOUNT", "BITPOS",
		"BITFIELD_RO")
	add(shape{refuse: refusedInside}, "OBJECT|ENCODING", "OBJECT|FREQ", "OBJECT|IDLETIME", "OBJECT|REFCOUNT", "MEMORY|USAGE")
	add(shape{need: needWhole, refuse: refusedOrder}, "SORT", "SORT_RO")
	add(shape{need: needWhole, refuse: refusedScripts}, "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO")
	return all
}

// looksFirst says of a SET whether it has to see what it replaces: an instant may have passed, and then it deletes.
func looksFirst(args [][]byte) bool {
	for i := 3; i < len(args); i++ {
		var upper [8]byte
		n := copy(upper[:], args[i])
		for j, b := range upper[:n] {
			if 'a' <= b && b <= 'z' {
				upper[j] = b - 'a' + 'A'
			}
		}
		switch string(upper[:n]) {
		case "NX", "XX", "GET", "KEEPTTL", "EXAT", "PXAT":
			return true
		}
	}
	return false
}
