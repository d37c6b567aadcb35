package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/report"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

// ruleRow is one rule of `safeguards rules --json`; the form is stable.
type ruleRow struct {
	ID        string            `json:"id"`
	Title     string            `json:"title"`
	Severity  string            `json:"severity"`
	Citations []string          `json:"citations"`
	Controls  []string          `json:"controls"`
	Why       string            `json:"why"`
	Reads     []string          `json:"reads"`
	Mend      map[string]string `json:"mend"`
	Remedy    string            `json:"remedy"`
	Params    map[string]any    `json:"params"`
}

func newSafeguardsRulesCommand(env *environment) *cobra.Command {
	var asJSON, asMarkdown bool
	cmd := &cobra.Command{
		Use:     "rules [ID]",
		Short:   "List the safeguards, or explain one",
		Example: "  lethe safeguards rules\n  lethe safeguards rules ENC-TLS-02\n  lethe safeguards rules --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			list := rules.Catalogue()
			if len(args) == 1 {
				rule := rules.Find(list, strings.ToUpper(args[0]))
				if rule == nil {
					return fail(exitUsage, "`lethe safeguards rules` lists them", errors.New("there is no such rule"))
				}
				list = []rules.Rule{*rule}
			}
			switch {
			case asJSON:
				return writeRulesJSON(env.stdout, list)
			case asMarkdown:
				return report.Markdown(env.stdout, rules.Catalogue())
			case len(args) == 1:
				return report.Rule(env.stdout, &list[0])
			}
			w := tabwriter.NewWriter(env.stdout, 0, 4, 2, ' ', 0)
			for _, r := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, r.Severity, r.Title)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	cmd.Flags().BoolVar(&asMarkdown, "markdown", false, "print docs/safeguards.md")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	return cmd
}

func writeRulesJSON(w io.Writer, list []rules.Rule) error {
	rows := make([]ruleRow, 0, len(list))
	for _, r := range list {
		row := ruleRow{ID: r.ID, Title: r.Title, Severity: r.Severity.String(), Citations: r.Citations, Controls: r.Controls, Why: r.Why,
			Mend: make(map[string]string), Remedy: string(r.Remedy), Params: make(map[string]any)}
		for _, f := range r.Reads {
			row.Reads = append(row.Reads, f.Name())
		}
		for _, t := range r.Targets() {
			row.Mend[string(t)] = r.Mend[t]
		}
		for _, p := range r.Params {
			row.Params[p.Name] = p.Default
		}
		rows = append(rows, row)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(rows)
}
