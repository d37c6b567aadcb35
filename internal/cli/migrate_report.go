package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/lethe-cache/lethe/internal/migrate"
)

// outcomeTexts say what the columns of a report mean.
func outcomeTexts() map[migrate.Outcome]string {
	return map[migrate.Outcome]string{
		migrate.Copied:     "as they are, with the deadline that they have",
		migrate.Clamped:    "with less time to live than they have: the ceiling of their category",
		migrate.Dated:      "without a deadline at the source; they get the ceiling of their category",
		migrate.Refused:    "refused: their time to live is more than the category allows, and it refuses that (on_excess)",
		migrate.NoTenant:   "left behind: their names say no tenant; give the policy rules for them, or use --home-tenant",
		migrate.TwoTenants: "left behind: their names say two tenants, or PHI of the tenant that everybody reads",
		migrate.NoType:     "left behind: of a module's type",
		migrate.Gone:       "expired or deleted meanwhile",
		migrate.Changed:    "left behind: they changed meanwhile; another run copies them",
		migrate.Kept:       "left as the Lethe has them",
	}
}

// outcomeText explains one outcome.
func outcomeText(o migrate.Outcome) string {
	if text, ok := outcomeTexts()[o]; ok {
		return text
	}
	if c, ok := strings.CutPrefix(string(o), "target_"); ok {
		return "left behind: the Lethe refuses them with " + c
	}
	c, _ := strings.CutPrefix(string(o), "source_")
	return "left behind: the source refuses to read them with " + c
}

// writeMigrateReport prints a table with a row for each category, and what its columns mean.
func writeMigrateReport(w io.Writer, r *migrate.Report) error {
	title := "Copied:"
	if !r.Applied {
		title = "A dry run, nothing is copied. It would be:"
	}
	fmt.Fprintln(w, title)
	outcomes := r.Outcomes()
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "CATEGORY\tPHI\tKEYS\tSIZE\t")
	for _, o := range outcomes {
		fmt.Fprintf(tw, "%s\t", strings.ToUpper(string(o)))
	}
	fmt.Fprintln(tw)
	total := migrate.Row{Keys: r.Keys, Bytes: r.Bytes, Outcomes: map[migrate.Outcome]uint64{}}
	for _, name := range slices.Sorted(maps.Keys(r.Categories)) {
		row := r.Categories[name]
		phi := "no"
		if row.PHI {
			phi = "yes"
		}
		writeMigrateRow(tw, name, phi, row, outcomes, r.SizesKnown)
		for o, n := range row.Outcomes {
			total.Outcomes[o] += n
		}
	}
	if len(r.Categories) > 1 {
		writeMigrateRow(tw, "all", "", &total, outcomes, r.SizesKnown)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, o := range outcomes {
		fmt.Fprintf(w, "  %s: %s\n", strings.ToUpper(string(o)), outcomeText(o))
	}
	if !r.SizesKnown {
		fmt.Fprintln(w, "  Sizes are not known: the source's user may not run MEMORY USAGE.")
	}
	return nil
}

func writeMigrateRow(w io.Writer, name, phi string, row *migrate.Row, outcomes []migrate.Outcome, sizes bool) {
	size := "?"
	if sizes {
		size = humanBytes(row.Bytes)
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%s\t", name, phi, row.Keys, size)
	for _, o := range outcomes {
		fmt.Fprintf(w, "%d\t", row.Outcomes[o])
	}
	fmt.Fprintln(w)
}

// humanBytes is a size in the largest unit that leaves a digit before the point.
func humanBytes(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for ; v >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}
