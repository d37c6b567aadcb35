package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// together runs commands of different connections as one batch.
func (g *gateway) together(all ...[]string) (replies []string) {
	var tasks []*upstream.Task
	var calls []*command.Call
	for i, args := range all {
		c := g.call(args...)
		calls = append(calls, c)
		tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c), Session: uint64(i)})
	}
	g.x.Batch(tasks)
	for _, c := range calls {
		replies = append(replies, string(c.Out.Bytes()))
	}
	return replies
}

func reads(n int) (all [][]string) {
	for i := range n {
		all = append(all, []string{"GET", fmt.Sprintf("key%d", i)})
	}
	return all
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

// Reads that go out together have what each would have had alone, lies of the upstream included.
func TestReadsTogether(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	const n = 70
	for i := range n {
		g.expect(ok, "SET", fmt.Sprintf("key%d", i), fmt.Sprint("value", i))
		if i == 0 {
			first := o.only()
			defer func() {
				o.do("DEL", first)
				o.do("HSET", first, "a", "b")
				if got := g.together(reads(3)...); got[0] != null || got[1] != bulk("value1") {
					t.Errorf("beside a record that is no string any more: %q", got)
				}
				g.expectAlarm("altered A phi key0")
			}()
		}
	}
	o.do("CONFIG", "RESETSTAT")
	asked := append(reads(n), []string{"GET", "nothing"}, []string{"SET", "key1", "value1"}, []string{"GET", "key2"})
	got := g.together(asked...)
	for i := range n {
		if got[i] != bulk(fmt.Sprint("value", i)) {
			t.Errorf("key%d is %q", i, got[i])
		}
	}
	if got[n] != null || got[n+1] != ok || got[n+2] != bulk("value2") {
		t.Errorf("beside them: %q", got[n:])
	}
	if stats := string(o.do("INFO", "commandstats").Str); !strings.Contains(stats, "cmdstat_mget:calls=3") || !strings.Contains(stats, "cmdstat_get:calls=1") {
		t.Errorf("the upstream was asked otherwise:\n%s", stats)
	}
	g.expectAlarm("")
}

// Values that are too large for one reply together come all the same.
func TestLargeReadsTogether(t *testing.T) {
	t.Parallel()
	options := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	options.MaxReplyBytes = 256 << 10
	g := newGateway(t, options, "phi").alone()
	const n = 40
	value := strings.Repeat("x", 20<<10)
	for i := range n {
		g.expect(ok, "SET", fmt.Sprintf("key%d", i), value)
	}
	for range 2 {
		for i, got := range g.together(reads(n)...) {
			if got != bulk(value) {
				t.Errorf("key%d has a reply of %d bytes", i, len(got))
			}
		}
	}
	g.expectAlarm("")
}
