package conformance

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// unsealed is a policy whose locks and rate limits are not sealed.
func unsealed(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	const text = `categories:
  rate_limit: {ceiling: 5m, seal: off}
  lock: {ceiling: 5m, phi: false, seal: off}
keys:
  - {match: "{tenant}:rate:**", category: rate_limit}
  - {match: "{tenant}:lock:**", category: lock}
unmatched: phi
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// scripters are users who may run scripts.
func scripters() []testkit.User {
	return []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}
}

// Scripts reach what is not sealed and what they declare, and are refused where they name anything else.
func TestScriptsInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Policy: unsealed(t), Flags: upstreamFlags(behind), Users: scripters()})
	c := lethe.Dial(t, reader)
	f := func(want string, args ...string) {
		t.Helper()
		if got := c.Do(args...); !strings.HasPrefix(string(got.Raw), want) {
			t.Errorf("%q: %s, want %q", args, show(got.Raw), want)
		}
	}
	const rate, lock = "TENANT001:rate:1", "TENANT001:lock:1"
	f(":3\r\n", "EVAL", "redis.call('INCR', KEYS[1]) return redis.call('INCRBY', KEYS[1], ARGV[1])", "1", rate, "2")
	f("$1\r\n3\r\n", "GET", rate)
	f(":4\r\n", "INCR", rate)
	f("$1\r\n4\r\n", "EVAL", "return redis.call('GET', KEYS[1])", "1", rate)
	f(":1\r\n", "EVAL", "return redis.call('HINCRBY', KEYS[1], 'a', 1)", "1", lock)
	f("*2\r\n$1\r\na\r\n$1\r\n1\r\n", "HGETALL", lock)
	f("+OK\r\n", "EVAL", "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], 'a name', 'PX', 30000)", "1", lock)
	f("$6\r\na name\r\n", "GET", lock)
	f("*2\r\n:1\r\n:2\r\n", "EVAL", "return {1, 2}", "0")
	f("-SEALED scripts", "EVAL", "return 1", "1", patient)
	f("-SEALED scripts", "EVAL", "return redis.call('GET', KEYS[1])", "2", lock, patient)
	f("-SEALED scripts", "EVAL", "return redis.call('GET', ARGV[1])", "1", lock, patient)
	f("-ERR in front of an upstream", "EVAL", "return redis.call('GET', ARGV[1])", "0", lock)
	f("-ERR in front of an upstream", "EVAL", "return redis.call('DEL', KEYS[1], ARGV[1])", "1", lock, lock+"0")
	f("-SEALED the command cannot be a part", "EVAL", "return redis.call('DBSIZE')", "0")
	f("-SEALED with seal: off the category rate_limit", "EVAL", "return redis.call('SET', KEYS[1], 'a name')", "1", rate)
	f("$1\r\n4\r\n", "GET", rate)
	f("-ERR Write commands are not allowed", "EVAL_RO", "return redis.call('SET', KEYS[1], '1')", "1", rate)
	f("$1\r\n4\r\n", "EVAL_RO", "return redis.call('GET', KEYS[1])", "1", rate)
	sha := string(c.Do("SCRIPT", "LOAD", "return redis.call('DECR', KEYS[1])").Str)
	f(":3\r\n", "EVALSHA", sha, "1", rate)
	f("-NOSCRIPT", "EVALSHA", strings.Repeat("0", 40), "1", rate)
	f("$1\r\nn\r\n", "FUNCTION", "LOAD", "#!lua name=n\nredis.register_function('add', function(keys, args) return redis.call('INCRBY', keys[1], args[1]) end)")
	f(":10\r\n", "FCALL", "add", "1", rate, "7")
	f("+OK\r\n", "MULTI")
	f("+QUEUED\r\n", "INCR", rate)
	f("+QUEUED\r\n", "EVAL", "redis.call('SET', KEYS[2], 'x') return redis.call('INCR', KEYS[1])", "2", rate, lock)
	f("+QUEUED\r\n", "EVAL", "return redis.pcall('GET', ARGV[1]).err:sub(1, 7)", "1", rate, lock)
	f("+QUEUED\r\n", "EVAL", "return redis.call('GET', KEYS[1])", "1", patient)
	f("+QUEUED\r\n", "EVAL", "return 'keyless'", "0")
	f("+QUEUED\r\n", "GET", lock)
	f("*6\r\n:11\r\n:12\r\n$7\r\nERR in \r\n-SEALED", "EXEC")
	f("$1\r\nx\r\n", "GET", lock)
	f("+OK\r\n", "WATCH", rate)
	f(":13\r\n", "INCR", rate)
	f("+OK\r\n", "MULTI")
	f("+QUEUED\r\n", "EVAL", "return redis.call('INCR', KEYS[1])", "1", rate)
	f("*-1\r\n", "EXEC")
	f("$2\r\n13\r\n", "GET", rate)
	f("+OK\r\n", "MULTI")
	f("+QUEUED\r\n", "EVAL", "return redis.call('DECR', KEYS[1])", "1", rate)
	f("+QUEUED\r\n", "SET", patient, "sealed")
	f("+QUEUED\r\n", "INCR", patient)
	f("+QUEUED\r\n", "INCR", rate)
	f("*4\r\n:12\r\n+OK\r\n-SEALED", "EXEC")
	f("$6\r\nsealed\r\n", "GET", patient)
	f("-ERR user_script", "EVAL", "redis.call('INCR', KEYS[1]) error('no')", "1", rate) // what was done before stays, as in Redis
	f("$2\r\n14\r\n", "GET", rate)
	if n := c.Do("TTL", rate).Int; n < 1 || n > 300 {
		t.Errorf("TTL is %d", n)
	}
	direct := behind.Dial(t)
	for _, k := range direct.Do("KEYS", "*").Elems {
		if dump := direct.Do("DUMP", string(k.Str)); strings.Contains(string(dump.Str), "a name") {
			t.Error("the upstream sees a value that is no integer")
		}
	}
}

// A script that does not end holds nobody up at other loops, and those of its own loop after some seconds no more; it can be ended.
func TestALongScriptInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Policy: unsealed(t), Flags: append(upstreamFlags(behind), "--loops", "1"), Users: scripters()})
	a, b := lethe.Dial(t, reader), lethe.Dial(t, reader)
	const key = "TENANT001:rate:1"
	expect(t, a, ":1", "INCR", key)
	// A loop of nothing else would come to the limit of instructions before the others are served, on a fast machine.
	a.Send(testkit.Command("EVAL", "redis.call('GET', KEYS[1]) while true do pcall(type, 1) end", "1", key))
	soon(t, "others are served, and count", func() bool { return b.Do("INCR", key).Int > 1 })
	expect(t, b, "$", "GET", key)
	soon(t, "the script is ended", func() bool { return string(b.Do("SCRIPT", "KILL").Raw) == "+OK\r\n" })
	if got, err := a.Receive(patience); err != nil || !strings.Contains(string(got.Str), "killed") {
		t.Errorf("the script: %s, %v", show(got.Raw), err)
	}
	expect(t, b, "-NOTBUSY", "SCRIPT", "KILL")
	expect(t, a, ":", "EVAL", "return redis.call('INCR', KEYS[1])", "1", key)
}

// What a script writes is within the tenant's quota.
func TestScriptsWithinAQuota(t *testing.T) {
	t.Parallel()
	o := quotaOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	o.Policy, o.Users = unsealed(t), scripters()
	c := testkit.StartLethe(t, o).Dial(t, reader)
	const script = "for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1]) end return #KEYS"
	expect(t, c, ":1", "EVAL", script, "1", "TENANT001:lock:1", strings.Repeat("x", 600<<10))
	expect(t, c, usedUp, "EVAL", script, "1", "TENANT001:lock:2", strings.Repeat("x", 600<<10))
	expect(t, c, ":0", "EXISTS", "TENANT001:lock:2")
	expect(t, c, usedUp, "EVAL", script, "3", "TENANT001:lock:3", "TENANT001:lock:4", "TENANT001:lock:5", strings.Repeat("x", 200<<10))
	expect(t, c, ":1", "EVAL", "return redis.call('DEL', KEYS[1])", "1", "TENANT001:lock:1")
	soon(t, "there is room", func() bool {
		return c.Do("EVAL", script, "1", "TENANT001:lock:2", strings.Repeat("x", 600<<10)).Int == 1
	})
}

// nothingSealed is the policy of the comparisons with seal: off.
func nothingSealed(t *testing.T) string {
	t.Helper()
	return everythingWith(t, "seal: off")
}

// everythingWith is the policy of the comparisons with one more field of its category.
func everythingWith(t *testing.T, field string) string {
	t.Helper()
	text, err := os.ReadFile(singleTenant)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte("phi: false"), []byte("phi: false\n    "+field)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// With seal: off everything holds in front of an upstream that holds in the embedded engine, arithmetic and scripts too. What is
// left is what reaches beyond its keys.
func TestSameRepliesAsRedisWithSealOff(t *testing.T) {
	t.Parallel()
	p, _ := inFront(t, nothingSealed(t))
	sealed := map[string]bool{}
	for _, s := range scripts(t) {
		if !slices.Contains(unsealedGroups, s.group) {
			continue
		}
		t.Run(s.group, func(t *testing.T) {
			for _, c := range s.cases {
				t.Run(c.title, func(t *testing.T) {
					d := p.dial(t, "3")
					d.lethe.Do("FLUSHALL") // integers are not found by KEYS
					d.runSealedCase(t, s, c, sealed)
				})
			}
		})
	}
	if got := slices.Sorted(maps.Keys(sealed)); !slices.Equal(got, beyondKeys) {
		t.Errorf("answered SEALED:\n%q\nexpected:\n%q", got, beyondKeys)
	}
}

// beyondKeys are the commands that end a case with SEALED even so.
var beyondKeys = []string{"EXEC", "OBJECT", "SORT", "SORT_RO"}

// unsealedGroups are those in which commands are that sealed entries refuse. SCAN and its like do not find integers in clear.
var unsealedGroups = []string{"bitmaps", "generic", "hash", "scripting", "sort", "string", "transactions"}

// One gateway runs scripts, the other counts, at the same entry: no count is lost, and none is doubled.
func TestNoCountIsLostBetweenGateways(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, testkit.LetheOptions{Policy: unsealed(t), Flags: upstreamFlags(behind), Users: scripters()})
	const key, each = "TENANT001:rate:shared", 300
	done := make(chan error, 4)
	count := func(l *testkit.Lethe, args ...string) {
		c := l.Dial(t, reader)
		go func() {
			for n := 0; n < each; {
				switch got := c.Do(args...); {
				case len(got.Raw) > 0 && got.Raw[0] == ':':
					n++
				case !strings.HasPrefix(string(got.Str), "TRYAGAIN "):
					done <- errAnswered(show(got.Raw))
					return
				}
			}
			done <- nil
		}()
	}
	const script = "local n = tonumber(redis.call('GET', KEYS[1]) or '0') + 1 redis.call('SET', KEYS[1], n, 'KEEPTTL') return n"
	count(both[0], "EVAL", script, "1", key)
	count(both[0], "EVAL", "return redis.call('INCR', KEYS[1])", "1", key)
	count(both[1], "INCR", key)
	count(both[1], "EVAL", script, "1", key)
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := string(both[0].Dial(t, reader).Do("GET", key).Str); got != strconv.Itoa(4*each) {
		t.Errorf("counted %s times, want %d", got, 4*each)
	}
}

type errAnswered string

func (e errAnswered) Error() string { return "answered " + string(e) }
