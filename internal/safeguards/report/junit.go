package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// JUnit's XML as CI systems read it: a suite for each resource, a case for each rule.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		File    string     `xml:"file,attr,omitempty"`
		Failure *junitText `xml:"failure,omitempty"`
		Error   *junitText `xml:"error,omitempty"`
		Skipped *junitText `xml:"skipped,omitempty"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Body    string `xml:",chardata"`
	}
)

func writeJUnit(w io.Writer, r *Report) error {
	all := junitSuites{Name: "lethe safeguards"}
	byResource := make(map[model.ID]int)
	suite := func(name string) int {
		all.Suites = append(all.Suites, junitSuite{Name: clean(name)})
		return len(all.Suites) - 1
	}
	for i := range r.Result.Findings {
		f := &r.Result.Findings[i]
		at, ok := byResource[f.Resource]
		if !ok {
			at = suite(f.Resource.String())
			byResource[f.Resource] = at
		}
		all.Suites[at].add(r.junitCase(f))
	}
	notes := -1
	for _, n := range r.Result.Notes {
		if !n.Incomplete {
			continue
		}
		if notes < 0 {
			notes = suite("the scan itself")
		}
		all.Suites[notes].add(junitCase{Class: "scan", Name: clean(n.Source.Place()), Error: &junitText{Message: clean(n.Text)}})
	}
	for _, s := range all.Suites {
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// junitCase: what fails the scan is a failure; the rest that asks for something is skipped with its reason, so that a
// green run and exit code 0 are the same.
func (r *Report) junitCase(f *model.Finding) junitCase {
	c := junitCase{Class: f.Rule, Name: f.Rule + " " + r.title(f.Rule), File: f.Source.File}
	text := &junitText{Message: clean(f.Summary), Body: clean(strings.TrimSpace(f.Source.String() + " mend: " + f.Mend))}
	fails := f.Result == model.Fail || (f.Result == model.Undecided && r.Unknown)
	switch {
	case f.Result == model.Pass:
	case fails && f.Open() && f.Severity >= r.Threshold:
		c.Failure = text
	default:
		text.Message = f.Result.String() + ": " + text.Message
		c.Skipped = text
	}
	return c
}
