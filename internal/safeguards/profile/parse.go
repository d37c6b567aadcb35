package profile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/osv"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// Mistake is something wrong in a profile.
type Mistake struct {
	Line int    // from 1
	Text string // a clause without a full stop
}

func (m Mistake) String() string { return fmt.Sprintf("%d: %s", m.Line, m.Text) }

// Parse reads a profile, or returns every mistake in it; never both.
//
//	extends: hipaa-strict
//	rules:
//	  AUTH-04: {params: {max_age_days: 30}}
//	  NET-06:  {enabled: false}
//	  BKP-01:  {severity: critical}
//	custom:
//	  - id: OURS-01
//	    title: Every group is Valkey
//	    severity: high
//	    kinds: [replication_group]
//	    pass: facts.engine == "valkey"
func Parse(src []byte) (*Profile, []Mistake) {
	r := &reader{}
	docs, err := yamltree.Parse(src)
	switch {
	case err != nil:
		r.mistake(nil, "%v", err)
	case len(docs) != 1 || docs[0].Kind != yamltree.Map:
		r.mistake(nil, "a profile is one mapping")
	default:
		r.top(docs[0])
	}
	if len(r.mistakes) > 0 {
		return nil, r.mistakes
	}
	return r.profile, nil
}

type reader struct {
	profile  *Profile
	mistakes []Mistake
}

func (r *reader) mistake(n *yamltree.Node, format string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{max(1, n.LineNumber()), fmt.Sprintf(format, args...)})
}

// fields checks that a map has no other keys.
func (r *reader) fields(n *yamltree.Node, what string, known ...string) bool {
	if n.Kind != yamltree.Map {
		r.mistake(n, "%s is not a mapping", what)
		return false
	}
	for _, k := range n.Keys {
		if !slices.Contains(known, k) {
			r.mistake(n.Fields[k], "%s has no field %q; it has %s", what, k, strings.Join(known, ", "))
		}
	}
	return true
}

func (r *reader) top(n *yamltree.Node) {
	if !r.fields(n, "the profile", "name", "extends", "rules", "custom") {
		return
	}
	base := n.At("extends").String()
	if base == "" {
		base = Default
	}
	r.profile = Builtin(base)
	if r.profile == nil {
		r.mistake(n.At("extends"), "there is no profile %q to extend; there are %s", base, strings.Join(Names(), ", "))
		return
	}
	r.profile.Name, r.profile.Doc = "own", "The user's own, on the base of "+base+"."
	if name := n.At("name").String(); name != "" {
		r.profile.Name = name
	}
	catalogue := rules.Catalogue()
	for _, id := range n.At("rules").MapKeys() {
		rule := rules.Find(catalogue, id)
		if rule == nil {
			r.mistake(n.At("rules", id), "there is no rule %q; `lethe safeguards rules` lists them", id)
			continue
		}
		r.rule(rule, n.At("rules", id))
	}
	for i, c := range n.At("custom").List() {
		r.custom(c, i)
	}
}

func (r *reader) rule(rule *rules.Rule, n *yamltree.Node) {
	if !r.fields(n, rule.ID, "enabled", "severity", "params") {
		return
	}
	s := r.profile.Settings[rule.ID]
	if e := n.At("enabled"); e != nil {
		on, ok := e.Bool()
		if !ok {
			r.mistake(e, "enabled is true or false")
		}
		s.Disabled = !on
	}
	if v := n.At("severity"); v != nil {
		if err := s.Severity.UnmarshalText([]byte(v.String())); err != nil {
			r.mistake(v, "severity is low, medium, high or critical")
		}
	}
	params := maps.Clone(s.Params)
	if params == nil {
		params = make(map[string]any)
	}
	for _, name := range n.At("params").MapKeys() {
		r.param(rule, name, n.At("params", name), params)
	}
	s.Params = params
	r.profile.Settings[rule.ID] = s
}

func (r *reader) param(rule *rules.Rule, name string, n *yamltree.Node, into map[string]any) {
	i := slices.IndexFunc(rule.Params, func(p rules.Param) bool { return p.Name == name })
	if i < 0 {
		r.mistake(n, "%s has no parameter %q", rule.ID, name)
		return
	}
	v, problem := value(rule.Params[i].Default, n)
	if problem == "" && strings.HasSuffix(name, "_min") {
		if _, err := osv.ParseVersion(n.String()); err != nil {
			problem = "a version"
		}
	}
	if list, ok := v.([]string); ok && name == "redis_also" {
		for _, text := range list {
			if _, err := osv.ParseVersion(text); err != nil {
				problem = "a list of versions"
			}
		}
	}
	if problem != "" {
		r.mistake(n, "parameter %s of %s is %s", name, rule.ID, problem)
		return
	}
	into[name] = v
}

// value reads a parameter of the type of its default; problem says what it should have been.
func value(standard any, n *yamltree.Node) (v any, problem string) {
	switch standard.(type) {
	case bool:
		b, ok := n.Bool()
		if !ok {
			return nil, "true or false"
		}
		return b, ""
	case int64:
		i, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil || i < 0 {
			return nil, "a number that is not negative"
		}
		return i, ""
	case string:
		if n.Kind != yamltree.Scalar {
			return nil, "a text"
		}
		return n.String(), ""
	default:
		if n.Kind != yamltree.List {
			return nil, "a list"
		}
		list := []string{}
		for _, i := range n.Items {
			list = append(list, i.String())
		}
		return list, ""
	}
}

func (r *reader) custom(n *yamltree.Node, i int) {
	what := fmt.Sprintf("custom rule %d", i+1)
	if !r.fields(n, what, "id", "title", "severity", "citations", "why", "mend", "kinds", "targets", "pass") {
		return
	}
	c := Custom{ID: n.At("id").String(), Title: n.At("title").String(), Why: n.At("why").String(), Mend: n.At("mend").String(), Pass: n.At("pass").String(), Line: n.Line}
	for name, text := range map[string]string{"an id": c.ID, "a title": c.Title, "an expression pass": c.Pass} {
		if text == "" {
			r.mistake(n, "%s needs %s", what, name)
		}
	}
	if rules.Find(rules.Catalogue(), c.ID) != nil || slices.ContainsFunc(r.profile.Custom, func(o Custom) bool { return o.ID == c.ID }) {
		r.mistake(n, "%s has an id that is taken", what)
	}
	if err := c.Severity.UnmarshalText([]byte(n.At("severity").String())); err != nil {
		r.mistake(n, "%s needs a severity: low, medium, high or critical", what)
	}
	for _, s := range n.At("citations").List() {
		c.Citations = append(c.Citations, s.String())
	}
	for _, k := range n.At("kinds").List() {
		c.Kinds = append(c.Kinds, model.Kind(k.String()))
		if !slices.Contains(model.Kinds(), model.Kind(k.String())) {
			r.mistake(k, "there is no kind %q", k.String())
		}
	}
	for _, t := range n.At("targets").List() {
		c.Targets = append(c.Targets, model.Target(t.String()))
		if !slices.Contains(model.Targets(), model.Target(t.String())) {
			r.mistake(t, "there is no target %q", t.String())
		}
	}
	r.profile.Custom = append(r.profile.Custom, c)
}
