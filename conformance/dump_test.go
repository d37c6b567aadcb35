package conformance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// layouts are settings of redis-server that make it write values in all the ways that it has.
var layouts = [][]string{
	{"CONFIG", "SET", "rdbcompression", "yes"},
	{"CONFIG", "SET", "rdbcompression", "no"},
	{"CONFIG", "SET", "hash-max-listpack-entries", "0", "zset-max-listpack-entries", "0", "set-max-intset-entries", "0", "list-max-listpack-size", "4"},
	{"CONFIG", "SET", "hash-max-listpack-entries", "100000", "zset-max-listpack-entries", "100000", "set-max-intset-entries", "100000",
		"list-max-listpack-size", "-5", "hash-max-listpack-value", "100000", "zset-max-listpack-value", "100000", "list-compress-depth", "1", "rdbcompression", "yes"},
}

// What redis-server dumps, Lethe restores, and the other way round: random values of every type and size.
func TestDumpsGoBothWays(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	d := p.dial(t, "2")
	r := rand.New(rand.NewPCG(7, 11))
	sizes := []int{1, 2, 3, 10, 60, 130, 600, 3000}
	for _, layout := range layouts {
		d.redis.Do(layout...)
		for _, v := range dumpedValues() {
			for _, n := range sizes {
				d.empty(t)
				d.fill(t, n, func(i int) []string { return v.write(r, i) })
				d.exchange(t, v, fmt.Sprintf("%s of %d after %q", v.name, n, layout[2:]))
			}
		}
	}
}

// fill makes n calls on both servers, without waiting for each reply.
func (d *duo) fill(t *testing.T, n int, call func(i int) []string) {
	t.Helper()
	var calls []byte
	for i := range n {
		calls = append(calls, testkit.Command(call(i)...)...)
	}
	for _, c := range []*testkit.Client{d.redis, d.lethe} {
		c.Send(calls)
		for range n {
			if r, err := c.Receive(patience); err != nil || r.IsError() {
				t.Fatalf("a value cannot be written: %v, %s", err, show(r.Raw))
			}
		}
	}
}

// exchange has each server restore what the other one dumps, and compares what each of them then has.
func (d *duo) exchange(t *testing.T, v dumpedValue, what string) {
	t.Helper()
	fromRedis, fromLethe := d.redis.Do("DUMP", "k"), d.lethe.Do("DUMP", "k")
	if r := d.lethe.Do("RESTORE", "k", "0", string(fromRedis.Str), "REPLACE"); string(r.Str) != "OK" {
		t.Errorf("%s: Lethe does not restore what redis-server dumped: %s", what, show(r.Raw))
	}
	if r := d.redis.Do("RESTORE", "copy", "0", string(fromLethe.Str)); string(r.Str) != "OK" {
		t.Errorf("%s: redis-server does not restore what Lethe dumped: %s", what, show(r.Raw))
	}
	read := func(key string) []string { return append([]string{v.read[0], key}, v.read[1:]...) }
	want := d.redis.Do(read("k")...)
	if got := d.redis.Do(read("copy")...); !sameValue(v, got, want) {
		t.Errorf("%s: redis-server has another value of Lethe's dump", what)
	}
	if got := d.lethe.Do(read("k")...); !sameValue(v, got, want) {
		t.Errorf("%s: Lethe has another value of redis-server's dump", what)
	}
}

func sameValue(v dumpedValue, got, want testkit.Reply) bool {
	if v.order == 0 {
		return bytes.Equal(got.Raw, want.Raw)
	}
	return slices.Equal(sortedElements(got, v.order), sortedElements(want, v.order))
}

// dumpedValue is a type of value: how it is written and read.
type dumpedValue struct {
	name  string
	read  []string
	order int // elements that belong together and may come in any order; 0: the order counts
	write func(r *rand.Rand, i int) []string
}

func dumpedValues() []dumpedValue {
	number := func(r *rand.Rand) string { return strconv.FormatInt(int64(r.Uint64())>>r.IntN(64), 10) }
	return []dumpedValue{
		{"string", []string{"GET"}, 0, func(r *rand.Rand, i int) []string { return []string{"APPEND", "k", randomText(r)} }},
		{"integer", []string{"GET"}, 0, func(r *rand.Rand, i int) []string { return []string{"SET", "k", number(r)} }},
		{"list", []string{"LRANGE", "0", "-1"}, 0, func(r *rand.Rand, i int) []string { return []string{"RPUSH", "k", randomText(r)} }},
		{"set", []string{"SMEMBERS"}, 1, func(r *rand.Rand, i int) []string { return []string{"SADD", "k", randomText(r)} }},
		{"set of integers", []string{"SMEMBERS"}, 1, func(r *rand.Rand, i int) []string { return []string{"SADD", "k", number(r)} }},
		{"set of small integers", []string{"SMEMBERS"}, 1, func(r *rand.Rand, i int) []string { return []string{"SADD", "k", strconv.Itoa(i - 50)} }},
		{"sorted set", []string{"ZRANGE", "0", "-1", "WITHSCORES"}, 0, func(r *rand.Rand, i int) []string {
			score := strconv.FormatFloat(r.NormFloat64()*1e6, 'g', -1, 64)
			if r.IntN(3) == 0 {
				score = []string{"inf", "-inf", "0", "17", "-4096"}[r.IntN(5)]
			}
			return []string{"ZADD", "k", score, randomText(r)}
		}},
		{"hash", []string{"HGETALL"}, 2, func(r *rand.Rand, i int) []string { return []string{"HSET", "k", randomText(r), randomText(r)} }},
	}
}

// randomText is a string: an integer, letters that compress, or bytes that do not; of any length, short ones mostly.
func randomText(r *rand.Rand) string {
	n := r.IntN(1 << r.IntN(11))
	switch r.IntN(3) {
	case 0:
		return strconv.FormatInt(int64(r.Uint64())>>r.IntN(64), 10)
	case 1:
		return string(bytes.Repeat([]byte{byte('a' + r.IntN(3))}, n))
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// A stream's entries, what was deleted of it, its groups and what is pending with whom go both ways too.
func TestStreamDumpsGoBothWays(t *testing.T) {
	t.Parallel()
	p := startPair(t)
	d := p.dial(t, "2")
	r := rand.New(rand.NewPCG(3, 5))
	for _, n := range []int{0, 1, 5, 99, 250, 1500} {
		d.empty(t)
		d.fill(t, 1, func(int) []string { return []string{"XGROUP", "CREATE", "k", "early", "$", "MKSTREAM"} })
		d.fill(t, n, func(i int) []string { return streamEntry(r, i) })
		d.fill(t, 1, func(int) []string { return []string{"XGROUP", "CREATE", "k", "late", "0"} })
		for _, consumer := range []string{"bob", "alice", "7"} {
			for _, group := range []string{"early", "late"} {
				d.both("XGROUP", "CREATECONSUMER", "k", group, consumer) // who asks in vain is none on 7.0
				d.both("XREADGROUP", "GROUP", group, consumer, "COUNT", fmt.Sprint(1+n/5), "STREAMS", "k", ">")
			}
		}
		for i := 0; i < n; i += 3 {
			d.both("XACK", "k", "early", fmt.Sprintf("%d-1", 1000+i))
			if i%2 == 0 {
				d.both("XDEL", "k", fmt.Sprintf("%d-1", 1000+i))
			}
		}
		d.exchangeStreams(t, n)
	}
}

// streamEntry is a call that adds an entry: the same fields as the one before mostly, numbers among names and values.
func streamEntry(r *rand.Rand, i int) []string {
	args := []string{"XADD", "k", fmt.Sprintf("%d-1", 1000+i)}
	fields := []string{"temperature", "42", "place"}
	if r.IntN(5) == 0 {
		fields = append(fields, randomText(r), randomText(r))
	}
	for _, f := range fields {
		args = append(args, f, randomText(r))
	}
	return args
}

func (d *duo) exchangeStreams(t *testing.T, n int) {
	t.Helper()
	fromRedis, fromLethe := d.redis.Do("DUMP", "k"), d.lethe.Do("DUMP", "k")
	if r := d.lethe.Do("RESTORE", "copy", "0", string(fromRedis.Str)); string(r.Str) != "OK" {
		t.Errorf("%d entries: Lethe does not restore what redis-server dumped: %s", n, show(r.Raw))
	}
	if r := d.redis.Do("RESTORE", "copy", "0", string(fromLethe.Str)); string(r.Str) != "OK" {
		t.Errorf("%d entries: redis-server does not restore what Lethe dumped: %s", n, show(r.Raw))
	}
	for _, read := range [][]string{{"XRANGE", "k", "-", "+"}, {"XINFO", "GROUPS", "k"}, {"XPENDING", "k", "early"}, {"XPENDING", "k", "late"}, {"XLEN", "k"}} {
		want := d.redis.Do(read...)
		copied := slices.Clone(read)
		copied[slices.Index(read, "k")] = "copy"
		if got := d.redis.Do(copied...); !bytes.Equal(got.Raw, want.Raw) {
			t.Errorf("%d entries, %s in redis-server: %s, want %s", n, read, show(got.Raw), show(want.Raw))
		}
		if got := d.lethe.Do(copied...); !bytes.Equal(got.Raw, want.Raw) {
			t.Errorf("%d entries, %s in Lethe: %s, want %s", n, read, show(got.Raw), show(want.Raw))
		}
	}
}
