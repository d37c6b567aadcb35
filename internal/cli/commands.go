package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/command"
)

// commandRow is one command of `lethe commands --json`; the form is stable.
type commandRow struct {
	Name       string   `json:"name"`
	Group      string   `json:"group"`
	Since      string   `json:"since"`
	Arity      int      `json:"arity"`
	Syntax     string   `json:"syntax"`
	Summary    string   `json:"summary"`
	Complexity string   `json:"complexity"`
	Flags      []string `json:"flags"`
	Categories []string `json:"acl_categories"`
	Writes     bool     `json:"writes"`
	HasKeys    bool     `json:"has_keys"`
}

func newCommandsCommand(env *environment, table *command.Table) *cobra.Command {
	var asJSON bool
	var group string
	cmd := &cobra.Command{
		Use:     "commands",
		Short:   "List the Redis commands that Lethe has",
		Example: "  lethe commands\n  lethe commands --group hash\n  lethe commands --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var rows []commandRow
			for _, s := range table.Specs() {
				if s.Run != nil && (group == "" || s.Group == group) {
					rows = append(rows, rowOf(s))
				}
			}
			if asJSON {
				e := json.NewEncoder(env.stdout)
				e.SetIndent("", "  ")
				return e.Encode(rows)
			}
			w := tabwriter.NewWriter(env.stdout, 0, 4, 2, ' ', 0)
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Group, r.Summary)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything that the command table says, as JSON")
	cmd.Flags().StringVar(&group, "group", "", "only commands of this group: string, hash, list, set, sorted-set, generic, connection, server")
	return cmd
}

func rowOf(s *command.Spec) commandRow {
	return commandRow{
		Name: strings.ReplaceAll(s.RecordName(), "|", " "), Group: s.Group, Since: s.Since, Arity: s.Arity, Syntax: s.Syntax,
		Summary: s.Summary, Complexity: s.Complexity, Flags: s.Flags.Names(), Categories: s.Categories.Names(),
		Writes: s.IsWrite(), HasKeys: len(s.Keys) > 0,
	}
}
