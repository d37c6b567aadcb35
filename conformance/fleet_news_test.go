package conformance

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A message that is published at one gateway reaches the subscribers of its tenant at the other, and nobody else's.
func TestMessagesReachTheOtherGateway(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, testkit.LetheOptions{Flags: upstreamFlags(behind), Users: []testkit.User{
		{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}, {Name: "other", Tenants: []string{"TENANT002"}, Rules: "~* &* +@all"}}})
	hears, matches, stranger := both[1].Dial(t, reader), both[1].Dial(t, reader), both[1].Dial(t, "other")
	expect(t, hears, "*3\r\n$9\r\nsubscribe", "SUBSCRIBE", "news")
	expect(t, matches, "*3\r\n$10\r\npsubscribe", "PSUBSCRIBE", "n*")
	expect(t, stranger, "*3\r\n$9\r\nsubscribe", "SUBSCRIBE", "news")
	a := both[0].Dial(t, reader)
	expect(t, a, ":0", "PUBLISH", "news", "hello") // it counts its own subscribers, as a node of a cluster does
	for _, c := range []*testkit.Client{hears, matches} {
		if got, err := c.Receive(patience); err != nil || !strings.Contains(string(got.Raw), "hello") {
			t.Errorf("received %s, %v", show(got.Raw), err)
		}
	}
	expect(t, both[0].Dial(t, "other"), ":0", "PUBLISH", "news", "theirs")
	if got, err := stranger.Receive(patience); err != nil || !strings.Contains(string(got.Raw), "theirs") {
		t.Errorf("the other tenant's subscriber received %s, %v", show(got.Raw), err)
	}
	expect(t, a, "-SEALED", "PUBLISH", "news", strings.Repeat("x", 1_000_001))
}

// CLIENT PAUSE at one gateway holds commands back at the other, until it ends.
func TestAPauseHoldsAtTheOtherGateway(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, testkit.LetheOptions{Flags: upstreamFlags(behind), Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}})
	a, b := both[0].Dial(t, reader), both[1].Dial(t, reader)
	expect(t, a, "+OK", "CLIENT", "PAUSE", "60000", "WRITE")
	soon(t, "the other gateway is paused", func() bool {
		b.Send(testkit.Command("SET", patient, "v"))
		_, err := b.Receive(1500 * time.Millisecond)
		return err != nil
	})
	expect(t, a, "+OK", "CLIENT", "UNPAUSE")
	if got, err := b.Receive(patience); err != nil || string(got.Raw) != "+OK\r\n" {
		t.Errorf("after the pause: %s, %v", show(got.Raw), err)
	}
}

// A tenant's rate is one limit for all gateways: what two admit together is far below twice the limit.
func TestATenantsRateIsSharedByGateways(t *testing.T) {
	t.Parallel()
	const limit = 200
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, testkit.LetheOptions{Flags: append(upstreamFlags(behind), "--limits-tenant-rate", "200")})
	a, b := both[0].Dial(t, reader), both[1].Dial(t, reader)
	passed := func(c *testkit.Client) bool { return !c.Do("GET", "TENANT001:patient:1").IsError() }
	// One gateway alone uses the limit up in a second; then the other has nothing left in that second, sooner or later.
	soon(t, "the other gateway refuses what the first has admitted", func() bool {
		a.Send(bytes.Repeat(testkit.Command("GET", "TENANT001:patient:1"), limit+50)) // at once: one by one they might take longer than a second
		for range limit + 50 {
			if _, err := a.Receive(patience); err != nil {
				t.Fatal(err)
			}
		}
		refused := 0
		for range 20 {
			if !passed(b) {
				refused++
			}
		}
		return refused > 0
	})
}
