package policy_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/policy"
)

func parsed(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, mistakes := policy.Parse([]byte(text))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return p
}

// A policy that follows another keeps the numbers of categories that both have, gives new ones to new ones, and means the
// same as before.
func TestFollow(t *testing.T) {
	t.Parallel()
	first := parsed(t, "categories:\n  alpha: {ceiling: 1m, phi: false}\n  beta: {ceiling: 2m, phi: false}\n  gamma: {ceiling: 3m, phi: false}\nkeys:\n  - {match: \"{tenant}:b:**\", category: beta}\n")
	next := parsed(t, "categories:\n  aaaa: {ceiling: 4m, phi: false}\n  beta: {ceiling: 30s, phi: false}\n  zeta: {ceiling: 5m, phi: false}\nkeys:\n"+
		"  - {match: \"{tenant}:b:**\", category: beta, on_excess: refuse}\n  - {match: \"{tenant}:z:**\", category: zeta}\n")
	hash := next.Hash()
	if err := next.Follow(first); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, c := range next.Categories() {
		if names = append(names, c.Name); int(c.ID) != i {
			t.Errorf("%s is %d at %d", c.Name, c.ID, i)
		}
	}
	if got := strings.Join(names, " "); got != "phi session reference measure rate_limit alpha beta gamma aaaa zeta" {
		t.Errorf("categories: %s", got)
	}
	for key, id := range map[string]uint16{"T:b:1": 6, "T:z:1": 9, "T:x": 0} {
		if m := next.Match([]byte(key)); m.Category.ID != id {
			t.Errorf("%s is in %s, %d, want %d", key, m.Category.Name, m.Category.ID, id)
		}
	}
	if next.Hash() != hash || next.Category("alpha") != nil || next.Category("beta").Ceiling.Seconds() != 30 {
		t.Error("it means something else")
	}
	var many strings.Builder
	many.WriteString("categories:\n")
	for _, c := range strings.Split(strings.Repeat("x", 250), "") {
		many.WriteString("  " + strings.Repeat(c, 1+strings.Count(many.String(), "\n")%60) + string(rune('a'+strings.Count(many.String(), "\n")/60)) + ": {ceiling: 1m, phi: false}\n")
	}
	if err := parsed(t, many.String()).Follow(next); err == nil {
		t.Error("more categories than there are numbers")
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if p := parsed(t, "version: 20260131\nunmatched: phi\n"); p.Version() != 20260131 || !strings.HasPrefix(string(p.YAML()), "version: 20260131\n") {
		t.Errorf("version %d", p.Version())
	}
	if p := parsed(t, "unmatched: phi\n"); p.Version() != 0 || strings.Contains(string(p.YAML()), "version") {
		t.Errorf("version %d of none", p.Version())
	}
	for _, v := range []string{"0", "-1", "+1", "1.5", "x", "''", "[1]", "99999999999999999999", "9007199254740993"} {
		if _, mistakes := policy.Parse([]byte("version: " + v + "\n")); len(mistakes) != 1 || !strings.Contains(mistakes[0].Mend, "version: 1") {
			t.Errorf("version %s: %v", v, mistakes)
		}
	}
}

// Gateways give each other a policy's own text: it has all that the policy says.
func TestAPolicysOwnTextSaysWhatPersists(t *testing.T) {
	t.Parallel()
	p := parsed(t, "categories:\n  session: {persist: true, replica_reads: true, near: true, subjects: values, require_purpose: true, clear_scores: true}\n")
	again := parsed(t, string(p.YAML()))
	if c := again.Categories()[1]; c.Name != "session" || !c.Persist || !c.ReplicaReads || !c.Near || c.Subjects != policy.SubjectsInValues || !c.RequirePurpose || !c.ClearScores {
		t.Errorf("read again: %+v", c)
	}
	if plain := parsed(t, "unmatched: phi\n"); plain.Categories()[1].Persist || again.Hash() == plain.Hash() {
		t.Error("what persists is not in the policy's hash")
	}
}
