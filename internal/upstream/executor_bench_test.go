package upstream_test

import (
	"context"
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
	g.do("XADD", "TENANT001:stream:read", "*", "field", value)
	g.do("XGROUP", "CREATE", "TENANT001:stream:read", "group", "$")
	for _, args := range [][]string{
		{"GET", "TENANT001:patient:12345"}, {"SET", "TENANT001:patient:12345", value},
		{"HGET", "TENANT001:session:12345", "field"}, {"HSET", "TENANT001:session:12345", "field", value},
		{"XADD", "TENANT001:stream:12345", "*", "field", value}, {"XRANGE", "TENANT001:stream:read", "-", "+", "COUNT", "1"},
		{"XREADGROUP", "GROUP", "group", "consumer", "COUNT", "1", "STREAMS", "TENANT001:stream:read", ">"},
	} {
		for _, batch := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", args[0], batch), func(b *testing.B) { g.measure(b, redis.PID(), batch, args) })
		}
	}
}

// BenchmarkNear measures reads of what is kept near, and the same reads without. A hash of 20 fields of 64 bytes.
func BenchmarkNear(b *testing.B) {
	redis := testkit.StartRedis(b, testkit.RedisOptions{})
	o := unixOptions(redis)
	o.NearBytes = 1 << 20
	g := newGateway(b, o, "reference").alone()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { g.backend.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	g.do("SET", "text", strings.Repeat("x", 512))
	for i := range 20 {
		g.do("HSET", "hash", fmt.Sprint("field", i), strings.Repeat("x", 64))
	}
	for _, args := range [][]string{{"GET", "text"}, {"HGET", "hash", "field7"}, {"HGETALL", "hash"}} {
		for _, near := range []bool{false, true} {
			g.place.Near = near
			if near {
				before := g.backend.Near().Hits
				eventually(b, "it is kept", func() bool { g.do(args...); return g.backend.Near().Hits > before })
			}
			b.Run(fmt.Sprintf("%s/near=%v", args[0], near), func(b *testing.B) { g.measure(b, redis.PID(), 1, args) })
		}
	}
}

// measure runs calls of different sessions together, all of them alike or taking turns.
func (g *gateway) measure(b *testing.B, server, batch int, lines ...[]string) {
	tasks := make([]*upstream.Task, batch)
	calls := make([]*command.Call, batch)
	for i := range calls {
		calls[i] = g.call(lines[i%len(lines)]...)
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
		b.Errorf("%s failed: %s", lines[0][0], calls[0].Out.Bytes())
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
