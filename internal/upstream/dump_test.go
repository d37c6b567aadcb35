package upstream_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// DUMP gives a value in Redis's own form, as the embedded engine does, and RESTORE makes an entry of it, sealed and with a
// deadline, also in the place of another one. A stream has no sealed form.
func TestDumpAndRestore(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	direct := redis.Dial(t)
	g := newGateway(t, unixOptions(redis), "phi").alone()
	values := []struct{ fill, read []string }{
		{[]string{"SET", "from", "a value of a patient"}, []string{"GET"}},
		{[]string{"HSET", "from", "f", "v"}, []string{"HGETALL"}},
		{[]string{"SADD", "from", "m"}, []string{"SMEMBERS"}},
		{[]string{"RPUSH", "from", "a", "b", "a"}, []string{"LRANGE", "0", "-1"}},
		{[]string{"ZADD", "from", "1.5", "m", "2", "n"}, []string{"ZRANGE", "0", "-1", "WITHSCORES"}},
	}
	at := func(read []string, key string) []string { return append([]string{read[0], key}, read[1:]...) }
	for _, v := range values {
		g.do("DEL", "from", "to")
		g.do(v.fill...)
		whole := embedded(t, "phi")
		whole.do(v.fill...)
		dumped := g.do("DUMP", "from")
		if want := whole.do("DUMP", "from"); dumped != want {
			t.Errorf("%s: dumped %q, the embedded engine %q", v.fill[0], dumped, want)
		}
		_, payload, _ := strings.Cut(dumped, "\r\n")
		payload = strings.TrimSuffix(payload, "\r\n")
		g.expect(ok, "RESTORE", "to", "0", payload)
		g.expect(g.do(at(v.read, "from")...), at(v.read, "to")...)
		g.expect("-BUSYKEY Target key name already exists.\r\n", "RESTORE", "to", "0", payload)
		for _, other := range values { // whatever was there
			g.do("DEL", "to")
			g.do(append([]string{other.fill[0], "to"}, other.fill[2:]...)...)
			g.expect(ok, "RESTORE", "to", "100000", payload, "REPLACE")
			g.expect(g.do(at(v.read, "from")...), at(v.read, "to")...)
			if left := g.do("PTTL", "to"); len(left) > len(":100000\r\n") || left[1] == '-' {
				t.Errorf("%s over %s: PTTL %q", v.fill[0], other.fill[0], left)
			}
		}
	}
	g.expect("$-1\r\n", "DUMP", "none")
	direct.Do("XADD", "s", "1-1", "f", "v")
	stream := string(direct.Do("DUMP", "s").Str)
	direct.Do("DEL", "s")
	g.do("DEL", "to")
	if got := g.do("RESTORE", "to", "0", stream); !strings.HasPrefix(got, "-SEALED streams ") {
		t.Errorf("a stream: %q", got)
	}
	g.expect(":0\r\n", "EXISTS", "to")
	g.expectAlarm("")
}
