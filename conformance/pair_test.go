package conformance

import (
	"fmt"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// pair is a redis-server and a Lethe side by side.
type pair struct {
	redis *testkit.Redis
	lethe *testkit.Lethe
}

// reader is the user of the comparisons: it may run everything.
const reader = "app"

func startPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{
		redis: testkit.StartRedis(t, testkit.RedisOptions{Reference: true}),
		lethe: testkit.StartLethe(t, testkit.LetheOptions{
			Policy: singleTenant,
			Users:  []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}},
		}),
	}
	p.redis.Dial(t).Do("ACL", "SETUSER", reader, "on", "nopass", "~*", "&*", "+@all") // for ACL GETUSER and its like
	return p
}

// duo is a connection to each, in the same protocol.
type duo struct {
	redis, lethe *testkit.Client
	protocol     string
}

func (p *pair) dial(t *testing.T, protocol string) *duo {
	t.Helper()
	d := &duo{redis: p.redis.Dial(t), lethe: p.lethe.Dial(t, reader), protocol: protocol}
	if protocol == "3" {
		d.redis.Do("HELLO", "3")
		d.lethe.Do("HELLO", "3")
	}
	return d
}

// run sends a call to both and returns in what the replies differ.
func (d *duo) run(c call) string {
	return differ(c, d.protocol, d.redis.Do(c.args...), d.lethe.Do(c.args...))
}

// empty removes all keys on both sides.
func (d *duo) empty(t *testing.T) {
	t.Helper()
	for name, c := range map[string]*testkit.Client{"redis-server": d.redis, "lethe": d.lethe} {
		keys := c.Do("KEYS", "*")
		if keys.IsError() {
			t.Fatalf("cannot list the keys of %s: %s", name, keys.Str)
		}
		if len(keys.Elems) == 0 {
			continue
		}
		args := []string{"DEL"}
		for _, k := range keys.Elems {
			args = append(args, string(k.Str))
		}
		if n := c.Do(args...); n.Int != int64(len(keys.Elems)) {
			t.Fatalf("%s removed %s of %d keys", name, show(n.Raw), len(keys.Elems))
		}
	}
}

// bothProtocols runs f for RESP2 and for RESP3.
func bothProtocols(t *testing.T, p *pair, f func(t *testing.T, d *duo)) {
	for _, protocol := range []string{"2", "3"} {
		t.Run(fmt.Sprintf("RESP%s", protocol), func(t *testing.T) { f(t, p.dial(t, protocol)) })
	}
}
