package identity_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/identity"
)

func TestCheckToken(t *testing.T) {
	t.Parallel()
	f := func(token, problem string) {
		t.Helper()
		err := identity.CheckToken([]byte(token))
		switch {
		case problem == "" && err != nil:
			t.Errorf("%q: %v", token, err)
		case problem != "" && (err == nil || !strings.Contains(err.Error(), problem)):
			t.Errorf("%q: %v", token, err)
		case err != nil && len(token) > 4 && strings.Contains(err.Error(), token):
			t.Errorf("%q is in its error", token)
		}
	}
	f("", "0 characters")
	f("123456789012345", "15 characters, fewer than 16")
	f("1234567890123456", "")
	f(strings.Repeat("x", 128), "")
	f(strings.Repeat("x", 129), "129 characters, more than 128")
	f("abcdefgh/12345678", "/ @ ' \"")
	f("abcdefgh@12345678", "/ @ ' \"")
	f("abcdefgh'12345678", "/ @ ' \"")
	f("abcdefgh\"12345678", "/ @ ' \"")
	f("abcdefgh 12345678", "a space")
	f("abcdefgh\t12345678", "a space")
	f("abcdefgh\n12345678", "not printable")
	f("abcdefgh\x7f12345678", "not printable")
	f("abcdefghü12345678", "not printable")
	f("!#$%&()*+,-.:;<=>?[\\]^_`{|}~", "")
}

func TestGenerateToken(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		token := identity.GenerateToken().Reveal()
		if err := identity.CheckToken(token); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(token), "lethe_") || len(token) != 53 || !identity.IsGenerated(token) {
			t.Fatalf("form: %d characters", len(token))
		}
		if seen[string(token)] {
			t.Fatal("the same token twice")
		}
		seen[string(token)] = true
	}
}

// What only looks like a generated token must get the slow hash, or it could be found by trying.
func TestGeneratedFormIsChecked(t *testing.T) {
	t.Parallel()
	token := identity.GenerateToken().Reveal()
	for i := range token {
		changed := append([]byte(nil), token...)
		if changed[i]++; identity.IsGenerated(changed) {
			t.Errorf("a change of character %d is not seen", i)
		}
	}
	for _, weak := range []string{"", "lethe_", "lethe_" + strings.Repeat("A", 47), string(token) + "A", string(token[:52]), "lethe_" + strings.Repeat("\xff", 47)} {
		if identity.IsGenerated([]byte(weak)) {
			t.Errorf("%q counts as generated", weak)
		}
	}
}

// Only a directory that was told so takes the short passwords of Redis's own tests.
func TestShortTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "root", Tenants: []string{"T"}, Rules: "~* &* +@all"})
	if err := f.setUser(t, "root", "x", ">short"); err == nil {
		t.Error("a short token is taken")
	}
	f.AllowShortTokens()
	if err := f.setUser(t, "root", "x", "on >short"); err != nil {
		t.Errorf("a short token is refused: %v", err)
	}
}
