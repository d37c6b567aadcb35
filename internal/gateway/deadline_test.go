package gateway_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// calls has a call of every command that takes keys: on k, which exists, k2, which exists, and n, which does not. The
// commands before the arrow make what the call needs; =>! stands before a call that is always refused.
const calls = `
SET k v => GET k
SET k v => SET k w
SET k v => SET k w EX 1000
SET k v => SET k w KEEPTTL
SET k v => SET k w PX 5
SET k v => SET k w XX GET
=> SETNX n v
SET k v => SETEX k 1000 w
SET k v => PSETEX k 1000000 w
SET k v => GETSET k w
SET k v => GETDEL k
SET k v => GETEX k
SET k v => GETEX k EX 1000
SET k v => GETEX k PERSIST
SET k v => GETEX k EXAT 99999999999
SET k v; SET k2 v => MGET k k2
SET k v => MSET k w n w
=> MSETNX n v
SET k v => APPEND k w
SET k v => STRLEN k
SET k v => SETRANGE k 3 w
SET k v => GETRANGE k 0 -1
SET k v => SUBSTR k 0 -1
SET k v; SET k2 v => LCS k k2
SET k 1 => INCR k
SET k 1 => DECR k
SET k 1 => INCRBY k 5
SET k 1 => DECRBY k 5
SET k 1 => INCRBYFLOAT k 0.5
SET k v => DEL k
SET k v => UNLINK k
SET k v => EXISTS k
SET k v => TOUCH k
SET k v => TYPE k
SET k v => RENAME k n
SET k v => RENAMENX k n
SET k v => COPY k n
HSET k f v => COPY k n
SET k v => EXPIRE k 1000
SET k v => EXPIRE k 10
SET k v => EXPIRE k 1000 GT
SET k v => PEXPIRE k 1000000
SET k v => EXPIREAT k 99999999999
SET k v => PEXPIREAT k 99999999999999
SET k v => PERSIST k
SET k v => TTL k
SET k v => PTTL k
SET k v => EXPIRETIME k
SET k v => PEXPIRETIME k
SET k v => SETBIT k 3 1
SET k v => GETBIT k 3
SET k v => BITCOUNT k
SET k v => BITPOS k 1
SET k v; SET k2 w => BITOP AND n k k2
SET k v; SET k2 w => BITOP OR k k k2
SET k v => BITFIELD k SET u8 0 1
SET k v => BITFIELD k GET u8 0
SET k v => BITFIELD_RO k GET u8 0
PFADD k a => PFADD k b
PFADD k a => PFCOUNT k
PFADD k a; PFADD k2 b => PFCOUNT k k2
PFADD k a; PFADD k2 b => PFMERGE k k2
PFADD k a; PFADD k2 b => PFMERGE n k k2
PFADD k a => PFDEBUG TODENSE k
GEOADD k 1 1 a => GEOADD k 2 2 b
GEOADD k 1 1 a 2 2 b => GEODIST k a b
GEOADD k 1 1 a => GEOHASH k a
GEOADD k 1 1 a => GEOPOS k a
GEOADD k 1 1 a => GEOSEARCH k FROMMEMBER a BYRADIUS 1 km
GEOADD k 1 1 a => GEOSEARCHSTORE n k FROMMEMBER a BYRADIUS 1 km
GEOADD k 1 1 a => GEORADIUS k 1 1 1 km
GEOADD k 1 1 a => GEORADIUS k 1 1 1 km STORE n
GEOADD k 1 1 a => GEORADIUS_RO k 1 1 1 km
GEOADD k 1 1 a => GEORADIUSBYMEMBER k a 1 km STOREDIST n
GEOADD k 1 1 a => GEORADIUSBYMEMBER_RO k a 1 km
RPUSH k 2 1 => SORT k
RPUSH k 2 1 => SORT k STORE n
RPUSH k 2 1 => SORT_RO k
HSET k f v => HSET k g w
HSET k f v => HMSET k g w
HSET k f v => HSETNX k g w
HSET k f v => HGET k f
HSET k f v => HMGET k f
HSET k f v => HGETALL k
HSET k f v => HKEYS k
HSET k f v => HVALS k
HSET k f v => HLEN k
HSET k f v => HSTRLEN k f
HSET k f v => HEXISTS k f
HSET k f v g w => HDEL k f
HSET k f 1 => HINCRBY k f 1
HSET k f 1 => HINCRBYFLOAT k f 1
HSET k f v => HRANDFIELD k
HSET k f v => HSCAN k 0
HSET k f v => HEXPIRE k 1000 FIELDS 1 f
HSET k f v => HPEXPIRE k 1000000 FIELDS 1 f
HSET k f v => HEXPIREAT k 9999999999 FIELDS 1 f
HSET k f v => HPEXPIREAT k 9999999999999 FIELDS 1 f
HSET k f v; HEXPIRE k 10 FIELDS 1 f => HPERSIST k FIELDS 1 f
HSET k f v => HTTL k FIELDS 1 f
HSET k f v => HPTTL k FIELDS 1 f
HSET k f v => HEXPIRETIME k FIELDS 1 f
HSET k f v => HPEXPIRETIME k FIELDS 1 f
HSET k f v g w => HGETDEL k FIELDS 1 f
HSET k f v => HGETEX k EX 1000 FIELDS 1 f
HSET k f v => HSETEX k EX 1000 FIELDS 1 g w
SADD k a => SADD k b
SADD k a b => SREM k b
SADD k a => SISMEMBER k a
SADD k a => SMISMEMBER k a
SADD k a => SMEMBERS k
SADD k a => SCARD k
SADD k a b => SPOP k
SADD k a => SRANDMEMBER k
SADD k a b; SADD k2 c => SMOVE k k2 a
SADD k a b => SMOVE k n a
SADD k a => SSCAN k 0
SADD k a; SADD k2 a => SINTER k k2
SADD k a; SADD k2 a => SINTERSTORE n k k2
SADD k a; SADD k2 a => SINTERCARD 2 k k2
SADD k a; SADD k2 a => SUNION k k2
SADD k a; SADD k2 a => SUNIONSTORE n k k2
SADD k a; SADD k2 b => SDIFF k k2
SADD k a; SADD k2 b => SDIFFSTORE n k k2
RPUSH k a => LPUSH k b
RPUSH k a => RPUSH k b
RPUSH k a => LPUSHX k b
RPUSH k a => RPUSHX k b
RPUSH k a b => LPOP k
RPUSH k a b => RPOP k
RPUSH k a b => LMPOP 1 k LEFT
RPUSH k a b => LMOVE k n LEFT LEFT
RPUSH k a b; RPUSH k2 c => LMOVE k k2 LEFT LEFT
RPUSH k a b => RPOPLPUSH k n
RPUSH k a => LLEN k
RPUSH k a => LINDEX k 0
RPUSH k a => LRANGE k 0 -1
RPUSH k a => LPOS k a
RPUSH k a => LSET k 0 b
RPUSH k a => LINSERT k BEFORE a b
RPUSH k a b => LREM k 0 b
RPUSH k a b => LTRIM k 0 0
ZADD k 1 a => ZRANGE k 0 -1
ZADD k 1 a => ZREVRANGE k 0 -1
ZADD k 1 a => ZRANGEBYSCORE k 0 1
ZADD k 1 a => ZREVRANGEBYSCORE k 1 0
ZADD k 1 a => ZRANGEBYLEX k - +
ZADD k 1 a => ZREVRANGEBYLEX k + -
ZADD k 1 a => ZRANGESTORE n k 0 -1
ZADD k 1 a 2 b => ZREMRANGEBYRANK k 0 0
ZADD k 1 a 2 b => ZREMRANGEBYSCORE k 1 1
ZADD k 1 a 1 b => ZREMRANGEBYLEX k [a [a
ZADD k 1 a; ZADD k2 1 a => ZUNION 2 k k2
ZADD k 1 a; ZADD k2 1 a => ZINTER 2 k k2
ZADD k 1 a; ZADD k2 1 a => ZDIFF 2 k k2
ZADD k 1 a; ZADD k2 1 a => ZUNIONSTORE n 2 k k2
ZADD k 1 a; ZADD k2 1 a => ZINTERSTORE n 2 k k2
ZADD k 1 a; ZADD k2 1 b => ZDIFFSTORE n 2 k k2
ZADD k 1 a; ZADD k2 1 a => ZINTERCARD 2 k k2
ZADD k 1 a => ZADD k 2 b
ZADD k 1 a => ZINCRBY k 2 b
ZADD k 1 a 2 b => ZREM k b
ZADD k 1 a => ZCARD k
ZADD k 1 a => ZSCORE k a
ZADD k 1 a => ZMSCORE k a
ZADD k 1 a => ZRANK k a
ZADD k 1 a => ZREVRANK k a
ZADD k 1 a => ZCOUNT k 0 1
ZADD k 1 a => ZLEXCOUNT k - +
ZADD k 1 a 2 b => ZPOPMIN k
ZADD k 1 a 2 b => ZPOPMAX k
ZADD k 1 a 2 b => ZMPOP 1 k MIN
RPUSH k a b => BLPOP k 0
RPUSH k a b => BRPOP k 0
RPUSH k a b; RPUSH k2 c => BLMOVE k k2 LEFT LEFT 0
RPUSH k a b => BRPOPLPUSH k n 0
RPUSH k a b => BLMPOP 0 1 k LEFT
ZADD k 1 a 2 b => BZPOPMIN k 0
ZADD k 1 a 2 b => BZPOPMAX k 0
ZADD k 1 a 2 b => BZMPOP 0 1 k MIN
SET k v => WATCH k
ZADD k 1 a => ZRANDMEMBER k
ZADD k 1 a => ZSCAN k 0
XADD k 1-1 f v => XADD k * f w
XADD k 1-1 f v => XADD k MAXLEN 1 2-1 f w
=> XADD n 1-1 f v
XADD k 1-1 f v; XADD k 2-1 f v => XTRIM k MAXLEN 1
XADD k 1-1 f v => XDEL k 1-1
XADD k 1-1 f v => XLEN k
XADD k 1-1 f v => XRANGE k - +
XADD k 1-1 f v => XREVRANGE k + -
XADD k 1-1 f v => XSETID k 5-5
XADD k 1-1 f v; XADD k2 1-1 f v => XREAD STREAMS k k2 0 0
XADD k 1-1 f v; XGROUP CREATE k g 0 => XREADGROUP GROUP g c STREAMS k >
XADD k 1-1 f v => XGROUP CREATE k g 0
=> XGROUP CREATE n g $ MKSTREAM
XADD k 1-1 f v; XGROUP CREATE k g 0 => XGROUP SETID k g $
XADD k 1-1 f v; XGROUP CREATE k g 0 => XGROUP DESTROY k g
XADD k 1-1 f v; XGROUP CREATE k g 0 => XGROUP CREATECONSUMER k g c
XADD k 1-1 f v; XGROUP CREATE k g 0; XGROUP CREATECONSUMER k g c => XGROUP DELCONSUMER k g c
XADD k 1-1 f v; XGROUP CREATE k g 0; XREADGROUP GROUP g c STREAMS k > => XACK k g 1-1
XADD k 1-1 f v; XGROUP CREATE k g 0; XREADGROUP GROUP g c STREAMS k > => XPENDING k g
XADD k 1-1 f v; XGROUP CREATE k g 0; XREADGROUP GROUP g c STREAMS k > => XCLAIM k g d 0 1-1
XADD k 1-1 f v; XGROUP CREATE k g 0; XREADGROUP GROUP g c STREAMS k > => XAUTOCLAIM k g d 0 0
XADD k 1-1 f v; XGROUP CREATE k g 0 => XINFO STREAM k FULL
XADD k 1-1 f v; XGROUP CREATE k g 0 => XINFO GROUPS k
XADD k 1-1 f v; XGROUP CREATE k g 0 => XINFO CONSUMERS k g
XADD k 1-1 f v; XGROUP CREATE k g 0 => COPY k n
SET k v => OBJECT ENCODING k
SET k v => OBJECT FREQ k
SET k v => OBJECT IDLETIME n
SET k v => OBJECT REFCOUNT k
SET k v => MEMORY USAGE k
SET k v => DUMP k
=> RESTORE n 0 ` + payload + `
=> RESTORE n 1000000 ` + payload + `
=> RESTORE n 99999999999999 ` + payload + ` ABSTTL
SET k v => RESTORE k 0 ` + payload + ` REPLACE
SET k v =>! MOVE k 0
SET k v =>! MIGRATE 127.0.0.1 1 k 0 10
`

// payload is what DUMP returned for the string v, without bytes that would end a word.
const payload = "\x00\x01\x76\x07\x00\x6e\x3a\x1b\x41\x11\xf2\x5f\xd4"

const (
	second  = int64(1000)
	ceiling = 300 * second
	later   = 100 * second
)

// TestNoCommandOutlivesTheCeiling is guarantee G1 over the whole table: PHI written at 0 is gone at 300 s whatever command
// comes at 100 s, unless that command wrote the whole value anew; a part of a write leaves the deadline as it was.
func TestNoCommandOutlivesTheCeiling(t *testing.T) {
	covered := map[string]bool{}
	for line := range strings.Lines(calls) {
		setup, call, ok := strings.Cut(strings.TrimSpace(line), "=>")
		if !ok {
			continue
		}
		h := newHarness(t)
		for _, c := range strings.Split(setup, ";") {
			if c = strings.TrimSpace(c); c != "" {
				h.ok(c)
			}
		}
		h.clock.now += later
		call, refused := strings.CutPrefix(call, "!")
		spec := h.spec(call)
		covered[spec.RecordName()] = true
		if refused {
			if reply := h.do(call); !strings.HasPrefix(reply, "-ERR ") {
				t.Errorf("%s: %q", call, reply)
			}
		} else {
			h.ok(call)
		}
		written := h.writtenWhole(spec, call)
		for _, key := range []string{"k", "k2", "n"} {
			left, there := h.left(key)
			limit := ceiling - later
			if written[key] {
				limit = ceiling
			}
			if there && left > limit {
				t.Errorf("%s: %s may be read for another %d ms, the limit is %d", call, key, left, limit)
			}
			if there && key == "k" && spec.Effect == command.EffectPart && left != limit {
				t.Errorf("%s: a part of a write moved the deadline to %d ms, want %d", call, left, limit)
			}
		}
	}
	for _, s := range newHarness(t).gateway.Table.Specs() {
		if len(s.Keys) > 0 && s.Run != nil && s.Flags&command.PubSub == 0 && s.Group != "scripting" && !covered[s.RecordName()] {
			t.Errorf("%s has no call in this test", s.RecordName())
		}
	}
}

// writtenWhole returns the keys whose whole value a call writes: those of EffectWhole, and what EffectPart creates.
func (h *harness) writtenWhole(spec *command.Spec, call string) map[string]bool {
	keys := map[string]bool{}
	args := words(call)
	refs, _ := spec.KeysOf(args, nil)
	for _, r := range refs {
		name := string(args[r.Arg])
		if spec.Effect == command.EffectWhole && !strings.Contains(call, "KEEPTTL") || spec.Effect == command.EffectPart && name == "n" {
			keys[name] = true
		}
	}
	return keys
}

// TestDeadlineTable is the table of docs/policy.md, row by row.
func TestDeadlineTable(t *testing.T) {
	f := func(key string, at int64, setup, call string, want int64) {
		t.Helper()
		h := newHarness(t)
		h.ok(setup)
		h.clock.now += at
		h.ok(call)
		if left, there := h.left(key); left != want || there != (want > 0) {
			t.Errorf("%s, after %d s %s: %d ms left, want %d", setup, at/second, call, left, want)
		}
	}
	const phi, session = "TENANT001:patient:1", "TENANT001:session:1"
	f(phi, 0, "PING", "SET "+phi+" v", 300*second)
	f(phi, 0, "PING", "SET "+phi+" v EX 60", 60*second)
	f(phi, 0, "PING", "SET "+phi+" v EX 301", 300*second)
	f(phi, later, "SET "+phi+" v", "SET "+phi+" w KEEPTTL", 200*second)
	f(phi, later, "SET "+phi+" v", "SET "+phi+" w", 300*second)
	f(phi, later, "SET "+phi+" v", "APPEND "+phi+" w", 200*second)
	f(phi, later, "SET "+phi+" v", "EXPIRE "+phi+" 10", 10*second)
	f(phi, later, "SET "+phi+" v EX 120", "EXPIRE "+phi+" 1000", 200*second)
	f(phi, later, "SET "+phi+" v EX 120", "PERSIST "+phi, 200*second)
	f(phi, later, "SET "+phi+" v EX 120", "GETEX "+phi+" PERSIST", 200*second)
	f(phi, 300*second, "SET "+phi+" v", "PING", 0)
	f(phi, later, "SET "+phi+" v", "EXPIRE "+phi+" 0", 0)
	f(phi, later, "SET "+phi+" v", "EXPIRE "+phi+" -5", 0)
	f(session, later, "HSET "+session+" f v", "HSET "+session+" g w", 800*second)
	f(session, later, "HSET "+session+" f v", "EXPIRE "+session+" 900", 900*second)
	f(session, later, "HSET "+session+" f v", "EXPIRE "+session+" 5000", 900*second)
	f(session, later, "SET "+session+" v", "GETEX "+session+" EX 900", 900*second)
	f("TENANT001:patient:2", later, "SET "+phi+" v EX 150", "RENAME "+phi+" TENANT001:patient:2", 50*second)
	f("TENANT001:measure:2", later, "SET "+phi+" v", "COPY "+phi+" TENANT001:measure:2", 200*second)
	f("spring:session:sessions:1", 0, "PING", "HMSET spring:session:sessions:1 f v", 900*second)
	f("patientData::TENANT001:patient:7", 0, "PING", "SET patientData::TENANT001:patient:7 v EX 3600", 300*second)
}

// TestIdleEndsAtMaxAge re-arms a session every ten minutes and finds it gone at twelve hours.
func TestIdleEndsAtMaxAge(t *testing.T) {
	h := newHarness(t)
	h.ok("SET TENANT001:session:1 v")
	for h.clock.now-h.start < 12*3600*second-600*second {
		h.clock.now += 600 * second
		h.ok("EXPIRE TENANT001:session:1 900")
	}
	h.clock.now = h.start + 12*3600*second - 1
	if _, there := h.left("TENANT001:session:1"); !there {
		t.Error("the session ended before its greatest age")
	}
	h.clock.now++
	if _, there := h.left("TENANT001:session:1"); there {
		t.Error("the session is older than its greatest age")
	}
}

// TestWallClock shows that a wall clock that is set back, or leaps, moves no deadline.
func TestWallClock(t *testing.T) {
	h := newHarness(t)
	h.ok("SET k v")
	h.clock.wall -= 10 * 365 * 86400 * second
	if left, _ := h.left("k"); left != ceiling {
		t.Errorf("%d ms left after the wall clock went back", left)
	}
	h.clock.now += ceiling
	if _, there := h.left("k"); there {
		t.Error("the entry is still there at its deadline")
	}
}

// TestRefuse shows that a category with on_excess: refuse answers with its name and ceiling and changes nothing.
func TestRefuse(t *testing.T) {
	h := newHarnessWith(t, "categories:\n  phi: {ceiling: 5m, expiry: absolute, phi: true, on_excess: refuse}\nunmatched: phi\n")
	const want = "-POLICY phi: the deadline asked for is beyond the ceiling of 5m\r\n"
	h.ok("SET k v EX 60")
	for _, call := range []string{"SET k w EX 301", "EXPIRE k 301", "PERSIST k", "GETEX k EX 500", "SETEX k 1000 w", "MSET k w", "SET k w GET PX 300001"} {
		got := h.do(call)
		if call == "MSET k w" {
			if got != "+OK\r\n" {
				t.Errorf("%s: %q", call, got)
			}
			h.ok("SET k v EX 60")
			continue
		}
		if got != want {
			t.Errorf("%s: %q", call, got)
		}
		if got := h.do("GET k"); got != "$1\r\nv\r\n" {
			t.Errorf("%s changed the value", call)
		}
		if left, _ := h.left("k"); left != 60*second {
			t.Errorf("%s changed the deadline", call)
		}
	}
}
