package upstream_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// DUMP gives a value in Redis's own form, as the embedded engine does, and RESTORE makes an entry of it, sealed and with a
// deadline, also in the place of another one.
func TestDumpAndRestore(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g := newGateway(t, unixOptions(redis), "phi").alone()
	values := []struct{ fill, read []string }{
		{[]string{"SET", "from", "a value of a patient"}, []string{"GET"}},
		{[]string{"HSET", "from", "f", "v"}, []string{"HGETALL"}},
		{[]string{"SADD", "from", "m"}, []string{"SMEMBERS"}},
		{[]string{"RPUSH", "from", "a", "b", "a"}, []string{"LRANGE", "0", "-1"}},
		{[]string{"XADD", "from", "1-1", "f", "v", "g", "w"}, []string{"XRANGE", "-", "+"}},
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
	g.expectAlarm("")
}

// A stream is restored with its groups, what their consumers were given, and what of that is deleted: trimmed from the front,
// which the stream does not count, or taken out of it.
func TestStreamsAreRestoredWhole(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	direct := redis.Dial(t)
	g := newGateway(t, unixOptions(redis), "phi").alone()
	for _, end := range []string{"", "XDEL s 2-1 5-1", "XTRIM s MINID 3", "XTRIM s MAXLEN 0", "XDEL s 1-1 2-1 3-1 4-1 5-1", "XSETID s 9-9 ENTRIESADDED 20 MAXDELETEDID 8-8"} {
		lines := "DEL s|XADD s 1-1 f v|XADD s 2-1 f v g w|XADD s 3-1 a b|XADD s 4-1 1 2|XADD s 5-1 f v|XGROUP CREATE s g 0|XGROUP CREATE s none $|XGROUP CREATECONSUMER s none idle|" +
			"XREADGROUP GROUP g one COUNT 2 STREAMS s >|XREADGROUP GROUP g two COUNT 2 STREAMS s >|XCLAIM s g two 0 1-1 TIME 1000 RETRYCOUNT 7 JUSTID|" + end
		for _, line := range strings.Split(strings.TrimSuffix(lines, "|"), "|") {
			direct.Do(fields(line)...)
		}
		whole := embedded(t, "phi")
		whole.expectSame(g.side, "RESTORE", "s", "0", string(direct.Do("DUMP", "s").Str))
		direct.Do("DEL", "s")
		for _, read := range []string{"XRANGE s - +", "XLEN s", "DUMP s"} {
			want, got := whole.do(fields(read)...), g.do(fields(read)...)
			if read == "DUMP s" {
				want, got = stillStreams(t, direct, want), stillStreams(t, direct, got)
			}
			if got != want {
				t.Errorf("%q, %s: got %q, want %q", end, read, got, want)
			}
		}
		g.expect(":1\r\n", "DEL", "s")
	}
	g.expectAlarm("")
}

// stillStreams is what a dumped stream is, without when its consumers were seen, and, where the server knows that, active.
func stillStreams(t *testing.T, direct *testkit.Client, dumped string) string {
	t.Helper()
	_, payload, _ := strings.Cut(dumped, "\r\n")
	direct.Do("RESTORE", "s", "0", strings.TrimSuffix(payload, "\r\n"))
	full := string(direct.Do("XINFO", "STREAM", "s", "FULL", "COUNT", "0").Raw)
	direct.Do("DEL", "s")
	return seenTime.ReplaceAllString(full, "")
}

var seenTime = regexp.MustCompile(`(?:seen|active)-time\r\n:-?\d+\r\n`)
