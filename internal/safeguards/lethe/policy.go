package lethe

import (
	"path"
	"path/filepath"
	"time"

	settings "github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// IsPolicy says whether a document is a policy of Lethe: categories, or rules that match keys.
func IsPolicy(d *yamltree.Node) bool {
	if d == nil || d.Kind != yamltree.Map || len(d.Keys) == 0 {
		return false
	}
	for _, key := range d.Keys {
		if key != "version" && key != "categories" && key != "keys" && key != "unmatched" {
			return false
		}
	}
	rules := d.At("keys").List()
	return len(rules) > 0 && rules[0].At("match") != nil && rules[0].At("category") != nil || d.At("unmatched") != nil
}

// ReadPolicy reads a policy.
func ReadPolicy(name string, src []byte) (*model.Resource, []Problem) {
	r := model.NewResource(model.ID{Target: model.Lethe, Kind: model.LethePolicy, Name: name}, model.Source{File: name})
	return r, parsePolicy(r, name, src)
}

// ceilingOf reads the policy that settings name; none is the built-in one.
func ceilingOf(r *model.Resource, c *settings.Config, at model.Source, read ReadFile) []Problem {
	switch {
	case c.Policy == "":
		putCeiling(r, policy.Default(), at)
	case filepath.IsAbs(c.Policy):
		model.PHICeiling.SetUnknown(r, "the policy is outside of what is scanned", at)
	default:
		name := path.Join(path.Dir(at.File), filepath.ToSlash(c.Policy))
		src, err := read(name)
		if err != nil {
			model.PHICeiling.SetUnknown(r, "the policy is not read: "+err.Error(), at)
			return nil
		}
		return parsePolicy(r, name, src)
	}
	return nil
}

func parsePolicy(r *model.Resource, name string, src []byte) []Problem {
	p, mistakes := policy.Parse(src)
	if p == nil {
		var problems []Problem
		for _, m := range mistakes {
			problems = append(problems, Problem{model.Source{File: name, Line: m.Line, Column: m.Column}, "lethe serve refuses it: " + m.Problem})
		}
		model.PHICeiling.SetUnknown(r, problems[0].Text, problems[0].Source)
		return problems
	}
	putCeiling(r, p, model.Source{File: name})
	return nil
}

// putCeiling finds the longest life that a policy gives to keys that may be PHI: those that no rule names, and those whose
// rule's pattern looks like PHI. PHI itself cannot have more than 300 s.
func putCeiling(r *model.Resource, p *policy.Policy, at model.Source) {
	longest, from := reach(p.Category("phi")), at
	from.Setting = "phi"
	if d := reach(p.Unmatched()); d > longest {
		longest, from.Setting = d, "unmatched"
	}
	for _, rule := range p.Rules() {
		if d := reach(rule.Category); d > longest && live.LooksLikePHI([]byte(rule.Match)) {
			longest, from.Setting, from.Line = d, "keys", rule.Line
		}
	}
	if at.Default {
		from.Line = 0 // of the built-in policy, not of a file here
	}
	model.PHICeiling.Set(r, int64((longest+time.Second-1)/time.Second), from)
}

// reach is how long an entry of a category can be kept.
func reach(c *policy.Category) time.Duration { return max(c.Ceiling, c.MaxAge) }
