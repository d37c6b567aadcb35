package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/baseline"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/report"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

// scanFlags are those of `safeguards scan`.
type scanFlags struct {
	profile, form, output, failOn string
	baseline, writeBaseline       string
	failOnUnknown, all, quiet     bool
	live                          liveFlags
}

func newSafeguardsScanCommand(env *environment, parts safeguardsParts) *cobra.Command {
	var flags scanFlags
	cmd := &cobra.Command{
		Use:   "scan TARGET...",
		Short: "Scan files, directories, running servers and AWS accounts",
		Long: `Scan files, directories, running servers and AWS accounts. A TARGET is a path (Terraform, plans, CloudFormation,
Kubernetes manifests, docker-compose, redis.conf and ACL files are found by themselves), redis://HOST:PORT or unix:///PATH
for a running server, or aws for the account of the environment.

The exit code is 0 if nothing at or above --fail-on failed, 1 if something did, 2 for wrong use, and 3 if nothing did but
a part of what was named could not be read.`,
		Example: `  lethe safeguards scan .
  lethe safeguards scan . --form sarif --output safeguards.sarif
  lethe safeguards scan plan.json --profile nprm-2025
  lethe safeguards scan rediss://scanner@cache:6380 --password-file /run/secrets/scanner --ca ca.pem --sample-keys 10000`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runScan(cmd.Context(), env, parts, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.profile, "profile", "", "profile: seed, hipaa-strict, nprm-2025, or a YAML file of your own (default hipaa-strict)")
	f.StringVar(&flags.form, "form", "text", "form of the report: "+strings.Join(report.Forms(), ", "))
	f.StringVar(&flags.output, "output", "", "file for the report (default: standard output)")
	f.StringVar(&flags.failOn, "fail-on", "high", "severity from which a failed rule ends with exit code 1: low, medium, high, critical")
	f.BoolVar(&flags.failOnUnknown, "fail-on-unknown", false, "count what could not be decided as failed")
	f.StringVar(&flags.baseline, "baseline", "", "file with findings that are known and do not count")
	f.StringVar(&flags.writeBaseline, "write-baseline", "", "write the findings into this file, as a baseline for later scans, and end with 0")
	f.BoolVar(&flags.all, "all", false, "show what passed too")
	f.BoolVar(&flags.quiet, "quiet", false, "no progress on standard error")
	flags.live.register(f)
	return cmd
}

func runScan(ctx context.Context, env *environment, parts safeguardsParts, flags scanFlags, args []string) error {
	if ctx == nil {
		ctx = context.Background()
	}
	chosen, err := chooseRules(parts, flags.profile)
	if err != nil {
		return err
	}
	r := &report.Report{
		Version: Version, Profile: chosen.name, At: time.Now().Truncate(time.Second), Rules: chosen.evaluated(), Unknown: flags.failOnUnknown,
		Color: flags.output == "" && colored(env), All: flags.all,
	}
	if err := r.Threshold.UnmarshalText([]byte(flags.failOn)); err != nil {
		return fail(exitUsage, "", err)
	}
	if !slices.Contains(report.Forms(), flags.form) {
		return fail(exitUsage, "the forms are "+strings.Join(report.Forms(), ", "), fmt.Errorf("there is no form %q", flags.form))
	}
	o := scan.Options{Rules: chosen.rules, Settings: chosen.settings, Now: r.At, Progress: progress(env, flags)}
	if err := addTargets(ctx, &o, parts, flags, args); err != nil {
		return err
	}
	known, err := readBaseline(flags.baseline)
	if err != nil {
		return err
	}
	r.Result = scan.Run(ctx, o)
	if known != nil {
		known.Mark(r.Result.Findings)
	}
	if flags.writeBaseline != "" {
		return writeBaselineFile(env, flags.writeBaseline, r.Result.Findings)
	}
	if err := writeReport(env, flags, r); err != nil {
		return err
	}
	return verdict(r)
}

// verdict is the exit code.
func verdict(r *report.Report) error {
	if n := r.Failing(); n > 0 {
		return fail(exitFailure, "`lethe safeguards rules ID` explains a rule; a profile can switch it off, a baseline can take it as known",
			fmt.Errorf("%s at or above severity %s", counted(n, "finding"), r.Threshold))
	}
	if !r.Result.Complete() {
		return fail(exitIncomplete, "the report says what was not read, and why", errors.New("the scan is not complete"))
	}
	return nil
}

// colored says whether standard output is a terminal whose user did not ask for no colours (https://no-color.org).
func colored(env *environment) bool {
	return env.getenv("NO_COLOR") == "" && env.getenv("TERM") != "dumb" && isTerminal(env.stdout)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress writes one line that is overwritten, on a terminal only.
func progress(env *environment, flags scanFlags) func(string, int) {
	if flags.quiet || !isTerminal(env.stderr) {
		return nil
	}
	return func(step string, resources int) {
		if len(step) > 60 {
			step = step[:57] + "..."
		}
		fmt.Fprintf(env.stderr, "\r\x1b[K%s, %s", step, counted(resources, "resource"))
	}
}

func readBaseline(file string) (*baseline.Baseline, error) {
	if file == "" {
		return nil, nil
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fail(exitUsage, "--write-baseline makes one", fmt.Errorf("cannot read baseline: %w", err))
	}
	b, err := baseline.Parse(src)
	if err != nil {
		return nil, fail(exitUsage, "--write-baseline makes a new one", err)
	}
	return b, nil
}

func writeBaselineFile(env *environment, file string, findings []model.Finding) error {
	src, err := baseline.Of(findings)
	if err != nil {
		return fail(exitFailure, "", err)
	}
	if err := os.WriteFile(file, src, 0o644); err != nil {
		return fail(exitUsage, "", fmt.Errorf("cannot write baseline: %w", err))
	}
	_, err = fmt.Fprintf(env.stdout, "%s: written\n", file)
	return err
}

// writeReport ends the line of the progress and writes to standard output, or a file whole.
func writeReport(env *environment, flags scanFlags, r *report.Report) error {
	if !flags.quiet && isTerminal(env.stderr) {
		fmt.Fprint(env.stderr, "\r\x1b[K")
	}
	if flags.output == "" {
		return report.Write(env.stdout, flags.form, r)
	}
	f, err := os.Create(flags.output)
	if err != nil {
		return fail(exitUsage, "", fmt.Errorf("cannot write report: %w", err))
	}
	if err := errors.Join(report.Write(f, flags.form, r), f.Close()); err != nil {
		return fail(exitUsage, "", fmt.Errorf("cannot write report: %w", err))
	}
	return nil
}

// chosenRules are the catalogue and the profile's own, with the profile's settings.
type chosenRules struct {
	name     string
	rules    []rules.Rule
	settings map[string]rules.Setting
}

// evaluated leaves out what the profile switches off.
func (c *chosenRules) evaluated() []rules.Rule {
	var on []rules.Rule
	for _, r := range c.rules {
		if !c.settings[r.ID].Disabled {
			on = append(on, r)
		}
	}
	return on
}
