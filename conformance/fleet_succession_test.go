package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// What a gateway has written that is killed is recorded as expired by one of the others, once, with its names.
func TestEntriesOfAKilledGatewayExpireWithARecord(t *testing.T) {
	t.Parallel()
	const entries = 200
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := testkit.LetheOptions{Flags: upstreamFlags(behind), Plain: true}
	all := fleetOf(t, 3, o)
	c, other := all[2].Dial(t, reader), all[1].Dial(t, reader)
	at := nameable(15 * time.Second)
	for i := range entries {
		key := fmt.Sprintf("TENANT001:patient:%d", i)
		if i%4 != 0 {
			expect(t, c, "+OK", "SET", key, "value", "PXAT", at)
			continue
		}
		expect(t, c, ":1", "HSET", key, "f", "v")
		expect(t, c, ":1", "PEXPIREAT", key, at)
	}
	all[2].Kill(t)
	for i := range 10 {
		expect(t, other, ":1", "DEL", fmt.Sprintf("TENANT001:patient:%d", i))
	}
	var expired map[string]int
	count := func() int {
		expired = expirations(t, all[0])
		for entry, n := range expirations(t, all[1]) {
			expired[entry] += n
		}
		return len(expired)
	}
	const want = entries - 10
	soon(t, "the first expirations are recorded", func() bool { return count() > 0 })
	soon(t, "all expirations are recorded", func() bool { return count() >= want })
	soon(t, "nothing is left upstream", func() bool { return len(behind.Dial(t).Do("KEYS", "l:*").Elems) == 0 })
	if n := count(); n != want {
		t.Errorf("%d entries are recorded as expired, want %d", n, want)
	}
	inherited := func(what string) float64 {
		return all[0].Metric(t, "lethe_upstream_inherited_"+what) + all[1].Metric(t, "lethe_upstream_inherited_"+what)
	}
	if taken, recorded := inherited("entries_total"), inherited("expirations_total"); taken < want || recorded != want {
		t.Errorf("metrics tell of %v entries taken over and %v recorded, want %d", taken, recorded, want)
	}
	for entry, n := range expired {
		if n != 1 || entry == "" {
			t.Errorf("an expiration is recorded %d times, or without a name", n)
		}
	}
}

// A gateway that was only stopped, for so long that another one took its entries over, records none of them a second time when
// it goes on. -long stops it until they have ended.
func TestEntriesOfAStoppedGatewayExpireOnce(t *testing.T) {
	t.Parallel()
	const entries = 50
	pause := 8 * time.Second
	if *long {
		pause = 20 * time.Second
	}
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, testkit.LetheOptions{Flags: upstreamFlags(behind), Plain: true})
	c, at := both[1].Dial(t, reader), nameable(15*time.Second)
	for i := range entries {
		expect(t, c, "+OK", "SET", fmt.Sprintf("TENANT001:patient:%d", i), "value", "PXAT", at)
	}
	stop(t, both[1])
	<-time.After(pause) // how long it is stopped is what is tested
	resume(t, both[1])
	soon(t, "all expirations are recorded by the other gateway", func() bool { return len(expirations(t, both[0])) == entries })
	soon(t, "it serves again", func() bool {
		return string(c.Do("SET", "TENANT001:patient:behind", "value", "PX", "2000").Raw) == "+OK\r\n"
	})
	soon(t, "its own queue has come so far", func() bool { return len(expirations(t, both[1])) > 0 })
	if n := len(expirations(t, both[1])); n != 1 {
		t.Errorf("%d expirations are recorded a second time", n-1)
	}
}

// nameable is a deadline after so long, or a little more, in Unix milliseconds. Data keys live to the end of a slice of 4,096 ms, and
// without its key an expiration is recorded without a name: almost all of the slice is left for it.
func nameable(after time.Duration) string {
	const slice = 4096
	at := time.Now().Add(after).UnixMilli()
	if at%slice == 0 || at%slice > 500 {
		at += slice - at%slice + 100
	}
	return strconv.FormatInt(at, 10)
}

// expirations counts the expirations of patients' entries in a gateway's audit by entry.
func expirations(t *testing.T, l *testkit.Lethe) map[string]int {
	t.Helper()
	out, stderr, code := l.CLI(t, "", "audit", "search", "--json", "--limit", "0", "--outcome", "expired", "--category", "phi")
	if code != 0 {
		t.Fatalf("audit search: %s", stderr)
	}
	all := map[string]int{}
	for line := range strings.Lines(out) {
		var e auditEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all[e.Entry]++
	}
	return all
}
