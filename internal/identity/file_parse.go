package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// parser walks the nodes of a users file and gathers mistakes, so that all are told at once.
type parser struct {
	set             CommandSet
	leastIterations int
	mistakes        []Mistake
	lines           map[string]int // where each user was named
	certified       map[string]bool
}

func (p *parser) add(line int, problem, mend string) {
	p.mistakes = append(p.mistakes, Mistake{Line: max(line, 1), Problem: problem, Mend: mend})
}

// fieldTable is the fields that a mapping may have.
type fieldTable map[string]field

type field struct {
	required bool
	read     func(*yaml.Node)
}

// fields reads a mapping by its table.
func (p *parser) fields(n *yaml.Node, what string, table fieldTable) {
	if n.Kind != yaml.MappingNode {
		p.add(n.Line, what+" is not a mapping", "write fields: "+strings.Join(table.names(), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f, known := table[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			p.add(key.Line, what+" has an unknown field "+quoteName(key.Value), "the fields are "+strings.Join(table.names(), ", "))
		case seen[key.Value]:
			p.add(key.Line, what+" has the field "+key.Value+" twice", "keep one")
		default:
			seen[key.Value] = true
			f.read(value)
		}
	}
	for _, name := range table.names() {
		if table[name].required && !seen[name] {
			p.add(n.Line, what+" lacks the field "+name, "add it")
		}
	}
}

func (t fieldTable) names() []string {
	var names []string
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (p *parser) items(n *yaml.Node, what string, read func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		p.add(n.Line, what+" is not a list", "write [a, b], or one item a line after '- '")
		return
	}
	for _, item := range n.Content {
		read(item)
	}
}

// text returns a scalar that was written as a string.
func (p *parser) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.add(n.Line, what+" is not a text", "write one")
		return ""
	}
	return n.Value
}

func (p *parser) switched(n *yaml.Node, what string, into *bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		p.add(n.Line, what+" is neither true nor false", "write true or false")
		return
	}
	*into = strings.EqualFold(n.Value, "true")
}

func (p *parser) instant(n *yaml.Node, what string) time.Time {
	t, err := time.Parse(time.RFC3339, p.text(n, what))
	if err != nil || t.IsZero() {
		p.add(n.Line, what+" is not a time", "write it as 2026-01-31T15:04:05Z")
		return time.Time{}
	}
	return t
}

// check reports an error of a rule or a name where it stands.
func (p *parser) check(n *yaml.Node, err error) bool {
	if err != nil {
		p.checkAt(n.Line, err)
	}
	return err == nil
}

// checkAt is check for a line.
func (p *parser) checkAt(line int, err error) {
	mend := "see `lethe user --help`"
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		mend = h.Hint()
	}
	p.add(line, err.Error(), mend)
}

func (p *parser) user(n *yaml.Node) *User {
	before := len(p.mistakes)
	u := &User{}
	table := fieldTable{
		"name": {required: true, read: func(n *yaml.Node) {
			u.Name = p.text(n, "the name")
			if p.check(n, checkName("user", u.Name)) {
				p.named(u.Name, n.Line)
			}
		}},
		"enabled": {required: true, read: func(n *yaml.Node) { p.switched(n, "enabled", &u.Enabled) }},
		"tenants": {required: true, read: func(n *yaml.Node) { u.Tenants = p.tenants(n) }},
		"rules":   {required: true, read: func(n *yaml.Node) { p.rules(n, u) }},
		"created": {required: true, read: func(n *yaml.Node) { u.CreatedAt = p.instant(n, "created") }},
		"tokens":  {required: true, read: func(n *yaml.Node) { u.tokens = p.tokens(n) }},
	}
	for _, a := range attributes() {
		if a.name != "tenants" {
			table[a.name] = field{read: func(n *yaml.Node) { p.check(n, a.set(u, p.commaList(n, a.name))) }}
		}
	}
	p.fields(n, "the user", table)
	if len(p.mistakes) == before {
		p.check(n, u.compile(p.set))
		p.certificatesAt(n.Line, u)
	}
	if len(p.mistakes) > before {
		return nil
	}
	return u
}

// commaList reads a text, or a list of texts as the same with commas between them.
func (p *parser) commaList(n *yaml.Node, what string) string {
	if n.Kind != yaml.SequenceNode {
		return p.text(n, what)
	}
	var items []string
	for _, item := range n.Content {
		items = append(items, p.text(item, what))
	}
	return strings.Join(items, ",")
}

// certificatesAt notes whose the names of certificates are; a name cannot be two users'.
func (p *parser) certificatesAt(line int, u *User) {
	if p.certified == nil {
		p.certified = map[string]bool{}
	}
	for _, name := range u.Certificates {
		if p.certified[name] {
			p.add(line, "two users have the same certificate's name", "keep it with one")
		}
		p.certified[name] = true
	}
}

func (p *parser) named(name string, line int) {
	if p.lines == nil {
		p.lines = map[string]int{}
	}
	if first, ok := p.lines[name]; ok {
		p.add(line, fmt.Sprintf("the user %s is here twice, first on line %d", name, first), "keep one")
		return
	}
	p.lines[name] = line
}

// distinct sorts users by name; doubles have been reported by named.
func (p *parser) distinct(users []*User) []*User {
	slices.SortFunc(users, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(p.mistakes, func(a, b Mistake) int { return a.Line - b.Line })
	return users
}

func (p *parser) tenants(n *yaml.Node) []string {
	var tenants []string
	p.items(n, "tenants", func(item *yaml.Node) { tenants = append(tenants, p.text(item, "the tenant")) })
	p.check(n, checkTenants(tenants))
	return tenants
}

func (p *parser) rules(n *yaml.Node, u *User) {
	u.rules = p.text(n, "rules")
	compiled, err := ParseRules(p.set, u.rules)
	if !p.check(n, err) {
		return
	}
	if _, said := compiled.Enabled(); said {
		p.add(n.Line, "the rules say on, off or reset, which the field enabled says here", "leave them out")
	}
	u.permissions = compiled
}

func (p *parser) tokens(n *yaml.Node) []token {
	var tokens []token
	p.items(n, "tokens", func(item *yaml.Node) {
		var t token
		p.fields(item, "the token", fieldTable{
			"hash": {required: true, read: func(n *yaml.Node) {
				v, err := parseVerifier(p.text(n, "hash"), p.leastIterations)
				if err != nil {
					p.add(n.Line, "the token's hash "+err.Error(), "run `lethe user rotate`, or restore the file from a backup")
				}
				t.verifier = v
			}},
			"created": {required: true, read: func(n *yaml.Node) { t.createdAt = p.instant(n, "created") }},
			"expires": {read: func(n *yaml.Node) { t.expiresAt = p.instant(n, "expires") }},
		})
		tokens = append(tokens, t)
	})
	if len(tokens) > maxTokens {
		p.add(n.Line, fmt.Sprintf("the user has more than %d tokens", maxTokens), "keep the newest")
	}
	return tokens
}
