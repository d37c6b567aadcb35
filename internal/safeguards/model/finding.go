package model

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Severity orders findings. The zero value is none and belongs to no rule.
type Severity uint8

// From mild to grave.
const (
	NoSeverity Severity = iota
	Low
	Medium
	High
	Critical
)

func severityNames() [5]string { return [...]string{"none", "low", "medium", "high", "critical"} }

// String is the severity's name.
func (s Severity) String() string { return severityNames()[s] }

// MarshalText writes the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name of a severity; "none" is not one that can be asked for.
func (s *Severity) UnmarshalText(src []byte) error {
	for i, name := range severityNames() {
		if i > 0 && name == strings.ToLower(string(src)) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("cannot read severity %q: use low, medium, high or critical", src)
}

// Result is what a rule says of a resource. The zero value is invalid.
type Result uint8

// The results. A fact that is unknown and matters gives Undecided, never Pass.
const (
	_ Result = iota
	Pass
	Fail
	Warn
	Undecided     // shown as UNKNOWN
	Excluded      // it failed, and an exclusion that is in force names the resource
	NotApplicable // the rule has no meaning for what was read
)

func resultNames() [7]string {
	return [...]string{"INVALID", "PASS", "FAIL", "WARN", "UNKNOWN", "EXCLUDED", "N/A"}
}

// String is the result in the words of reports.
func (r Result) String() string { return resultNames()[r] }

// MarshalText writes the word; the zero value has none.
func (r Result) MarshalText() ([]byte, error) {
	if r == 0 {
		return nil, errors.New("cannot write result: it was never set")
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads the word.
func (r *Result) UnmarshalText(src []byte) error {
	for i, name := range resultNames() {
		if i > 0 && name == string(src) {
			*r = Result(i)
			return nil
		}
	}
	return fmt.Errorf("cannot read result %q", src)
}

// Finding is what one rule says of one resource.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Result   Result   `json:"result"`
	Resource ID       `json:"resource"`
	Source   Source   `json:"source,omitzero"` // the decisive setting, else where the resource is declared
	// Summary is one sentence, without a full stop, on why the result is what it is. It names no secret and no key.
	Summary string     `json:"summary"`
	Read    []ReadFact `json:"read"`
	Mend    string     `json:"mend,omitempty"` // the exact setting for the resource's target; for Fail, Warn and Undecided
	// Citations are sections of 45 CFR: "164.312(a)(2)(iv)".
	Citations []string `json:"citations"`
	// Baselined says that a baseline file already has it; it does not count for the exit code.
	Baselined bool `json:"baselined,omitempty"`
}

// ReadFact is a fact that a rule looked at, for people: secrets are never facts.
type ReadFact struct {
	Fact   string `json:"fact"`
	State  string `json:"state"`
	Value  string `json:"value,omitempty"` // shortened where it is long
	Why    string `json:"why,omitempty"`
	Source Source `json:"source,omitzero"`
}

// Fingerprint names the finding across scans: it depends on the rule and on the identity of the resource, and on no line
// number.
func (f *Finding) Fingerprint() string {
	h := sha256.New()
	for _, part := range []string{f.Rule, string(f.Resource.Target), string(f.Resource.Kind), f.Resource.Account, f.Resource.Region, f.Resource.Name} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Open says whether the finding asks somebody to do something: it failed, warns or could not be decided, and no baseline
// has it.
func (f *Finding) Open() bool {
	return !f.Baselined && (f.Result == Fail || f.Result == Warn || f.Result == Undecided)
}
