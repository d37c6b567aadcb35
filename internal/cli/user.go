package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// userCommands are `lethe user ...`: they change the users file, which a running server takes up by itself.
type userCommands struct {
	env     *environment
	set     identity.CommandSet
	dataDir string
	file    string
	opened  *secret.Dir // after open
}

func newUserCommand(env *environment, set identity.CommandSet) *cobra.Command {
	u := &userCommands{env: env, set: set}
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Add, change, list and remove users and their tokens",
		Long: `Users are kept in the file users.yaml of the data directory, their tokens as hashes only.
The commands work before the first start and while the server runs; a change counts from the next authentication on.

A token is 16 to 128 printable ASCII characters without space / @ ' ". Without --token-stdin Lethe generates one of
256 random bits and prints it on standard output, once.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fail(exitUsage, "run `lethe user --help`", errors.New("no subcommand is given"))
		},
	}
	cmd.PersistentFlags().StringVar(&u.dataDir, "data-dir", "", "data directory (default: $LETHE_DATA_DIR, or the one `lethe serve` uses)")
	cmd.PersistentFlags().StringVar(&u.file, "users-file", "", "the users' file (default: $LETHE_USERS_FILE, or users.yaml of the data directory)")
	cmd.AddCommand(u.add(), u.change(), u.rotate(), u.enable(true), u.enable(false), u.remove(), u.list(), u.show())
	return cmd
}

func (u *userCommands) add() *cobra.Command {
	var tenants []string
	var rules, expires string
	var tokenStdin, noToken bool
	var attributes func() map[string]string
	cmd := &cobra.Command{
		Use:   "add NAME --tenants A,B",
		Short: "Add a user and set or print its token",
		Long: `Add a user. The first tenant is its home, to which keys that name no tenant belong. Rules are Redis ACL rules;
without them the user may do what its roles say, and without roles read and write all keys of its tenants, publish and
subscribe, and nothing dangerous.`,
		Example: `  lethe user add billing --tenants TENANT001
  lethe user add audit-jane --tenants TENANT001 --roles auditor --owner jane@example.org --ends 2027-01-31
  lethe user add billing-pod --tenants TENANT001 --certificates uri:spiffe://example.org/billing --no-token
  lethe user add reports --tenants TENANT001,TENANT002 --rules "~*:measure:* +@read" --expires 90d
  printf %s "$TOKEN" | lethe user add app --tenants TENANT001 --token-stdin`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			token, err := u.token(tokenStdin)
			if err != nil {
				return err
			}
			expiresAt, err := parseExpiry(expires)
			if err != nil {
				return err
			}
			user := identity.NewUser{Name: args[0], Tenants: tenants, Rules: rules, Token: token, ExpiresAt: expiresAt, NoToken: noToken, Attributes: attributes()}
			if noToken && (tokenStdin || expires != "" || user.Attributes["certificates"] == "") {
				return fail(exitUsage, "give --certificates, and neither --token-stdin nor --expires", errors.New("a user without a token comes with a certificate"))
			}
			return u.issue(true, tokenStdin || noToken, "added the user "+args[0], func(d *identity.Draft) (secret.Bytes, error) { return d.Add(user) })
		},
	}
	cmd.Flags().StringSliceVar(&tenants, "tenants", nil, "tenants whose data the user may reach, the home first")
	cmd.Flags().StringVar(&rules, "rules", "", "Redis ACL rules (default: data commands, nothing dangerous)")
	cmd.Flags().BoolVar(&tokenStdin, "token-stdin", false, "read the token from standard input instead of generating one")
	cmd.Flags().StringVar(&expires, "expires", "", "when the token ends: 90d, 12h, 2027-01-31 or an RFC 3339 time (default: never by itself)")
	cmd.Flags().BoolVar(&noToken, "no-token", false, "the user comes with a client certificate and has no token")
	attributes = attributeFlags(cmd)
	_ = cmd.MarkFlagRequired("tenants")
	return cmd
}

func (u *userCommands) change() *cobra.Command {
	var tenants []string
	var rules string
	var attributes func() map[string]string
	cmd := &cobra.Command{
		Use:     "set NAME",
		Short:   "Change a user's tenants, rules, roles or conditions",
		Long:    `Change what the flags name, and nothing else; "" takes a condition back.`,
		Example: "  lethe user set billing --tenants TENANT001,TENANT003\n  lethe user set billing --rules \"~* +@read\"\n  lethe user set billing --sources 10.1.0.0/16 --owner billing-team@example.org",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var c identity.Change
			if cmd.Flags().Changed("tenants") {
				c.Tenants = append([]string{}, tenants...)
			}
			if cmd.Flags().Changed("rules") {
				c.Rules = &rules
			}
			if c.Attributes = attributes(); c.Tenants == nil && c.Rules == nil && len(c.Attributes) == 0 {
				return fail(exitUsage, "give --tenants, --rules, --roles or a condition; `lethe user rotate` changes the token", errors.New("nothing to change"))
			}
			return u.update(false, "changed the user "+args[0], func(d *identity.Draft) error { return d.Set(args[0], c) })
		},
	}
	cmd.Flags().StringSliceVar(&tenants, "tenants", nil, "tenants whose data the user may reach, the home first")
	cmd.Flags().StringVar(&rules, "rules", "", `Redis ACL rules; "" for the default`)
	attributes = attributeFlags(cmd)
	return cmd
}

func (u *userCommands) enable(enabled bool) *cobra.Command {
	name, short, done := "disable", "Keep a user out; its tokens stay", "disabled the user "
	if enabled {
		name, short, done = "enable", "Let a disabled user in again", "enabled the user "
	}
	return &cobra.Command{
		Use: name + " NAME", Short: short, Example: "  lethe user " + name + " billing", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return u.update(false, done+args[0], func(d *identity.Draft) error { return d.Enable(args[0], enabled) })
		},
	}
}

func (u *userCommands) remove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a user and its tokens", Example: "  lethe user remove billing", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return u.update(false, "removed the user "+args[0], func(d *identity.Draft) error { return d.Remove(args[0]) })
		},
	}
}

// open opens the users of the data directory. Only a command that adds users makes a directory that is not there.
func (u *userCommands) open(create bool) (*identity.Directory, error) {
	path := config.DataDir(u.dataDir, u.env.getenv)
	if path == "" {
		return nil, fail(exitUsage, "give --data-dir DIR", errors.New("no data directory is known: neither HOME nor XDG_STATE_HOME is set"))
	}
	if !create {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fail(exitFailure, "give --data-dir DIR, or add a user first", fmt.Errorf("cannot open the data directory %s: it does not exist", path))
		}
	}
	dir, err := secret.OpenDir(path)
	if err != nil {
		return nil, userFailure(err)
	}
	users, err := identity.OpenDirectory(usersFile(u.file, dir, u.env.getenv), u.set)
	if err != nil {
		return nil, userFailure(err)
	}
	u.opened = dir
	return users, nil
}

// usersFile is the users' file that a command uses: flag, else the environment, else the data directory's.
func usersFile(flag string, dir *secret.Dir, getenv func(string) string) string {
	if flag != "" {
		return flag
	}
	if file := getenv("LETHE_USERS_FILE"); file != "" {
		return file
	}
	return dir.File(identity.FileName)
}

// update changes the users file and says so on standard error.
func (u *userCommands) update(create bool, done string, change func(*identity.Draft) error) error {
	users, err := u.open(create)
	if err != nil {
		return err
	}
	if err := users.Update(change); err != nil {
		return userFailure(err)
	}
	fmt.Fprintf(u.env.stderr, "lethe: %s\n", done)
	return nil
}

// issue is update for a change that gives a token; one that was generated is printed on standard output, this once.
func (u *userCommands) issue(create, given bool, done string, change func(*identity.Draft) (secret.Bytes, error)) error {
	var token secret.Bytes
	err := u.update(create, done, func(d *identity.Draft) (err error) {
		token, err = change(d)
		return err
	})
	if err != nil || given {
		return err
	}
	fmt.Fprintln(u.env.stderr, "lethe: the token is printed this once; keep it where secrets are kept")
	_, err = fmt.Fprintf(u.env.stdout, "%s\n", token.Reveal())
	return err
}

// userFailure gives an error the hint that belongs to it.
func userFailure(err error) error {
	if hint := secret.Hint(err); hint != "" {
		return fail(exitFailure, hint, err)
	}
	return fail(exitFailure, draftHint(err), err)
}

// draftHint says what to do about a change that a user's state does not allow.
func draftHint(err error) string {
	switch {
	case errors.Is(err, identity.ErrNoUser):
		return "`lethe user list` shows the users"
	case errors.Is(err, identity.ErrUserExists):
		return "`lethe user set` changes tenants and rules, `lethe user rotate` the token"
	case errors.Is(err, identity.ErrRotating):
		return "wait until the old token ends, or end it with `lethe user rotate NAME --finish`"
	case errors.Is(err, identity.ErrNotRotating):
		return "`lethe user show NAME` shows the tokens"
	case errors.Is(err, identity.ErrSameToken):
		return "give a new token"
	default:
		return ""
	}
}
