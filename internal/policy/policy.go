package policy

// Policy is a loaded policy. It does not change and may be used by any number of goroutines.
type Policy struct {
	categories []*Category
	byName     map[string]*Category
	unmatched  *Category
	rules      []rule

	patterns []*pattern // in order of precedence
	index    *node
	depth    int // how many segments of a key the patterns look at

	version  int64
	warnings []Mistake
	yaml     []byte
	hash     string
}

// rule is one item of `keys`.
type rule struct {
	match    string
	category *Category // a copy of its own if the rule has an on_excess
	source   TenantSource
	tenant   []byte // of a Fixed rule
	onExcess Excess // as the rule says; zero if it does not
	line     int
	column   int
}

// Rule is one rule of a policy, for showing.
type Rule struct {
	Match    string
	Category *Category
	Source   TenantSource
	Tenant   string // of a Fixed rule
	Line     int    // in the policy file
}

// Rules returns the rules in their order.
func (p *Policy) Rules() []Rule {
	out := make([]Rule, len(p.rules))
	for i, r := range p.rules {
		out[i] = Rule{Match: r.match, Category: r.category, Source: r.source, Tenant: string(r.tenant), Line: r.line}
	}
	return out
}

// Categories returns every category; the index of each is its ID. The slice is the caller's.
func (p *Policy) Categories() []*Category { return append([]*Category(nil), p.categories...) }

// Category returns the category of that name, or nil.
func (p *Policy) Category(name string) *Category { return p.byName[name] }

// Unmatched returns the category of keys that no rule fits.
func (p *Policy) Unmatched() *Category { return p.unmatched }

// Warnings tells what the policy may do but its author should know. The slice is the caller's.
func (p *Policy) Warnings() []Mistake { return append([]Mistake(nil), p.warnings...) }

// YAML returns the policy as a file with everything spelled out: two files that mean the same give the same text. It can be
// parsed again. The slice is the caller's.
func (p *Policy) YAML() []byte { return append([]byte(nil), p.yaml...) }

// Version is what the file says: of two policies that gateways in front of one upstream were given, the one with the
// greater version is the later. 0: it says nothing.
func (p *Policy) Version() int64 { return p.version }

// Hash returns the SHA-256 of YAML in hexadecimal. The audit log names a loaded policy by it.
func (p *Policy) Hash() string { return p.hash }
