package identity_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

// Most of what patterns mean is compared with redis in testdata/acl.txt; here is what a command line cannot carry.
func TestGlobBytes(t *testing.T) {
	t.Parallel()
	f := func(pattern, s string, want bool) {
		t.Helper()
		if got := identity.Match(pattern, s); got != want {
			t.Errorf("%q on %q: %v", pattern, s, got)
		}
	}
	f("", "", true)
	f("*", "", false) // as in Redis, where only allkeys covers the empty key
	f("a*", "", false)
	f("?", "\xff", true)
	f("[\xf0-\xff]", "\xf8", true)
	f("[^a]", "\x00", true)
	f("a*", "a\x00b\xff", true)
	f("*\xff", "a\xff", true)
	f("ü*", "\xc3", false)
	f(" *", " a b", true)
	f("\\", "\\", true)
}

// A pattern with many stars takes exponential time in a naive matcher.
func TestGlobIsNotStalled(t *testing.T) {
	t.Parallel()
	pattern := strings.Repeat("a*", 100) + "b"
	if identity.Match(pattern, strings.Repeat("a", 10_000)) {
		t.Error("matched")
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?[c-d]\\*", "axbyc*")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 200 || len(s) > 200 {
			return
		}
		identity.Match(pattern, s)
		escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
		if !identity.Match(escaped, s) {
			t.Errorf("%q does not match %q", escaped, s)
		}
		if s != "" && !identity.Match(escaped[:0]+"*"+escaped, s) {
			t.Errorf("*%q does not match %q", escaped, s)
		}
	})
}
