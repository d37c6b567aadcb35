package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/secret"
)

// newOpeningKey is `lethe audit opening-key`: the way to keep the key that opens the log where the server cannot use it.
func (a *auditCommand) newOpeningKey() *cobra.Command {
	return &cobra.Command{
		Use:   "opening-key",
		Short: "Print the key that opens the audit log, to be kept elsewhere",
		Long: "Print the key that opens the audit log, as PEM. The server needs its public half only: when the key is kept\n" +
			"elsewhere, remove DIR/audit-open.key, and whoever takes the machine cannot read what is in the log.",
		Example: "  lethe audit opening-key --data-dir /var/lib/lethe > /media/safe/audit-open.pem\n" +
			"  rm /var/lib/lethe/audit-open.key\n" +
			"  lethe audit search --data-dir /var/lib/lethe --opening-key /media/safe/audit-open.pem",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := a.dir(); err != nil {
				return err
			}
			pem, err := exportOpeningKey(a.dataDir)
			if err != nil {
				return fail(exitFailure, secret.Hint(err), err)
			}
			defer clear(pem)
			_, err = fmt.Fprintf(a.env.stdout, "%s", pem)
			return err
		},
	}
}
