package gateway_test

import (
	"context"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

// The step by itself: what it lets pass and what it stops.
func TestTheStepOfConsent(t *testing.T) {
	t.Parallel()
	const fence = 10 * time.Minute
	h := newHarness(t)
	store := consent.NewStore(h.clock, fence)
	byKeys, byValues := h.gateway.NewConsent(store), h.gateway.NewConsent(store, "phi")
	f := func(call, want string) {
		t.Helper()
		if got := h.worker.Consents(byKeys, h.session, call); got != want {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
		if got := h.worker.Consents(byValues, h.session, call); got != want {
			t.Errorf("%s with values searched: %q, want %q", call, got, want)
		}
	}
	change := consent.Change{ID: "ABCDEFGHIJKLMNOPQRST", Action: consent.Revoke, Tenant: "TENANT001", Subject: "1", Since: h.clock.Wall()}
	h.ok("SET TENANT001:patient:1 x")
	h.ok("SET TENANT001:patient:2 x")
	f("GET TENANT001:patient:1", "")
	store.Apply(&change)
	const refused = "-CONSENT the consent for this entry was withdrawn\r\n"
	f("GET TENANT001:patient:1", refused)
	f("MGET TENANT001:patient:2 TENANT001:patient:1", refused)
	f("DEL TENANT001:patient:1:labs", refused)
	f("GET TENANT001:patient:2", "")
	f("GET TENANT001:session:1", "")
	f("PING", "")
	var erased []string
	if err := byKeys.Erase(context.Background(), &change, func(_ string, key []byte) { erased = append(erased, string(key)) }, nil); err != nil {
		t.Fatal(err)
	}
	if len(erased) != 1 || erased[0] != "TENANT001:patient:1" {
		t.Errorf("erased %v", erased)
	}
	change.Action, change.Since = consent.Restore, h.clock.Wall()
	store.Apply(&change)
	f("GET TENANT001:patient:1", "")
	f("DEL TENANT001:patient:1", "")
	f("SET TENANT001:patient:1 late", "-CONSENT the consent for this entry was withdrawn until a short time ago, and nothing is stored yet\r\n")
	h.clock.now += fence.Milliseconds()
	f("SET TENANT001:patient:1 new", "")
}

func BenchmarkConsentStep(b *testing.B) {
	for _, n := range []int{0, 100_000} {
		b.Run(map[int]string{0: "none", 100_000: "100000"}[n], func(b *testing.B) {
			c := clock{now: 5_000_000, wall: 1_700_000_000_000}
			store := consent.NewStore(&c, time.Minute)
			subject := []byte("12345")
			for i := range n {
				store.Apply(&consent.Change{Action: consent.Revoke, Tenant: "TENANT001", Subject: string(rune('a'+i%26)) + time.Duration(i).String()})
			}
			for b.Loop() {
				if store.Any() && store.State("TENANT001", subject, c.now) != consent.Clear {
					b.Fatal("revoked")
				}
			}
		})
	}
}
