package report

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

//go:embed intro.md
var intro string

// Markdown writes docs/safeguards.md: the introduction, every rule, and every fact.
func Markdown(w io.Writer, list []rules.Rule) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "<!-- Made by `lethe safeguards rules --markdown`; a test checks that it is current. Edit internal/safeguards/report/intro.md or the catalogue. -->\n")
	fmt.Fprint(b, intro)
	fmt.Fprint(b, "\n## The rules\n\n| id | severity | what must hold | targets |\n|---|---|---|---|\n")
	for i := range list {
		r := &list[i]
		fmt.Fprintf(b, "| [%s](#%s) | %s | %s | %s |\n", r.ID, strings.ToLower(r.ID), r.Severity, r.Title, strings.Join(names(r.Targets()), ", "))
	}
	for i := range list {
		markdownRule(b, &list[i])
	}
	fmt.Fprint(b, "\n## The facts\n\nWhat rules read, and what custom rules can: each is known, or unknown with the reason.\n\n| fact | type | what it says |\n|---|---|---|\n")
	for _, f := range model.Facts() {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name(), model.TypeName(f), f.Doc())
	}
	return b.Flush()
}

func names(targets []model.Target) []string {
	all := make([]string, len(targets))
	for i, t := range targets {
		all[i] = string(t)
	}
	return all
}

func markdownRule(b *bufio.Writer, r *rules.Rule) {
	fmt.Fprintf(b, "\n### %s\n\n%s. %s\n\n", r.ID, r.Title, r.Why)
	fmt.Fprintf(b, "- Severity: %s. Remediation may: %s.\n", r.Severity, r.Remedy)
	if len(r.Citations) > 0 {
		fmt.Fprintf(b, "- 45 CFR %s. NIST SP 800-53: %s.\n", strings.Join(r.Citations, ", "), strings.Join(r.Controls, ", "))
	} else {
		fmt.Fprintf(b, "- No section of 45 CFR asks for it by itself. NIST SP 800-53: %s.\n", strings.Join(r.Controls, ", "))
	}
	var reads []string
	for _, f := range r.Reads {
		reads = append(reads, "`"+f.Name()+"`")
	}
	fmt.Fprintf(b, "- Reads %s.\n", strings.Join(reads, ", "))
	for _, p := range r.Params {
		fmt.Fprintf(b, "- Parameter `%s`: %s; default `%v`.\n", p.Name, p.Doc, p.Default)
	}
	fmt.Fprint(b, "\n| on | to mend it |\n|---|---|\n")
	for _, t := range r.Targets() {
		fmt.Fprintf(b, "| %s | %s |\n", t, strings.ReplaceAll(r.Mend[t], "|", "\\|"))
	}
}

// Rule explains one rule on a terminal.
func Rule(w io.Writer, r *rules.Rule) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s  %s\n%s.\n%s\n\n", r.ID, r.Severity, r.Title, r.Why)
	if len(r.Citations) > 0 {
		fmt.Fprintf(b, "45 CFR       %s\n", strings.Join(r.Citations, ", "))
	}
	fmt.Fprintf(b, "SP 800-53    %s\n", strings.Join(r.Controls, ", "))
	fmt.Fprintf(b, "remediation  %s\n", r.Remedy)
	for _, p := range r.Params {
		fmt.Fprintf(b, "parameter    %s = %v (%s)\n", p.Name, p.Default, p.Doc)
	}
	fmt.Fprint(b, "\nto mend it:\n")
	for _, t := range r.Targets() {
		fmt.Fprintf(b, "  %-15s %s\n", t, r.Mend[t])
	}
	return b.Flush()
}
