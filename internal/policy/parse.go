package policy

import (
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Parse reads a policy file and returns the policy, or every mistake that was found in it in the order of lines; never
// both and never neither. It is strict: what it does not know is a mistake, since a setting that is not understood might
// have been meant to protect something. src is not kept.
func Parse(src []byte) (*Policy, []Mistake) {
	r := &reader{policy: &Policy{byName: make(map[string]*Category)}}
	if top := r.document(src); top != nil {
		r.top(top)
	}
	if len(r.mistakes) > 0 {
		sortMistakes(r.mistakes)
		return nil, r.mistakes
	}
	r.policy.seal()
	return r.policy, nil
}

// top reads the fields of a policy.
func (r *reader) top(n *yaml.Node) {
	fields := r.fields(n, "the policy", "version", "categories", "keys", "unmatched")
	r.version(fields["version"])
	r.categories(fields["categories"])
	r.unmatched(fields["unmatched"])
	r.keys(fields["keys"])
	if len(r.mistakes) == 0 {
		r.order()
	}
}

// maxVersion lets a version be a date and a time, to the second or finer.
const maxVersion = 1 << 53

func (r *reader) version(n *yaml.Node) {
	if n == nil {
		return
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Kind != yaml.ScalarNode || err != nil || v < 1 || v > maxVersion || n.Value[0] == '+' {
		r.mistake(n, "count up: `version: 1`, or write a date: `version: 20260131`", "the version is not a whole number above 0")
		return
	}
	r.policy.version = v
}

// categories reads the field of that name, which may be missing, and numbers all categories: the built-in ones first,
// then the others by name, so that the order in the file has no meaning.
func (r *reader) categories(n *yaml.Node) {
	p := r.policy
	for _, c := range builtins() {
		p.categories = append(p.categories, c)
		p.byName[c.Name] = c
	}
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.mistake(n, "write `NAME: {ceiling: 5m, phi: true}` under it, one line a category", "categories is not a mapping")
		return
	}
	seen := make(map[string]*yaml.Node)
	added := make(map[string]*Category)
	for name, value := range pairs(n) {
		text, ok := r.unique(name, seen)
		if !ok {
			continue
		}
		seen[text] = value
		if !isName(text) {
			r.mistake(name, "use a lower-case letter, then lower-case letters, digits and underscores, 64 at most",
				"%s cannot name a category", shown(text))
			continue
		}
		if p.byName[text] == nil {
			added[text] = &Category{Name: text, Expiry: Absolute, OnExcess: Clamp, Evict: true, Audit: AuditAll, Seal: SealOn}
			r.category(added[text], name, value, true)
			continue
		}
		r.category(p.byName[text], name, value, false)
	}
	r.number(n, added)
}

// maxCategories is far more than anyone needs and lets an entry keep the ID of its category in one byte.
const maxCategories = 255

func (r *reader) number(n *yaml.Node, added map[string]*Category) {
	p := r.policy
	if len(p.categories)+len(added) > maxCategories {
		r.mistake(n, "join categories with the same rules", "there are more than %d categories", maxCategories)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(added)) {
		c := added[name]
		c.ID = uint16(len(p.categories))
		p.categories = append(p.categories, c)
		p.byName[name] = c
	}
}

// unmatched reads the field of that name; without it unmatched keys are PHI.
func (r *reader) unmatched(n *yaml.Node) {
	p := r.policy
	p.unmatched = p.byName[phiName]
	if n == nil {
		return
	}
	c := r.categoryNamed(n, "unmatched")
	if c == nil {
		return
	}
	p.unmatched = c
	if !c.PHI {
		p.warnings = append(p.warnings, Mistake{
			Line: n.Line, Column: n.Column,
			Problem: "keys that no rule fits are not treated as PHI",
			Mend:    "write `unmatched: phi` unless no key of this server can hold PHI",
		})
	}
}

// categoryNamed returns the category that n names, or nil.
func (r *reader) categoryNamed(n *yaml.Node, what string) *Category {
	name, ok := r.text(n, what)
	if !ok {
		return nil
	}
	c := r.policy.byName[name]
	if c == nil {
		known := slices.Sorted(maps.Keys(r.policy.byName))
		r.mistake(n, suggest(name, known), "there is no category %s", shown(name))
	}
	return c
}

// seal builds what Match needs, once everything is known to be right.
func (p *Policy) seal() {
	p.index = newIndex(p.patterns)
	for _, pat := range p.patterns {
		p.depth = max(p.depth, pat.depth())
	}
	sortMistakes(p.warnings)
	p.yaml = p.canonical()
	p.hash = digest(p.yaml)
}
