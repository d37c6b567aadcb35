package main

import (
	"context"
	"fmt"
	"strings"
)

// longPolicy lets the entries of the bench live for an hour, with every access recorded, so that collections that are
// loaded once are there for all rounds.
const longPolicy = `categories:
  bench: {ceiling: 1h, phi: false, audit: all}
keys:
  - {match: "{tenant}:bench:{id}", category: bench}
unmatched: phi
`

// everything is what the user of these parts may do: scripts are off for new users.
const everything = "+@all ~* &*"

// typeLoad is one common command of a type: what is loaded before, and what is measured.
type typeLoad struct {
	name   string
	before [][]string
	calls  [][]string
}

func typeLoads() []typeLoad {
	const k = tenant + ":bench:"
	one := func(words ...string) [][]string { return [][]string{words} }
	list := append([]string{"RPUSH", k + "list"}, hundred()...)
	hash, zset, set := []string{"HSET", k + "hash"}, []string{"ZADD", k + "zset"}, append([]string{"SADD", k + "set"}, hundred()...)
	for _, e := range hundred() {
		hash, zset = append(hash, e, "value"), append(zset, e, "m"+e)
	}
	stream := [][]string{}
	for _, e := range hundred() {
		stream = append(stream, []string{"XADD", k + "stream", e + "-1", "f", "v"})
	}
	return []typeLoad{
		{"INCR", nil, one("INCR", k+"n#")},
		{"MSET of 10", nil, one("MSET", k+"a#", "v", k+"b#", "v", k+"c#", "v", k+"d#", "v", k+"e#", "v", k+"f#", "v", k+"g#", "v", k+"h#", "v", k+"i#", "v", k+"j#", "v")},
		{"LPUSH and LPOP", nil, [][]string{{"LPUSH", k + "l#", "element"}, {"LPOP", k + "l#"}}},
		{"LRANGE of 100", one(list...), one("LRANGE", k+"list", "0", "-1")},
		{"SADD", nil, one("SADD", k+"s", "m#")},
		{"SISMEMBER", one(set...), one("SISMEMBER", k+"set", "7")},
		{"HSET", nil, one("HSET", k+"h#", "field", "value")},
		{"HGET", one(hash...), one("HGET", k+"hash", "50")},
		{"HGETALL of 100", one(hash...), one("HGETALL", k+"hash")},
		{"ZADD", nil, one("ZADD", k+"z", "#", "m#")},
		{"ZRANGE of 100", one(zset...), one("ZRANGE", k+"zset", "0", "-1")},
		{"ZRANK", one(zset...), one("ZRANK", k+"zset", "m50")},
		{"SETBIT", nil, one("SETBIT", k+"bits", "1#", "1")},
		{"BITCOUNT of 64 KiB", bitmaps(k), one("BITCOUNT", k+"ones")},
		{"BITPOS of 64 KiB", bitmaps(k), one("BITPOS", k+"ones", "0")},
		{"BITOP OR of 64 KiB", bitmaps(k), one("BITOP", "OR", k+"or", k+"ones", k+"some")},
		{"PFADD", nil, one("PFADD", k+"hll", "e#")},
		{"GEOADD", nil, one("GEOADD", k+"geo", "13.361389", "38.115556", "m#")},
		{"XADD", nil, one("XADD", k+"x", "MAXLEN", "~", "10000", "*", "f", "v#")},
		{"XRANGE of 10", stream, one("XRANGE", k+"stream", "-", "+", "COUNT", "10")},
		{"MULTI, SET, GET, EXEC", nil, [][]string{{"MULTI"}, {"SET", k + "t#", "v"}, {"GET", k + "t#"}, {"EXEC"}}},
		{"EVAL of a GET", [][]string{{"SET", k + "e", "v"}}, one("EVAL", "return redis.call('GET', KEYS[1])", "1", k+"e")},
	}
}

// bitmaps are two of 64 KiB, of which the first has every bit.
func bitmaps(prefix string) [][]string {
	return [][]string{{"SET", prefix + "ones", strings.Repeat("\xff", 64<<10)}, {"SET", prefix + "some", strings.Repeat("\x5a", 64<<10)}}
}

func hundred() (words []string) {
	for i := range 100 {
		words = append(words, fmt.Sprint(i+1))
	}
	return words
}

// typeDigits are those of the numbers in keys and members: 10,000 of them, all small.
const typeDigits, typeKeys = 4, 10_000

// measureTypes compares common commands of every type, in pipelines and one at a time.
func (b *bench) measureTypes(ctx context.Context) ([]*table, error) {
	servers, stop, err := b.recordedPair(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	var tables []*table
	for _, depth := range depths() {
		t := b.newTable("types", fmt.Sprintf("%d connections, depth %d, Go generator", b.connections, depth),
			"a transaction is one operation of four commands; every access is recorded, the entries may live for an hour")
		for _, l := range typeLoads() {
			if err := b.compareType(ctx, t, servers, l, depth); err != nil {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// recordedPair starts both servers, Lethe with longPolicy.
func (b *bench) recordedPair(ctx context.Context) (servers [2]*target, stop func(), err error) {
	redis, err := b.startRedis(ctx)
	if err != nil {
		return servers, nil, err
	}
	lethe, err := b.startLethe(ctx, letheOptions{policy: longPolicy, rules: everything})
	if err != nil {
		redis.stop()
		return servers, nil, err
	}
	return [2]*target{redis, lethe}, func() { redis.stop(); lethe.stop() }, nil
}

func (b *bench) compareType(ctx context.Context, t *table, servers [2]*target, l typeLoad, depth int) error {
	for _, s := range servers {
		if err := s.prepare(l.before); err != nil {
			return err
		}
	}
	load := b.closed(workload{calls: l.calls, digits: typeDigits, keys: typeKeys}, depth)
	err := b.interleave(ctx, func(side int) error {
		c, err := servers[side].measureClosed(ctx, load)
		t.add(l.name, "op/s", side, c.perSecond)
		t.add(l.name+", server CPU", "us/op", side, c.serverCPU)
		return err
	})
	if l.name != "EVAL of a GET" { // for information: what runs a script is another Lua
		t.ratioAtLeast(l.name, 1)
	}
	return err
}

// prepare empties a server and sends what a load needs.
func (t *target) prepare(calls [][]string) error {
	c, err := t.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	for _, call := range append([][]string{{"FLUSHALL"}}, calls...) {
		if _, err := c.call(call...); err != nil {
			return err
		}
	}
	return nil
}
