package policy

import (
	"unicode"

	"go.yaml.in/yaml/v3"
)

// maxPatterns bounds a policy, alternatives counted one by one. Each pattern is held against all that stand before it.
const maxPatterns = 2048

// keys reads the list of rules, which may be missing: then no key matches and every key is what `unmatched` says.
func (r *reader) keys(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.mistake(n, "write `- {match: PATTERN, category: NAME}` under it, one line a rule", "keys is not a list")
		return
	}
	for _, item := range n.Content {
		r.rule(item)
		if len(r.policy.patterns) > maxPatterns {
			r.mistake(item, "join rules by using {name} or alternatives", "there are more than %d patterns", maxPatterns)
			return
		}
	}
}

// rule reads one item of `keys`.
func (r *reader) rule(n *yaml.Node) {
	fields := r.fields(n, "a rule", "match", "category", "tenant", "on_excess")
	if fields == nil {
		return
	}
	for _, field := range []string{"match", "category"} {
		if fields[field] == nil {
			r.mistake(n, "write it as `{match: PATTERN, category: NAME}`", "the rule has no %s", field)
			return
		}
	}
	next := rule{line: fields["match"].Line, column: fields["match"].Column}
	next.category = r.categoryNamed(fields["category"], "category")
	if e := fields["on_excess"]; e != nil {
		choose(r, e, "on_excess", &next.onExcess, Clamp, Refuse)
	}
	var patterns []*pattern
	next.match, patterns = r.match(fields["match"])
	if next.category == nil || patterns == nil {
		return
	}
	if next.onExcess != 0 {
		own := *next.category
		own.OnExcess = next.onExcess
		next.category = &own
	}
	if !r.tenant(&next, patterns, fields["tenant"], fields["match"]) {
		return
	}
	for _, p := range patterns {
		p.rule = len(r.policy.rules)
	}
	r.policy.rules = append(r.policy.rules, next)
	r.policy.patterns = append(r.policy.patterns, patterns...)
}

// match reads a pattern and returns nil for one that cannot be used.
func (r *reader) match(n *yaml.Node) (string, []*pattern) {
	text, ok := r.text(n, "match")
	if !ok {
		return "", nil
	}
	for _, c := range text {
		if !unicode.IsPrint(c) {
			r.mistake(n, "put * or {name} where the character stands", "the pattern holds a character that cannot be seen")
			return "", nil
		}
	}
	patterns, err := compilePattern(text)
	if err != nil {
		r.mistake(n, err.mend, "%s", err.problem)
		return "", nil
	}
	return text, patterns
}

// tenant settles where the tenant of the rule's keys is found. It is never guessed from the shape of a key: a rule names
// it, takes it from the credential, or captures it.
func (r *reader) tenant(next *rule, patterns []*pattern, n, match *yaml.Node) bool {
	captures := len(patterns[0].tenants) > 0
	word := ""
	if n != nil {
		var ok bool
		if word, ok = r.text(n, "tenant"); !ok {
			return false
		}
	}
	switch {
	case word == "" && n == nil && captures, word == "key" && captures:
		next.source = FromKey
	case word == "key":
		r.mistake(n, "put {tenant} where the pattern's keys name it", "the pattern has no {tenant}")
		return false
	case captures:
		r.mistake(n, "leave `tenant` out, or use another name in place of {tenant}", "the pattern has {tenant} and the rule says otherwise")
		return false
	case word == "credential":
		next.source = FromCredential
	case n == nil && allShared(patterns):
		next.source, next.tenant = Fixed, []byte(GlobalTenant)
	case n == nil:
		r.mistake(match, "put {tenant} in the pattern, or add `tenant: credential` or `tenant: NAME`", "the rule does not say whose the keys are")
		return false
	case !isTenantName(word):
		r.mistake(n, "write key, credential, or a name of letters, digits, '.', '_' and '-' that begins with a letter or digit", "%s cannot be a tenant", shown(word))
		return false
	default:
		next.source, next.tenant = Fixed, []byte(word)
	}
	if next.category.PHI && string(next.tenant) == GlobalTenant {
		r.mistake(match, "use a category that is not PHI, or {tenant} in place of the name",
			"the tenant %s can be read by every credential, and category %s is PHI", GlobalTenant, next.category.Name)
		return false
	}
	return true
}

// allShared tells whether every pattern begins with the segment of the reserved tenant.
func allShared(patterns []*pattern) bool {
	for _, p := range patterns {
		if len(p.segments) == 0 {
			return false
		}
		if text, ok := p.segments[0].asLiteral(); !ok || text != GlobalTenant {
			return false
		}
	}
	return true
}

// isTenantName tells whether a rule can name the tenant; the characters are those of a tenant in the users file.
func isTenantName(s string) bool {
	for i, c := range s {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !plain && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
