package policy_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/policy"
)

// Each file under testdata/mistakes is a policy and, below a line `---`, the mistakes in it, or the warnings if it has no
// mistakes.
func TestMistakes(t *testing.T) {
	t.Parallel()
	eachFile(t, "testdata/mistakes", func(t *testing.T, head, _ string) string {
		p, mistakes := policy.Parse([]byte(head))
		if (p == nil) == (mistakes == nil) {
			t.Fatalf("a policy and mistakes, or neither: %v, %v", p, mistakes)
		}
		var out strings.Builder
		if p != nil {
			fmt.Fprintln(&out, "no mistake")
			mistakes = p.Warnings()
		}
		for _, m := range mistakes {
			fmt.Fprintf(&out, "%s\n  mend: %s\n", m, m.Mend)
		}
		return out.String()
	})
}

// In clear, a category of rate limits has counters and nothing else.
func TestIntegersOnly(t *testing.T) {
	t.Parallel()
	p, mistakes := policy.Parse([]byte("categories:\n  rate_limit: {seal: off}\n  lock: {ceiling: 1m, phi: false, seal: off}\n"))
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	for _, c := range append(p.Categories(), policy.Default().Categories()...) {
		if want := c.Name == "rate_limit" && c.Seal == policy.SealOff; c.IntegersOnly() != want {
			t.Errorf("%s, seal: %s: %t", c.Name, c.Seal, !want)
		}
	}
}

func TestDefaultIsTheDecisionRecord(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	if w := p.Warnings(); len(w) > 0 {
		t.Errorf("the default policy has warnings: %v", w)
	}
	if p.Unmatched().Name != "phi" {
		t.Errorf("unmatched keys are %s", p.Unmatched().Name)
	}
	f := func(name string, id uint16, ceiling, maxAge time.Duration, phi bool) {
		t.Helper()
		c := p.Category(name)
		if c == nil || c.ID != id || c.Ceiling != ceiling || c.MaxAge != maxAge || c.PHI != phi || !c.Evict {
			t.Errorf("%s: got %+v", name, c)
		}
		if p.Categories()[id] != c {
			t.Errorf("%s: its ID is not its index", name)
		}
	}
	f("phi", 0, 300*time.Second, 0, true)
	f("session", 1, 900*time.Second, 12*time.Hour, false)
	f("reference", 2, 3600*time.Second, 0, false)
	f("measure", 3, 3600*time.Second, 0, false)
	f("rate_limit", 4, 60*time.Second, 0, false)
	f("session_index", 5, 24*time.Hour, 0, false) // beyond the record: twice a session's longest life
}

func TestHashFollowsTheMeaning(t *testing.T) {
	t.Parallel()
	hash := func(src string) string {
		t.Helper()
		p, mistakes := policy.Parse([]byte(src))
		if mistakes != nil {
			t.Fatalf("%s: %v", src, mistakes)
		}
		return p.Hash()
	}
	f := func(a, b string, same bool) {
		t.Helper()
		if got := hash(a) == hash(b); got != same {
			t.Errorf("%q and %q: same hash %v, want %v", a, b, got, same)
		}
	}
	f("{}", "# nothing\nunmatched: phi\n", true)
	f("categories: {b: {ceiling: 60s, phi: true}, a: {ceiling: 1m, phi: true}}",
		"categories: {a: {phi: true, ceiling: 1m}, b: {phi: true, ceiling: 1m}}", true)
	f("unmatched: phi", "unmatched: session", false)
	f("categories: {phi: {ceiling: 4m}}", "{}", false)
	f(`keys: [{match: "{tenant}:a", category: phi}]`, `keys: [{match: "{tenant}:a", category: phi, tenant: key}]`, true)
	f(`keys: [{match: "a", category: phi, tenant: T1}]`, `keys: [{match: "a", category: phi, tenant: T2}]`, false)
	f(`keys: [{match: "a", category: phi, tenant: "1"}, {match: "it's", category: "true", tenant: credential}]
categories: {"true": {ceiling: 1s, phi: true}}`, "{}", false)
}

// checkRoundTrip holds a policy against what it says of itself.
func checkRoundTrip(t *testing.T, p *policy.Policy) {
	t.Helper()
	again, mistakes := policy.Parse(p.YAML())
	if mistakes != nil {
		t.Fatalf("cannot parse the policy's own text: %v\n%s", mistakes, p.YAML())
	}
	if again.Hash() != p.Hash() || !bytes.Equal(again.YAML(), p.YAML()) {
		t.Fatalf("the policy's own text means something else:\n%s", p.YAML())
	}
	for _, c := range p.Categories() {
		if c.Ceiling <= 0 || c.Ceiling > policy.MaxCeiling || c.PHI && (c.Ceiling > policy.MaxPHICeiling || c.Expiry != policy.Absolute) {
			t.Fatalf("category %+v is beyond the law", c)
		}
	}
}

func TestDefaultRoundTrip(t *testing.T) {
	t.Parallel()
	checkRoundTrip(t, policy.Default())
}

func TestSizesAreBounded(t *testing.T) {
	t.Parallel()
	f := func(src, problem string) {
		t.Helper()
		_, mistakes := policy.Parse([]byte(src))
		if len(mistakes) == 0 || !strings.Contains(mistakes[0].Problem, problem) {
			t.Errorf("%.20q...: got %v, want %q", src, mistakes, problem)
		}
	}
	var rules, categories strings.Builder
	rules.WriteString("keys:\n")
	categories.WriteString("categories:\n")
	for i := range 2100 {
		fmt.Fprintf(&rules, " - {match: 'x%d', category: phi, tenant: T}\n", i)
		fmt.Fprintf(&categories, " c%d: {ceiling: 1s, phi: true}\n", i)
	}
	f(rules.String(), "more than 2048 patterns")
	f(categories.String(), "more than 255 categories")
	f(strings.Repeat("#", 1<<20+1), "larger than")
	f(strings.Repeat("[", 100), "not YAML")
	f(strings.Repeat("[", 100)+strings.Repeat("]", 100), "nested too deep")
	f(strings.Repeat("[", 20000), "not YAML")
	f("keys: [{match: '"+strings.Repeat("a:", 20)+"', category: phi}]", "more than 16 segments")
	f("keys: [{match: '"+strings.Repeat("*a", 9)+"', category: phi}]", "more than 8 of {name} and *")
	f("keys: [{match: '"+strings.Repeat("a", 600)+"', category: phi}]", "longer than 512 bytes")
	f("keys: [{match: '(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)', category: phi}]", "more than 128 patterns")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(policy.DefaultYAML()))
	f.Add([]byte("categories: {a: {ceiling: 1h30m, phi: false, expiry: idle, max_age: 2h}}\nunmatched: a"))
	f.Add([]byte("keys:\n- {match: '{tenant}:(a|b)*:**', category: phi}\n- {match: '\\{x-{id}', category: phi, tenant: credential}"))
	f.Add([]byte("a: &x [*x, *x]\n<<: {}\n--- !!binary"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, mistakes := policy.Parse(src)
		if (p == nil) == (len(mistakes) == 0) {
			t.Fatalf("a policy and mistakes, or neither")
		}
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.Problem == "" || m.Mend == "" {
				t.Fatalf("an incomplete mistake: %+v", m)
			}
		}
		if p != nil {
			checkRoundTrip(t, p)
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte("patientData::TENANT001:patient:12345"))
	f.Add([]byte("A:b::C:patient:1:2:3:4:5:6:7:8:9:0:1:2:3:4"))
	f.Add([]byte(":::"))
	p := policy.Default()
	f.Fuzz(func(t *testing.T, key []byte) {
		before := bytes.Clone(key)
		m := p.Match(key)
		if m.Category == nil || !bytes.Equal(before, key) {
			t.Fatal("no category, or the key was changed")
		}
		switch m.Source {
		case policy.FromKey:
			if len(m.Tenant) == 0 || !bytes.Contains(key, m.Tenant) || string(m.Tenant) == "global" {
				t.Fatalf("tenant %q", m.Tenant)
			}
		case policy.Fixed:
			if m.Category.PHI && string(m.Tenant) == "global" {
				t.Fatal("PHI that every tenant may read")
			}
		case policy.FromCredential, policy.Conflict:
			if m.Tenant != nil {
				t.Fatalf("tenant %q", m.Tenant)
			}
		default:
			t.Fatalf("source %d", m.Source)
		}
		if m.Subject != nil && len(m.Subject) == 0 {
			t.Fatal("an empty subject")
		}
		if n := testing.AllocsPerRun(1, func() { p.Match(key) }); n > 0 {
			t.Fatalf("%v allocations", n)
		}
	})
}
