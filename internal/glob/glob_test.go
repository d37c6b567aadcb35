package glob_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/glob"
)

func TestMatch(t *testing.T) {
	f := func(pattern, s string, want bool) {
		t.Helper()
		if got := glob.Match([]byte(pattern), []byte(s)); got != want {
			t.Errorf("Match(%q, %q) = %v", pattern, s, got)
		}
	}
	f("", "", true)
	f("", "a", false)
	f("*", "", true)
	f("a*c", "abbc", true)
	f("a*c", "abbcd", false)
	f("a*b*c", "aXbYbZc", true)
	f("?", "é", false)
	f("h[ae]llo", "hallo", true)
	f("h[^e]llo", "hello", false)
	f("h[a-c]llo", "hbllo", true)
	f("h[c-a]llo", "hbllo", true)
	f(`h\*llo`, "h*llo", true)
	f(`h\*llo`, "hello", false)
	f("[a", "a", true)
	f(`[\]]`, "]", true)
	f("user:[0-9]*:x", "user:42:x", true)
	f(`a\`, `a\`, true)
}

func TestMatchIsNotExponential(t *testing.T) {
	start := time.Now()
	glob.Match([]byte(strings.Repeat("a*", 200)+"b"), []byte(strings.Repeat("a", 20000)))
	if d := time.Since(start); d > 2*time.Second {
		t.Fatalf("took %v", d)
	}
}
