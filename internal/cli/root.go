// Package cli is the lethe command line: it reads flags, builds the parts in order, prints answers on standard output
// and everything else on standard error. It decides nothing about data; main calls Run, and so do the tests.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/safeguards/cel"
)

// environment is what a command may touch of the process around it.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

// Exit codes: 0 good, 1 a finding or a failure, 2 wrong use.
const (
	exitFailure = 1
	exitUsage   = 2
)

// failure is an error that knows its exit code and what to do about it.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail wraps err with the exit code of the process and a hint for its user; an empty hint is not printed.
func fail(code int, hint string, err error) error {
	return &failure{code: code, err: err, hint: hint}
}

// Main runs lethe with the process's own arguments and streams and returns its exit code.
func Main() int {
	return Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
}

// Run runs one lethe command line and returns the exit code of the process.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	root := newRootCommand(&environment{stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv})
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return 0
	}
	code, hint := exitUsage, "run `lethe help` for the commands and their flags"
	var f *failure
	if errors.As(err, &f) {
		code, hint = f.code, f.hint
	}
	fmt.Fprintf(stderr, "lethe: error: %v\n", err)
	if hint != "" {
		fmt.Fprintf(stderr, "lethe: hint: %s\n", hint)
	}
	return code
}

func newRootCommand(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:           "lethe",
		Short:         "A Redis-compatible cache for protected health information that is certain to forget",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	table := command.NewTable()
	root.AddCommand(
		newServeCommand(env),
		newUserCommand(env, table),
		newBreakGlassCommand(env, table, auditOpener),
		newAccessCommand(env, table),
		newPolicyCommand(env, lookupUser(env, table)),
		newAuditCommand(env, auditOpener),
		newConsentCommand(env),
		newMigrateCommand(env),
		newCommandsCommand(env, table),
		newSafeguardsCommand(env, withAWS(env, safeguardsParts{compile: cel.Compile})),
		newConfigCommand(env),
		newVersionCommand(env),
	)
	return root
}
