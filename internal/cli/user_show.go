package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/identity"
)

// userJSON is a user as `--json` prints it. Fields are added, never renamed or removed.
type userJSON struct {
	Name    string      `json:"name"`
	Enabled bool        `json:"enabled"`
	Tenants []string    `json:"tenants"` // the home first
	Rules   string      `json:"rules"`   // canonical
	Created time.Time   `json:"created"`
	Tokens  []tokenJSON `json:"tokens"` // the oldest first

	Attributes map[string]string `json:"attributes"` // roles, owner and conditions, as they are written
	LastUsed   *time.Time        `json:"last_used"`  // null: never since Lethe began to note it
	LastSource string            `json:"last_source,omitempty"`
}

type tokenJSON struct {
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires"` // null: not by itself
	Generated bool       `json:"generated"`
	Valid     bool       `json:"valid"`
	LastUsed  *time.Time `json:"last_used"`
}

// describe tells about a user. last is when it was in last, as far as a server has written that down.
func (u *userCommands) describe(user *identity.User, now time.Time, last map[string]identity.LastUse) userJSON {
	out := userJSON{
		Name: user.Name, Enabled: user.Enabled, Tenants: user.Tenants, Created: user.CreatedAt,
		Rules: user.Permissions().Rules(u.set), Tokens: []tokenJSON{}, Attributes: attributesOf(user),
	}
	use, used := last[user.Name]
	if used {
		out.LastUsed, out.LastSource = &use.At, use.Source
	}
	for _, t := range user.Tokens() {
		j := tokenJSON{Created: t.CreatedAt, Generated: t.Generated, Valid: true}
		if !t.ExpiresAt.IsZero() {
			j.Expires, j.Valid = &t.ExpiresAt, now.Before(t.ExpiresAt)
		}
		if at, known := use.Tokens[t.ID]; known {
			j.LastUsed = &at
		}
		out.Tokens = append(out.Tokens, j)
	}
	return out
}

// lastUses reads when users were in last. What cannot be read is told and not known.
func (u *userCommands) lastUses() map[string]identity.LastUse {
	last, err := identity.ReadUsage(u.opened.File(identity.UsageFile))
	if err != nil {
		fmt.Fprintf(u.env.stderr, "lethe: last uses are not known: %v\n", err)
	}
	return last
}

func (u *userCommands) list() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the users", Example: "  lethe user list\n  lethe user list --json", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			users, err := u.open(false)
			if err != nil {
				return err
			}
			all, last := []userJSON{}, u.lastUses()
			for _, user := range users.Users() {
				all = append(all, u.describe(user, time.Now(), last))
			}
			if asJSON {
				return u.printJSON(all)
			}
			w := tabwriter.NewWriter(u.env.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tSTATE\tTENANTS\tVALID TOKENS\tNEXT END\tROLES\tLAST USED")
			for _, user := range all {
				valid, next := user.validTokens()
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", user.Name, user.state(), strings.Join(user.Tenants, ","), valid, next,
					cmp.Or(user.Attributes["roles"], "-"), stampOr(user.LastUsed, "-"))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func (u *userCommands) show() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show a user, its rules and the state of its tokens", Example: "  lethe user show billing", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			users, err := u.open(false)
			if err != nil {
				return err
			}
			found, ok := users.Lookup(args[0])
			if !ok {
				return userFailure(fmt.Errorf("cannot show the user %s: %w", args[0], identity.ErrNoUser))
			}
			user := u.describe(found, time.Now(), u.lastUses())
			if asJSON {
				return u.printJSON(user)
			}
			w := tabwriter.NewWriter(u.env.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "name\t%s\nstate\t%s\ntenants\t%s\nrules\t%s\ncreated\t%s\n",
				user.Name, user.state(), strings.Join(user.Tenants, ","), user.Rules, stamp(user.Created))
			for _, a := range attributeHelp {
				if value := user.Attributes[a.name]; value != "" {
					fmt.Fprintf(w, "%s\t%s\n", a.name, value)
				}
			}
			fmt.Fprintf(w, "last used\t%s\n", stampOr(user.LastUsed, "not known"))
			for _, t := range user.Tokens {
				fmt.Fprintf(w, "token\t%s\n", t)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func (u *userCommands) printJSON(v any) error {
	enc := json.NewEncoder(u.env.stdout)
	enc.SetEscapeHTML(false) // rules are full of & and >
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (j userJSON) state() string {
	if j.Enabled {
		return "enabled"
	}
	return "disabled"
}

// validTokens counts them and tells when the first of them ends.
func (j userJSON) validTokens() (n int, next string) {
	var first time.Time
	for _, t := range j.Tokens {
		if !t.Valid {
			continue
		}
		n++
		if t.Expires != nil && (first.IsZero() || t.Expires.Before(first)) {
			first = *t.Expires
		}
	}
	if first.IsZero() {
		return n, "-"
	}
	return n, stamp(first)
}

// String is a token's line in `lethe user show`.
func (t tokenJSON) String() string {
	kind, end := "chosen", "does not expire by itself"
	if t.Generated {
		kind = "generated"
	}
	switch {
	case t.Expires == nil:
	case t.Valid:
		end = "ends " + stamp(*t.Expires)
	default:
		end = "ended " + stamp(*t.Expires)
	}
	return fmt.Sprintf("%s %s, %s, last used %s", kind, stamp(t.Created), end, stampOr(t.LastUsed, "not known"))
}

func stampOr(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return stamp(*t)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
