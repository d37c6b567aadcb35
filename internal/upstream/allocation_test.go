//go:build !race

// Under the race detector the compiler moves more to the heap.

package upstream_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// What a cache does all day makes no garbage, together or alone. Not parallel: it counts the allocations of the process.
func TestStringsAreReadAndWrittenWithoutAllocation(t *testing.T) {
	g := newGateway(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), "phi").alone()
	value := strings.Repeat("x", 512)
	for _, args := range [][]string{{"SET", "A:patient:1", value}, {"GET", "A:patient:1"}} {
		for _, together := range []int{1, 16} {
			if n := g.allocations(together, args); n > 0.5 { // the ring and the ledger may grow in between
				t.Errorf("%d of %s together allocate %.1f times", together, args[0], n)
			}
		}
	}
}

func (g *gateway) allocations(together int, args []string) float64 {
	tasks, calls := make([]*upstream.Task, together), make([]*command.Call, together)
	for i := range calls {
		calls[i] = g.call(args...)
		tasks[i] = &upstream.Task{Call: calls[i], Keys: g.places(calls[i]), Session: uint64(i)}
	}
	n := testing.AllocsPerRun(50, func() {
		now := g.clock.Now()
		for _, c := range calls {
			c.Out.Reset()
			c.Now, c.WallNow = now, now
		}
		g.x.Batch(tasks)
	})
	for _, c := range calls {
		if c.Failed {
			g.t.Fatalf("%s failed: %s", args[0], c.Out.Bytes())
		}
	}
	return n
}
