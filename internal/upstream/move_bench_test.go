package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// BenchmarkMove measures a move from a queue of so many jobs of 256 bytes to its own other end, and to and fro between two queues.
func BenchmarkMove(b *testing.B) {
	redis := testkit.StartRedis(b, testkit.RedisOptions{})
	for _, jobs := range []int{10, 10_000} {
		g := newGateway(b, unixOptions(redis), "phi").alone()
		from, to := fmt.Sprint("from", jobs), fmt.Sprint("to", jobs)
		for i := range jobs {
			g.do("RPUSH", from, fmt.Sprint(i)+strings.Repeat("x", 256))
		}
		g.do("RPUSH", to, "job")
		b.Run(fmt.Sprintf("jobs=%d/other", jobs), func(b *testing.B) {
			g.measure(b, redis.PID(), 2, []string{"LMOVE", from, to, "LEFT", "RIGHT"}, []string{"LMOVE", to, from, "RIGHT", "LEFT"})
		})
		b.Run(fmt.Sprintf("jobs=%d/itself", jobs), func(b *testing.B) {
			g.measure(b, redis.PID(), 1, []string{"LMOVE", from, from, "LEFT", "RIGHT"})
		})
	}
}
