package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/policy"
)

// explainFlags are what `policy explain` is told besides the key.
type explainFlags struct {
	file, user, tenant string
	asJSON             bool
}

func newPolicyExplainCommand(env *environment, lookup userLookup) *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain KEY",
		Short: "Say what a key is: its tenant, category, subject, and what commands on it would do",
		Long: `Say what a key is: its tenant, category and subject, and what SET, HSET, EXPIRE and PERSIST would do to it.
A key that tells about a patient should not stand on a command line, where other processes can read it:
KEY may be - and the key come from standard input.`,
		Example: `  lethe policy explain TENANT001:session:user-abc-123
  printf %s "$KEY" | lethe policy explain - --tenant TENANT001 --policy policy.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return explainKey(env, lookup, args[0], flags)
		},
	}
	cmd.Flags().StringVar(&flags.file, "policy", "", "policy file (default: the built-in policy)")
	cmd.Flags().StringVar(&flags.tenant, "tenant", "", "the home tenant of the credential that asks")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print as JSON")
	if lookup != nil {
		cmd.Flags().StringVar(&flags.user, "user", "", "the user who asks")
		cmd.MarkFlagsMutuallyExclusive("user", "tenant")
	}
	return cmd
}

func explainKey(env *environment, lookup userLookup, arg string, flags explainFlags) error {
	p, err := loadPolicy(env, flags.file)
	if err != nil {
		return err
	}
	key, err := keyArgument(env, arg)
	if err != nil {
		return err
	}
	who := asker{home: flags.tenant}
	if flags.tenant != "" {
		who.tenants = []string{flags.tenant}
	}
	if flags.user != "" {
		if who.home, who.tenants, err = lookup(flags.user); err != nil {
			return fail(exitFailure, "run `lethe user list` for the users there are", fmt.Errorf("cannot look up user: %w", err))
		}
	}
	e := explain(p, key, who)
	if flags.asJSON {
		return writePolicyJSON(env.stdout, e)
	}
	return e.write(env.stdout)
}

// keyArgument returns the key that is asked about; from standard input one line end is taken off.
func keyArgument(env *environment, arg string) ([]byte, error) {
	if arg != "-" {
		return []byte(arg), nil
	}
	key, err := io.ReadAll(io.LimitReader(env.stdin, 1<<20))
	if err != nil {
		return nil, fail(exitFailure, "", fmt.Errorf("cannot read key: %w", err))
	}
	return bytes.TrimSuffix(key, []byte("\n")), nil
}

// asker is the credential that asks; no tenants means that none is given.
type asker struct {
	home    string
	tenants []string
}

// explanation is the answer of `policy explain`; its JSON form is stable. It does not repeat the key.
type explanation struct {
	Category       string           `json:"category"`
	PHI            bool             `json:"phi"`
	Pattern        string           `json:"pattern,omitempty"` // empty: no rule fits
	Line           int              `json:"line,omitempty"`
	TenantFrom     string           `json:"tenant_from"`
	Tenant         string           `json:"tenant,omitempty"`
	Access         string           `json:"access"`
	Subject        string           `json:"subject,omitempty"`
	Expiry         string           `json:"expiry"`
	CeilingSeconds float64          `json:"ceiling_seconds"`
	MaxAgeSeconds  float64          `json:"max_age_seconds,omitempty"`
	OnExcess       string           `json:"on_excess"`
	Evict          bool             `json:"evict"`
	Audit          string           `json:"audit"`
	Commands       []commandOutcome `json:"commands"`

	category *policy.Category
}

func explain(p *policy.Policy, key []byte, who asker) explanation {
	m := p.Match(key)
	c := m.Category
	e := explanation{
		Category: c.Name, PHI: c.PHI, TenantFrom: m.Source.String(), Tenant: string(m.Tenant), Subject: string(m.Subject),
		Expiry: c.Expiry.String(), CeilingSeconds: c.Ceiling.Seconds(), MaxAgeSeconds: c.MaxAge.Seconds(),
		OnExcess: c.OnExcess.String(), Evict: c.Evict, Audit: c.Audit.String(), category: c,
	}
	e.Pattern, e.Line = p.Pattern(key)
	if m.Source == policy.FromCredential {
		e.Tenant = who.home
	}
	e.Access = access(m, e.Tenant, who)
	e.Commands = outcomes(c)
	return e
}

// access says whether the credential reaches the key's tenant.
func access(m policy.Match, tenant string, who asker) string {
	switch {
	case m.Source == policy.Conflict:
		return "refused to everyone: the key names two tenants"
	case m.Category.PHI && tenant == policy.GlobalTenant:
		return "refused to everyone: PHI cannot belong to the tenant " + policy.GlobalTenant
	case len(who.tenants) == 0:
		return "depends on the credential: name one by --tenant"
	case slices.Contains(who.tenants, tenant):
		return "allowed"
	case tenant == policy.GlobalTenant:
		return "reading only"
	default:
		return "refused: the credential does not reach the tenant"
	}
}

// commandOutcome is what one command would do. TTLSeconds is the time to live that results, on an entry that is written
// now or was just written; it is zero where the command is refused.
type commandOutcome struct {
	Command    string  `json:"command"`
	Outcome    string  `json:"outcome"`
	TTLSeconds float64 `json:"ttl_seconds"`
	Note       string  `json:"note"`
}

// outcomes asks the category the questions that the commands ask, for an entry that is written at the beginning of time.
func outcomes(c *policy.Category) []commandOutcome {
	const hour = int64(time.Hour / time.Millisecond)
	fresh, _ := c.Write(0, policy.Ask{}, policy.Times{}, false)
	anHour := policy.Ask{Kind: policy.AskAt, At: hour}
	of := func(command, note string) func(policy.Times, policy.Verdict) commandOutcome {
		return func(t policy.Times, v policy.Verdict) commandOutcome {
			o := commandOutcome{Command: command, Outcome: v.String(), Note: note}
			if v != policy.Refused {
				o.TTLSeconds = float64(t.ExpiresAt) / 1000
			}
			return o
		}
	}
	extend := "no later than the ceiling after the last whole write"
	if c.Expiry == policy.Idle {
		extend = "no later than the ceiling from now and max_age after the last whole write"
	}
	return []commandOutcome{
		of("SET", "the ceiling")(c.Write(0, policy.Ask{}, policy.Times{}, false)),
		of("SET EX 3600", "at most the ceiling")(c.Write(0, anHour, policy.Times{}, false)),
		of("SET KEEPTTL", "the deadline that there is, else the ceiling")(c.Write(0, policy.Ask{Kind: policy.AskKeep}, fresh, true)),
		of("HSET", "the ceiling if it makes the key, else the deadline stays")(c.Change(0, policy.Ask{}, fresh)),
		of("EXPIRE 3600", extend)(c.Change(0, anHour, fresh)),
		of("PERSIST", "never without a deadline; "+extend)(c.Change(0, policy.Ask{Kind: policy.AskPersist}, fresh)),
	}
}

func (e explanation) write(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(tw, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	kind := "not PHI"
	if e.PHI {
		kind = "PHI"
	}
	row("category", "%s (%s)", e.Category, kind)
	if e.Line == 0 {
		row("rule", "none fits")
	} else {
		row("rule", "line %d: %s", e.Line, e.Pattern)
	}
	row("tenant", "%s", e.tenantText())
	row("access", "%s", e.Access)
	if e.Subject != "" {
		row("subject", "%q", e.Subject)
	} else {
		row("subject", "none named")
	}
	age := ""
	if e.category.Expiry == policy.Idle {
		age = ", max_age " + policy.FormatDuration(e.category.MaxAge)
	}
	row("ceiling", "%s, %s%s", policy.FormatDuration(e.category.Ceiling), e.Expiry, age)
	row("on excess", "%s", e.OnExcess)
	row("evict", "%t", e.Evict)
	row("audit", "%s", e.Audit)
	fmt.Fprintln(tw)
	for _, c := range e.Commands {
		ttl := ""
		if c.TTLSeconds > 0 {
			ttl = policy.FormatDuration(time.Duration(c.TTLSeconds * float64(time.Second)))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", c.Command, c.Outcome, ttl, c.Note)
	}
	return tw.Flush()
}

func (e explanation) tenantText() string {
	switch {
	case e.TenantFrom == policy.Conflict.String():
		return "none: the key names two"
	case e.Tenant == "":
		return "the home tenant of the credential"
	default:
		return fmt.Sprintf("%q, from the %s", e.Tenant, e.TenantFrom)
	}
}
