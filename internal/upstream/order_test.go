package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Clients whose commands are in one round write one entry together, as many as there are: all of it is done, in some order, and
// nobody is told to try again.
func TestManyWriteOneEntryTogether(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g := joined(t, unixOptions(redis))
	together := func(n int, line string) (replies map[string]int) {
		t.Helper()
		var tasks []*upstream.Task
		for i := range n {
			c := g.call(strings.Fields(strings.ReplaceAll(line, "#", fmt.Sprint(i)))...)
			tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c), Session: uint64(i + 1)})
		}
		g.x.Batch(tasks)
		replies = map[string]int{}
		for _, one := range tasks {
			if got := string(one.Call.Out.Bytes()); got[0] == '-' {
				t.Errorf("%s: %q", line, got)
			} else {
				replies[got]++
			}
		}
		return replies
	}
	f := func(before, line, after, want string) {
		t.Helper()
		for _, n := range []int{2, 25, 150} {
			if before != "" {
				g.do(strings.Fields(before)...)
			}
			together(n, line)
			g.expect(strings.ReplaceAll(want, "#", fmt.Sprint(n)), strings.Fields(strings.ReplaceAll(after, "#", fmt.Sprint(n)))...)
			g.do("DEL", "k", "other")
		}
	}
	f("", "RPUSH k v#", "LLEN k", ":#\r\n")
	f("", "HSET k f# v", "HLEN k", ":#\r\n")
	f("", "SADD k m#", "SCARD k", ":#\r\n")
	f("", "ZADD k 1 m#", "ZCARD k", ":#\r\n")
	f("", "XADD k * f v", "XLEN k", ":#\r\n")
	f("", "ZINCRBY k 1 m", "ZCOUNT k # #", ":1\r\n")
	f("SET k v", "EXPIRE k 100", "EXISTS k", ":1\r\n")
	f("SADD k m", "SMOVE k other m", "SCARD other", ":1\r\n")
	g.do("SADD", "k", "m")
	if got := together(50, "RENAME k k"); got["+OK\r\n"] != 50 {
		t.Errorf("RENAME: %v", got)
	}
	g.do("DEL", "k")
	if got := together(200, "SET k v# NX"); got[ok] != 1 || got[null] != 199 {
		t.Errorf("of 200 who take a lock: %v", got)
	}
	g.do("DEL", "k")
	for i := range 100 {
		g.do("RPUSH", "k", fmt.Sprint(i))
	}
	if got := together(150, "LPOP k"); len(got) != 101 || got[null] != 50 {
		t.Errorf("150 pops of 100 elements have %d different replies, %d null", len(got), got[null])
	}
	g.expectAlarm("")
}

// Those who wait for each other's entries go on.
func TestNobodyWaitsForEver(t *testing.T) {
	t.Parallel()
	g := joined(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})))
	for round := range 20 {
		var tasks []*upstream.Task
		for i := range 60 {
			from, to := fmt.Sprint("s", i%3), fmt.Sprint("s", (i+1+round%2)%3)
			line := []string{"SADD", from, fmt.Sprint(i)}
			switch i % 4 {
			case 1:
				line = []string{"SMOVE", from, to, fmt.Sprint(i - 3)}
			case 2:
				line = []string{"SUNIONSTORE", from, from, to}
			case 3:
				line = []string{"DEL", from, to}
			}
			c := g.call(line...)
			tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c), Session: uint64(i + 1)})
		}
		g.x.Batch(tasks)
		for _, one := range tasks {
			if got := string(one.Call.Out.Bytes()); got[0] != ':' {
				t.Errorf("%q", got)
			}
		}
	}
}
