package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/profile"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

// safeguardsParts are what `lethe safeguards` takes from elsewhere. Each may be nil: then what needs it says so.
type safeguardsParts struct {
	// aws makes a source of an argument of scan that begins with "aws": an account, or several.
	aws func(ctx context.Context, argument string) (scan.Source, error)
	// policy returns an IAM policy as JSON: for "scan" or for "remediation".
	policy func(purpose string) ([]byte, error)
	// compile makes rules of a profile's custom rules.
	compile func([]profile.Custom) ([]rules.Rule, error)
	// more are further subcommands: plan, apply, watch.
	more []*cobra.Command
}

// exitIncomplete says that a part of what was named could not be scanned.
const exitIncomplete = 3

// newSafeguardsCommand makes `lethe safeguards`.
func newSafeguardsCommand(env *environment, parts safeguardsParts) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "safeguards",
		Short: "Find every Redis, Valkey and ElastiCache that is not fit for PHI",
		Long: `Find every Redis, Valkey and ElastiCache that is not fit for PHI: in source code, in accounts and in running servers.
docs/safeguards.md lists every rule and an example for each target.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fail(exitUsage, "run `lethe safeguards --help`", errors.New("no subcommand is given"))
		},
	}
	cmd.AddCommand(newSafeguardsScanCommand(env, parts), newSafeguardsRulesCommand(env), newSafeguardsRaciCommand(env, parts.policy))
	cmd.AddCommand(parts.more...)
	return cmd
}
