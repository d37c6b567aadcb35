package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// print writes a table as aligned text.
func (t *table) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s: %s\n", t.Part, t.Title)
	last := "ratio"
	if t.asChange {
		last = "change"
	}
	lines := [][]string{{"", "unit", t.Baseline, t.Subject, last, "goal"}}
	for _, r := range t.Rows {
		ratio := number(r.Ratio, 3)
		if t.asChange {
			ratio = percent(r.Ratio)
		}
		// One number of decimals for both sides lets them be compared at a glance.
		d := decimals(r.Baseline, r.Subject)
		lines = append(lines, []string{r.Measure, r.Unit, number(r.Baseline, d), number(r.Subject, d), ratio, r.Goal.text(t.asChange)})
	}
	align(out, lines)
	for _, n := range t.Notes {
		fmt.Fprintf(out, "  %s\n", n)
	}
}

// align pads every column to its widest cell: the names to the right of them, figures to the left.
func align(out io.Writer, lines [][]string) {
	widths := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, cell := range l {
			widths[i] = max(widths[i], len(cell))
		}
	}
	const names = 2
	for _, l := range lines {
		var b strings.Builder
		for i, cell := range l {
			if i < names {
				fmt.Fprintf(&b, "  %-*s", widths[i], cell)
			} else {
				fmt.Fprintf(&b, "  %*s", widths[i], cell)
			}
		}
		fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
	}
}

// number is the median and, in parentheses, the spread.
func number(s *summary, decimals int) string {
	if s == nil {
		return "-"
	}
	text := fmt.Sprintf("%.*f", decimals, s.Median)
	if len(s.Samples) > 1 {
		text += fmt.Sprintf(" (%.*f..%.*f)", decimals, s.Least, decimals, s.Most)
	}
	return text
}

// percent is a ratio as the change from the baseline.
func percent(s *summary) string {
	if s == nil {
		return "-"
	}
	text := fmt.Sprintf("%+.1f %%", (s.Median-1)*100)
	if len(s.Samples) > 1 {
		text += fmt.Sprintf(" (%+.1f..%+.1f)", (s.Least-1)*100, (s.Most-1)*100)
	}
	return text
}

// decimals gives the larger median about three digits.
func decimals(sides ...*summary) int {
	most := 0.0
	for _, s := range sides {
		if s != nil {
			most = max(most, math.Abs(s.Median))
		}
	}
	switch {
	case most >= 100:
		return 0
	case most >= 10:
		return 1
	case most >= 1 || most == 0:
		return 2
	}
	return 3
}

// text is a goal and whether the median meets it.
func (g *goal) text(asChange bool) string {
	if g == nil {
		return ""
	}
	sign, verdict := "<=", "missed"
	if g.Least {
		sign = ">="
	}
	if g.Met {
		verdict = "met"
	}
	if asChange {
		return fmt.Sprintf("%s %+.0f %%: %s", sign, (g.Limit-1)*100, verdict)
	}
	return fmt.Sprintf("%s %g: %s", sign, g.Limit, verdict)
}
