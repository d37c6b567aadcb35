package rules

import (
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Rule is one safeguard: what must hold, why, and how to make it hold.
type Rule struct {
	ID       string
	Title    string // what must hold, a phrase: "Data at rest is encrypted"
	Severity model.Severity
	// Citations are sections of 45 CFR. Where a rule is good practice and no section asks for it, there are none.
	Citations []string
	// Controls are controls of NIST SP 800-53 revision 5 that SP 800-66 revision 2 maps to the citations, or that fit.
	Controls []string
	Why      string // what happens otherwise, one sentence with its full stop
	On       []Scope
	Reads    []model.AnyFact // all facts that Check may look at
	Params   []Param
	Mend     map[model.Target]string // the exact setting, for each target of On
	// Remedy is what remediation may do about it.
	Remedy Remedy
	Check  func(*Case) Verdict
}

// Scope is kinds of resources on targets that expose the facts of a rule.
type Scope struct {
	Kinds   []model.Kind
	Targets []model.Target
}

// Covers says whether the rule is evaluated on such a resource.
func (r *Rule) Covers(kind model.Kind, target model.Target) bool {
	return slices.ContainsFunc(r.On, func(s Scope) bool {
		return slices.Contains(s.Kinds, kind) && slices.Contains(s.Targets, target)
	})
}

// Targets lists the targets that the rule is evaluated on, in the order of documents.
func (r *Rule) Targets() []model.Target {
	var on []model.Target
	for _, t := range model.Targets() {
		if slices.ContainsFunc(r.On, func(s Scope) bool { return slices.Contains(s.Targets, t) }) {
			on = append(on, t)
		}
	}
	return on
}

// Kinds lists the kinds that the rule is evaluated on for a target.
func (r *Rule) Kinds(target model.Target) []model.Kind {
	var kinds []model.Kind
	for _, s := range r.On {
		if slices.Contains(s.Targets, target) {
			kinds = append(kinds, s.Kinds...)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// Param is a number, switch or list that a profile can set for a rule.
type Param struct {
	Name    string
	Doc     string
	Default any // int64, bool, string or []string
}

// Remedy is the strongest thing that remediation may do about a rule that fails.
type Remedy string

// The remedies, from mild to strong.
const (
	ReportOnly     Remedy = "report"
	Modify         Remedy = "modify in place"
	Quarantine     Remedy = "quarantine by security group"
	SnapshotDelete Remedy = "snapshot and delete"
	DeleteNew      Remedy = "delete within the creation window"
)

// Verdict is what Check says; Evaluate makes a Finding of it.
type Verdict struct {
	Result  model.Result
	Summary string
}

// Setting is how a profile changes a rule. The zero value changes nothing.
type Setting struct {
	Disabled bool
	Severity model.Severity // NoSeverity: the rule's own
	Params   map[string]any // checked by package profile against the rule's Params
}

// Evaluate judges a resource by all rules that cover it and are not disabled, in the order of list. Rules that have no
// meaning for the resource give no finding.
func Evaluate(list []Rule, settings map[string]Setting, r *model.Resource, now time.Time) []model.Finding {
	var findings []model.Finding
	for i := range list {
		rule := &list[i]
		s := settings[rule.ID]
		if s.Disabled || !rule.Covers(r.ID.Kind, r.ID.Target) {
			continue
		}
		if f := judge(rule, s, r, now); f.Result != model.NotApplicable {
			findings = append(findings, f)
		}
	}
	return findings
}

func judge(rule *Rule, s Setting, r *model.Resource, now time.Time) model.Finding {
	c := &Case{r: r, now: now, rule: rule, params: s.Params}
	v := rule.Check(c)
	f := model.Finding{
		Rule: rule.ID, Severity: rule.Severity, Result: v.Result, Resource: r.ID, Source: c.at, Summary: v.Summary,
		Read: c.read, Citations: rule.Citations,
	}
	if s.Severity != model.NoSeverity {
		f.Severity = s.Severity
	}
	if f.Source.File == "" && r.Source.File != "" {
		f.Source.File, f.Source.Line, f.Source.Column = r.Source.File, r.Source.Line, r.Source.Column
	}
	if v.Result != model.Pass {
		f.Mend = rule.Mend[r.ID.Target]
	}
	if v.Result == model.Fail || v.Result == model.Warn {
		exclude(&f, r, now)
	}
	return f
}

// exclude takes a finding out where an exclusion is in force. GOV-02, which judges exclusions, cannot be excluded.
func exclude(f *model.Finding, r *model.Resource, now time.Time) {
	x, ok := model.ExclusionMark.Of(r).Get()
	if !ok || f.Rule == "GOV-02" || exclusionGap(x, now) != "" {
		return
	}
	f.Result = model.Excluded
	f.Summary += "; excluded until " + x.ExpiresAt.UTC().Format(time.DateOnly) + " (" + x.Ticket + ")"
}
