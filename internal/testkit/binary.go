package testkit

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The environment variables that name binaries which are already built; Main sets the missing ones.
const (
	// BinaryVariable names the lethe that is started where a test does not say otherwise.
	BinaryVariable = "LETHE_BINARY"
	// PlainVariable names a lethe as it ships, without the race detector.
	PlainVariable = "LETHE_PLAIN_BINARY"
)

// Main runs the tests of a package that starts lethe and returns the exit code of the process. It builds lethe once, with
// the race detector if the tests have it, unless the environment names binaries. Call it from TestMain.
func Main(m *testing.M) int {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		return m.Run() // nothing runs, so nothing is needed
	}
	dir, err := os.MkdirTemp("", "lethe-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, "testkit: cannot make a directory:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := provide(dir); err != nil {
		fmt.Fprintln(os.Stderr, "testkit:", err)
		return 1
	}
	return m.Run()
}

// provide builds what the environment does not name into dir and names it there.
func provide(dir string) error {
	given := os.Getenv(BinaryVariable)
	if os.Getenv(PlainVariable) == "" {
		plain := given
		if plain == "" {
			plain = filepath.Join(dir, "lethe")
			if err := build(plain); err != nil {
				return err
			}
		}
		os.Setenv(PlainVariable, plain)
	}
	if given != "" {
		return nil
	}
	if !raceEnabled {
		return os.Setenv(BinaryVariable, os.Getenv(PlainVariable))
	}
	raced := filepath.Join(dir, "lethe-race")
	if err := build(raced, "-race"); err != nil {
		return err
	}
	return os.Setenv(BinaryVariable, raced)
}

// Build builds a lethe with more flags of go build, and returns where it is.
func Build(t testing.TB, flags ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "lethe")
	if err := build(to, flags...); err != nil {
		t.Fatal(err)
	}
	return to
}

func build(to string, flags ...string) error {
	args := append(append([]string{"build", "-o", to}, flags...), "github.com/lethe-cache/lethe/cmd/lethe")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build lethe: %w\n%s", err, out)
	}
	return nil
}
