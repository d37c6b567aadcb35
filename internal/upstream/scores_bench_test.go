package upstream_test

import (
	"fmt"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// BenchmarkScores measures reads and removals of a sorted set of 10,000 members of 16 bytes, with scores sealed and in clear.
func BenchmarkScores(b *testing.B) {
	redis := testkit.StartRedis(b, testkit.RedisOptions{})
	for _, clear := range []bool{false, true} {
		g := newGateway(b, unixOptions(redis), "measure").alone()
		g.place.ClearScores = clear
		for i := range 10_000 {
			g.do("ZADD", "z", fmt.Sprint(i), fmt.Sprintf("member-%09d", i))
		}
		for _, line := range [][]string{
			{"ZRANGE", "z", "0", "9"}, {"ZRANGEBYSCORE", "z", "5000", "+inf", "LIMIT", "0", "10"}, {"ZRANK", "z", "member-000005000"}, {"ZCOUNT", "z", "10", "5000"},
			{"ZREMRANGEBYSCORE", "z", "-inf", "-1"},
		} {
			b.Run(fmt.Sprintf("clear=%t/%s", clear, line[0]), func(b *testing.B) { g.measure(b, redis.PID(), 1, line) })
		}
	}
}
