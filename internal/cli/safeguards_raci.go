package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
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
members may create caches: only encrypted ones, and no Memcached.`,
		Example: "  lethe safeguards raci\n  lethe safeguards raci --policy scan > policy.json\n  lethe safeguards raci --group > group.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case group:
				_, err := io.WriteString(env.stdout, creatorsPolicy)
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

// creatorsPolicy lets a group create and change caches, and refuses at creation what the safeguards would find: the
// condition keys are those of ElastiCache's service authorization reference.
const creatorsPolicy = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "CreateAndManageCaches",
      "Effect": "Allow",
      "Action": [
        "elasticache:CreateReplicationGroup",
        "elasticache:CreateServerlessCache",
        "elasticache:ModifyReplicationGroup",
        "elasticache:ModifyServerlessCache",
        "elasticache:CreateUser",
        "elasticache:CreateUserGroup",
        "elasticache:CreateSnapshot",
        "elasticache:AddTagsToResource",
        "elasticache:Describe*",
        "elasticache:List*"
      ],
      "Resource": "*"
    },
    {
      "Sid": "RefuseWithoutEncryptionAtRest",
      "Effect": "Deny",
      "Action": "elasticache:CreateReplicationGroup",
      "Resource": "arn:*:elasticache:*:*:replicationgroup:*",
      "Condition": {"Bool": {"elasticache:AtRestEncryptionEnabled": "false"}}
    },
    {
      "Sid": "RefuseWithoutEncryptionInTransit",
      "Effect": "Deny",
      "Action": "elasticache:CreateReplicationGroup",
      "Resource": "arn:*:elasticache:*:*:replicationgroup:*",
      "Condition": {"Bool": {"elasticache:TransitEncryptionEnabled": "false"}}
    },
    {
      "Sid": "RefuseMemcached",
      "Effect": "Deny",
      "Action": ["elasticache:CreateCacheCluster", "elasticache:CreateServerlessCache"],
      "Resource": "*",
      "Condition": {"StringEquals": {"elasticache:EngineType": "memcached"}}
    }
  ]
}
`
