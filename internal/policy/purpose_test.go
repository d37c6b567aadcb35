package policy_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/policy"
)

func TestRequirePurpose(t *testing.T) {
	t.Parallel()
	f := func(text string, want bool) *policy.Policy {
		t.Helper()
		p, mistakes := policy.Parse([]byte(text))
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		if got := p.Match([]byte("T:patient:1")).Category.RequirePurpose; got != want {
			t.Errorf("%q: %v", text, got)
		}
		return p
	}
	plain := f("unmatched: phi\n", false)
	off := f("categories: {phi: {require_purpose: false}}\nunmatched: phi\n", false)
	on := f("categories: {phi: {require_purpose: true}}\nunmatched: phi\n", true)
	if plain.Hash() != off.Hash() || plain.Hash() == on.Hash() {
		t.Error("the hash must tell what the policy means")
	}
	_, mistakes := policy.Parse([]byte("categories: {phi: {require_purpose: sometimes}}\n"))
	if len(mistakes) == 0 || !strings.Contains(mistakes[0].Problem, "require_purpose") {
		t.Error(mistakes)
	}
}
