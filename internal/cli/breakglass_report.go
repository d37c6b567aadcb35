package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/identity"
)

// emergencyReport is what was done under one grant. Its JSON form is stable: fields are only ever added.
type emergencyReport struct {
	Emergency grantJSON      `json:"emergency"`
	Outcomes  map[string]int `json:"outcomes"` // how many records, by action and outcome
	Subjects  int            `json:"subjects"` // how many patients
	Events    []audit.View   `json:"events"`   // under pseudonyms
}

func (b *breakGlassCommands) report() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "report NUMBER", Short: "Report everything that was done under an emergency access",
		Long:    "Report what the audit has of an emergency access. Entries and patients are shown as pseudonyms; `lethe audit search --reveal` names them.",
		Example: "  lethe break-glass report ABCDEFGHIJ --json", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			_, grants, err := b.grants()
			if err != nil {
				return err
			}
			all, err := grants.List()
			if err != nil {
				return grantFailure(err)
			}
			i := slices.IndexFunc(all, func(g identity.Grant) bool { return g.ID == args[0] })
			if i < 0 {
				return grantFailure(identity.ErrNoGrant)
			}
			report, err := b.gather(all[i])
			if err != nil {
				return auditFailure(err)
			}
			if asJSON {
				return b.printJSON(report)
			}
			return b.print(report)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// gather searches the audit for what the grant's user did while it was open.
func (b *breakGlassCommands) gather(g identity.Grant) (*emergencyReport, error) {
	r := &emergencyReport{Emergency: grantJSON{g, g.State(time.Now(), false)}, Outcomes: map[string]int{}, Events: []audit.View{}}
	opener, err := b.open(b.opened.Path())
	if err != nil {
		return nil, err
	}
	names, err := audit.NewPseudonyms(opener)
	if err != nil {
		return nil, err
	}
	end := g.EndsAt
	if g.ClosedAt != nil {
		end = *g.ClosedAt
	}
	// A connection is ended within a second, and its last records are dated by then.
	query := audit.Query{User: g.User, Since: g.OpenedAt, Until: end.Add(2 * time.Second)}
	subjects := map[string]bool{}
	err = audit.Search(b.opened.File("audit"), opener, query, func(e *audit.Event) error {
		v := e.View(names, false)
		r.Outcomes[v.Action+" "+v.Outcome]++
		if v.Subject != "" {
			subjects[v.Tenant+" "+v.Subject] = true
		}
		r.Events = append(r.Events, v)
		return nil
	})
	r.Subjects = len(subjects)
	return r, err
}

func (b *breakGlassCommands) print(r *emergencyReport) error {
	g := r.Emergency
	out := b.env.stdout
	fmt.Fprintf(out, "emergency access %s, %s\n", g.ID, g.State)
	fmt.Fprintf(out, "%s read the data of %s from %s until %s\n", g.User, g.Tenant, stamp(g.OpenedAt), stamp(g.EndsAt))
	fmt.Fprintf(out, "opened by %s, confirmed by %s, closed by %s\nreason: %q\n", g.OpenedBy, orDash(g.ConfirmedBy), orDash(g.ClosedBy), g.Reason)
	var sums []string
	for what, n := range r.Outcomes {
		sums = append(sums, fmt.Sprintf("%s %d", what, n))
	}
	slices.Sort(sums)
	fmt.Fprintf(out, "%d records about %d patients: %s\n", len(r.Events), r.Subjects, orDash(strings.Join(sums, ", ")))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, v := range r.Events {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Time, v.Source, orDash(v.Command), v.Outcome, orDash(v.Category), orDash(v.Entry), orDash(v.Subject))
	}
	return w.Flush()
}
