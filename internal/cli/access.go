package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/identity"
)

// accessCommands are `lethe access ...`: who can reach what, for people who have to answer for it.
type accessCommands struct{ *userCommands }

func newAccessCommand(env *environment, set identity.CommandSet) *cobra.Command {
	a := &accessCommands{&userCommands{env: env, set: set}}
	cmd := &cobra.Command{
		Use:   "access",
		Short: "Review who can reach what",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fail(exitUsage, "run `lethe access --help`", errors.New("no subcommand is given"))
		},
	}
	cmd.PersistentFlags().StringVar(&a.dataDir, "data-dir", "", "data directory (default: $LETHE_DATA_DIR, or the one `lethe serve` uses)")
	cmd.PersistentFlags().StringVar(&a.file, "users-file", "", "the users' file (default: $LETHE_USERS_FILE, or users.yaml of the data directory)")
	cmd.AddCommand(a.review(), a.approve(), a.verify())
	return cmd
}
