package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lethe-cache/lethe/internal/cli"
)

// TestMain makes the test binary lethe itself where a script runs `lethe`.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lethe": func() { os.Exit(cli.Main()) }})
}

// The command line as users meet it: testdata/script has a file for each thing they do, with what it prints on standard
// output and on standard error.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		// A server that starts where it should refuse to would be waited for as long as go test allows.
		Deadline: time.Now().Add(10 * time.Minute),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"alter": alter, "await": await, "mode": mode, "wrong": wrong,
		},
	})
}

// alter changes the byte at an offset of a file to another one: `alter FILE OFFSET`. FILE is a pattern; the first that it
// matches is altered.
func alter(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: alter FILE OFFSET")
	}
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("there is no file %s", args[0])
	}
	data, err := os.ReadFile(files[0])
	ts.Check(err)
	data[offset] ^= 1
	ts.Check(os.WriteFile(files[0], data, 0o600))
}

// await waits until a file has a line that matches: `await FILE PATTERN`.
func await(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: await FILE PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(file)
		if err == nil && pattern.Match(text) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("waited 30s for %q in %s, which has:\n%s", args[1], args[0], text)
		}
	}
}

// wrong runs lethe and wants a wrong use: exit code 2, nothing on standard output, an error and a hint on standard error.
func wrong(ts *testscript.TestScript, negated bool, args []string) {
	err := ts.Exec("lethe", args...)
	var exit *exec.ExitError
	if negated || !errors.As(err, &exit) || exit.ExitCode() != 2 {
		ts.Fatalf("lethe %v ends with %v, want exit status 2", args, err)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("a wrong use prints %q on standard output", out)
	}
	for _, want := range []string{"lethe: error: ", "lethe: hint: "} {
		if errs := ts.ReadFile("stderr"); !strings.Contains(errs, want) {
			ts.Fatalf("a wrong use prints %q, without %q", errs, want)
		}
	}
}

// mode checks the permissions of a file: `mode 0600 FILE`.
func mode(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: mode 0600 FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if have := fmt.Sprintf("%04o", info.Mode().Perm()); have != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], have, args[0])
	}
}
