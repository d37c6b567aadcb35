package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// breakGlassCommands are `lethe break-glass ...`: emergency access (45 CFR 164.312(a)(2)(ii)). They change the sealed file
// of grants; a running server takes it up, records it and raises the alarm, within a second.
type breakGlassCommands struct {
	*userCommands
	open openAudit
}

func newBreakGlassCommand(env *environment, set identity.CommandSet, open openAudit) *cobra.Command {
	b := &breakGlassCommands{userCommands: &userCommands{env: env, set: set}, open: open}
	cmd := &cobra.Command{
		Use:   "break-glass",
		Short: "Open, confirm, close and report emergency access",
		Long: `A user with the role break-glass can do nothing until an emergency access is opened for it. Then it may read the data of
one tenant until the time is over, and everything it does is recorded with the purpose "emergency". Opening one is told
in the server's log as a warning, and in the audit. With the setting confirm_emergencies a second person has to confirm.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fail(exitUsage, "run `lethe break-glass --help`", errors.New("no subcommand is given"))
		},
	}
	cmd.PersistentFlags().StringVar(&b.dataDir, "data-dir", "", "data directory (default: $LETHE_DATA_DIR, or the one `lethe serve` uses)")
	cmd.PersistentFlags().StringVar(&b.file, "users-file", "", "the users' file (default: $LETHE_USERS_FILE, or users.yaml of the data directory)")
	cmd.AddCommand(b.openOne(), b.confirm(), b.end(), b.listAll(), b.report())
	return cmd
}

// grants opens the users and the file of grants of the data directory.
func (b *breakGlassCommands) grants() (*identity.Directory, *identity.Grants, error) {
	users, err := b.userCommands.open(false)
	if err != nil {
		return nil, nil, err
	}
	return users, identity.OpenGrants(b.opened.File(identity.GrantsFile), b.opened), nil
}

// operator names who runs a command: the operating system's user is all that it knows.
func operator() string { return "uid:" + strconv.Itoa(os.Getuid()) }

func (b *breakGlassCommands) openOne() *cobra.Command {
	var user, tenant, reason string
	var life time.Duration
	cmd := &cobra.Command{
		Use: "open --user NAME --tenant TENANT --reason TEXT", Short: "Open an emergency access, and print its number",
		Example: `  lethe break-glass open --user night-shift --tenant TENANT001 --reason "ward system down, charts needed" --for 30m`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			users, grants, err := b.grants()
			if err != nil {
				return err
			}
			u, ok := users.Lookup(user)
			if !ok || !u.Enabled || !u.HasRole(identity.BreakGlass) {
				return fail(exitFailure, "make one with `lethe user add NAME --tenants TENANT --roles break-glass`",
					errors.New("cannot open the emergency access: there is no enabled user of that name with the role break-glass"))
			}
			g, err := grants.Open(identity.Grant{User: user, Tenant: tenant, Reason: reason, OpenedBy: operator()}, life)
			if err != nil {
				return grantFailure(err)
			}
			fmt.Fprintf(b.env.stderr, "lethe: opened an emergency access for %s to %s until %s; where confirm_emergencies is on it waits for a second person\n", g.User, g.Tenant, stamp(g.EndsAt))
			_, err = fmt.Fprintln(b.env.stdout, g.ID)
			return err
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "a user with the role break-glass")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant whose data is needed")
	cmd.Flags().StringVar(&reason, "reason", "", "why, without patients' data; kept sealed")
	cmd.Flags().DurationVar(&life, "for", 30*time.Minute, "how long, 24h at most")
	for _, name := range []string{"user", "tenant", "reason"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

func (b *breakGlassCommands) confirm() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use: "confirm NUMBER --as NAME", Short: "Confirm an emergency access that somebody else has opened",
		Long:    "Confirm as a user whose role may, such as privacy-officer. Its token is read from standard input.",
		Example: `  printf %s "$TOKEN" | lethe break-glass confirm ABCDEFGHIJ --as officer`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			token, err := b.token(true)
			if err != nil {
				return err
			}
			defer token.Clear()
			users, grants, err := b.grants()
			if err != nil {
				return err
			}
			u, err := users.Authenticate(as, token.Reveal())
			if err != nil || !u.Rights().Has(identity.RightConfirm) {
				return fail(exitFailure, "give the name and token of a user with the role privacy-officer", errors.New("cannot confirm: "+identity.ErrDenied.Error()+", or its role may not"))
			}
			g, err := grants.Confirm(args[0], u.Name)
			if err != nil {
				return grantFailure(err)
			}
			fmt.Fprintf(b.env.stderr, "lethe: confirmed the emergency access of %s to %s until %s\n", g.User, g.Tenant, stamp(g.EndsAt))
			return nil
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "the user who confirms")
	_ = cmd.MarkFlagRequired("as")
	return cmd
}

func (b *breakGlassCommands) end() *cobra.Command {
	return &cobra.Command{
		Use: "close NUMBER", Short: "End an emergency access before its time", Example: "  lethe break-glass close ABCDEFGHIJ", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			_, grants, err := b.grants()
			if err != nil {
				return err
			}
			g, err := grants.Close(args[0], operator())
			if err != nil {
				return grantFailure(err)
			}
			fmt.Fprintf(b.env.stderr, "lethe: closed the emergency access of %s to %s\n", g.User, g.Tenant)
			return nil
		},
	}
}

// grantJSON is a grant as `--json` prints it. Fields are added, never renamed or removed.
type grantJSON struct {
	identity.Grant
	State identity.State `json:"state"` // "open" also where a second person is still missing: see confirmed_by
}

func (b *breakGlassCommands) listAll() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List emergency accesses, the oldest first", Example: "  lethe break-glass list --json", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, grants, err := b.grants()
			if err != nil {
				return err
			}
			all, err := grants.List()
			if err != nil {
				return grantFailure(err)
			}
			rows := []grantJSON{}
			for _, g := range all {
				rows = append(rows, grantJSON{g, g.State(time.Now(), false)})
			}
			if asJSON {
				return b.printJSON(rows)
			}
			w := tabwriter.NewWriter(b.env.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NUMBER\tSTATE\tUSER\tTENANT\tOPENED\tBY\tENDS\tCONFIRMED BY\tREASON")
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.State, r.User, r.Tenant, stamp(r.OpenedAt), r.OpenedBy, stamp(r.EndsAt), orDash(r.ConfirmedBy), strconv.Quote(r.Reason))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// grantFailure gives an error about grants the hint that belongs to it.
func grantFailure(err error) error {
	var hinted interface{ Hint() string }
	switch {
	case errors.Is(err, identity.ErrNoGrant):
		return fail(exitFailure, "`lethe break-glass list` shows the numbers", err)
	case errors.Is(err, identity.ErrSamePerson):
		return fail(exitFailure, "have somebody confirm who neither opened it nor has it", err)
	case errors.Is(err, identity.ErrGrantOver):
		return fail(exitFailure, "open another one", err)
	case errors.As(err, &hinted):
		return fail(exitFailure, hinted.Hint(), err)
	default:
		return fail(exitFailure, secret.Hint(err), err)
	}
}
