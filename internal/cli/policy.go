package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/policy"
)

// userLookup finds a user's home tenant and all tenants that it reaches, the home among them.
type userLookup func(name string) (home string, tenants []string, err error)

// maxPolicyBytes is one more than Parse takes, so that a file that is too large is reported by it and not read whole.
const maxPolicyBytes = 1<<20 + 1

// newPolicyCommand makes `lethe policy`. lookup serves `explain --user`; without it there is no such flag.
func newPolicyCommand(env *environment, lookup userLookup) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check, explain and show the policy: what keys are and how long they live",
		Long: `A policy says which keys hold what category of data, whose they are, and how long they may be kept.
None of these commands needs a running server.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fail(exitUsage, "run `lethe policy --help`", errors.New("no subcommand is given"))
		},
	}
	cmd.AddCommand(newPolicyCheckCommand(env), newPolicyExplainCommand(env, lookup), newPolicyShowCommand(env))
	return cmd
}

func newPolicyCheckCommand(env *environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Report every mistake in a policy file, with its line and what to write instead",
		Long: `Report every mistake in a policy file, with its line and what to write instead. FILE may be - for standard input.
The exit code is 0 if the server would start with the file, warnings or not, and 1 if it would not.`,
		Example: "  lethe policy check policy.yaml\n  lethe policy check policy.yaml --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			src, err := readPolicy(env, args[0])
			if err != nil {
				return err
			}
			p, mistakes := policy.Parse(src)
			report := newPolicyReport(args[0], p, mistakes)
			if asJSON {
				err = writePolicyJSON(env.stdout, report)
			} else {
				err = report.write(env.stdout)
			}
			if err != nil || p != nil {
				return err
			}
			return fail(exitFailure, "docs/policy.md explains the language; `lethe policy show --default` prints a policy to start from",
				fmt.Errorf("the policy has %s", counted(len(mistakes), "mistake")))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// policyReport is the answer of `policy check`; its JSON form is stable.
type policyReport struct {
	File       string           `json:"file"`
	OK         bool             `json:"ok"`
	Hash       string           `json:"hash,omitempty"`
	Categories int              `json:"categories,omitempty"`
	Rules      int              `json:"rules,omitempty"`
	Mistakes   []policy.Mistake `json:"mistakes"`
	Warnings   []policy.Mistake `json:"warnings"`
}

func newPolicyReport(file string, p *policy.Policy, mistakes []policy.Mistake) policyReport {
	r := policyReport{File: file, Mistakes: append([]policy.Mistake{}, mistakes...), Warnings: []policy.Mistake{}}
	if p != nil {
		r.OK, r.Hash = true, p.Hash()
		r.Categories, r.Rules = len(p.Categories()), len(p.Rules())
		r.Warnings = append(r.Warnings, p.Warnings()...)
	}
	return r
}

// write prints the report in the form that editors and compilers share: FILE:LINE:COLUMN: text.
func (r policyReport) write(w io.Writer) error {
	for _, m := range r.Mistakes {
		if _, err := fmt.Fprintf(w, "%s:%s\n  mend: %s\n", r.File, m, m.Mend); err != nil {
			return err
		}
	}
	for _, m := range r.Warnings {
		if _, err := fmt.Fprintf(w, "%s:%d:%d: warning: %s\n  mend: %s\n", r.File, m.Line, m.Column, m.Problem, m.Mend); err != nil {
			return err
		}
	}
	if !r.OK {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s: no mistakes; %d categories, %s, %s; sha256 %s\n",
		r.File, r.Categories, counted(r.Rules, "rule"), counted(len(r.Warnings), "warning"), r.Hash)
	return err
}

func newPolicyShowCommand(env *environment) *cobra.Command {
	var file string
	var asDefault bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print a policy as YAML with nothing left to a default",
		Long: `Print a policy as YAML with nothing left to a default: the one of --policy, or the built-in one.
With --default, print the built-in policy as it is written, with its comments; it is a good start for your own.`,
		Example: "  lethe policy show --policy policy.yaml\n  lethe policy show --default > policy.yaml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asDefault {
				_, err := io.WriteString(env.stdout, policy.DefaultYAML())
				return err
			}
			p, err := loadPolicy(env, file)
			if err != nil {
				return err
			}
			_, err = env.stdout.Write(p.YAML())
			return err
		},
	}
	cmd.Flags().StringVar(&file, "policy", "", "policy file (default: the built-in policy)")
	cmd.Flags().BoolVar(&asDefault, "default", false, "print the built-in policy with its comments")
	cmd.MarkFlagsMutuallyExclusive("policy", "default")
	return cmd
}

// loadPolicy returns the policy of a file, or the built-in one if there is no file.
func loadPolicy(env *environment, file string) (*policy.Policy, error) {
	if file == "" {
		return policy.Default(), nil
	}
	src, err := readPolicy(env, file)
	if err != nil {
		return nil, err
	}
	p, mistakes := policy.Parse(src)
	if p == nil {
		return nil, fail(exitFailure, "run `lethe policy check` on it for all of them and how to mend them",
			fmt.Errorf("cannot load policy: %s:%s", file, mistakes[0]))
	}
	return p, nil
}

// readPolicy reads a policy file, or standard input for "-".
func readPolicy(env *environment, file string) ([]byte, error) {
	in := env.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fail(exitFailure, "", fmt.Errorf("cannot read policy: %w", err))
		}
		defer f.Close()
		in = f
	}
	src, err := io.ReadAll(io.LimitReader(in, maxPolicyBytes))
	if err != nil {
		return nil, fail(exitFailure, "", fmt.Errorf("cannot read policy: %w", err))
	}
	return src, nil
}

func writePolicyJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
