package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lethe-cache/lethe/internal/consent"
)

func (c *consentCommand) newList() *cobra.Command {
	var tenant string
	var names, all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List revocations",
		Long: `List the revocations that are in force, or every change with --all. Patients are shown as the pseudonyms that receipts
have; --names adds who they are, and that somebody has looked is recorded in the audit log.`,
		Example: "  lethe consent list\n  lethe consent list --tenant TENANT001 --all --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := c.open(false)
			if err != nil {
				return err
			}
			if names {
				if err := (&recordingOpener{dir: dir}).RecordReveal("consents"); err != nil {
					return consentFailure(err)
				}
			}
			list, err := consent.List(keeperOptions(dir, nil), names, func(t string) bool { return tenant == "" || t == tenant })
			if err != nil {
				return consentFailure(err)
			}
			return c.printList(list, all)
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	cmd.Flags().BoolVar(&names, "names", false, "show the patients' names, and have it recorded")
	cmd.Flags().BoolVar(&all, "all", false, "show every change, those that are over too")
	return cmd
}

func (c *consentCommand) printList(list []consent.Standing, all bool) error {
	shown := []consent.Standing{}
	for _, s := range list {
		if all || s.InForce {
			shown = append(shown, s)
		}
	}
	if c.json {
		text, err := indented(shown)
		if err == nil {
			_, err = c.env.stdout.Write(text)
		}
		return err
	}
	w := tabwriter.NewWriter(c.env.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tACTION\tTENANT\tSUBJECT\tREASON\tSINCE\tUNTIL\tBY\tSTATE")
	for _, s := range shown {
		subject, state := s.Subject, "over"
		if s.Name != "" {
			subject = s.Name
		}
		switch {
		case s.InForce:
			state = "in force"
		case s.Action == consent.Restore:
			state = "done"
		}
		switch {
		case s.Gateway != "":
			state += ", taken at " + s.Gateway
		case !s.Confirmed:
			state += ", not confirmed"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Action, s.Tenant, subject, s.Reason, s.Since, orDash(s.Until), s.By, state)
	}
	return w.Flush()
}

func (c *consentCommand) newReceipt() *cobra.Command {
	return &cobra.Command{
		Use:   "receipt ID",
		Short: "Verify and print the receipt of a change",
		Long: `Verify the signature of a receipt with the key of the data directory and print what it says; with --json the file itself,
which others can verify with DIR/receipt.pub as docs/spec/receipt.md says.`,
		Example: "  lethe consent receipt ABCDEFGHIJKLMNOPQRST\n  lethe consent receipt ABCDEFGHIJKLMNOPQRST --json > receipt.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := c.open(false)
			if err != nil {
				return err
			}
			file, err := consent.ReadReceipt(dir, args[0])
			if errors.Is(err, fs.ErrNotExist) {
				return fail(exitFailure, "`lethe consent list --all` shows the changes and whether they are confirmed", errors.New("there is no such receipt"))
			}
			if err != nil {
				return consentFailure(err)
			}
			r, err := verifiedReceipt(dir, file)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.env.stderr, "lethe: the receipt verifies")
			if !c.json {
				if file, err = indented(r); err != nil {
					return err
				}
			}
			_, err = c.env.stdout.Write(json.RawMessage(file))
			return err
		},
	}
}
