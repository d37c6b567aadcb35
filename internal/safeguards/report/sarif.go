package report

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// The parts of SARIF 2.1.0 (OASIS) that code scanning services read.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		ShortDescription sarifText      `json:"shortDescription"`
		FullDescription  sarifText      `json:"fullDescription"`
		Properties       map[string]any `json:"properties"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful        bool                `json:"executionSuccessful"`
		ToolExecutionNotifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		Kind         string             `json:"kind"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifSuppression struct {
		Kind string `json:"kind"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
)

func writeSARIF(w io.Writer, r *Report) error {
	var run sarifRun
	run.Tool.Driver = sarifDriver{Name: "lethe safeguards", Version: r.Version, InformationURI: "https://github.com/lethe-cache/lethe", Rules: []sarifRule{}}
	for _, rule := range r.Rules {
		tags := []string{"security", "hipaa"}
		for _, c := range rule.Citations {
			tags = append(tags, "45 CFR "+c)
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, ShortDescription: sarifText{rule.Title}, FullDescription: sarifText{rule.Why},
			Properties: map[string]any{"security-severity": securitySeverity(rule.Severity), "tags": tags},
		})
	}
	invocation := sarifInvocation{ExecutionSuccessful: r.Result.Complete()}
	for _, n := range r.Result.Notes {
		level := "note"
		if n.Incomplete {
			level = "error"
		}
		invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications, sarifNotification{level, sarifText{n.Text}, sarifPlace(n.Source, "")})
	}
	run.Invocations, run.Results = []sarifInvocation{invocation}, []sarifResult{}
	for i := range r.Result.Findings {
		f := &r.Result.Findings[i]
		kind, level := sarifKind(f)
		if kind == "" {
			continue
		}
		message := f.Summary + "."
		if f.Mend != "" {
			message += " To mend it: " + f.Mend + "."
		}
		result := sarifResult{
			RuleID: f.Rule, Kind: kind, Level: level, Message: sarifText{message}, Locations: sarifPlace(f.Source, f.Resource.String()),
			Fingerprints: map[string]string{"lethe/v1": f.Fingerprint()},
		}
		if f.Baselined || f.Result == model.Excluded {
			result.Suppressions = []sarifSuppression{{"external"}}
		}
		run.Results = append(run.Results, result)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifKind: passes are left out, as consumers expect of a scanner.
func sarifKind(f *model.Finding) (kind, level string) {
	switch f.Result {
	case model.Fail, model.Excluded:
		if f.Severity >= model.High {
			return "fail", "error"
		}
		return "fail", "warning"
	case model.Warn:
		return "fail", "note"
	case model.Undecided:
		return "review", "none"
	}
	return "", ""
}

// securitySeverity is the number by which GitHub sorts; its steps are those of CVSS.
func securitySeverity(s model.Severity) string {
	return map[model.Severity]string{model.Low: "3.0", model.Medium: "5.5", model.High: "8.0", model.Critical: "9.5"}[s]
}

func sarifPlace(at model.Source, resource string) []sarifLocation {
	var l sarifLocation
	if at.File != "" {
		l.Physical = &sarifPhysical{}
		l.Physical.Artifact.URI = (&url.URL{Path: strings.TrimPrefix(at.File, "./")}).String()
		if at.Line > 0 {
			l.Physical.Region = &sarifRegion{at.Line, at.Column}
		}
	}
	if resource != "" {
		l.Logical = []sarifLogical{{resource}}
	}
	if l.Physical == nil && l.Logical == nil {
		return nil
	}
	return []sarifLocation{l}
}
