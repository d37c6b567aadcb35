package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/redis/rueidis"
)

// BenchmarkTransport is the measurement behind docs/design/0003-upstream.md: nine reads to one write of 640 bytes over a unix
// socket, so many of them in flight together, by this package's connection and by rueidis.
func BenchmarkTransport(b *testing.B) {
	server := testkit.StartRedis(b, testkit.RedisOptions{})
	value := strings.Repeat("x", 640)
	for _, batch := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("own/%d", batch), func(b *testing.B) { measure(b, server.PID(), func() { ownBatches(b, server.Socket, value, batch) }) })
		b.Run(fmt.Sprintf("rueidis/%d", batch), func(b *testing.B) {
			measure(b, server.PID(), func() { rueidisBatches(b, server.Socket, value, batch) })
		})
	}
}

// measure reports the processor time of both sides for each operation.
func measure(b *testing.B, server int, f func()) {
	b.ReportAllocs()
	mine, theirs := cpuTime(b, os.Getpid()), cpuTime(b, server)
	f()
	b.ReportMetric(float64(cpuTime(b, os.Getpid())-mine)/float64(b.N), "client-ns/op")
	b.ReportMetric(float64(cpuTime(b, server)-theirs)/float64(b.N), "server-ns/op")
}

// cpuTime is what a process has used, in nanoseconds.
func cpuTime(b *testing.B, pid int) int64 {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+2:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return (user + system) * 10_000_000
}

func ownBatches(b *testing.B, socket, value string, batch int) {
	raw, err := net.Dial("unix", socket)
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	c := newConn(raw, 1<<20)
	for i := 0; i < b.N; i += batch {
		for j := range batch {
			if (i+j)%10 == 0 {
				c.out = appendCommand(c.out, "SET", "k", value, "PXAT", "1999999999999")
			} else {
				c.out = appendCommand(c.out, "GET", "k")
			}
		}
		if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
			b.Fatal(err)
		}
		if err := c.flush(); err != nil {
			b.Fatal(err)
		}
		for range batch {
			if _, err := c.in.next(); err != nil {
				b.Fatal(err)
			}
		}
		c.in.release()
	}
}

func rueidisBatches(b *testing.B, socket, value string, batch int) {
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{"upstream:1"}, DisableCache: true, AlwaysRESP2: true, ForceSingleClient: true,
		DialCtxFn: func(ctx context.Context, _ string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return d.DialContext(ctx, "unix", socket)
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	commands := make(rueidis.Commands, 0, batch)
	for i := 0; i < b.N; i += batch {
		commands = commands[:0]
		for j := range batch {
			if (i+j)%10 == 0 {
				commands = append(commands, c.B().Arbitrary("SET").Keys("k").Args(value, "PXAT", "1999999999999").Build())
			} else {
				commands = append(commands, c.B().Get().Key("k").Build())
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		for _, r := range c.DoMulti(ctx, commands...) {
			if err := r.Error(); err != nil {
				b.Fatal(err)
			}
		}
		cancel()
	}
}
