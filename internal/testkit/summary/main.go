// Command summary runs `go test -json` and prints what people want of it: a line for each package, everything that a
// failed test printed, and at the end how many tests passed and failed. Its exit code is the one of the tests.
//
// Use: summary -- go test -json ./...
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "use: summary -- go test -json ./...")
		os.Exit(2)
	}
	os.Exit(run(args))
}

func run(args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "summary: cannot run the tests:", err)
		return 1
	}
	s := newSummary(os.Stdout)
	s.readAll(out)
	err = cmd.Wait()
	fmt.Printf("%d passed, %d failed\n", s.passed, s.failed)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil || s.failed > 0:
		return 1
	}
	return 0
}

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// summary counts tests, subtests too, and keeps the output of those that run until it is known how they end.
type summary struct {
	out            io.Writer
	passed, failed int
	output         map[string][]string // by package and test
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, output: map[string][]string{}}
}

func (s *summary) readAll(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			s.read(line)
		}
		if err != nil {
			return
		}
	}
}

func (s *summary) read(line string) {
	var e event
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		fmt.Fprint(s.out, line) // not of the tests: an error of go itself
		return
	}
	id := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "output":
		s.output[id] = append(s.output[id], e.Output)
	case "pass", "skip", "fail":
		s.end(e, id)
	}
}

// end tells how a test or, without a test's name, a package ended.
func (s *summary) end(e event, id string) {
	text := strings.Join(s.output[id], "")
	delete(s.output, id)
	switch {
	case e.Test != "" && e.Action == "pass":
		s.passed++
		// The race detector writes into the output of whichever test wrote last, which need not be one that fails for it.
		if strings.Contains(text, "WARNING: DATA RACE") {
			fmt.Fprint(s.out, text)
		}
	case e.Test != "" && e.Action == "fail":
		s.failed++
		fmt.Fprint(s.out, text)
	case e.Test == "" && e.Action == "fail":
		fmt.Fprint(s.out, text)
		if !strings.Contains(text, "FAIL\t") {
			fmt.Fprintf(s.out, "FAIL\t%s\n", e.Package)
		}
	case e.Test == "" && e.Action == "pass":
		fmt.Fprintf(s.out, "ok\t%s\t%.1fs\n", e.Package, e.Elapsed)
	}
}
