package identity_test

import (
	"slices"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

// Whatever can be read is shown in a form that means the same, and stays as it is when it is read again.
func FuzzParseRules(f *testing.F) {
	for _, seed := range []string{
		"on ~a:* %R~b:* &c +@read -get +config|get (+set ~x) clearselectors", "~* +@all -@dangerous (+keys)", "%RW~* ~a", "( ) (", "+get -get +@all reset", "+select|0 (+debug|a ~x) -select",
	} {
		f.Add(seed)
	}
	set := newCommandTable(realCommands)
	f.Fuzz(func(t *testing.T, rules string) {
		p, err := identity.ParseRules(set, rules)
		if err != nil {
			return
		}
		text := p.Rules(set)
		again, err := identity.ParseRules(set, text)
		if err != nil {
			t.Fatalf("%q is shown as %q, which cannot be read: %v", rules, text, err)
		}
		if again.Rules(set) != text {
			t.Fatalf("%q is shown as %q, then as %q", rules, text, again.Rules(set))
		}
		for id := range set.Len() {
			if p.Command(id) != again.Command(id) || p.Paths(id) != again.Paths(id) {
				t.Fatalf("%q and %q differ on %s", rules, text, set.Name(id))
			}
		}
		for _, name := range []string{"auth", "hello", "quit", "reset"} {
			if !slices.Contains(allowed(set, p.Command), name) {
				t.Fatalf("%q takes %s away", rules, name)
			}
		}
		p.Key([]byte(rules), identity.Read)
		p.Channel([]byte(rules))
	})
}
