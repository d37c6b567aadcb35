package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// steps are calls with holes: $k a key, $v a value, $m one of few members, $i a small number, $f a number with decimals,
// $c a count. Few keys and few members make calls meet each other's results.
func steps() []string {
	return []string{
		"SET $k $v", "SET $k $i", "SET $k $v NX", "SET $k $v XX", "SET $k $v XX KEEPTTL", "SET $k $v GET", "GET $k", "GETDEL $k",
		"GETSET $k $v", "APPEND $k $v", "STRLEN $k", "SETRANGE $k $c $v", "GETRANGE $k $i $i", "INCR $k", "INCRBY $k $i",
		"DECRBY $k $i", "INCRBYFLOAT $k $f", "MSET $k $v $k $v", "MSETNX $k $v $k $v", "MGET $k $k $k", "SETNX $k $v",

		"DEL $k", "UNLINK $k $k", "EXISTS $k $k", "TYPE $k", "RENAME $k $k", "RENAMENX $k $k", "COPY $k $k", "COPY $k $k REPLACE",
		"EXPIRE $k 1000", "EXPIRE $k 0", "DBSIZE", "@unordered KEYS *",

		"HSET $k $m $v", "HSET $k $m $v $m $v $m $v", "HSETNX $k $m $v", "HGET $k $m", "HMGET $k $m $m", "HDEL $k $m", "HDEL $k $m $m $m",
		"HLEN $k", "HEXISTS $k $m", "HINCRBY $k $m $i", "HINCRBYFLOAT $k $m $f", "@pairs HGETALL $k", "@unordered HKEYS $k",

		"RPUSH $k $m", "LPUSH $k $m $m", "RPUSH $k $m $m $m $v", "LPUSHX $k $m", "LPOP $k", "RPOP $k", "LPOP $k $c", "RPOP $k $c",
		"LLEN $k", "LRANGE $k $i $i", "LINDEX $k $i", "LSET $k $i $v", "LINSERT $k BEFORE $m $v", "LINSERT $k AFTER $m $m",
		"LREM $k $i $m", "LTRIM $k $i -1", "LPOS $k $m COUNT 0", "LMOVE $k $k LEFT RIGHT", "LMOVE $k $k RIGHT LEFT", "RPOPLPUSH $k $k",

		"SADD $k $m", "SADD $k $m $m $m", "SADD $k $i $i $i", "SREM $k $m $m", "SREM $k $i", "SCARD $k", "SISMEMBER $k $m",
		"SMISMEMBER $k $m $i", "SMOVE $k $k $m", "@unordered SINTER $k $k", "@unordered SUNION $k $k", "@unordered SDIFF $k $k",
		"SINTERSTORE $k $k $k", "SUNIONSTORE $k $k $k", "SDIFFSTORE $k $k $k", "SINTERCARD 2 $k $k LIMIT $c",

		"ZADD $k $f $m", "ZADD $k $i $m $i $m $i $m", "ZADD $k NX $f $m", "ZADD $k XX CH $f $m", "ZADD $k GT CH $f $m",
		"ZINCRBY $k $f $m", "ZREM $k $m", "ZSCORE $k $m", "ZRANK $k $m", "ZCARD $k", "ZCOUNT $k $i $i", "ZRANGE $k $i $i WITHSCORES",
		"ZRANGEBYSCORE $k $i $i", "ZREVRANGE $k 0 $c", "ZPOPMIN $k", "ZPOPMAX $k $c", "ZREMRANGEBYRANK $k $c $c",
		"ZREMRANGEBYSCORE $k $i $i", "ZUNIONSTORE $k 2 $k $k", "ZINTERSTORE $k 2 $k $k AGGREGATE MAX", "ZDIFFSTORE $k 2 $k $k",
		"ZRANGESTORE $k $k 0 $c",

		"XADD $k 1-* $m $v", "XADD $k 1-* $m $v $m $i", "XADD $k MAXLEN $c 1-* $m $v", "XADD $k MAXLEN ~ $c 1-* $m $v", "XTRIM $k MAXLEN $c",
		"XLEN $k", "XRANGE $k - + COUNT $c", "XREVRANGE $k + - COUNT $c", "XREAD COUNT $c STREAMS $k $k 0 1-3",
	}
}

func fill(step string, r *rand.Rand) call {
	c, err := parseCall(step)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	for i, a := range c.args {
		switch a {
		case "$k":
			c.args[i] = "key:" + strconv.Itoa(r.IntN(8))
		case "$m":
			c.args[i] = "m" + strconv.Itoa(r.IntN(12))
		case "$v":
			c.args[i] = strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(90))
		case "$i":
			c.args[i] = strconv.Itoa(r.IntN(20) - 8)
		case "$f":
			c.args[i] = strconv.FormatFloat(float64(r.IntN(400)-200)/8, 'f', -1, 64)
		case "$c":
			c.args[i] = strconv.Itoa(r.IntN(6))
		}
	}
	return c
}

// The same random commands leave both in the same state, reply by reply and at the end.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	perSeed, seeds := 4000, 4
	if *long {
		perSeed, seeds = 100_000, 20
	}
	p := startPair(t)
	possible := slices.DeleteFunc(steps(), func(step string) bool { return !inTable(step) })
	for seed := range seeds {
		for _, protocol := range []string{"2", "3"} {
			t.Run(fmt.Sprintf("seed %d RESP%s", seed, protocol), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(seed), 7))
				d := p.dial(t, protocol)
				d.empty(t)
				for n := range perSeed {
					c := fill(possible[r.IntN(len(possible))], r)
					if problem := d.run(c); problem != "" {
						t.Fatalf("step %d: %q\n    %s", n, c.args, problem)
					}
				}
				d.compareState(t)
			})
		}
	}
}

func inTable(step string) bool {
	c, err := parseCall(step)
	if err != nil {
		return true // fill reports it
	}
	spec, _ := command.NewTable().Lookup([][]byte{[]byte(c.args[0])})
	return spec != nil
}

// compareState reads everything on both sides.
func (d *duo) compareState(t *testing.T) {
	t.Helper()
	dumps := map[string]call{
		"string": {args: []string{"GET", ""}}, "list": {args: []string{"LRANGE", "", "0", "-1"}},
		"set": {args: []string{"SMEMBERS", ""}, how: unordered}, "hash": {args: []string{"HGETALL", ""}, how: pairs},
		"zset": {args: []string{"ZRANGE", "", "0", "-1", "WITHSCORES"}}, "stream": {args: []string{"XRANGE", "", "-", "+"}},
	}
	for i := range 8 {
		key := "key:" + strconv.Itoa(i)
		kind := call{args: []string{"TYPE", key}}
		if problem := d.run(kind); problem != "" {
			t.Errorf("type of %s: %s", key, problem)
			continue
		}
		c, holds := dumps[string(d.redis.Do(kind.args...).Str)]
		if !holds {
			continue
		}
		c.args[1] = key
		if problem := d.run(c); problem != "" {
			t.Errorf("state of %s: %s", key, problem)
		}
	}
}
