package migrate

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	p, mistakes := policy.Parse([]byte(`
categories:
  labs: {ceiling: 60s, phi: true, on_excess: refuse}
  bundles: {ceiling: 60s, phi: true, subjects: values}
keys:
  - {match: "{tenant}:lab:{subject}", category: labs}
  - {match: "{tenant}:bundle:**", category: bundles}
  - {match: "{tenant}:patient:{subject}", category: phi}
  - {match: "{tenant}:{cache}::{tenant}:patient:{subject}", category: phi}
  - {match: "job:**", category: rate_limit, tenant: credential}
`))
	if p == nil {
		t.Fatal(mistakes)
	}
	f := func(want Outcome, category, key, kind string, ttl int64, home bool) {
		t.Helper()
		m, got := decide(p, []byte(key), kind, ttl, home)
		if got != want || m.Category.Name != category {
			t.Errorf("%s %s %d: %s of %s, want %s of %s", key, kind, ttl, got, m.Category.Name, want, category)
		}
	}
	f(Copied, "phi", "T:patient:1", "string", 300_000, false)
	f(Clamped, "phi", "T:patient:1", "hash", 300_001, false)
	f(Dated, "phi", "T:patient:1", "stream", noTTL, false)
	f(Gone, "phi", "T:patient:1", "string", goneTTL, false)
	f(Gone, "phi", "T:patient:1", "none", noTTL, false)
	f(Gone, "phi", "T:patient:1", "string", 0, false)
	f(Dated, "bundles", "T:bundle:1", "hash", noTTL, false)
	f("target_CONSENT", "bundles", "T:bundle:1", "stream", noTTL, false)
	f(NoType, "phi", "T:patient:1", "ReJSON-RL", noTTL, false)
	f(Refused, "labs", "T:lab:1", "string", 60_001, false)
	f(Copied, "labs", "T:lab:1", "string", 60_000, false)
	f(Dated, "labs", "T:lab:1", "string", noTTL, false)
	f(NoTenant, "rate_limit", "job:1", "string", 1, false)
	f(Copied, "rate_limit", "job:1", "string", 1, true)
	f(NoTenant, "phi", "whatever", "string", 1, false)
	f(TwoTenants, "phi", "T:c::U:patient:1", "string", 1, true)
}

func TestErrorsNameNothing(t *testing.T) {
	t.Parallel()
	f := func(want Outcome, text string) {
		t.Helper()
		got, err := refusal(resp.Value{Type: '-', Str: []byte(text)})
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	f("target_POLICY", "POLICY labs: no")
	f("target_ERR", "T:patient:1")
	f("target_ERR", "PATIENTOFALONGNAME x")
	f("target_CONSENT", "CONSENT the consent for this entry was withdrawn")
	f("", "CONSENT this gateway is not in touch with the others, which may have revoked consents; entries with PHI are served again when it has caught up with them")
	f("", "CONSENT contact with the other gateways was lost before the answer; the command may or may not have run")
	f("", "TRYAGAIN later")
	f("", "AUDIT no disk")
}
