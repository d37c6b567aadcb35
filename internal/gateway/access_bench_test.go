package gateway_test

import (
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
)

// BenchmarkAccess is what it costs to check a connection's right to a command whose keys are placed: permissions, key
// patterns, tenants, rates, categories and purpose. It has to stay under 200 ns.
func BenchmarkAccess(b *testing.B) {
	for _, c := range []struct {
		name, rules, call string
		attributes        map[string]string
	}{
		{"default/GET", "", "GET TENANTA:patient:12345", nil},
		{"bounded/GET", "~TENANTA:* +@read", "GET TENANTA:patient:12345",
			map[string]string{"rate": "1000000000", "categories": "phi,session", "purposes": "treatment", "sources": "192.0.2.0/24"}},
		{"two roles/GET", "", "GET TENANTA:patient:12345", map[string]string{"roles": "operator,read-only"}},
		{"third pattern/GET", "~a:* %W~b:* %R~*:patient:[0-9]* +@read", "GET TENANTA:patient:12345", nil},
		{"default/MGET of 10", "", "MGET TENANTA:s:1 TENANTA:s:2 TENANTA:s:3 TENANTA:s:4 TENANTA:s:5 TENANTA:s:6 TENANTA:s:7 TENANTA:s:8 TENANTA:s:9 TENANTA:s:0", nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := newHarness(b)
			h.gateway.Bound(gateway.Bounds{TenantRate: 1_000_000_000, Life: time.Hour, Usage: identity.OpenUsage(b.TempDir()+"/usage", h.gateway.Table)})
			s := h.login("bench", "TENANTA", c.rules)
			if len(c.attributes) > 0 {
				err := h.gateway.Directory.Update(func(d *identity.Draft) error { return d.Set("bench", identity.Change{Attributes: c.attributes}) })
				if err != nil {
					b.Fatal(err)
				}
			}
			check := h.worker.CheckAccess(s, c.call)
			if check == nil || !check() {
				b.Fatal("the command is refused")
			}
			b.ReportAllocs()
			for b.Loop() {
				check()
			}
		})
	}
}
