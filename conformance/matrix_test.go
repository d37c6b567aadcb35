package conformance

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// samples make a key of each type; the first makes none.
func samples(key string) map[string][]string {
	return map[string][]string{
		"none": {"DEL", key}, "string": {"SET", key, "a value"}, "integer": {"SET", key, "42"},
		"list": {"RPUSH", key, "a", "1", "c"}, "set": {"SADD", key, "a", "b"}, "integers": {"SADD", key, "1", "2"},
		"sorted set": {"ZADD", key, "1", "a", "2.5", "b"}, "hash": {"HSET", key, "f", "1", "g", "x"},
		"stream": {"XADD", key, "1-1", "f", "1", "g", "x"},
	}
}

// Every call of every script is made again on keys of every type: which check comes first, and which error it gives, is
// what clients see most of where they go wrong.
func TestEveryCallOnEveryType(t *testing.T) {
	t.Parallel()
	table := command.NewTable()
	for _, s := range scripts(t) {
		t.Run(s.group, func(t *testing.T) {
			t.Parallel()
			p := startPair(t)
			bothProtocols(t, p, func(t *testing.T, d *duo) {
				for _, c := range s.cases {
					for _, call := range c.calls {
						d.runOnTypes(t, s, call, keysOf(table, call))
					}
				}
			})
		})
	}
}

// keysOf returns where the keys of a call stand.
func keysOf(table *command.Table, c call) []int {
	args := make([][]byte, len(c.args))
	for i, a := range c.args {
		args[i] = []byte(a)
	}
	spec, _ := table.Lookup(args)
	if spec == nil || !spec.ArityOK(len(args)) {
		return nil
	}
	refs, ok := spec.KeysOf(args, nil)
	if !ok {
		return nil
	}
	var at []int
	for _, r := range refs {
		at = append(at, r.Arg)
	}
	return at
}

// runOnTypes makes one call on keys of each type. OBJECT and MEMORY are left out: they
// tell how a server stores things, not what; so are channels, which are no keys, and ids that are made of the time.
func (d *duo) runOnTypes(t *testing.T, s *script, c call, keys []int) {
	if len(keys) == 0 || c.how == except || c.how == isNew || c.args[0] == "OBJECT" || c.args[0] == "MEMORY" ||
		s.group == "pubsub" || c.args[0] == "XADD" && slices.Contains(c.args, "*") {
		return
	}
	for kind := range samples("") {
		d.empty(t)
		for _, at := range keys {
			setUp := samples(c.args[at])[kind]
			d.both(setUp...)
			d.both("EXPIRE", c.args[at], "10000") // a key without a deadline is what Lethe does not have
		}
		redis, lethe := d.redis.Do(c.args...), d.lethe.Do(c.args...)
		redis.Raw = withoutNames(redis.Raw)
		if problem := differ(loosened(c, kind), d.protocol, redis, lethe); problem != "" {
			t.Errorf("testdata/%s.txt:%d: on keys that hold %s: %q\n    %s", s.group, c.line, kind, c.args, problem)
		}
	}
}

// withoutNames hides the key and the group that Redis repeats in an error about groups, as Lethe does: see no-echo.
func withoutNames(raw []byte) []byte {
	if !bytes.HasPrefix(raw, []byte("-NOGROUP")) {
		return raw
	}
	return regexp.MustCompile("'[^']*'").ReplaceAll(raw, []byte("'?'"))
}

func (d *duo) both(args ...string) {
	d.redis.Do(args...)
	d.lethe.Do(args...)
}

// loosened is a call as it is compared on keys that its case did not prepare: where an exact reply depended on there
// being one element, on an order or on when a key was written, only what does not is compared.
func loosened(c call, kind string) call {
	if c.how != exact {
		return c
	}
	switch c.args[0] {
	case "SORT", "SORT_RO": // what is equal comes in the order of Redis's hash table, whose seed is another one at each start
		switch {
		case kind != "set" && kind != "sorted set":
		case slices.Contains(c.args, "LIMIT"):
			c.how = shape
		default:
			c.how = unordered
		}
	case "HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER", "SPOP":
		c.how = shape
	case "HGETALL", "HSCAN", "ZSCAN":
		c.how = pairs
	case "TTL", "EXPIRETIME":
		c.how, c.tolerance = near, 1
	case "PTTL", "PEXPIRETIME":
		c.how, c.tolerance = near, 500
	case "SSCAN", "SMEMBERS", "HKEYS", "HVALS", "SINTER", "SUNION", "SDIFF":
		c.how = unordered
	}
	return c
}
