package policy_test

import (
	"fmt"
	"testing"

	"github.com/lethe-cache/lethe/internal/policy"
)

func place(p *policy.Policy, key string) string {
	m := p.Match([]byte(key))
	return fmt.Sprintf("%s %s %q %q", m.Category.Name, m.Source, m.Tenant, m.Subject)
}

func TestDefaultPolicyPlacesRealKeys(t *testing.T) {
	p := policy.Default()
	f := func(key, want string) {
		t.Helper()
		if got := place(p, key); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	f("TENANT001:patient:12345", `phi key "TENANT001" "12345"`)
	f("TENANT001:patient:12345:meds", `phi key "TENANT001" "12345"`)
	f("patientData::TENANT001:patient:12345", `phi key "TENANT001" "12345"`)
	f("patientData::TENANT001:patient:12345:meds:active", `phi key "TENANT001" "12345"`)
	f("TENANT001:patientData::TENANT001:patient:1", `phi key "TENANT001" "1"`)
	f("TENANT001:patientData::TENANT002:patient:1", `phi conflict "" "1"`)
	f("TENANT001:patient::TENANT002:patient:1", `phi conflict "" "1"`)
	f("TENANT001:encounter:77", `phi key "TENANT001" ""`)
	f("encounters::TENANT001:observation:77", `phi key "TENANT001" ""`)
	f("TENANT001:medication:5:history", `phi key "TENANT001" ""`)
	f("TENANT001:measure:BCS", `measure key "TENANT001" ""`)
	f("TENANT001:measure:BCS:12345", `phi key "TENANT001" ""`)
	f("global:measure:BCS", `measure rule "global" ""`)
	f("TENANT001:session:user-abc-123", `session key "TENANT001" ""`)
	f("TENANT001:session:sessions:expires:9", `session key "TENANT001" ""`)
	f("spring:session:sessions:9f", `session credential "" ""`)
	f("global:codesystem:icd10", `reference rule "global" ""`)
	f("codes::global:codesystem:icd10", `reference rule "global" ""`)
	f("TENANT001:valueset:bcs", `reference key "TENANT001" ""`)
	f("TENANT001:ratelimit:10.0.0.1", `rate_limit key "TENANT001" ""`)
	f("hedisMeasures::WCC-TENANT001-12345", `phi credential "" ""`)
	f("cacheName::SimpleKey [a,b]", `phi credential "" ""`)
	f("patientData~lock", `phi credential "" ""`)
	f("global:patient:1", `phi credential "" ""`)
	f("TENANT001:patient:", `phi credential "" ""`)
	f(":patient:1", `phi credential "" ""`)
	f("", `phi credential "" ""`)
	f(":::::::::::::::::::::::::::::", `phi credential "" ""`)
	f("\xff\x00:patient:\xfe", `phi key "\xff\x00" "\xfe"`)
}

func BenchmarkMatch(b *testing.B) {
	p := policy.Default()
	for name, key := range map[string]string{
		"patient":   "TENANT001:patient:12345",
		"spring":    "patientData::TENANT001:patient:12345",
		"session":   "TENANT001:session:user-abc-123",
		"unmatched": "some:key:that:no:rule:knows",
	} {
		b.Run(name, func(b *testing.B) {
			k := []byte(key)
			b.ReportAllocs()
			for b.Loop() {
				p.Match(k)
			}
		})
	}
}
