// Package report prints what a scan found: as text for people, JSON, SARIF 2.1.0, JUnit, OSCAL assessment-results 1.1.3 and
// HTML.
//
// It is for form. What a finding says was decided by package rules; nothing is left out here but passes in the text.
//
// The invariant that it keeps: every form tells of every finding that asks for something and of every part of the scan that
// is not complete, so that no form looks better than another. Text of files that were scanned is escaped for its form.
//
// `lethe safeguards scan` calls Write; the forms are stable.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

// Report is all that forms print.
type Report struct {
	Version   string // of Lethe
	Profile   string
	At        time.Time // of the scan
	Result    *scan.Result
	Rules     []rules.Rule   // that were evaluated
	Threshold model.Severity // from which findings fail the scan
	// Unknown says that results UNKNOWN fail the scan as well.
	Unknown bool
	Color   bool // for text on a terminal
	All     bool // show what passed in the text too
}

// Counts is how many findings there are of each result.
type Counts struct {
	Fail      int `json:"fail"`
	Warn      int `json:"warn"`
	Unknown   int `json:"unknown"`
	Pass      int `json:"pass"`
	Excluded  int `json:"excluded"`
	Baselined int `json:"baselined"`
}

// Counts counts. What the baseline has is counted there and nowhere else.
func (r *Report) Counts() Counts {
	var c Counts
	for i := range r.Result.Findings {
		f := &r.Result.Findings[i]
		switch {
		case f.Baselined:
			c.Baselined++
		case f.Result == model.Fail:
			c.Fail++
		case f.Result == model.Warn:
			c.Warn++
		case f.Result == model.Undecided:
			c.Unknown++
		case f.Result == model.Excluded:
			c.Excluded++
		default:
			c.Pass++
		}
	}
	return c
}

// Failing returns how many findings are at or above the threshold.
func (r *Report) Failing() int {
	n := 0
	for i := range r.Result.Findings {
		f := &r.Result.Findings[i]
		counts := f.Result == model.Fail || (f.Result == model.Undecided && r.Unknown)
		if counts && f.Open() && f.Severity >= r.Threshold {
			n++
		}
	}
	return n
}

// Forms lists the names of the forms.
func Forms() []string { return []string{"text", "json", "sarif", "junit", "oscal", "html"} }

// Write prints a report in a form.
func Write(w io.Writer, form string, r *Report) error {
	switch form {
	case "text":
		return writeText(w, r)
	case "json":
		return writeJSON(w, r)
	case "sarif":
		return writeSARIF(w, r)
	case "junit":
		return writeJUnit(w, r)
	case "oscal":
		return writeOSCAL(w, r)
	case "html":
		return writeHTML(w, r)
	}
	return fmt.Errorf("cannot write report: there is no form %q", form)
}

func (r *Report) title(id string) string {
	if rule := rules.Find(r.Rules, id); rule != nil {
		return rule.Title
	}
	return id
}

type jsonReport struct {
	Tool      string          `json:"tool"`
	Version   string          `json:"version"`
	Profile   string          `json:"profile"`
	At        time.Time       `json:"at"`
	Complete  bool            `json:"complete"`
	Resources int             `json:"resources"`
	Counts    Counts          `json:"counts"`
	Failing   int             `json:"failing"`
	Findings  []model.Finding `json:"findings"`
	Notes     []scan.Note     `json:"notes"`
}

func writeJSON(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(jsonReport{
		Tool: "lethe safeguards", Version: r.Version, Profile: r.Profile, At: r.At.UTC(), Complete: r.Result.Complete(),
		Resources: len(r.Result.Resources), Counts: r.Counts(), Failing: r.Failing(),
		Findings: append([]model.Finding{}, r.Result.Findings...), Notes: append([]scan.Note{}, r.Result.Notes...),
	})
}
