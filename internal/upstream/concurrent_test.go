package upstream_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Many executors of two gateways write the same entries. What must be counted is counted, and nobody is taken for a liar.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	gateways := []*gateway{joined(t, unixOptions(redis)), joined(t, unixOptions(redis))}
	const writers, rounds = 3, 60
	var wait sync.WaitGroup
	for n, g := range gateways {
		for w := range writers {
			own := g.another(t)
			wait.Go(func() {
				for i := range rounds {
					id := fmt.Sprintf("%d-%d-%d", n, w, i)
					own.retry("SADD", "set", id)
					own.retry("HSET", "hash", id, "v")
					own.retry("RPUSH", "list", id)
					own.retry("ZINCRBY", "zset", "1", "member")
					own.retry("APPEND", "string", "x")
					own.retry("SET", "plain", id)
					own.retry("GET", "plain")
				}
			})
		}
	}
	wait.Wait()
	const all = 2 * writers * rounds
	for _, g := range gateways {
		g.expect(fmt.Sprintf(":%d\r\n", all), "SCARD", "set")
		g.expect(fmt.Sprintf(":%d\r\n", all), "HLEN", "hash")
		g.expect(fmt.Sprintf(":%d\r\n", all), "LLEN", "list")
		g.expect(fmt.Sprintf(":%d\r\n", all), "STRLEN", "string")
		g.expect(fmt.Sprintf("$3\r\n%d\r\n", all), "ZSCORE", "zset", "member")
		g.expectAlarm("")
	}
}

// retry repeats a command that others were faster than.
func (g *gateway) retry(args ...string) {
	for {
		got := g.do(args...)
		if !strings.HasPrefix(got, "-") {
			return
		}
		if !strings.HasPrefix(got, "-TRYAGAIN") {
			g.t.Errorf("%s: %q", args[0], got)
			return
		}
	}
}

// Calls of one session run in order, whatever is sent together.
func TestBatchesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	lines := []string{"SET k 1", "GET k", "SET k 2", "GET k", "APPEND k x", "GET k", "HSET h f v", "HGET h f", "DEL h", "HGET h f", "RPUSH l a", "RPUSH l b", "LRANGE l 0 -1", "DEL k", "GET k"}
	want := []string{ok, "$1\r\n1\r\n", ok, "$1\r\n2\r\n", ":2\r\n", "$2\r\n2x\r\n", ":1\r\n", "$1\r\nv\r\n", ":1\r\n", null, ":1\r\n", ":2\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", ":1\r\n", null}
	var tasks []*upstream.Task
	for _, line := range lines {
		for session := range uint64(3) {
			args := fields(line)
			args[1] = fmt.Sprint(session) + args[1]
			c := g.call(args...)
			tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c), Session: session})
		}
	}
	g.x.Batch(tasks)
	for i, task := range tasks {
		if got := string(task.Call.Out.Bytes()); got != want[i/3] {
			t.Errorf("%s: got %q, want %q", lines[i/3], got, want[i/3])
		}
	}
}
