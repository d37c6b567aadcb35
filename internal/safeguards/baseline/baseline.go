// Package baseline keeps the findings that are known, so that a scan in CI speaks of new ones only.
//
// It is for what is accepted for now. It is no exclusion: it has no owner and no end, takes nothing out of remediation and
// is shown in every report.
//
// The invariant that it keeps: a baseline takes out only a finding of the same rule on the same resource whose result was
// no better then. A warning that became a failure is new.
//
// `lethe safeguards scan` calls it.
package baseline

import (
	"encoding/json"
	"fmt"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Baseline is a set of known findings, by fingerprint.
type Baseline struct{ known map[string]entry }

// entry is one finding; rule and resource are for people who read the file.
type entry struct {
	Fingerprint string       `json:"fingerprint"`
	Rule        string       `json:"rule"`
	Resource    string       `json:"resource"`
	Result      model.Result `json:"result"`
}

type file struct {
	Version  int     `json:"version"`
	Findings []entry `json:"findings"`
}

// version of the form of the file.
const version = 1

// Parse reads a baseline file.
func Parse(src []byte) (*Baseline, error) {
	var f file
	if err := json.Unmarshal(src, &f); err != nil {
		return nil, fmt.Errorf("cannot read baseline: %w", err)
	}
	if f.Version != version {
		return nil, fmt.Errorf("cannot read baseline: version %d is not supported", f.Version)
	}
	b := &Baseline{known: make(map[string]entry, len(f.Findings))}
	for _, e := range f.Findings {
		b.known[e.Fingerprint] = e
	}
	return b, nil
}

// Mark sets Baselined on the findings that are known.
func (b *Baseline) Mark(findings []model.Finding) {
	for i := range findings {
		f := &findings[i]
		e, ok := b.known[f.Fingerprint()]
		f.Baselined = ok && f.Open() && weight(f.Result) <= weight(e.Result)
	}
}

// weight orders results by how bad they are.
func weight(r model.Result) int {
	switch r {
	case model.Fail:
		return 3
	case model.Warn:
		return 2
	case model.Undecided:
		return 1
	default:
		return 0
	}
}

// Of returns the file for the findings of a scan that ask for something, sorted as they are.
func Of(findings []model.Finding) ([]byte, error) {
	f := file{Version: version, Findings: []entry{}}
	for i := range findings {
		x := &findings[i]
		if weight(x.Result) > 0 {
			f.Findings = append(f.Findings, entry{x.Fingerprint(), x.Rule, x.Resource.String(), x.Result})
		}
	}
	out, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot write baseline: %w", err)
	}
	return append(out, '\n'), nil
}
