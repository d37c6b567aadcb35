package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// userUnits are the units about users. Redis marks them as not for external servers, since they want users of their own; a
// copy of the suite without that mark runs against a Lethe that is theirs alone.
func userUnits() []string { return []string{"unit/auth", "unit/acl", "unit/acl-v2"} }

// keeper is who changes users for the suite: nobody gives himself what he does not have (testdata/redistests/logins.tcl).
const keeper = "keeper"

// userSuite copies the suite for a unit about users, takes the mark out of it, and puts logins.tcl behind the suite's
// client. It returns the directory, and what the suite has to find in its environment.
func userSuite(t *testing.T, dir, unit string, l *testkit.Lethe, defaultUser string) (copied string, env []string) {
	t.Helper()
	copied = t.TempDir()
	if err := os.CopyFS(filepath.Join(copied, "tests"), os.DirFS(filepath.Join(dir, "tests"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "src"), filepath.Join(copied, "src")); err != nil {
		t.Fatal(err)
	}
	logins, err := os.ReadFile(filepath.Join("testdata", "redistests", "logins.tcl"))
	if err != nil {
		t.Fatal(err)
	}
	change := func(name string, f func([]byte) []byte) {
		path := filepath.Join(copied, "tests", name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		after := f(before)
		if bytes.Equal(before, after) {
			t.Fatalf("%s is not as Redis %s has it", name, testedRedis)
		}
		if err := os.WriteFile(path, after, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	change(unit+".tcl", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("external:skip"), nil) })
	change("support/redis.tcl", func(b []byte) []byte { return slices.Concat(b, []byte("\n"), logins) })
	change("support/server.tcl", func(b []byte) []byte {
		run := []byte("    if {[catch {set retval [uplevel 2 $code]} error]} {\n")
		b = bytes.Replace(b, run, append([]byte("    ::lethe::begin $overrides\n"), run...), 1)
		b = bytes.Replace(b, []byte("    # restore overrides\n"), []byte("    ::lethe::end $overrides\n"), 1)
		// The blocks' overrides are for the file of a server of their own: ::lethe::begin does what can be done with them here.
		for _, setting := range []string{"r config set $param $val", "r function flush"} {
			b = bytes.ReplaceAll(b, []byte(" "+setting+"\n"), []byte(" catch {"+setting+"}\n"))
		}
		return b
	})
	return copied, []string{"LETHE_DEFAULT_TOKEN=" + l.Tokens[defaultUser], "LETHE_KEEPER_TOKEN=" + l.Tokens[keeper]}
}

// isUserUnit reports whether a unit is about users.
func isUserUnit(unit string) bool {
	return slices.Contains(userUnits(), strings.TrimSuffix(unit, ".tcl"))
}
