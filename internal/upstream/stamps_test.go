package upstream_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Two gateways may give one stamp at the same moment. What one has made anew is not taken for what the other one has taken
// away, and not removed.
func TestStampsOfTwoGatewaysMayBeTheSame(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	var now atomic.Int64
	now.Store(time.Now().UnixMilli())
	at := func() *gateway {
		g := newGateway(t, o, "phi")
		g.clock.Wall = func() time.Time { return time.UnixMilli(now.Load()) }
		joinBus(t, g)
		return g
	}
	g, other := at(), at()
	for last := range uint64(16) {
		key := fmt.Sprint("k", last)
		now.Add(10)
		before := g.backend.Stamp()
		g.do("RPUSH", key, "a")
		g.expect("$1\r\na\r\n", "LPOP", key)
		for other.backend.Stamp() < before+last {
		}
		other.expect(":1\r\n", "RPUSH", key, "b")
		g.expect(":1\r\n", "LLEN", key)
		other.expect("$1\r\nb\r\n", "LPOP", key)
	}
	if alarms := g.sink.takeAlarms() + other.sink.takeAlarms(); alarms != "" {
		t.Errorf("alarms: %s", alarms)
	}
}
