package policy

import "bytes"

// TenantSource is where the tenant of a key was found. The zero value is invalid: treat it as Conflict.
type TenantSource uint8

const (
	// FromKey: the key names its tenant.
	FromKey TenantSource = iota + 1
	// FromCredential: the entry belongs to the home tenant of whoever sends the command.
	FromCredential
	// Fixed: the rule names the tenant.
	Fixed
	// Conflict: the key names two tenants that differ. It belongs to nobody; the command is to be refused.
	Conflict
)

// String names s as the command line does.
func (s TenantSource) String() string {
	switch s {
	case FromKey:
		return "key"
	case FromCredential:
		return "credential"
	case Fixed:
		return "rule"
	case Conflict:
		return "conflict"
	default:
		return "invalid"
	}
}

// Unmatched is the Rule of a Match that no rule made.
const Unmatched = -1

// Match is what a policy says about a key.
type Match struct {
	// Category is never nil.
	Category *Category
	// Rule is the index in Policy.Rules of the rule that decided, or Unmatched.
	Rule int
	// Source is where the tenant comes from.
	Source TenantSource
	// Tenant aliases the key (FromKey) or belongs to the policy and must not be written to (Fixed); else nil.
	Tenant []byte
	// Subject aliases the key; nil when the rule names no subject.
	Subject []byte
}

// Match says what key is: the first rule that fits decides. A key that no rule fits falls into the unmatched category and
// belongs to the tenant of the credential. It allocates nothing, keeps nothing of key, and takes any bytes.
func (p *Policy) Match(key []byte) (m Match) {
	p.MatchTo(&m, key)
	return m
}

// MatchTo is Match for those who place many keys: it overwrites m. alike says that a key which has another last segment (what
// is behind its last ':') of the same length, and is the same before it, gets the same answer, with tenant and subject in the
// same places.
func (p *Policy) MatchTo(m *Match, key []byte) (alike bool) {
	var c cut
	i := p.find(&c, key)
	alike = !c.lastMatters
	m.Tenant, m.Subject = nil, nil
	if i == none {
		m.Category, m.Rule, m.Source = p.unmatched, Unmatched, FromCredential
		return alike
	}
	pat := p.patterns[i]
	r := &p.rules[pat.rule]
	m.Category, m.Rule, m.Source = r.category, pat.rule, r.source
	if pat.subject.segment >= 0 {
		m.Subject = pat.captured(&c, pat.subject)
	}
	if r.source != FromKey {
		m.Tenant = r.tenant
		return alike
	}
	m.Tenant = pat.captured(&c, pat.tenants[0])
	if len(pat.tenants) == 2 && !bytes.Equal(m.Tenant, pat.captured(&c, pat.tenants[1])) {
		m.Source, m.Tenant = Conflict, nil
	}
	return alike
}

// find cuts key and returns the index of the pattern that decides about it, or none.
func (p *Policy) find(c *cut, key []byte) int {
	c.split(key, p.depth)
	return p.index.find(c, 0, none)
}

// captured returns what the capture at the place took of a key that fits the pattern.
func (p *pattern) captured(c *cut, at place) []byte {
	text := c.segment(at.segment)
	s := p.segments[at.segment]
	if len(s) == 1 {
		return text
	}
	part, _ := s.split(text, at.token)
	return part
}

// Pattern returns the pattern that decides about key, with its alternatives chosen, and the line of its rule in the policy
// file; both are zero if no rule fits. It is for explaining.
func (p *Policy) Pattern(key []byte) (text string, line int) {
	var c cut
	i := p.find(&c, key)
	if i == none {
		return "", 0
	}
	return p.patterns[i].text, p.rules[p.patterns[i].rule].line
}
