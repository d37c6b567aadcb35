package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// report is everything that a run found. Its JSON is stable: fields are added, not changed.
type report struct {
	Machine machine  `json:"machine"`
	Tables  []*table `json:"tables"`
}

// writeJSON writes the report to a file.
func (r *report) writeJSON(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("cannot write the figures: %w", err)
	}
	return nil
}

// table compares a subject with a baseline.
type table struct {
	Part     string   `json:"part"`
	Title    string   `json:"title"`
	Baseline string   `json:"baseline"` // names of the columns
	Subject  string   `json:"subject"`
	Rows     []*row   `json:"rows"`
	Notes    []string `json:"notes"` // how the figures were taken, and in what the two sides differ

	asChange bool // print ratios as a change in percent
	noGoals  bool // in a quick run
}

// The two sides of a table.
const (
	baseline = iota
	subject
)

// row is one figure of both sides.
type row struct {
	Measure  string   `json:"measure"`
	Unit     string   `json:"unit"`
	Baseline *summary `json:"baseline,omitempty"`
	Subject  *summary `json:"subject,omitempty"`
	Ratio    *summary `json:"ratio,omitempty"` // subject / baseline, round by round
	Goal     *goal    `json:"goal,omitempty"`

	samples    [2][]float64
	difference bool // of two figures: a quotient of such says nothing
}

// goal is what docs/performance.md promises of a row.
type goal struct {
	Of    string  `json:"of"`    // "ratio" or "subject"
	Least bool    `json:"least"` // the limit is a lower one
	Limit float64 `json:"limit"`
	Met   bool    `json:"met"`
}

// add notes the sample of one round.
func (t *table) add(measure, unit string, side int, value float64) {
	r := t.row(measure)
	r.Unit = unit
	r.samples[side] = append(r.samples[side], value)
	r.Baseline, r.Subject = summarise(r.samples[baseline]), summarise(r.samples[subject])
	if !r.difference {
		r.Ratio = summarise(ratios(r.samples[subject], r.samples[baseline]))
	}
	r.Goal.judge(r)
}

// addDifference is add for a figure that may be zero or below.
func (t *table) addDifference(measure, unit string, side int, value float64) {
	t.row(measure).difference = true
	t.add(measure, unit, side, value)
}

// row finds a row, or begins it.
func (t *table) row(measure string) *row {
	for _, r := range t.Rows {
		if r.Measure == measure {
			return r
		}
	}
	r := &row{Measure: measure}
	t.Rows = append(t.Rows, r)
	return r
}

// ratioAtLeast, ratioAtMost and subjectAtMost set the goal of a row.
func (t *table) ratioAtLeast(measure string, limit float64) {
	t.aim(measure, goal{Of: "ratio", Least: true, Limit: limit})
}

func (t *table) ratioAtMost(measure string, limit float64) {
	t.aim(measure, goal{Of: "ratio", Limit: limit})
}

func (t *table) subjectAtMost(measure string, limit float64) {
	t.aim(measure, goal{Of: "subject", Limit: limit})
}

func (t *table) aim(measure string, g goal) {
	if t.noGoals {
		return
	}
	r := t.row(measure)
	r.Goal = &g
	g.judge(r)
}

// judge compares the median with the goal, as soon as there is one.
func (g *goal) judge(r *row) {
	if g == nil {
		return
	}
	s := r.Ratio
	if g.Of == "subject" {
		s = r.Subject
	}
	if s != nil {
		g.Met = s.Median <= g.Limit
		if g.Least {
			g.Met = s.Median >= g.Limit
		}
	}
}
