package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// writeText groups by resource, the way people mend.
func writeText(w io.Writer, r *Report) error {
	b := bufio.NewWriter(w)
	var last model.ID
	shown := false
	for i := range r.Result.Findings {
		f := &r.Result.Findings[i]
		if !f.Open() && !r.All {
			continue
		}
		if !shown || f.Resource != last {
			if shown {
				fmt.Fprintln(b)
			}
			fmt.Fprintf(b, "%s\n", r.paint(bold, clean(f.Resource.String())))
			last, shown = f.Resource, true
		}
		r.finding(b, f)
	}
	if shown {
		fmt.Fprintln(b)
	}
	for _, n := range r.Result.Notes {
		word := "note"
		if n.Incomplete {
			word = r.paint(yellow, "not read")
		}
		fmt.Fprintf(b, "%s: %s\n", word, clean(strings.TrimPrefix(n.Source.Place()+": "+n.Text, ": ")))
	}
	c := r.Counts()
	fmt.Fprintf(b, "%s, profile %s: %d failed, %d warnings, %d unknown, %d passed", resources(len(r.Result.Resources)), r.Profile, c.Fail, c.Warn, c.Unknown, c.Pass)
	if c.Excluded > 0 {
		fmt.Fprintf(b, ", %d excluded", c.Excluded)
	}
	if c.Baselined > 0 {
		fmt.Fprintf(b, ", %d in the baseline", c.Baselined)
	}
	fmt.Fprintln(b)
	return b.Flush()
}

func resources(n int) string {
	if n == 1 {
		return "1 resource"
	}
	return fmt.Sprintf("%d resources", n)
}

func (r *Report) finding(b *bufio.Writer, f *model.Finding) {
	color := green
	switch f.Result {
	case model.Fail:
		color = red
	case model.Warn, model.Undecided:
		color = yellow
	}
	mark := ""
	if f.Baselined {
		mark = " (in the baseline)"
	}
	fmt.Fprintf(b, "  %s  %-11s %-8s %s%s\n", r.paint(color, fmt.Sprintf("%-8s", f.Result)), f.Rule, f.Severity, clean(f.Summary), mark)
	if !f.Open() {
		return
	}
	if place := f.Source.String(); place != "" {
		fmt.Fprintf(b, "            at    %s\n", clean(place))
	}
	if f.Mend != "" {
		fmt.Fprintf(b, "            mend  %s\n", clean(f.Mend))
	}
	if len(f.Citations) > 0 {
		fmt.Fprintf(b, "            why   45 CFR %s\n", strings.Join(f.Citations, ", "))
	}
}

type ink string

const (
	bold   ink = "1"
	red    ink = "31"
	yellow ink = "33"
	green  ink = "32"
)

func (r *Report) paint(i ink, s string) string {
	if !r.Color {
		return s
	}
	return "\x1b[" + string(i) + "m" + s + "\x1b[0m"
}

// clean takes control characters out: a name in a scanned file must not move the cursor of who reads about it.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0) {
			return '?'
		}
		return c
	}, s)
}
