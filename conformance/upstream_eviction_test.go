package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// An upstream that evicts takes a record or its parts, whatever it comes upon. What is left of a collection is what was written since, and
// never anything older; nothing is an error, and nobody is accused.
func TestAnUpstreamThatEvicts(t *testing.T) {
	t.Parallel()
	n := testkit.StartNode(t, "--maxmemory-policy", "allkeys-random")
	one := testkit.StartLethe(t, testkit.LetheOptions{Flags: nodeFlags(n.Addr())})
	two := joining(t, one, testkit.LetheOptions{Flags: nodeFlags(n.Addr())})
	n.Do("CONFIG", "SET", "maxmemory", "4mb")
	var clients sync.WaitGroup
	for w := range 4 {
		c := [2]*testkit.Client{one.Dial(t, reader), two.Dial(t, reader)}
		clients.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			written := map[string][]string{}
			for i := range 2500 {
				at := c[r.IntN(2)]
				way := evictionWays[r.IntN(len(evictionWays))]
				key := fmt.Sprintf("%s:%d-%s-%d", patient, w, way.write, r.IntN(100))
				if r.IntN(3) > 0 {
					item := fmt.Sprintf("%08d%0150d", i, 0)
					if got := at.Do(way.calls(key, i, item)...); got.IsError() {
						t.Errorf("%s: %s", way.write, got.Str)
					}
					written[key] = append(written[key], item)
					continue
				}
				var got []string
				all := at.Do(append([]string{way.read, key}, way.all...)...)
				for _, e := range all.Elems {
					got = append(got, string(e.Str))
				}
				slices.Sort(got)
				want := written[key]
				if all.IsError() || len(got) > len(want) || !slices.Equal(got, want[len(want)-len(got):]) {
					t.Errorf("%s: %.60s; %d of %d, and not the last ones", way.read, all.Str, len(got), len(want))
				}
				written[key] = got
			}
		})
	}
	clients.Wait()
	if evicted := n.Do("INFO", "stats"); strings.Contains(evicted, "evicted_keys:0\r") {
		t.Error("nothing was evicted")
	}
	for _, g := range []*testkit.Lethe{one, two} {
		_, metrics := g.Get(t, "/metrics")
		for line := range strings.Lines(string(metrics)) {
			if strings.HasPrefix(line, "lethe_upstream_alarms_total") && !strings.HasSuffix(line, " 0\n") {
				t.Errorf("an alarm: %s", line)
			}
		}
	}
}

// evictionWay is how a collection is added to and read.
type evictionWay struct {
	write, read string
	all         []string
	calls       func(key string, i int, item string) []string
}

var evictionWays = []evictionWay{
	{"HSET", "HKEYS", nil, func(key string, _ int, item string) []string { return []string{"HSET", key, item, item} }},
	{"RPUSH", "LRANGE", []string{"0", "-1"}, func(key string, _ int, item string) []string { return []string{"RPUSH", key, item} }},
	{"SADD", "SMEMBERS", nil, func(key string, _ int, item string) []string { return []string{"SADD", key, item} }},
	{"ZADD", "ZRANGE", []string{"0", "-1"}, func(key string, i int, item string) []string { return []string{"ZADD", key, fmt.Sprint(i), item} }},
}
