package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

// The parts of OSCAL's assessment-results model, version 1.1.3 (NIST), that a scan has something to say for.
type (
	oscalDocument struct {
		Results oscalResults `json:"assessment-results"`
	}
	oscalResults struct {
		UUID     string        `json:"uuid"`
		Metadata oscalMetadata `json:"metadata"`
		ImportAP oscalHref     `json:"import-ap"`
		Results  []oscalResult `json:"results"`
	}
	oscalMetadata struct {
		Title        string `json:"title"`
		LastModified string `json:"last-modified"`
		Version      string `json:"version"`
		OSCALVersion string `json:"oscal-version"`
	}
	oscalHref struct {
		Href    string `json:"href"`
		Remarks string `json:"remarks,omitempty"`
	}
	oscalResult struct {
		UUID         string             `json:"uuid"`
		Title        string             `json:"title"`
		Description  string             `json:"description"`
		Start        string             `json:"start"`
		Reviewed     oscalReviewed      `json:"reviewed-controls"`
		Observations []oscalObservation `json:"observations,omitempty"`
		Findings     []oscalFinding     `json:"findings,omitempty"`
		Remarks      string             `json:"remarks,omitempty"`
	}
	oscalReviewed struct {
		Selections []oscalSelection `json:"control-selections"`
	}
	oscalSelection struct {
		Include []oscalControl `json:"include-controls"`
	}
	oscalControl struct {
		ID string `json:"control-id"`
	}
	oscalObservation struct {
		UUID        string          `json:"uuid"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Props       []oscalProp     `json:"props"`
		Methods     []string        `json:"methods"`
		Evidence    []oscalEvidence `json:"relevant-evidence,omitempty"`
		Collected   string          `json:"collected"`
	}
	oscalProp struct {
		Name  string `json:"name"`
		NS    string `json:"ns"`
		Value string `json:"value"`
	}
	oscalEvidence struct {
		Description string `json:"description"`
	}
	oscalFinding struct {
		UUID        string        `json:"uuid"`
		Title       string        `json:"title"`
		Description string        `json:"description"`
		Target      oscalTarget   `json:"target"`
		Related     []oscalRelate `json:"related-observations"`
	}
	oscalTarget struct {
		Type   string      `json:"type"`
		ID     string      `json:"target-id"`
		Status oscalStatus `json:"status"`
	}
	oscalStatus struct {
		State   string `json:"state"`
		Reason  string `json:"reason"`
		Remarks string `json:"remarks,omitempty"`
	}
	oscalRelate struct {
		Observation string `json:"observation-uuid"`
	}
)

// namespace of properties that are not OSCAL's own.
const oscalNamespace = "https://github.com/lethe-cache/lethe/ns/safeguards"

// writeOSCAL writes an observation for each finding, and a finding for each control that was looked at: satisfied if
// nothing under it failed, warns or is unknown.
func writeOSCAL(w io.Writer, r *Report) error {
	at := r.At.UTC().Format(time.RFC3339)
	result := oscalResult{
		UUID: uuid(at, "result"), Title: "Safeguards of caches", Start: at,
		Description: "Automated examination of caches by lethe safeguards, profile " + r.Profile + ".",
	}
	if !r.Result.Complete() {
		result.Remarks = "The scan is not complete: a part of what was named could not be read."
	}
	byControl := make(map[string]*oscalFinding)
	var order []string
	for i := range r.Result.Findings {
		f := &r.Result.Findings[i]
		o := r.observation(f, at)
		result.Observations = append(result.Observations, o)
		for _, id := range controlsOf(rules.Find(r.Rules, f.Rule)) {
			c := byControl[id]
			if c == nil {
				c = &oscalFinding{UUID: uuid(at, "finding", id), Title: "Control " + strings.ToUpper(id), Description: "What the safeguards that serve this control found.",
					Target: oscalTarget{"objective-id", id + "_obj", oscalStatus{State: "satisfied", Reason: "pass"}}}
				byControl[id] = c
				order = append(order, id)
			}
			c.Related = append(c.Related, oscalRelate{o.UUID})
			if f.Result == model.Fail || f.Result == model.Warn || f.Result == model.Undecided {
				c.Target.Status = oscalStatus{State: "not-satisfied", Reason: "fail", Remarks: "At least one observation failed, warns or could not be decided."}
			}
		}
	}
	result.Reviewed = reviewed(order)
	for _, id := range order {
		result.Findings = append(result.Findings, *byControl[id])
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(oscalDocument{oscalResults{
		UUID:     uuid(at, "document"),
		Metadata: oscalMetadata{"Safeguards of caches", at, r.Version, "1.1.3"},
		ImportAP: oscalHref{"#", "The scan is its own plan: the profile says which rules were evaluated."},
		Results:  []oscalResult{result},
	}})
}

func reviewed(ids []string) oscalReviewed {
	selection := oscalSelection{Include: []oscalControl{}}
	for _, id := range ids {
		selection.Include = append(selection.Include, oscalControl{id})
	}
	if len(ids) == 0 {
		selection.Include = append(selection.Include, oscalControl{"ra-5"}) // nothing was found to look at; the scan itself is this control
	}
	return oscalReviewed{[]oscalSelection{selection}}
}

func (r *Report) observation(f *model.Finding, at string) oscalObservation {
	o := oscalObservation{
		UUID: uuid(at, "observation", f.Fingerprint()), Title: f.Rule + " " + r.title(f.Rule), Description: f.Summary, Collected: at,
		Methods: []string{"TEST"},
		Props: []oscalProp{
			{"rule", oscalNamespace, f.Rule}, {"result", oscalNamespace, f.Result.String()}, {"severity", oscalNamespace, f.Severity.String()},
			{"resource", oscalNamespace, clean(f.Resource.String())},
		},
	}
	if o.Description == "" {
		o.Description = o.Title
	}
	for _, c := range f.Citations {
		o.Props = append(o.Props, oscalProp{"citation", oscalNamespace, "45 CFR " + c})
	}
	for _, fact := range f.Read {
		text := fact.Fact + " = " + fact.Value
		if fact.State != model.Known.String() {
			text = fact.Fact + " is not known: " + fact.Why
		}
		if place := fact.Source.String(); place != "" {
			text += " (" + place + ")"
		}
		o.Evidence = append(o.Evidence, oscalEvidence{clean(text)})
	}
	return o
}

func controlsOf(rule *rules.Rule) []string {
	if rule == nil {
		return nil
	}
	ids := make([]string, len(rule.Controls))
	for i, c := range rule.Controls {
		ids[i] = strings.ToLower(c)
	}
	return ids
}

// uuid is made of what it names, so that the same scan gives the same document. OSCAL's schema takes versions 4 and 5 only;
// it is marked as 5, made of a name, though by SHA-256.
func uuid(parts ...string) string {
	sum := sha256.Sum256([]byte(oscalNamespace + "\x00" + strings.Join(parts, "\x00")))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
