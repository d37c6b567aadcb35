package upstream_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// unordered are the commands whose replies have no order, or depend on chance in a way that a set of one hides.
func unordered() map[string]bool {
	all := map[string]bool{}
	for _, n := range strings.Fields("SMEMBERS HGETALL HKEYS HVALS SINTER SUNION SDIFF KEYS SCAN HSCAN SSCAN ZSCAN") {
		all[n] = true
	}
	return all
}

// script is a walk through the commands: each line is run on both backends, and the replies must be the same bytes.
const script = `
SET a 1|GET a|SET a 2 NX|SET a 3 XX GET|GET a|STRLEN a|APPEND a xyz|GET a|GETSET a new|SET a v KEEPTTL|SETNX a w|SETNX b w
SET a v EX 100|TTL a|SET a v EX 0|SET a v EX 1000|TTL a|PERSIST a|TTL a|EXPIRE a 10|TTL a|EXPIRE a 20 GT|TTL a|EXPIRE a 30 LT|EXPIRE a 5 NX|EXPIRE a x|PEXPIRE a 100000|PEXPIREAT a 1|GET a
SETEX c 50 val|GET c|PSETEX c 60000 val2|GET c|SETEX c 0 v|GETEX c|GETEX c EX 20|TTL c|GETEX c PERSIST|TTL c|GETDEL c|GETDEL c|GET c
MSET m1 1 m2 2 m3 3|MGET m1 m2 nothing m3|MSETNX m3 x m4 y|MSETNX m4 x m5 y|MGET m4 m5|MSET odd 1 x|EXISTS m1 m2 m1 nothing|TOUCH m1 nothing|DEL m1 m1 nothing|UNLINK m2|TYPE m3|TYPE nothing
SET a ""|GET a|SET bin ` + "\x00\x01\xff" + `|GET bin|SET a v PXAT 1|GET a|SET a v FOO
HSET h f1 v1 f2 v2|HSET h f1 v1b f3 v3|HGET h f1|HGET h no|HMGET h f1 no f3|HLEN h|HEXISTS h f1|HSTRLEN h f2|HSETNX h f1 x|HSETNX h f9 x|HDEL h f2 no|HGETALL h|HKEYS h|HVALS h|HSCAN h 0|HSCAN h 0 MATCH f* COUNT 5|HSCAN h 0 MATCH|TYPE h|TTL h|GET h|APPEND h x|HSET h odd 1 x|HRANDFIELD h 0
HDEL h f1 f3 f9|EXISTS h|HLEN h|HGETALL h|TYPE h|HDEL h f1|HMSET h a 1 b 2|HGETALL h
HEXPIRE h 100 FIELDS 1 a|HTTL h FIELDS 2 a b|HLEN h|HPERSIST h FIELDS 1 a|HTTL h FIELDS 1 a|HEXPIRE h 0 FIELDS 1 a|HGETALL h|HSETEX h EX 50 FIELDS 1 c 3|HTTL h FIELDS 1 c|HGETEX h EX 20 FIELDS 1 c|HTTL h FIELDS 1 c|HGETDEL h FIELDS 1 c|HGETALL h|HLEN h|HEXPIRE h 10 FIELDS 5 a
SADD s a b c|SADD s b d|SCARD s|SISMEMBER s a|SISMEMBER s z|SMISMEMBER s a z d|SMEMBERS s|SREM s a z|SSCAN s 0|SCARD s|SADD s2 b c x|SINTER s s2|SUNION s s2|SDIFF s s2|SINTERCARD 2 s s2|SINTERSTORE s3 s s2|SMEMBERS s3|SUNIONSTORE s3 s s2|SCARD s3|SDIFFSTORE s3 s2 s|SMEMBERS s3|SMOVE s s2 d|SMOVE s s2 nothing|SMEMBERS s2|SMOVE s s4 b|SMEMBERS s4|SMEMBERS s|SPOP s4|EXISTS s4|HGET s f|SADD h x|SMISMEMBER s2 x|SRANDMEMBER s4
LPUSH l a b c|RPUSH l d|LLEN l|LRANGE l 0 -1|LRANGE l 1 2|LRANGE l 5 9|LINDEX l 0|LINDEX l -1|LINDEX l 9|LINDEX l x|LPOP l|RPOP l|LPOP l 0|RPUSH l x y z|LPOP l 2|LRANGE l 0 -1|LSET l 0 first|LSET l 9 x|LRANGE l 0 -1|LINSERT l BEFORE y pre|LINSERT l AFTER nothing q|LPOS l y|LREM l 1 y|LRANGE l 0 -1|LTRIM l 0 0|LRANGE l 0 -1|LPUSHX nol x|RPUSHX l tail|LPUSHX l head|LRANGE l 0 -1|LMOVE l l2 LEFT RIGHT|LRANGE l2 0 -1|RPOPLPUSH l l2|LRANGE l2 0 -1|LMPOP 2 nol l2 LEFT COUNT 5|LRANGE l2 0 -1|EXISTS l2|LPOP nol|LPOP nol 2|LLEN nol|LRANGE nol 0 -1|LLEN h|LRANGE h 0 -1|LPUSH h x|LPOP h|RPUSH l dup dup|LPOP l 100|EXISTS l|LPUSH l ""|LPOP l
RPUSH bl a b c d e f|BLPOP nobl bl nobl2 0|BRPOP bl 0|BLPOP nobl nobl2 1|BLPOP bl x|BLPOP bl -1|BLPOP h bl 0|BLPOP bl h 0|BLPOP nobl bl bl 0|BLMOVE bl bl2 LEFT RIGHT 0|BLMOVE nobl bl2 LEFT RIGHT 0|BRPOPLPUSH bl bl2 0|LRANGE bl2 0 -1|BLMPOP 0 2 nobl bl2 LEFT COUNT 5|EXISTS bl bl2|BLMPOP 0 1 bl2 RIGHT|ZADD bz 1 a 2 b 3 c|BZPOPMIN nobz bz 0|BZPOPMAX bz h 0|BZPOPMIN h bz 0|BZMPOP 0 2 nobz bz MAX|BZMPOP 0 1 bz MIN|BZPOPMIN bz 0.5|EXISTS bz
ZADD z 1 a 2 b 3 c|ZADD z XX CH 5 a|ZADD z NX 9 a 4 d|ZADD z GT CH 1 a 7 b|ZADD z INCR 2 c|ZADD z NX INCR 2 c|ZSCORE z a|ZMSCORE z a no b|ZCARD z|ZRANGE z 0 -1 WITHSCORES|ZREVRANGE z 0 1|ZRANGEBYSCORE z 4 6|ZRANK z b|ZREVRANK z b|ZRANK z no|ZCOUNT z -inf +inf|ZINCRBY z 1.5 a|ZINCRBY z 3 new|ZREM z new no|ZPOPMIN z|ZPOPMAX z 2|ZRANGE z 0 -1|ZADD z2 1 a 2 x|ZUNIONSTORE z3 2 z z2|ZRANGE z3 0 -1 WITHSCORES|ZINTER 2 z3 z2|ZRANGESTORE z4 z3 0 0|ZRANGE z4 0 -1|ZREMRANGEBYSCORE z3 -inf +inf|EXISTS z3|ZSCORE h x|ZADD h 1 x|ZADD z 1 a 2|ZADD z x a|ZSCAN z2 0|ZADD z nan a|ZMPOP 1 z2 MIN|ZADD zz inf a|ZSCORE zz a
PFADD p1 a b c|PFADD p1 a|PFCOUNT p1|PFADD p2 c d|PFMERGE p3 p1 p2|PFCOUNT p3|PFCOUNT p1 p2|PFADD h x|GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania|GEODIST g Palermo Catania km|GEOPOS g Palermo no|GEOHASH g Catania|GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC|GEOSEARCHSTORE g2 g FROMMEMBER Palermo BYRADIUS 10 km|ZRANGE g2 0 -1|ZSCORE g Palermo|DEL p1 p2 p3 g g2
SET r1 v EX 50|RENAME r1 r2|GET r2|TTL r2|GET r1|RENAME nothing x|RENAMENX r2 a|SET a q|RENAMENX r2 a|COPY r2 r5|GET r5|TTL r5|COPY r2 r5|COPY r2 r5 REPLACE|RENAME r2 r2|HSET rh f v|RENAME rh rh2|HGETALL rh2|EXISTS rh|COPY rh2 rh3|HGETALL rh3|HSET rh3 f other|HGET rh2 f|SADD rs a|RENAME rs rh2|SMEMBERS rh2|TYPE rh2|SET rh2 str|GET rh2|LPUSH rl a b|COPY rl rl2|LRANGE rl2 0 -1|ZADD rz 1 a|RENAME rz rl|ZRANGE rl 0 -1
DBSIZE|KEYS r*|KEYS nothing|EXISTS a b|SCAN 0 COUNT 1000|SCAN 0 COUNT 1000 MATCH rh*|SCAN 0 TYPE hash COUNT 1000|SCAN x|SCAN 0 FOO
DEL s s2 s3 z z2 z4 zz l h a b|DBSIZE|KEYS *
`

// everlasting counts keys without a deadline.
const everlasting = `local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', k) == -1 then n = n + 1 end end return n`

func TestSameRepliesAsTheEngine(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	for _, resp3 := range []bool{false, true} {
		g := newGateway(t, unixOptions(redis), "phi").alone()
		walkBoth(t, g, embedded(t, "phi"), operator{t, redis.Dial(t), redis}, resp3)
	}
}

func walkBoth(t *testing.T, g *gateway, reference *side, o operator, resp3 bool) {
	t.Helper()
	still(g.side, reference)
	g.resp3, reference.resp3 = resp3, resp3
	free := unordered()
	for _, line := range strings.Split(strings.ReplaceAll(strings.TrimSpace(script+streamScript), "\n", "|"), "|") {
		args := fields(line)
		want, got := reference.do(args...), g.do(args...)
		if free[args[0]] {
			want, got = sorted(want), sorted(got)
		}
		if got != want {
			t.Errorf("%q (RESP3 %v): got %q, want %q", line, resp3, got, want)
		}
		// Whatever ended the gateway now, nothing would stay upstream for ever.
		if left := o.do("EVAL", everlasting, "0"); left.Int != 0 {
			t.Errorf("%q: %d keys upstream have no deadline", line, left.Int)
		}
		for i := range reference.told {
			if reference.told[i] != g.told[i] {
				t.Errorf("%q: told %d of key %d, want %d", line, g.told[i], i, reference.told[i])
			}
		}
	}
	if a := g.sink.takeAlarms(); a != "" {
		t.Errorf("alarms: %s", a)
	}
}

// fields splits a line at single spaces; "" is an empty argument.
func fields(line string) []string {
	args := strings.Split(line, " ")
	for i, a := range args {
		if a == `""` {
			args[i] = ""
		}
	}
	return args
}
