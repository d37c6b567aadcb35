package upstream_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// BenchmarkExecutor measures what sealing and the way to the upstream cost: so many calls of different connections together.
func BenchmarkExecutor(b *testing.B) {
	redis := testkit.StartRedis(b, testkit.RedisOptions{})
	g := newGateway(b, unixOptions(redis), "phi").alone()
	value := strings.Repeat("x", 512)
	g.do("SET", "TENANT001:patient:12345", value)
	g.do("HSET", "TENANT001:session:12345", "field", value, "other", value)
	for _, args := range [][]string{
		{"GET", "TENANT001:patient:12345"}, {"SET", "TENANT001:patient:12345", value},
		{"HGET", "TENANT001:session:12345", "field"}, {"HSET", "TENANT001:session:12345", "field", value},
	} {
		for _, batch := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", args[0], batch), func(b *testing.B) { g.measure(b, redis.PID(), batch, args) })
		}
	}
}

func (g *gateway) measure(b *testing.B, server, batch int, args []string) {
	tasks := make([]*upstream.Task, batch)
	calls := make([]*command.Call, batch)
	for i := range calls {
		calls[i] = g.call(args...)
		tasks[i] = &upstream.Task{Call: calls[i], Keys: g.places(calls[i]), Session: uint64(i)}
	}
	b.ReportAllocs()
	mine, theirs := cpu(b, os.Getpid()), cpu(b, server)
	for i := 0; i < b.N; i += batch {
		now := g.clock.Now()
		for _, c := range calls {
			c.Out.Reset()
			c.Now, c.WallNow = now, now
		}
		g.x.Batch(tasks)
	}
	b.ReportMetric(float64(cpu(b, os.Getpid())-mine)/float64(b.N), "gateway-ns/op")
	b.ReportMetric(float64(cpu(b, server)-theirs)/float64(b.N), "upstream-ns/op")
	if calls[0].Failed {
		b.Errorf("%s failed: %s", args[0], calls[0].Out.Bytes())
	}
}

// cpu is the processor time of a process in nanoseconds.
func cpu(b *testing.B, pid int) int64 {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+2:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return (user + system) * 10_000_000
}
