package upstream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Two gateways may give one stamp at the same moment. What one has made anew is not taken for what the other one has taken
// away, and not removed.
func TestStampsOfTwoGatewaysMayBeTheSame(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	g, other := joined(t, o), joined(t, o)
	now := time.Now()
	for _, one := range []*gateway{g, other} {
		one.clock.Wall = func() time.Time { return now }
	}
	g.do("LLEN", "k")
	for last := range uint64(16) {
		key := fmt.Sprint("k", last)
		now = now.Add(10 * time.Millisecond)
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
