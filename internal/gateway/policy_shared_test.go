package gateway_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/register"
)

// governed is a gateway that has its policy in common with others.
type governed struct {
	*harness
	*gateway.SharedPolicy
	file     *policy.Policy
	register register.Options
}

func govern(t *testing.T, name, text string) *governed {
	t.Helper()
	x := &governed{harness: newHarnessWith(t, text), file: policyOf(t, text)}
	x.register = register.Options{Path: filepath.Join(x.dir, "policy.register"), Origin: name, Clock: wall{x.clock}, Keeps: true}
	x.join()
	return x
}

func (x *governed) join() {
	x.t.Helper()
	r, err := register.Open(x.register)
	if err != nil {
		x.t.Fatal(err)
	}
	if x.SharedPolicy, err = x.gateway.SharePolicy(r); err != nil {
		x.t.Fatal(err)
	}
}

func policyOf(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, mistakes := policy.Parse([]byte(text))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return p
}

// begin begins beside others.
func (x *governed) begin(others ...*governed) error {
	for _, other := range others {
		x.from(other)
	}
	return x.Begin(x.file, len(others) == 0)
}

func (x *governed) from(other *governed) {
	x.t.Helper()
	theirs, _ := other.State()
	for origin := range theirs {
		mine, _ := x.State()
		if body, _ := other.Since(origin, mine[origin]); body != nil {
			if err := x.Accept(body); err != nil {
				x.t.Error(err)
			}
		}
	}
}

func (x *governed) isUnder(want string) {
	x.t.Helper()
	if got := string(x.gateway.Policy().YAML()); got != string(policyOf(x.t, want).YAML()) {
		x.t.Errorf("the policy in force is\n%s", got)
	}
}

const (
	firstPolicy   = "version: 1\ncategories:\n  notes: {ceiling: 4m, phi: false}\nkeys:\n  - {match: \"{tenant}:note:{id}\", category: notes}\n"
	secondPolicy  = "version: 2\ncategories:\n  drafts: {ceiling: 1m, phi: false}\n  notes: {ceiling: 20s, phi: true}\nkeys:\n  - {match: \"{tenant}:note:{id}\", category: notes}\n  - {match: \"{tenant}:draft:{id}\", category: drafts}\n"
	unnamedPolicy = "categories:\n  notes: {ceiling: 3m, phi: false}\nkeys:\n  - {match: \"{tenant}:note:{id}\", category: notes}\n"
)

// A policy with a greater version is in force at all, for entries that are there as well; one that is older changes nothing,
// whether it is offered, told, or comes with a gateway that starts.
func TestThePolicyIsShared(t *testing.T) {
	t.Parallel()
	a, b := govern(t, "a", firstPolicy), govern(t, "b", firstPolicy)
	if err := errors.Join(a.begin(), b.begin(a)); err != nil {
		t.Fatal(err)
	}
	b.ok("SET TENANT001:note:1 v")
	if left, _ := b.left("TENANT001:note:1"); left != 240_000 {
		t.Errorf("%d ms are left", left)
	}
	if err := a.Offer(policyOf(t, secondPolicy)); err != nil {
		t.Fatal(err)
	}
	a.isUnder(secondPolicy)
	b.isUnder(firstPolicy)
	b.from(a)
	b.isUnder(secondPolicy)
	b.ok("PEXPIRE TENANT001:note:1 100000000")
	if left, _ := b.left("TENANT001:note:1"); left > 20_000 {
		t.Errorf("%d ms are left of an entry that may live for 20 s now", left)
	}
	b.ok("SET TENANT001:draft:1 v EX 3600")
	if left, _ := b.left("TENANT001:draft:1"); left != 60_000 {
		t.Errorf("%d ms are left", left)
	}
	if err := b.Offer(policyOf(t, firstPolicy)); !errors.Is(err, gateway.ErrOlderPolicy) {
		t.Errorf("an older policy: %v", err)
	}
	if err := b.Offer(policyOf(t, secondPolicy)); err != nil {
		t.Errorf("the policy in force: %v", err)
	}
	c := govern(t, "c", firstPolicy)
	if err := c.begin(a); !errors.Is(err, gateway.ErrOlderPolicy) {
		t.Errorf("a new gateway with an older file: %v", err)
	}
	c.isUnder(secondPolicy)
	a.from(c)
	a.isUnder(secondPolicy)
	if got := b.events("*"); !slices.ContainsFunc(got, func(e string) bool {
		return strings.Contains(e, "policy="+policyOf(t, secondPolicy).Hash()+" version=2")
	}) {
		t.Error("the audit of the other gateway does not have the policy")
	}
}

// A gateway that starts again has the policy that was in force, whatever its file says; and a file with a greater version
// brings it to all.
func TestAPolicyOutlivesARestart(t *testing.T) {
	t.Parallel()
	a := govern(t, "a", firstPolicy)
	if err := errors.Join(a.begin(), a.Offer(policyOf(t, secondPolicy))); err != nil {
		t.Fatal(err)
	}
	again := govern(t, "a", firstPolicy)
	again.register.Path = a.register.Path
	again.join()
	again.isUnder(secondPolicy)
	newer := govern(t, "b", strings.Replace(secondPolicy, "version: 2", "version: 3", 1))
	if err := newer.begin(a); err != nil {
		t.Fatal(err)
	}
	a.from(newer)
	a.isUnder(strings.Replace(secondPolicy, "version: 2", "version: 3", 1))
}

// Without versions a file that was changed counts where a gateway starts alone, and not where others are.
func TestPoliciesWithoutVersions(t *testing.T) {
	t.Parallel()
	a := govern(t, "a", policy.DefaultYAML())
	if err := a.begin(); err != nil {
		t.Fatal(err)
	}
	b := govern(t, "b", unnamedPolicy)
	if err := b.begin(a); !errors.Is(err, gateway.ErrOlderPolicy) {
		t.Errorf("another policy: %v", err)
	}
	b.isUnder(policy.DefaultYAML())
	b.clock.now += 1000
	if err := b.begin(); err != nil {
		t.Fatal(err)
	}
	b.isUnder(unnamedPolicy)
	a.from(b)
	a.isUnder(unnamedPolicy)
}

// What a gateway cannot enforce it does not take, and does not count as in force.
func TestAPolicyThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	a := govern(t, "a", firstPolicy)
	if err := a.begin(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"version: 9\nnosuch: field\n", "x"} {
		b := register.Batch{Origin: "b", Through: 1, Entries: []register.Entry{{Name: "policy", Content: text, Version: 9, At: 1, Origin: "b", Number: 1}}}
		if err := a.Accept(encode(t, b)); err == nil {
			t.Errorf("%q is taken", text)
		}
		if known, _ := a.State(); known["b"] != 0 {
			t.Errorf("%q counts as in force", text)
		}
		a.isUnder(firstPolicy)
	}
}

// A policy with categories that survive a restart is not taken where nothing could keep them, from whomever it comes.
func TestAPolicyThatCannotBeKeptIsNotTaken(t *testing.T) {
	t.Parallel()
	x := govern(t, "one", "version: 1\nunmatched: phi\n")
	if err := x.begin(); err != nil {
		t.Fatal(err)
	}
	before := x.gateway.Policy().Hash()
	if err := x.Offer(policyOf(t, "version: 2\ncategories:\n  session: {persist: true}\nunmatched: phi\n")); err == nil || !strings.Contains(err.Error(), "kept_keys") {
		t.Errorf("it is taken: %v", err)
	}
	if x.gateway.Policy().Hash() != before {
		t.Error("it is in force")
	}
}
