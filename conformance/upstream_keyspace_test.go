package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// What the cluster view tells of keys is about their real names, not about where the upstream has them; keyspace events
// of new keys, which would not always come, are refused.
func TestSlotsAndKeyspaceEventsInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: append(upstreamFlags(behind), "--cluster", "view"),
		Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}})
	c := lethe.Dial(t, reader)
	f := func(want string, args ...string) {
		t.Helper()
		if r := c.Do(args...); !strings.HasPrefix(string(r.Raw), want) {
			t.Errorf("%q: %s, want %q", args, show(r.Raw), want)
		}
	}
	const tagged = "TENANT001:patient:{1}"
	f("+OK", "SET", tagged, "v")
	f(":1", "HSET", tagged+":h", "f", "v")
	f("+OK", "SET", "TENANT001:patient:other", "v")
	slot := fmt.Sprint(c.Do("CLUSTER", "KEYSLOT", tagged).Int)
	f(":2\r\n", "CLUSTER", "COUNTKEYSINSLOT", slot)
	if r := c.Do("CLUSTER", "GETKEYSINSLOT", slot, "10"); len(r.Elems) != 2 || !strings.Contains(string(r.Raw), tagged+"\r\n") {
		t.Errorf("GETKEYSINSLOT: %s", show(r.Raw))
	}
	f("-SEALED ", "CONFIG", "SET", "notify-keyspace-events", "KEAn")
	f("+OK", "CONFIG", "SET", "notify-keyspace-events", "KEA")
	f("+OK", "CONFIG", "SET", "notify-keyspace-events", "")
}
