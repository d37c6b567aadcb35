package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/safeguards/awspolicy"
)

// raciRow says who does what: Responsible, Accountable, Consulted, Informed.
type raciRow struct {
	Item     string `json:"item"`
	Lethe    string `json:"safeguards_team"`
	Customer string `json:"service_team"`
}

// raciRows are the shared responsibilities of ClearDATA's safeguards for ElastiCache, and those that ours add.
func raciRows() []raciRow {
	return []raciRow{
		{"Enforcement of the automated safeguards", "RA", "IC"},
		{"Create the AUTH token or the users", "IC", "RA"},
		{"Make sure that what is excluded from remediation holds no PHI or PII", "IC", "RA"},
		{"Create, configure, manage and maintain caches", "C", "RA"},
		{"Decide on an exclusion, with an owner, a reason, a ticket and an end", "C", "RA"},
		{"Review exclusions that end, and findings of a baseline", "RA", "C"},
		{"Keep the audit trail of every action and refusal", "RA", "I"},
	}
}

func newSafeguardsRaciCommand(env *environment, policy func(purpose string) ([]byte, error)) *cobra.Command {
	var asJSON, group bool
	var purpose string
	cmd := &cobra.Command{
		Use:   "raci",
		Short: "Print who is responsible for what, and the AWS policies that go with it",
		Long: `Print who is responsible (R), accountable (A), consulted (C) and informed (I).
With --policy, print the least IAM policy for scanning or for remediation. With --group, print the policy of the group whose
members may create caches: only encrypted ones, no Memcached, and none that a tag excludes from remediation.`,
		Example: "  lethe safeguards raci\n  lethe safeguards raci --policy scan > policy.json\n  lethe safeguards raci --group > group.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case group:
				_, err := io.WriteString(env.stdout, awspolicy.Create())
				return err
			case purpose != "":
				return printPolicy(env, policy, purpose)
			case asJSON:
				return writePolicyJSON(env.stdout, raciRows())
			}
			w := tabwriter.NewWriter(env.stdout, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "ITEM\tSAFEGUARDS TEAM\tSERVICE TEAM")
			for _, r := range raciRows() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", r.Item, r.Lethe, r.Customer)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the table as JSON")
	cmd.Flags().StringVar(&purpose, "policy", "", "print the IAM policy for: scan, remediation")
	cmd.Flags().BoolVar(&group, "group", false, "print the IAM policy of the group that may create caches (Safeguards-ElastiCache)")
	cmd.MarkFlagsMutuallyExclusive("json", "policy", "group")
	return cmd
}

func printPolicy(env *environment, policy func(string) ([]byte, error), purpose string) error {
	if policy == nil {
		return fail(exitUsage, "", errors.New("this build has no policies for AWS"))
	}
	if purpose != "scan" && purpose != "remediation" {
		return fail(exitUsage, "the policies are scan and remediation", errors.New("there is no such policy"))
	}
	src, err := policy(purpose)
	if err != nil {
		return fail(exitFailure, "", err)
	}
	_, err = env.stdout.Write(append(src, '\n'))
	return err
}
